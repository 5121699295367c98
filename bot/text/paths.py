"""The file paths that a text names."""

from __future__ import annotations

import re

from bot.text.inline import BOLD, CODE, CODE_FIRST, Block, Kind

MAX_PATHS = 200

_EXTENSIONS = (
    "py pyi pyx ipynb js jsx mjs cjs ts tsx mts cts vue svelte go rs c h cc cpp cxx hpp hh m "
    "mm cs java kt kts scala groovy rb erb php pl pm lua r jl ex exs erl hrl hs elm clj cljs "
    "edn ml mli fs fsx swift dart zig nim sh bash zsh fish ps1 bat cmd sql graphql gql proto "
    "thrift json json5 jsonl jsonc yaml yml toml ini cfg conf env xml xsd html htm css scss "
    "sass less styl md mdx rst txt adoc tex csv tsv lock mod sum gradle cmake mk tf tfvars "
    "hcl nix j2 jinja tmpl tpl hbs ejs pug svg po pot patch diff service plist gemspec "
    "podspec csproj sln vbproj props targets snap feature bzl bazel "
)
_EXTENSION = "|".join(sorted(_EXTENSIONS.split(), key=len, reverse=True))
_NAMED = (
    r"(?:Makefile|Dockerfile|Containerfile|Jenkinsfile|Vagrantfile|Procfile|Gemfile|Rakefile|"
    r"Justfile|CMakeLists\.txt|go\.mod|go\.sum)"
)
_PART = r"[\w@.+\[\]$-]"
_PATH = re.compile(
    rf"(?<![\w@./~$+:%*{{}}\\-])((?:{_PART}{{1,120}}/){{0,20}}"
    rf"(?:{_PART}{{0,120}}\.(?:{_EXTENSION})|{_NAMED}))(?![\w/*{{}}-]|\.[A-Za-z0-9])"
)
_FOLDER = re.compile(r"[a-z][\w.-]*(?:/[\w.@-]+){2,}")
_URL = re.compile(r"https?://[^\s<>\"'`]+")
_IN_URL = re.compile(r"/(?:blob|src/(?:branch|commit|tag)|raw|tree)/[^/\s]+/([^\s?#]+)")
_LISTED = re.compile(r"[\s│├└─|`+*-]*([\w@./+\[\]$-]+)(?:\s+(?:#|//|—|–|-|<-|←|\().*)?\s*$")
_NO_FILES = "node.js vue.js next.js nuxt.js express.js react.js three.js d3.js asp.net socket.io"
_NOT_A_FILE = frozenset(_NO_FILES.split())


def paths(blocks: list[Block]) -> tuple[str, ...]:
    """The paths named, as written, without repeats: in prose, code spans and fenced lists."""
    found: dict[str, None] = {}
    for block in blocks:
        for cell in [block, *(c for row in block.rows for c in row)]:
            _of_block(cell, found)
        if len(found) >= MAX_PATHS:
            break
    return tuple(found)[:MAX_PATHS]


def _of_block(block: Block, found: dict[str, None]) -> None:
    if block.kind is Kind.FENCE:
        _listed(block, found)
        return
    found.update(dict.fromkeys(code for code in block.codes if _FOLDER.fullmatch(code)))
    text = block.text
    if block.codes:
        text = re.sub(CODE, lambda m: f" {block.codes[ord(m[0]) - CODE_FIRST]} ", text)
    if "." not in text and "file" not in text:
        return
    for url in _URL.findall(text):
        if (inside := _IN_URL.search(url)) and _PATH.fullmatch(inside[1]):
            _add(inside[1], found)
    for path in _PATH.finditer(_URL.sub(" ", text.replace(BOLD, " "))):
        _add(path[1], found)


def _listed(fence: Block, found: dict[str, None]) -> None:
    """The lines of a fenced block that are nothing but a path."""
    for line in fence.text.split("\n"):
        if (listed := _LISTED.match(line)) and (path := _PATH.fullmatch(listed[1])):
            _add(path[1], found)


def _add(path: str, found: dict[str, None]) -> None:
    path = path.removeprefix("./")
    if (path.lower() not in _NOT_A_FILE and not path.startswith((".", "-"))) or "/" in path:
        found.setdefault(path)
