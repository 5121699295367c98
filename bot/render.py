"""Report ▸ the Markdown of the sticky comment; every word of it stands in `templates/`.

What this module gives the templates are forms, not words: how a number, a reference, a name from
elsewhere and the dependency graph are written so that Gitea draws them as they are meant.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from bot.models import IssueRef, RefState, Report, WarningKind

MARKER = "<!-- mosaic-coordinator:report -->"
TEMPLATES = Path(__file__).resolve().parent.parent / "templates"

TITLE_LENGTH = 120
LABEL_LENGTH = 36
GRAPH_NODES = 30
GRAPH_EDGES = 40
GRAPH_STEPS = 4  # side by side; more would be drawn too small to read


class Renderer:
    """Renders what the bot says. Holds no state but its templates; safe to share."""

    def __init__(self) -> None:
        self._jinja = _environment(TEMPLATES)

    def report(self, report: Report) -> str:
        """The sticky comment for a report: Markdown whose first line is `MARKER`."""
        return self.reply(
            "report",
            issue=report.issue,
            report=report,
            groups=_by_severity(report),
            diagram=Diagram.of(report),
        )

    def ended(self, *, issue: IssueRef, bot: str, by: str | None = None) -> str:
        """What the sticky comment becomes when the bot was unassigned, by whom if known."""
        return self.reply("ended", issue=issue, bot=bot, by=by)

    def reply(self, template: str, **values: object) -> str:
        """`templates/<template>.md.j2` with these values; `issue` is the one it is posted at.

        Raises jinja2.TemplateNotFound, and jinja2.UndefinedError for a value that is missing.
        """
        return _tidied(self._jinja.get_template(f"{template}.md.j2").render(**values))


@cache
def _environment(templates: Path) -> Environment:
    """The templates with what they may use; one for all, since compiling them takes a while."""
    jinja = Environment(
        loader=FileSystemLoader(templates),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701 - Markdown: `md` and `code` escape what others wrote
    )
    jinja.globals["marker"] = MARKER
    jinja.filters |= {
        "md": escape,
        "code": code,
        "link": _link,
        "code_here": _code_here,
        "k": short_number,
        "about": rounded_number,
        "n": long_number,
        "money": money,
        "label": mermaid_label,
    }
    return jinja


def _tidied(text: str) -> str:
    """Without trailing spaces and repeated blank lines, so that templates can breathe."""
    text = re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


# ---- text that others wrote ----

BREAK = "&#8203;"  # a zero-width space: nobody sees it, and no pattern reaches across
_JOINERS = "\u200c\u200d"  # invisible, but scripts and emoji need them

# Where Gitea would see a mention, an address, a reference, an emoji code, a wiki link or a commit.
_SPLIT = re.compile(
    r"(?<=@)(?=\S)|(?<=[#!])(?=\d)|(?<=:)(?=[/\w+-])|(?<=\[)(?=\[)|(?<=www)(?=\.)"
    r"|(?<=\b[0-9a-f])(?=[0-9a-f]{6,63}\b)|(?<=^/)(?=\S)",
    re.IGNORECASE,
)
_START = re.compile(r"^(\d*)(?=[-+=:>#.)])")
# Brackets and the backslash as entities, since `\[` and `\(` may begin a formula.
_MARKUP = str.maketrans({c: f"\\{c}" for c in "`*_~<|&$"} | {c: f"&#{ord(c)};" for c in "\\[]"})


def escape(text: str, most: int = TITLE_LENGTH) -> str:
    """Text that others wrote, as Markdown that shows it and does nothing else.

    One line of at most `most` characters, without mention, link, image, HTML, table cell,
    list, heading, check-box, code, formula, emoji code, issue or commit reference, and with
    nothing that hides or turns around what stands beside it.

    A backslash is enough for Markdown. But Gitea looks for references, mentions and addresses
    once more in the finished page, where it is gone; these are split by `BREAK` (the patterns are
    in modules/markup/html.go and modules/references/references.go of Gitea 1.26).
    """
    text = _shortened(_plain(text), most)
    text = _START.sub("\\1\1", _SPLIT.sub("\0", text))
    return text.translate(_MARKUP).replace("\0", BREAK).replace("\1", "\\")


def code(text: str) -> str:
    """A name or path as a code span; escaped as text where a code span cannot hold it."""
    text = _shortened(_plain(text), TITLE_LENGTH)
    return escape(text) if not text or set(text) & set("`|\\") else f"`{text}`"


def mermaid_label(text: str) -> str:
    """Text for a quoted node label of Mermaid, which has entity codes of its own."""
    text = _shortened(_plain(text), LABEL_LENGTH)
    return "".join(c if c.isalnum() or c in " .,…'-" else f"#{ord(c)};" for c in text)


def _plain(text: str) -> str:
    """One line without control, direction and other invisible characters."""
    return " ".join("".join(_visible(c) for c in text).split())


def _visible(char: str) -> str:
    if char.isspace():
        return " "
    hidden = unicodedata.category(char) in ("Cc", "Cf", "Cs", "Cn", "Co")
    return "" if hidden and char not in _JOINERS else char


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


# ---- references ----


@pass_context
def _link(context: Context, ref: IssueRef) -> str:
    issue = context.get("issue")
    return reference(ref.seen_from(issue if isinstance(issue, IssueRef) else None))


@pass_context
def _code_here(context: Context, ref: IssueRef) -> str:
    """A reference that leads nowhere, as one would type it here."""
    issue = context.get("issue")
    return code(ref.seen_from(issue if isinstance(issue, IssueRef) else None))


def reference(text: str) -> str:
    r"""`#7` or `owner/repo#7`, written `\#7`: Gitea makes it a link, and nothing else.

    Measured on 1.26.3: a plain `#7` leaves "referenced this issue" in the other issue's timeline,
    once more each time it comes back by an edit. A Markdown link to the issue does so too. The
    backslash hides it from that search, but not from the one that draws the link.
    """
    if not re.fullmatch(r"(?:[\w.-]+/[\w.-]+)?#\d+", text, re.ASCII):
        return escape(text)
    return text.replace("_", r"\_").replace("#", r"\#")


# ---- numbers ----


def short_number(number: int) -> str:
    """46_000 ▸ `46k`, 1_234_567 ▸ `1.23M`: three figures that count."""
    return _scaled(number, 3)


def rounded_number(number: int) -> str:
    """38_412 ▸ `38k`: two figures, for what is only known roughly."""
    return _scaled(number, 2)


def long_number(number: int) -> str:
    """46_000 ▸ `46,000`."""
    return f"{number:,}"


def money(amount: float) -> str:
    """0.0123 ▸ `0.012`, 3.5 ▸ `3.50`: two figures, at least two decimals."""
    text = f"{amount:.2g}" if 0 < abs(amount) < 0.1 else f"{amount:,.2f}"
    return f"{amount:.6f}".rstrip("0") if "e" in text else text


def _scaled(number: int, figures: int) -> str:
    if number < 1_000:
        return str(number)
    rounded = round(number, figures - len(str(number)))
    unit, letter = (1_000, "k") if rounded < 1_000_000 else (1_000_000, "M")
    return f"{rounded / unit:.6f}".rstrip("0").rstrip(".") + letter


# ---- warnings ----

_CAUTION = {WarningKind.CYCLE, WarningKind.ITSELF, WarningKind.TOO_BIG}
_NOTE = {
    WarningKind.GONE,
    WarningKind.KEPT_OFF,
    WarningKind.AI_FAILED,
    WarningKind.READING,
    WarningKind.HELD,
    WarningKind.UNBLOCKED,
    WarningKind.CLOSED_BLOCKED,
    WarningKind.TOO_MANY,
}


def _by_severity(report: Report) -> Mapping[str, list[object]]:
    """The warnings under the name of the call-out they belong in, the gravest first."""
    groups: dict[str, list[object]] = {"CAUTION": [], "WARNING": [], "NOTE": []}
    for warning in report.warnings:
        grave, slight = warning.kind in _CAUTION, warning.kind in _NOTE
        groups["CAUTION" if grave else "NOTE" if slight else "WARNING"].append(warning)
    return {name: warnings for name, warnings in groups.items() if warnings}


# ---- the dependency graph ----


@dataclass(frozen=True, slots=True)
class Node:
    """One box: `id` in the drawing, `title` as it may be shown, `look` is its class.

    `status` is written into the box where it is given: as in the label, or a state of Gitea.
    """

    id: str
    ref: str
    title: str | None
    look: str
    status: str = ""


@dataclass(frozen=True, slots=True)
class Diagram:
    """What of the graph is drawn; arrows are (first, then): what is to be done first.

    `direction` is Mermaid's, `LR` or `TB`: as wide as a comment can show in legible size.
    """

    nodes: tuple[Node, ...]
    arrows: tuple[tuple[str, str], ...]
    left_out: int
    direction: str

    @classmethod
    def of(cls, report: Report) -> Diagram:
        """The report's first edges, as far as `GRAPH_NODES` and `GRAPH_EDGES` allow."""
        private = {d.ref for d in (*report.blockers, *report.waiting) if d.private}
        titles = {ref: title for ref, title in report.titles.items() if ref not in private}
        return cls.drawn(report.issue, report.edges, states=report.states, titles=titles)

    @classmethod
    def drawn(
        cls,
        issue: IssueRef,
        edges: Collection[tuple[IssueRef, IssueRef]],
        *,
        states: Mapping[IssueRef, RefState],
        titles: Mapping[IssueRef, str],
        statuses: Mapping[IssueRef, str] | None = None,
    ) -> Diagram:
        """The first of the edges (waits, for) around an issue, bounded likewise.

        `titles` are only those that may be shown; `statuses` are written into the boxes.
        """
        ids = {issue: "n0"}
        levels = {issue: 0}
        arrows: list[tuple[str, str]] = []
        for waits, first in edges:
            new = {waits, first} - ids.keys()
            if len(arrows) == GRAPH_EDGES or len(ids) + len(new) > GRAPH_NODES:
                continue
            levels.setdefault(waits, levels.get(first, -1) + 1)
            levels.setdefault(first, levels[waits] - 1)
            ids |= {ref: f"n{len(ids) + nth}" for nth, ref in enumerate(sorted(new))}
            arrows.append((ids[first], ids[waits]))
        return cls(
            nodes=tuple(
                Node(
                    id=name,
                    ref=ref.seen_from(issue),
                    title=titles.get(ref),
                    look="this" if ref == issue else states.get(ref, RefState.UNCHECKED).value,
                    status=(statuses or {}).get(ref, ""),
                )
                for ref, name in ids.items()
            ),
            arrows=tuple(arrows),
            left_out=len(edges) - len(arrows),
            direction=_direction(list(levels.values())),
        )


def _direction(levels: list[int]) -> str:
    """Along the lines while there are few steps, else down: a comment is narrow, and long."""
    steps, most_in_one = len(set(levels)), max(map(levels.count, levels))
    return "LR" if steps <= max(GRAPH_STEPS, most_in_one) else "TB"
