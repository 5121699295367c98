"""A proposed split as the bot keeps it in its own reply, and its parts as issues. Pure.

The reply holds the parts a second time, hidden, since what is shown is not all of them. Whoever may
write in the repository can edit it, so nothing in it is believed unseen.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Collection, Sequence
from typing import Annotated, Literal, Self

from markdown_it import MarkdownIt
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bot.models import MAX_TOKENS, IssueRef
from bot.parser import parse
from bot.splitting import MAX_PARTS, Part

MAX_DATA = 20_000  # bytes of the parts as JSON
MAX_TITLE = 160  # characters; Gitea takes 255
SHARED = 16_000  # characters of all parts' texts together, to begin with

_HIDDEN = re.compile(
    r"^<!-- mosaic-coordinator:proposal ([A-Za-z0-9+/]{1,30000}={0,2}) -->\r?$", re.MULTILINE
)
_PART = re.compile(
    r"<!-- mosaic-coordinator:part (\d{1,10}) (\d{1,3}) ([0-9a-f]{12}) -->\r?(?:\n|$)"
)
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\u2028\u2029]")
_SILENT_AT = "@\u200b"
_SLASH = re.compile(r"^([ \t>*+-]{0,20}(?:\[[ xX]\][ \t]+)?)/(?=[A-Za-z])", re.MULTILINE)
_ANY_AT = re.compile(r"(?<![\w.+-])@(?=\w)")
_AT = re.compile(rf"`[^`\n]*`|{_ANY_AT.pattern}")  # where backticks are sure to be pairs
_MARKDOWN = MarkdownIt("commonmark").disable("inline")


class _Kept(BaseModel):
    """A part as it is kept."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    title: Annotated[str, Field(min_length=1, max_length=MAX_TITLE)]
    body: Annotated[str, Field(max_length=MAX_DATA)]
    estimate: Annotated[int, Field(ge=1, le=MAX_TOKENS)]
    after: Annotated[list[int], Field(max_length=MAX_PARTS)]


class Proposal(BaseModel):
    """The parts proposed for the issue of that number, in this repository."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    version: Literal[1] = 1
    issue: Annotated[int, Field(ge=1)]
    kept: Annotated[list[_Kept], Field(min_length=2, max_length=MAX_PARTS)]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for number, part in enumerate(self.kept, 1):
            if not all(1 <= before < number for before in part.after):
                raise ValueError("a part waits only for earlier ones")
            if not part.title.strip():
                raise ValueError("a part has a title")
        return self

    @classmethod
    def of(cls, issue: IssueRef, parts: Sequence[Part]) -> Proposal:
        """The parts, their texts cut to what a reply can hold."""
        most = SHARED // len(parts)
        while True:
            found = cls(issue=issue.number, kept=[_kept(part, most) for part in parts])
            if len(found._json()) <= MAX_DATA:
                return found
            most = most * 2 // 3

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts."""
        return tuple(
            Part(k.title, k.body, k.estimate, tuple(sorted(set(k.after)))) for k in self.kept
        )

    @property
    def digest(self) -> str:
        """What tells this proposal from others: 12 hex digits."""
        return hashlib.sha256(self._json()).hexdigest()[:12]

    @property
    def hidden(self) -> str:
        """The line that a reply keeps it in."""
        return f"<!-- mosaic-coordinator:proposal {base64.b64encode(self._json()).decode()} -->"

    def _json(self) -> bytes:
        return self.model_dump_json().encode()

    @classmethod
    def found_in(cls, body: str) -> Proposal | None:
        """The one that a reply keeps; None when there is none, or it is not as it was written."""
        found = _HIDDEN.search(body)
        if not found:
            return None
        try:
            return cls.model_validate_json(base64.b64decode(found[1], validate=True))
        except (ValidationError, binascii.Error, ValueError):
            return None


