"""References to issues, as people write them: `#7`, `owner/repo#7`, `owner/repo!7`, addresses.

`Marked` is a text in which each reference is one character of a private plane, so that grammars
can speak of "a reference" as of a letter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from bot.models import MAX_ISSUE_NUMBER, IssueRef

REF_FIRST, REF_LAST = 0x100000, 0x10FFFD
ELSE_FIRST, ELSE_LAST = 0xF8000, 0xFFFFD
REF = f"[{chr(REF_FIRST)}-{chr(REF_LAST)}]"
ELSE = f"[{chr(ELSE_FIRST)}-{chr(ELSE_LAST)}]"  # an address that is no issue of this Gitea
ANY = f"[{chr(ELSE_FIRST)}-{chr(ELSE_LAST)}{chr(REF_FIRST)}-{chr(REF_LAST)}]"

MAX_RANGE = 50
MAX_REFERENCES = 1000
MAX_MATCHES = 50_000

_WORD = "A-Za-z0-9_"
_URL = r"https?://[^\s<>\"'`|\\^{}\[\]()\ue000-\ue01f]+"
_SLUG = (
    rf"(?<![{_WORD}./#!@-])(?P<owner>[A-Za-z0-9][A-Za-z0-9_.-]{{0,99}})"
    rf"/(?P<repo>[A-Za-z0-9_.][A-Za-z0-9_.-]{{0,99}})[#!](?P<far>[0-9]{{1,20}})(?![{_WORD}])"
)
_NEAR = (
    rf"(?<![{_WORD}&#!\\.\]])(?<![^0-9]/)(?:(?:PR|MR|pr|mr|issue|Issue|bug|ticket|task)(?=#))?"
    rf"[#!](?P<near>[0-9]{{1,20}})(?![{_WORD}]|\.[0-9])"
)
_GITHUB = rf"(?<![{_WORD}/#-])GH-(?P<gh>[0-9]{{1,10}})(?![{_WORD}-])"
_TO = re.compile(
    rf"(?:(?:-|–|—|\.\.\.?|~|→)#?|\s+(?:to|through|thru|bis|until)\s+#|\s*[–—]\s*#|\s+-\s+#)"
    rf"(?P<last>[0-9]{{1,10}})(?![{_WORD}]|\.[0-9])(?!\s+(?:is|was|has|will|and|are)\b)"
)
_REFERENCE = re.compile(f"(?P<url>{_URL})|{_SLUG}|{_NEAR}|{_GITHUB}")
_PATH = re.compile(
    r"https?://(?P<host>[^/\s?#]+)(?P<prefix>(?:/[^/\s?#]+)*?)"
    r"/(?P<owner>\w[\w.-]{0,99})/(?P<repo>\w[\w.-]{0,99})/(?:issues|pulls?)/(?P<number>[0-9]{1,10})"
    r"(?:[/?#]\S*)?$",
    re.IGNORECASE,
)
# A number after one of these counts something else: `CRAP #5`, `step #2`.
_COUNTED = re.compile(
    r"\b(?:rank|step|phase|item|option|point|bullet|row|line|column|test|build|run|job|comment|"
    r"attempt|round|priority|version|chapter|section|page|slot|crap|ac|criterion|criteria|"
    r"requirement|question|stage|part|milestone|sprint|week|day|finding|rule|figure|table|example|"
    r"case|scenario|place|position|reason|iteration|goal)\s*$",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Marked:
    """`text` with its references as single characters; `refs` and `elsewhere` say which."""

    text: str
    refs: list[tuple[IssueRef, ...]] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    def at(self, char: str) -> tuple[IssueRef, ...]:
        """What a character stands for; a range stands for several."""
        index = ord(char) - REF_FIRST
        return self.refs[index] if 0 <= index < len(self.refs) else ()

    def all(self, text: str) -> list[IssueRef]:
        """Every reference in a part of the text, in order."""
        return [ref for char in re.findall(REF, text) for ref in self.at(char)]

    def address(self, char: str) -> str | None:
        """The address that is no issue of this Gitea, as typed."""
        index = ord(char) - ELSE_FIRST
        return self.elsewhere[index] if 0 <= index < len(self.elsewhere) else None


def _known(host: str, prefix: str, hosts: frozenset[str] | None) -> bool:
    if hosts is None:
        return not host.lower().startswith("gitlab") and "/-" not in prefix
    return _bare(f"{host}{prefix}") in {_bare(h) for h in hosts}


def _bare(host: str) -> str:
    host = re.sub(r"^https?://", "", host.lower()).rstrip("/")
    return re.sub(r":(?:80|443)(?=/|$)", "", host.removeprefix("www."))


def _number(digits: str) -> int | None:
    number = int(digits)
    return number if 0 < number <= MAX_ISSUE_NUMBER else None


def _of_url(url: str, hosts: frozenset[str] | None) -> IssueRef | None:
    found = _PATH.match(url) if len(url) <= 2000 else None
    if not found or not _known(found["host"], found["prefix"], hosts):
        return None
    number = _number(found["number"])
    return IssueRef(found["owner"], found["repo"], number) if number else None


def _range(first: IssueRef, last: str, *, ends_only: bool) -> tuple[IssueRef, ...]:
    end = _number(last)
    if end is None:
        return (first,)
    if ends_only or end - first.number >= MAX_RANGE:
        return (first, first.sibling(end))
    return tuple(first.sibling(n) for n in range(first.number, end + 1))


@dataclass(frozen=True, slots=True)
class _Found:
    """One reference or address: where it stands, what it names (a range names several)."""

    begin: int
    end: int
    refs: tuple[IssueRef, ...]
    url: str | None


def _find(text: str, issue: IssueRef, hosts: frozenset[str] | None) -> Iterator[_Found]:
    at = spent = 0
    for found in _REFERENCE.finditer(text):
        if found.start() < at:
            continue
        url = found["url"].rstrip(".,;:!?*_~") if found["url"] else None
        at = found.start() + len(url) if url else found.end()
        ref = _of_url(url, hosts) if url else _of_match(found, issue, hosts)
        refs: tuple[IssueRef, ...] = (ref,) if ref else ()
        if ref and not url and (to := _TO.match(text, at)) and int(to["last"]) > ref.number:
            refs, at = _range(ref, to["last"], ends_only=spent > MAX_REFERENCES), to.end()
            spent += len(refs)
        impossible = not ref and not url and not found["gh"]  # a number that no issue can have
        yield _Found(found.start(), at, refs, found[0] if impossible else url)


def mark(text: str, issue: IssueRef, hosts: frozenset[str] | None = None) -> Marked:
    """The text with its references marked; counts (`step #2`) are no references."""
    done = Marked("")
    out, at = [], 0
    for found in _find(text, issue, hosts):
        out.append(text[at : found.begin])
        out.append(" " if _is_count(text, found) else _token(done, found))
        at = found.end
    out.append(text[at:])
    done.text = "".join(out)
    return done


def _is_count(text: str, found: _Found) -> bool:
    before = text[max(0, found.begin - 16) : found.begin]
    word = before.rstrip()[-1:]
    return not found.url and (word.isalpha() or word == ".") and bool(_COUNTED.search(before))


def _token(done: Marked, found: _Found) -> str:
    if found.refs and REF_FIRST + len(done.refs) <= REF_LAST:
        done.refs.append(found.refs)
        return chr(REF_FIRST + len(done.refs) - 1)
    if found.url and not found.refs and ELSE_FIRST + len(done.elsewhere) <= ELSE_LAST:
        done.elsewhere.append(found.url)
        return chr(ELSE_FIRST + len(done.elsewhere) - 1)
    return " "


def _of_match(
    found: re.Match[str], issue: IssueRef, hosts: frozenset[str] | None
) -> IssueRef | None:
    if found["far"]:
        number = _number(found["far"])
        return IssueRef(found["owner"], found["repo"], number) if number else None
    near = found["near"] or (found["gh"] if hosts is None else None)
    number = _number(near) if near else None
    return issue.sibling(number) if number else None


def references(
    text: str, *, issue: IssueRef, hosts: frozenset[str] | None = None
) -> tuple[IssueRef, ...]:
    """Every reference of any kind that stands in the text, without repeats, in order.

    Reads also what stands in code, quotes and links. `issue` is where `#7` is said; `hosts` are
    the addresses of this Gitea, as in `bot.parser.parse`. At most `MAX_REFERENCES` of the first
    `MAX_MATCHES`.
    """
    seen: dict[IssueRef, None] = {}
    for found in islice(_find(text, issue, hosts), MAX_MATCHES):
        seen.update(dict.fromkeys(found.refs))
        if len(seen) >= MAX_REFERENCES:
            break
    return tuple(seen)[:MAX_REFERENCES]
