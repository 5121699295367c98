"""What a repository's tree tells of the work: the files a text names, their tests, their weight.

A tree maps every path to its size in bytes, as Gitea's
`GET /repos/{owner}/{repo}/git/trees/{ref}?recursive=true` lists them. No file is read.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import takewhile

from bot.models import FileShare

BYTES_PER_TOKEN = 3.6
ONE_FILE_MOST = 25_000  # tokens; agents refuse to read more of one file
FILES_MOST = 50  # files of one estimate
WORDS_MOST = 8  # files found in prose: more are a listing or a stack trace, not a plan
TEXT_MOST = 200_000  # characters of a text that are searched for names
SEGMENTS_MOST = 30  # of a path somebody wrote
SAMPLE = 5_000  # files that are weighed to find what is typical

_CODE = frozenset(
    "astro bash c cc cjs clj cpp cs css cxx dart elm erl ex exs fs go groovy h hpp hs html java jl"  # noqa: SIM905
    " js jsx kt kts less lua m mjs ml mm nim php pl pm proto ps1 py pyi r rb rs sass scala scss sh"
    " sol sql svelte swift tf ts tsx vue zig".split()
)
_TEST = re.compile(
    r"(^|/)(tests?|__tests__|specs?|e2e|testdata)/|(^|/)test_[^/]*$|[._-](tests?|spec)\.\w+$",
    re.IGNORECASE,
)
# What nobody reads to change code: binaries, pictures, archives, lock files, documents.
_UNREAD = re.compile(
    r"\.(7z|a|adoc|avif|bin|bmp|br|bz2|class|db|dll|docx?|eot|exe|gif|gz|icns|ico|jar|jpe?g|lock"
    r"|map|mdx?|mo|mov|mp[34]|o|odt|otf|pdf|png|pyc|rst|snap|so|sqlite3?|svg|tar|tgz|tiff?|ttf|txt"
    r"|wasm|wav|web[mp]|whl|woff2?|xlsx?|xz|zip)$"
    r"|(^|/)(authors|change(s|log)|contributors|copying|history|licen[cs]e|news|readme|releases?)$"
    r"|(^|/)(go\.sum|npm-shrinkwrap\.json|package-lock\.json|pnpm-lock\.yaml)$|\.min\.\w+$"
    r"|(^|/)(\.git|dist|node_modules|third_party|vendor)/",
    re.IGNORECASE,
)
_ASIDE = re.compile(r"(^|/)(bench(marks?)?|docs?|docs-src|examples?|website|www)/", re.IGNORECASE)
_WORD = re.compile(r"[\w.@+/-]+")
_TEST_NAMES = (
    "test_{}",
    "{}_test",
    "{}-test",
    "{}.test",
    "{}.spec",
    "{}_spec",
    "{}test",
    "{}tests",
)


def weigh(size: int) -> int:
    """The tokens that a file of `size` bytes takes in a context."""
    return min(math.ceil(max(0, size) / BYTES_PER_TOKEN), ONE_FILE_MOST)


def is_test(path: str) -> bool:
    """Whether a path looks like a test's."""
    return _TEST.search(path) is not None


def is_code(path: str) -> bool:
    """Whether a path looks like source or a test, in some language."""
    return _suffix(path) in _CODE and is_read(path)


def _suffix(path: str) -> str:
    before, _, suffix = path.rpartition(".")
    return suffix.lower() if before else ""


def is_read(path: str) -> bool:
    """Whether somebody who changes code reads such a file."""
    return _UNREAD.search(path) is None