def _kept(part: Part, most: int) -> _Kept:
    body = _sound(part.body).strip()
    if len(body) > most:
        body = body[:most].rsplit("\n", 1)[0].rstrip() + "\n\n…"
    title = " ".join(_sound(part.title).split())
    if len(title) > MAX_TITLE:
        title = title[: MAX_TITLE - 1].rstrip() + "…"
    return _Kept(title=title or "Part", body=body, estimate=part.estimate, after=list(part.after))


def _sound(text: str) -> str:
    return _CONTROL.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))


# ---- the issues ----


def issue_title(part: Part) -> str:
    """A part's title as an issue's."""
    return _ANY_AT.sub(_quiet, part.title)


def issue_body(
    proposal: Proposal, number: int, parent: IssueRef, waits: Collection[IssueRef]
) -> str:
    """The text of the issue that is made of a part: what it needs and waits for, then its words.

    Those are quoted, or left out, where they would declare something else. `waits` are issues.
    """
    part = proposal.parts[number - 1]
    said = [
        (
            f"<!-- mosaic-coordinator:part {parent.number} {number} {proposal.digest} -->\n"
            f"Part {number} of {len(proposal.kept)} of #{parent.number}."
        ),
        f"Context estimate: {part.estimate:,} tokens",
    ]
    if waits:
        said.append("Blocked by " + ", ".join(ref.seen_from(parent) for ref in waits))
    head = "\n\n".join(said) + "\n\n---\n\n"
    text = disarmed(part.body)
    elsewhere = f"What to do stands in #{parent.number}."
    if not text:
        return f"{head}{elsewhere}\n"
    quoted = "\n".join(f"> {line}" for line in text.split("\n"))
    for words in (text, quoted):
        body = f"{head}{words}\n"
        found = parse(body, issue=parent.sibling(2**31 - 1), title=part.title)
        if (
            found.estimated_context == part.estimate
            and set(waits) <= set(found.blocked_by)
            and parent not in found.blocked_by
        ):
            return body
    return f"{head}{elsewhere}\n"


def part_of(body: str) -> tuple[int, int, str] | None:
    """Of which issue, by number, an issue's text says it is which part; and of which proposal."""
    found = _PART.match(body)
    return (int(found[1]), int(found[2]), found[3]) if found else None


def disarmed(text: str) -> str:
    """Text that others wrote, for an issue that the bot opens: it calls nobody and no bot.

    Outside code no line begins with a command, `@name` is no mention, and what HTML comments hide
    is not taken along. What is seen stays the same.
    """
    shown = _without_hidden(text)
    code = _code_lines(shown)
    lines = shown.split("\n")
    words = [line for number, line in enumerate(lines) if number not in code]
    at = _AT if all(line.count("`") % 2 == 0 and "\\" not in line for line in words) else _ANY_AT
    return "\n".join(
        line if number in code else at.sub(_quiet, _SLASH.sub(r"\1\\/", line))
        for number, line in enumerate(lines)
    )


def _code_lines(text: str) -> set[int]:
    """The lines that are code of their own, however nested."""
    return {
        number
        for token in _MARKDOWN.parse(text)
        if token.type in ("fence", "code_block") and token.map
        for number in range(*token.map)
    }


def _without_hidden(text: str) -> str:
    code = _code_lines(text)
    lines, hidden = [], False
    for number, line in enumerate(text.split("\n")):
        if number in code and not hidden:
            lines.append(line)
            continue
        seen, hidden = _seen(line, hidden=hidden)
        if seen.strip() or not line.strip():
            lines.append(seen.rstrip())
    return "\n".join(lines).rstrip().lstrip("\n")


def _seen(line: str, *, hidden: bool) -> tuple[str, bool]:
    """What of a line stands outside HTML comments, and whether one is open at its end."""
    seen = []
    for part in re.split("(<!--|-->)", line):
        if hidden:
            hidden = part != "-->"
        elif part == "<!--":
            hidden = True
        else:
            seen.append(part)
    return "".join(seen), hidden


def _quiet(found: re.Match[str]) -> str:
    return _SILENT_AT if found[0] == "@" else found[0]
