"""What the shape of a text adds to its sentences: headings, labels, lists.

Under `## Dependencies` a bare `- #5` is an edge; under `### Phase 1` in there it is a plan of other
issues. A walk over the blocks keeps the open *frames* (heading, label, list item) and asks the
grammar of `bot.text.relations` for each line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.models import IssueRef
from bot.text.edges import Edges, Ledger, Section
from bot.text.frontmatter import read_front_matter
from bot.text.headings import Meaning, heading_meaning
from bot.text.inline import BOLD, Block, Kind
from bot.text.markup import MAX_LINE, lines
from bot.text.objects import Reach, objects, plan_keys
from bot.text.references import ANY, REF, Marked, mark
from bot.text.relations import Said, Way, lower, quotes_out, read
from bot.text.tables import relation_cells

_LABEL_DEPTH, _ITEM_DEPTH = 8, 10  # below the depths of headings, 1 to 7

_WAYS = {Meaning.WAITS: Way.WAITS, Meaning.HOLDS: Way.HOLDS, Meaning.DONE: None}
_MEANINGS = {Way.WAITS: Meaning.WAITS, Way.HOLDS: Meaning.HOLDS}

MAX_SPOKEN = 300_000  # characters of lines that can state something; more is not read

_ANY = re.compile(ANY)
# A reference, or a mark after which a list or a plan number may follow.
_MAY_MATTER = re.compile(r"[#!][0-9]|://|GH-[0-9]|[:：=]|\w ?-")
_LEADING = re.compile(rf"[\s\W]*?{REF}")
_LABEL = re.compile(
    rf"\s*{BOLD}[^{BOLD}]{{1,80}}{BOLD}\s*[:：]?\s*$|[^:：.!]{{1,80}}[:：]\s*{BOLD}?\s*$"
)
_MAY_SPEAK = re.compile(r"[:：=]|\w ?-")
_NOTHING = re.compile(
    r"[\s\W]*(?:none|nothing|n\s*/?\s*a|no\b|nil|tbd|tba|todo|not|unknown|can start|independent|"
    r"ninguna|aucune|keine|なし|无)\b",
    re.IGNORECASE,
)
_VOID = re.compile(
    r"\b(?:no longer|not (?:a |an |strictly )?(?:hard |strict )?(?:block|depend|required|needed)|"
    r"isn't (?:a )?(?:block|depend)|soft|optional|nice to have|does(?:n't| not) block|"
    r"non-?blocking|related only|for context|reference only|informational)",
    re.IGNORECASE,
)
_SETTLED = re.compile(
    rf"{REF}\s+(?:(?:is|has been|have been|was|were|got)\s+)(?:already\s+|now\s+)?"
    r"(?:done|merged|closed|completed|resolved|shipped|landed|fixed|finished|released)\b",
    re.IGNORECASE,
)
_ARROW = re.compile(rf"{REF}[^;]{{0,60}}?(?:->|→|=>|⇒|➜)[^;]{{0,60}}?{REF}")
_SENTENCE_END = re.compile(r"[.!?](?=\s)|。")
_PROSE_LEAD = 6  # words a paragraph may have before its first bare reference


@dataclass(slots=True)
class _Frame:
    depth: int
    meaning: Meaning
    section: Section
    blocks: int = 0


class _Walk:
    def __init__(self, issue: IssueRef, hosts: frozenset[str] | None, ledger: Ledger) -> None:
        self.issue, self.hosts, self.ledger = issue, hosts, ledger
        self.frames = [_Frame(0, Meaning.OTHER, Section())]
        self.spoken = 0  # characters given to the grammar

    @property
    def frame(self) -> _Frame:
        return self.frames[-1]

    def _pop(self, depth: int) -> None:
        while len(self.frames) > 1 and self.frame.depth >= depth:
            self.frames.pop()

    def _open(self, depth: int, meaning: Meaning) -> None:
        """Opens a frame inside the present one, as part of its section if that is one."""
        inside = self.frame.meaning.is_relation
        section = self.frame.section if inside else Section()
        section.staged = section.staged or (inside and meaning is Meaning.STAGES)
        self.frames.append(_Frame(depth, meaning, section))

    def mark(self, text: str) -> Marked:
        return mark(quotes_out(text), self.issue, self.hosts)

    # blocks

    def block(self, block: Block) -> None:
        match block.kind:
            case Kind.HEADING:
                self._heading(block)
            case Kind.RULE:
                self._pop(block.depth or 1)
            case Kind.TEXT:
                self._text(block)
            case Kind.ITEM:
                self._item(block)
            case Kind.TABLE:
                self._table(block)
            case _:
                pass

    def title(self, title: str) -> None:
        said = read(self.mark(title), self.issue)
        if not said.apart:
            self._state(Block(Kind.TEXT), said)

    def _heading(self, block: Block) -> None:
        self._pop(block.depth)
        if _ANY.search(self.mark(block.text).text):
            self._open(block.depth, Meaning.OTHER)
            self._line(block, block.text)
        else:
            self._open(block.depth, heading_meaning(block.text, self.frame.meaning))

    def _text(self, block: Block) -> None:
        if not block.depth:
            self._pop(_ITEM_DEPTH)
            if self.frame.depth == _LABEL_DEPTH and self.frame.blocks:
                self._pop(_LABEL_DEPTH)
        self._struck(block)
        for line in lines(block):
            if not self._label(line, _LABEL_DEPTH):
                self._line(block, line)
        self.frame.blocks += 1

    def _item(self, block: Block) -> None:
        depth = _ITEM_DEPTH + block.depth
        self._pop(depth)
        self._struck(block)
        self.frame.blocks += 1
        for index, line in enumerate(lines(block)):
            if index == 0 and self._label(line, depth):
                continue
            names_other = self._line(block, line)
            if index == 0 and names_other and self.frame.depth < depth:
                self._open(depth, Meaning.ABOUT)

    def _label(self, line: str, depth: int) -> bool:
        """Takes a line that is only a label: `**Blocked by**`, `This depends on:`."""
        if len(line) > 200 or not _LABEL.match(line):
            return False
        marked = self.mark(line)
        if _ANY.search(marked.text):
            return False
        self._pop(depth)
        meaning = self._label_meaning(marked)
        if depth == _LABEL_DEPTH or meaning is not Meaning.OTHER or self.frame.meaning.is_relation:
            self._open(depth, meaning)
        return True

    def _label_meaning(self, marked: Marked) -> Meaning:
        outer = self.frame.meaning
        meaning = heading_meaning(marked.text, outer)
        if meaning is not Meaning.OTHER:
            return meaning
        said = read(marked, self.issue)
        if said.apart:
            return Meaning.OTHER
        if said.opens is not None:
            return _MEANINGS[said.opens]
        is_sentence = len(marked.text.split()) > 5
        return outer if outer.is_relation and is_sentence else Meaning.OTHER

    def _table(self, block: Block) -> None:
        if self.frame.meaning in (Meaning.SILENT, Meaning.ABOUT):
            return

        def refs_of(cell: Block) -> list[IssueRef]:
            marked = self.mark(cell.text)
            return marked.all(marked.text)

        for cell in relation_cells(block.rows, self.frame.meaning, self.issue, refs_of):
            self._bare(cell.block, self.mark(cell.block.text), cell.meaning, Section())

    # lines

    def _line(self, block: Block, line: str) -> bool:
        """Reads one line; true when it is about another issue, as then is what is nested in it."""
        meaning = self.frame.meaning
        if meaning in (Meaning.SILENT, Meaning.ABOUT) or not self._is_worth_it(line):
            return False
        marked = self.mark(line)
        speaks = bool(_ANY.search(marked.text)) or self._may_speak(line)
        said = read(marked, self.issue) if speaks else Said()
        if said:
            self._state(block, said)
            return meaning.is_relation
        if said.opens is not None and not said.apart:
            self._opens(block, said.opens)
            return False
        return self._unsaid(block, marked, said)

    def _is_worth_it(self, line: str) -> bool:
        """Whether a line may matter, and there is still work left to spend on it."""
        if self.frame.meaning is Meaning.OTHER and not _MAY_MATTER.search(line):
            return False
        self.spoken += len(line)
        return self.spoken <= MAX_SPOKEN and not self.ledger.is_full

    def _unsaid(self, block: Block, marked: Marked, said: Said) -> bool:
        """A line whose words state nothing: what it means where it stands."""
        frame = self.frame
        if frame.meaning in _WAYS and not said.apart and not said.nothing:
            frame.section.others.update(said.others)
            if self._may_be_bare(block, marked):
                return self._bare(block, marked, frame.meaning, frame.section)
        if frame.meaning is Meaning.CHILDREN and block.kind is Kind.ITEM:
            self.ledger.children.update(marked.all(marked.text)[:1])
        return bool(_LEADING.match(marked.text))

    @staticmethod
    def _may_speak(line: str) -> bool:
        """Whether a line without a reference may still open a list or name a plan number."""
        return len(line) <= 400 and bool(_MAY_SPEAK.search(line))

    def _opens(self, block: Block, way: Way) -> None:
        depth = _ITEM_DEPTH + block.depth if block.kind is Kind.ITEM else _LABEL_DEPTH
        self._pop(depth)
        self.frames.append(_Frame(depth, _MEANINGS[way], Section()))

    def _state(self, block: Block, said: Said) -> None:
        over = block.checked or (block.struck_first and block.kind is Kind.ITEM)
        self.ledger.add(None if over else Way.WAITS, said.waits)
        self.ledger.add(None if over else Way.HOLDS, said.holds)
        self.ledger.add(None, said.resolved)
        if not over:
            self.ledger.add_unreadable(said.unreadable)

    @staticmethod
    def _may_be_bare(block: Block, marked: Marked) -> bool:
        if block.kind is Kind.ITEM:
            return True
        first = _ANY.search(marked.text)
        return not first or len(marked.text[: first.start()].split()) <= _PROSE_LEAD

    def _bare(self, block: Block, marked: Marked, meaning: Meaning, section: Section) -> bool:
        """A line under a dependency heading that names references without saying more."""
        text = marked.text
        if _NOTHING.match(text):
            return False
        if _ARROW.search(text):
            section.staged = True
            return True
        end = stop.start() if (stop := _SENTENCE_END.search(text)) else len(text)
        found = objects(marked, lower(text), 0, end, Reach.KEY)
        over = block.checked or (block.struck_first and not _LEADING.match(text))
        if _SETTLED.search(text):
            over = True
        elif _VOID.search(text):
            return bool(found)
        way = None if over else _WAYS[meaning]
        section.bare.update(found.refs)
        self.ledger.add(way, found.refs, section)
        self.ledger.add(None, found.resolved)
        if way is Way.WAITS:
            keys = found.unreadable or plan_keys(text)
            self.ledger.add_unreadable(key for key in keys if not key.isdigit())
        return bool(found.refs or found.resolved)

    def _struck(self, block: Block) -> None:
        if not block.struck:
            return
        marked = self.mark(block.struck[:MAX_LINE])
        if self.frame.meaning.is_relation or read(marked, self.issue):
            self.ledger.add(None, marked.all(marked.text))


def dependencies(
    blocks: list[Block], title: str, issue: IssueRef, hosts: frozenset[str] | None
) -> Edges:
    """Every edge that the blocks and the title state of `issue`."""
    ledger = Ledger()
    front_matter = [block for block in blocks if block.kind is Kind.META]
    read_front_matter(front_matter, ledger, issue, hosts)
    walk = _Walk(issue, hosts, ledger)
    walk.title(title)
    for block in blocks:
        if ledger.is_full:
            break
        walk.block(block)
    return ledger.edges()