def typical_weight(tree: Mapping[str, int]) -> int | None:
    """The tokens of a typical source file: half of the source lies in files at least as heavy.

    Work happens where the code is, so this tells more than the median file does. Tests, documents
    and examples do not count. None when there is no source.
    """
    paths = [path for path in tree if _suffix(path) in _CODE]
    paths = paths[:: len(paths) // SAMPLE + 1]
    source = (p for p in paths if is_code(p) and not is_test(p) and not _ASIDE.search(p))
    weights = sorted(weigh(tree[path]) for path in source)
    left = sum(weights) / 2
    for weight in weights:
        left -= weight
        if left <= 0 < weight:
            return weight
    return None


# ---- the files a text names ----


def named_files(files: Iterable[str], text: str, tree: Mapping[str, int]) -> tuple[FileShare, ...]:
    """The files of the repository that an issue names, and the tokens each stands for.

    `files` are the names read in it; when none of them is in the tree, the words of `text` are
    tried. A name counts when it is a path, the end of one path only (letters' case aside), or ends
    in a path itself, as an address does. A directory counts like one file, however large it is:
    nobody reads all of it. What nobody reads to change code is left out.
    """
    found = _resolved(_cleaned(files), tree)[:FILES_MOST]
    return tuple(found or _resolved(_words(text), tree)[:WORDS_MOST])


def _cleaned(names: Iterable[str]) -> list[str]:
    cut = (name.strip().replace("\\", "/").removeprefix("./").lstrip("/") for name in names)
    return [name for name in dict.fromkeys(cut) if name and name.count("/") < SEGMENTS_MOST]


def _words(text: str) -> list[str]:
    words = (word.strip("-+@").rstrip(".") for word in _WORD.findall(text[:TEXT_MOST]))
    return _cleaned(word for word in words if "/" in word or "." in word)


def _resolved(names: Sequence[str], tree: Mapping[str, int]) -> list[FileShare]:
    """The named files, then the named directories of which no file is named."""
    alike = _by_last_part({_last_part(name) for name in names}, tree)
    found = (_path(name, tree, alike.get(_last_part(name), ())) for name in names)
    paths = dict.fromkeys(path for path in found if path is not None and is_read(path))
    folders = dict.fromkeys(name.rstrip("/") + "/" for name in names if "/" in name)
    bare = [folder for folder in folders if not any(path.startswith(folder) for path in paths)]
    return [_share(path, tree[path]) for path in paths] + _folders(bare, tree)


def _last_part(path: str) -> str:
    return path.rpartition("/")[2].lower()


def _by_last_part(wanted: set[str], tree: Mapping[str, int]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in tree if wanted else ():
        last = _last_part(path)
        if last in wanted:
            found.setdefault(last, []).append(path)
    return found


def _path(name: str, tree: Mapping[str, int], alike: Sequence[str]) -> str | None:
    """The path a name stands for; `alike` are the paths whose last part is the same."""
    if name in tree:
        return name
    ending = "/" + name.lower()
    ends = [path for path in alike if ("/" + path.lower()).endswith(ending)]
    if ends:
        return ends[0] if len(ends) == 1 else None
    return next((shorter for shorter in _shorter(name) if shorter in tree), None)


def _shorter(name: str) -> Iterator[str]:
    """What is left of a path when leading parts are taken off, down to two."""
    parts = name.split("/")
    return ("/".join(parts[first:]) for first in range(1, len(parts) - 1))


def _folders(folders: Iterable[str], tree: Mapping[str, int]) -> list[FileShare]:
    paths = sorted(tree) if folders else []
    found = []
    for folder in folders:
        inside = paths[bisect_left(paths, folder) : bisect_left(paths, folder + "\U0010ffff")]
        size = sum(max(0, tree[path]) for path in inside if is_read(path))
        if size:
            found.append(_share(folder, size))
    return found


def _share(path: str, size: int) -> FileShare:
    return FileShare(path, max(0, size), weigh(size))


# ---- the tests that go with them ----


def matching_tests(files: Sequence[FileShare], tree: Mapping[str, int]) -> tuple[FileShare, ...]:
    """The tests that by their names belong to these sources, without those already among them.

    `test_x.py`, `x_test.go`, `x.test.ts`, `XTest.java` …, wherever they lie; of several alike the
    one that lies nearest.
    """
    names = {share.path: _test_names(share.path) for share in files if not is_test(share.path)}
    alike = _by_last_part({name for some in names.values() for name in some}, tree)
    nearest = (
        _nearest(path, alike[name])
        for path, some in names.items()
        for name in some
        if name in alike
    )
    known = {share.path for share in files}
    tests = (path for path in dict.fromkeys(nearest) if path not in known)
    return tuple(_share(path, tree[path]) for path in tests)[:FILES_MOST]


def _nearest(path: str, others: Sequence[str]) -> str:
    """The one that shares most directories with `path`."""
    return min(others, key=lambda other: (-_in_common(path, other), other))


def _in_common(one: str, other: str) -> int:
    parts = zip(one.split("/"), other.split("/"), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], parts))


def _test_names(path: str) -> list[str]:
    stem, dot, suffix = _last_part(path).rpartition(".")
    return [name.format(stem) + dot + suffix for name in _TEST_NAMES] if stem else []
