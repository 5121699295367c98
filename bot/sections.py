"""What the shape of a text adds to its sentences: headings, labels, lists, tables, front matter.

Under `## Dependencies` a bare `- #5` is an edge; under `### Phase 1` in there it is a plan of other
issues. A walk over the blocks keeps the open *frames* (heading, label, list item), asks the grammar
of `bot.relations` for each line, and decides at the end which bare references stand.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum, auto

from bot.markup import BOLD, Block, Kind, lines
from bot.models import IssueRef
from bot.references import ANY, MAX_REFERENCES, REF, Marked, mark
from bot.relations import Said, Way, objects, plan_keys, quotes_out, read


class Meaning(Enum):
    """What a heading or label says about what stands under it."""

    WAITS = auto()
    HOLDS = auto()
    DONE = auto()  # what was waited for
    KEYED = auto()  # dependencies and other things: only what is said in words counts
    CHILDREN = auto()  # the parts of a collecting issue
    STAGES = auto()  # a plan of other issues: phases, waves
    SILENT = auto()  # examples, logs, what is out of scope
    ABOUT = auto()  # the details of one other issue
    OTHER = auto()


_WAY = {Meaning.WAITS: Way.WAITS, Meaning.HOLDS: Way.HOLDS}

_CORE_WAITS = (
    r"dependenc(?:y|ies)|deps|depends(?: (?:up)?on)?|dependent (?:up)?on|block(?:ed)? ?by|blocked(?: on)?|blockers?|"
    r"blocking (?:issues?|prs?|tickets?|tasks?|items|work)|pre ?-?requisites?|prereqs?|preconditions?|requires|"
    r"required (?:issues|prs|tickets|by this)|waiting (?:on|for)|waits (?:on|for)|needs|upstream|predecessors?|"
    r"gated (?:by|on|behind)|on hold(?: until)?|(?:must|to be) (?:come |land |be done |be merged |done |merged )?after|after|stacked on|"
    r"dependencias?|depende de|bloquead[oa] por|abh[äa]ngigkeit(?:en)?|h[äa]ngt ab von|blockiert (?:von|durch)|voraussetzung(?:en)?|"
    r"d[ée]pendances?|d[ée]pend de|bloqu[ée] par|pr[ée]requis|dependências?|prerrequisitos|dipendenze|dipende da|bloccato da|"
    r"afhankelijkheden|зависимост[ьи]|зависит от|блокеры|依存関係|依存|依存(?:先|issue|タスク)|ブロック元|ブロッカー|前提(?:条件)?|前提(?:タスク| ?issue)|"
    r"依赖(?:项|关系)?|前置(?:依赖|任务|条件)?|阻塞(?:项|于)?|被阻塞|의존성|선행 ?작업"
)
_CORE_HOLDS = (
    r"blocks|blocking|unblocks|(?:is )?(?:required|needed) (?:by|for)|downstream|dependents|dependants|"
    r"(?:is )?(?:a )?prerequisite (?:for|of)|depended (?:up)?on by|gates|successors|before|bloquea|bloqueia|blockiert|bloque|ブロック先|"
    r"what this (?:un)?blocks|issues (?:un)?blocked by this|(?:un)?blocks (?:issues?|prs?)"
)
_QUALIFIER = (
    r"(?:hard|known|current|external|internal|issues?|tasks?|project|technical|github|gitea|open|story|ticket|work|direct|"
    r"cross ?-?repo(?:sitory)?|explicit|all|its|the|list of|upstream|downstream|build|other|remaining|key|main|strict|any|"
    r"this(?: (?:issue|pr|task|ticket|story))?|is|are|currently|implementation|sequencing|must ?-?have|blocking|related pr|active|pr|code)"
)
_TAIL = (
    r"(?:issues?|prs?|pull requests?|list|section|tickets?|tasks?|status|notes?|links?|info(?:rmation)?|items|"
    r"on other (?:issues|prs)|on|by|for this (?:issue|task|pr)|first|if any|optional|work)"
)
_ALSO = r"(?:risks?|constraints?|assumptions?|order(?:ing)?|sequenc(?:e|ing)|requirements?|notes?|blocking|timeline|impact|scope|status|estimates?|effort|blockers?)"
_MIXED = r"(?:related(?: (?:issues|work|prs|links))?|references?|links?|context|see also|parents?|relations?|relationships?|epics?|integration|linked issues|children)"

_WAITS_HEAD = re.compile(
    rf"(?:{_QUALIFIER} )*(?:{_CORE_WAITS})(?: {_TAIL})*(?:(?: ?/ ?| ?& ?| and | or |, ?)(?:{_QUALIFIER} )*(?:{_CORE_WAITS}|{_ALSO})(?: {_TAIL})*)*"
    rf"|{_ALSO}(?: ?/ ?| ?& ?| and )(?:{_CORE_WAITS})"
)
_HOLDS_HEAD = re.compile(
    rf"(?:{_QUALIFIER} )*(?:{_CORE_HOLDS})(?: {_TAIL})*(?:(?: ?/ ?| ?& ?| and )(?:{_CORE_HOLDS}))?"
)
_KEYED_HEAD = re.compile(
    rf"(?:(?:{_CORE_WAITS}|{_CORE_HOLDS}|{_MIXED})(?: ?/ ?| ?& ?| and |, ?)?(?:and )?(?:{_QUALIFIER} )*)+|(?:issue )?(?:relations?|relationships?)"
)
_FORM_HEAD = re.compile(
    r"(?:is|are|does|do|what|which|any)\b.{0,40}\b(?:dependenc|depends? on|blocked by|blockers?|prerequisite).{0,60}"
)
_SOFT_HEAD = re.compile(
    r"(?:soft|optional|weak|nice ?-?to ?-?have|non ?-?blocking|package|npm|runtime|library|python|new|no|former|old|previous|dev|third ?-?party)\b.*"
)
_DONE_HEAD = re.compile(
    r".{0,20}\b(?:resolved|completed?|done|merged|closed|satisfied|met|cleared|unblocked|former|previous)\b.{0,30}"
)
_CHILD_HEAD = re.compile(
    r".{0,20}\b(?:tracks?|sub ?-?(?:issues?|tasks?)|child(?:ren)?(?: issues)?|tasks?|issues|stories|slices|checklist|tickets|work ?items|"
    r"deliverables|breakdown|roadmap|scope|implementation plan|tracking)\b.{0,20}"
)
_STAGE_HEAD = re.compile(
    r".{0,20}\b(?:phase|wave|stage|step|milestone|sprint|batch|track|layer|tier|order|graph|topology|tree|chart|map|critical path|sequence)\b.*"
)
_SILENT_HEAD = re.compile(
    r".{0,12}\b(?:examples?|sample|out of scope|not in scope|non ?-?goals?|logs?|output|steps to reproduce|reproduction|reproducer|"
    r"expected (?:behaviou?r|result|output)|actual (?:behaviou?r|result)|stack ?trace|what not to|changelog|release notes|template|alternatives(?: considered)?)\b.{0,30}"
)
_INHERIT = re.compile(
    r"(?:hard|internal|external|issues?|prs?|pull requests?|code|technical|github|gitea|open|must|blocking|other|team|teams|backend|frontend|"
    r"cross ?-?repo(?:sitory)?|same repo(?:sitory)?|this repo(?:sitory)?|upstream|required|mandatory|direct|strict|work|tasks?|tickets?|click to expand|"
    r"expand|details|show|list|more|in this repo(?:sitory)?|in other repos(?:itories)?|other repos(?:itories)?|active|remaining|still open|api|infrastructure|infra|services?|design|data)"
    r"(?: (?:dependenc(?:y|ies)|issues?|prs?|tickets?|tasks?|ones|work|items|blockers?))*"
)


def _heading_text(text: str) -> str:
    text = (
        re.sub(rf"{BOLD}|[\U000f0000-\U000f7fff]", "", text)
        .lower()
        .replace("_", " ")
        .replace("’", "'")
    )
    text = re.sub(r"^(?:\W|\d+(?:\.\d+)*[.)]?\s)*", "", text)
    text = re.sub(r"\s*\([^()]*\)\s*", " ", text)
    return re.sub(r"\s+", " ", text).strip(" :：?？.!-–—*#\ufffd")


def heading_meaning(text: str, within: Meaning = Meaning.OTHER) -> Meaning:
    """What a heading says; `within` is what the one above it says."""
    raw, text = text.lower(), _heading_text(text)[:120]
    text = re.sub(r"[^\w\s/&,'?-]", "", text).strip()
    if not text:
        return Meaning.OTHER
    if "soft" in raw or "optional" in raw and "(" in raw:
        return Meaning.OTHER
    if _WAITS_HEAD.fullmatch(text):
        return Meaning.WAITS
    if _HOLDS_HEAD.fullmatch(text):
        return Meaning.HOLDS
    if _KEYED_HEAD.fullmatch(text):
        return Meaning.KEYED
    if _SILENT_HEAD.fullmatch(text):
        return Meaning.SILENT
    if within in _WAY:
        return _sub_meaning(text, within)
    if _FORM_HEAD.fullmatch(text) and "block" != text:
        return Meaning.WAITS
    return Meaning.CHILDREN if _CHILD_HEAD.fullmatch(text) else Meaning.OTHER


def _sub_meaning(text: str, within: Meaning) -> Meaning:
    if _STAGE_HEAD.fullmatch(text):
        return Meaning.STAGES
    if _SOFT_HEAD.fullmatch(text):
        return Meaning.OTHER
    if _INHERIT.fullmatch(text):
        return within
    return Meaning.DONE if _DONE_HEAD.fullmatch(text) else Meaning.OTHER


# --- the walk -----------------------------------------------------------------------------------

_LABEL_DEPTH, _ITEM_DEPTH = 8, 10


@dataclass(slots=True)
class _Section:
    """One dependency section: decides together whether its bare references stand."""

    staged: bool = False
    bare: set[IssueRef] = field(default_factory=set)
    others: set[IssueRef] = field(default_factory=set)

    @property
    def is_plan(self) -> bool:
        """Whether it says how other issues wait for each other."""
        return self.staged or bool(self.others & self.bare)


@dataclass(slots=True)
class _Frame:
    depth: int
    meaning: Meaning
    section: _Section
    items: int = 0
    texts: int = 0


@dataclass(slots=True)
class _Entry:
    way: Way | None  # None: resolved
    refs: list[IssueRef]
    section: _Section | None  # set for bare references
    generic: bool = False


@dataclass(slots=True)
class Edges:
    """What a text states, in order, without repeats."""

    waits: tuple[IssueRef, ...] = ()
    holds: tuple[IssueRef, ...] = ()
    resolved: tuple[IssueRef, ...] = ()
    unreadable: tuple[str, ...] = ()


_NONE = re.compile(
    r"[\s\W]*(?:none|nothing|n\s*/?\s*a|no\b|nil|tbd|tba|todo|not|unknown|_?no response|can start|independent|ninguna|aucune|keine|なし|无)\b",
    re.I,
)
_VOID = re.compile(
    r"\b(?:no longer|not (?:a |an |strictly )?(?:hard |strict )?(?:block|depend|required|needed)|isn't (?:a )?(?:block|depend)|soft|optional|nice to have|does(?:n't| not) block|"
    r"non-?blocking|not blocking|related only|for context|reference only|informational)",
    re.I,
)
_ARROW = re.compile(rf"{REF}[^.;]{{0,60}}?(?:->|→|=>|⇒|-->|➜)[^.;]{{0,60}}?{REF}")
_LABEL = re.compile(rf"\s*{BOLD}[^{BOLD}]{{1,80}}{BOLD}\s*[:：]?\s*$|[^:：.!]{{1,60}}[:：]\s*$")


class _Walk:
    def __init__(self, issue: IssueRef, hosts: frozenset[str] | None) -> None:
        self.issue, self.hosts = issue, hosts
        self.frames = [_Frame(0, Meaning.OTHER, _Section())]
        self.entries: list[_Entry] = []
        self.unreadable: list[str] = []
        self.children: set[IssueRef] = set()
        self.count = 0

    # frames

    def _pop(self, depth: int) -> None:
        while len(self.frames) > 1 and self.frames[-1].depth >= depth:
            self.frames.pop()

    def _push(self, depth: int, meaning: Meaning, section: _Section | None = None) -> None:
        self.frames.append(_Frame(depth, meaning, section or _Section()))

    def mark(self, text: str) -> Marked:
        return mark(quotes_out(text), self.issue, self.hosts)

    # blocks

    def block(self, block: Block) -> None:
        if self.count >= MAX_REFERENCES:
            return
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
                Table(self, block.rows).read()
            case Kind.META | Kind.FENCE:
                pass

    def _heading(self, block: Block) -> None:
        self._pop(block.depth)
        marked = self.mark(block.text)
        if re.search(ANY, marked.text):
            self._push(block.depth, Meaning.OTHER)
            self._line(block, block.text)
            return
        outer = self.frames[-1]
        meaning = heading_meaning(block.text, outer.meaning)
        section = outer.section if outer.meaning in _WAY else _Section()
        if meaning is Meaning.STAGES:
            section.staged = True
        self._push(block.depth, meaning, section)

    def _text(self, block: Block) -> None:
        frame = self.frames[-1]
        if not block.depth:
            self._pop(_ITEM_DEPTH)
            frame = self.frames[-1]
            if frame.depth == _LABEL_DEPTH and (frame.items or frame.texts):
                self._pop(_LABEL_DEPTH)
        for line in lines(block):
            if not self._label(block, line, _LABEL_DEPTH):
                self._line(block, line)
        self.frames[-1].texts += 1

    def _item(self, block: Block) -> None:
        depth = _ITEM_DEPTH + block.depth
        self._pop(depth)
        self.frames[-1].items += 1
        for index, line in enumerate(lines(block)):
            if index == 0 and self._label(block, line, depth):
                continue
            before = len(self.entries)
            begins = self._line(block, line)
            if index == 0 and begins and len(self.frames) and self.frames[-1].depth < depth:
                self._push(depth, Meaning.ABOUT)
            del before

    def _label(self, block: Block, line: str, depth: int) -> bool:
        """Takes a line that is only a label, `**Blocked by**` or `Depends on:`."""
        if not _LABEL.match(line):
            return False
        marked = self.mark(line)
        if re.search(ANY, marked.text):
            return False
        self._pop(depth)
        outer = self.frames[-1]
        meaning = heading_meaning(line, outer.meaning)
        if meaning is Meaning.OTHER:
            said = read(marked, self.issue)
            if said.opens is not None and not said.apart:
                meaning = Meaning.WAITS if said.opens is Way.WAITS else Meaning.HOLDS
            elif outer.meaning in _WAY and len(line.split()) > 5 and not said.apart:
                meaning = outer.meaning
        section = outer.section if outer.meaning in _WAY else _Section()
        if meaning is Meaning.STAGES:
            section.staged = True
        if depth == _LABEL_DEPTH or meaning is not Meaning.OTHER or outer.meaning in _WAY:
            self._push(depth, meaning, section)
        return True

    # lines

    def _line(self, block: Block, line: str) -> bool:
        """Reads one line; true when it begins with (or is about) a reference of its own."""
        if block.struck:
            self._struck(block)
        marked = self.mark(line)
        frame = self.frames[-1]
        if not re.search(ANY, marked.text) and (
            len(line) > 400 or not re.search("[:：=]|\\w ?-", line)
        ):
            if frame.meaning in _WAY:
                self._bare(block, marked, frame, Said())
            return False
        if frame.meaning in (Meaning.SILENT, Meaning.ABOUT):
            return False
        said = read(marked, self.issue)
        self._opens(said, block)
        if said.waits or said.holds or said.resolved or said.unreadable:
            self._said(block, said)
            return frame.meaning in _WAY
        leads = bool(re.match(rf"[\s\W]*{REF}", marked.text))
        if frame.meaning in _WAY or frame.meaning is Meaning.DONE:
            frame.section.others.update(said.others)
            if not said.apart and not said.nothing and said.opens is None:
                return self._bare(block, marked, frame, said)
        elif frame.meaning is Meaning.CHILDREN and block.kind is Kind.ITEM:
            self.children.update(marked.all(marked.text)[:1])
        return leads

    def _opens(self, said: Said, block: Block) -> None:
        if said.opens is None or said.apart:
            return
        depth = _ITEM_DEPTH + block.depth if block.kind is Kind.ITEM else _LABEL_DEPTH
        self._pop(depth)
        meaning = Meaning.WAITS if said.opens is Way.WAITS else Meaning.HOLDS
        self._push(depth, meaning)

    def _said(self, block: Block, said: Said) -> None:
        over = block.checked or (block.struck_first and block.kind is Kind.ITEM)
        self._enter(None if over else Way.WAITS, said.waits)
        self._enter(None if over else Way.HOLDS, said.holds)
        self._enter(None, said.resolved)
        if not over:
            self.unreadable.extend(said.unreadable)

    def _bare(self, block: Block, marked: Marked, frame: _Frame, said: Said) -> bool:
        """A line under a dependency heading that names references without saying more."""
        text = marked.text
        if _NONE.match(text):
            return False
        if _ARROW.search(text):
            frame.section.staged = True
            return True
        end = _sentence_end(text)
        found = objects(
            marked, text.lower() if len(text.lower()) == len(text) else text, 0, end, "key"
        )
        if not found.refs and not found.resolved:
            keys = [k for k in found.unreadable or plan_keys(text) if not k.isdigit()]
            if frame.meaning is Meaning.WAITS and not block.checked and not block.struck_first:
                self.unreadable.extend(keys)
            return False
        if _VOID.search(text):
            return True
        over = block.checked or frame.meaning is Meaning.DONE
        if block.struck_first and not re.match(rf"[\s\W]*{REF}", text):
            over = True
        way = None if over else _WAY[frame.meaning]
        frame.section.bare.update(found.refs)
        self._enter(way, found.refs, frame.section, generic=True)
        self._enter(None, found.resolved)
        if frame.meaning is Meaning.WAITS and not over:
            self.unreadable.extend(found.unreadable)
        return True

    def _struck(self, block: Block) -> None:
        struck = block.struck
        frame = self.frames[-1]
        said = read(self.mark(struck), self.issue)
        if frame.meaning in _WAY or said.waits or said.holds:
            self._enter(None, self.mark(struck).all(self.mark(struck).text))

    def _enter(
        self,
        way: Way | None,
        refs: list[IssueRef],
        section: _Section | None = None,
        *,
        generic: bool = False,
    ) -> None:
        if refs:
            self.count += len(refs)
            self.entries.append(_Entry(way, refs, section, generic))

    def edges(self) -> Edges:
        """What stands, after all is read."""
        sides: dict[Way | None, dict[IssueRef, None]] = {Way.WAITS: {}, Way.HOLDS: {}, None: {}}
        for entry in self.entries:
            if entry.section and entry.section.is_plan:
                continue
            for ref in entry.refs:
                if not (entry.generic and ref in self.children):
                    sides[entry.way][ref] = None
        waits, holds = sides[Way.WAITS], sides[Way.HOLDS]
        resolved = [r for r in sides[None] if r not in waits and r not in holds]
        return Edges(
            tuple(waits)[:MAX_REFERENCES],
            tuple(holds)[:MAX_REFERENCES],
            tuple(resolved)[:MAX_REFERENCES],
            tuple(dict.fromkeys(u[:300] for u in self.unreadable))[:100],
        )


def _sentence_end(text: str) -> int:
    stop = re.search(r"[.!?](?=\s)|[。]", text)
    return stop.start() if stop else len(text)


# --- tables -------------------------------------------------------------------------------------

_OVER_CELL = re.compile(
    r"[\W]*(?:✅|☑|✔|done|merged|closed|completed?|resolved|shipped|landed|fixed)\W*", re.I
)


class Table:
    """Reads `| Key | Value |` rows, and columns called *Blocked by* or *Dependencies*."""

    def __init__(self, walk: _Walk, rows: list[list[Block]]) -> None:
        self.walk, self.rows = walk, rows

    def read(self) -> None:
        """Hands over what the table says of this issue."""
        head, body = self.rows[0], self.rows[1:]
        meanings = [heading_meaning(cell.text) for cell in head]
        columns = [i for i, m in enumerate(meanings) if m in _WAY]
        if self.walk.frames[-1].meaning in (Meaning.SILENT, Meaning.ABOUT):
            return
        if len(head) == 2 and columns == [0] and (not body or self._refs(head[1])):
            self._pairs()
        elif columns:
            self._columns(body, meanings, columns)
        else:
            self._pairs()

    def _refs(self, cell: Block) -> list[IssueRef]:
        marked = self.walk.mark(cell.text)
        return marked.all(marked.text)

    def _columns(
        self, body: list[list[Block]], meanings: list[Meaning], columns: list[int]
    ) -> None:
        others = [i for i in range(len(meanings)) if i not in columns]
        alone = columns[0] == 0 or not others
        for row in body:
            mine = alone or len(body) == 1 and not self._of_another(row, others)
            if not mine and not self._of_this(row, others):
                continue
            over = alone and any(_OVER_CELL.fullmatch(c.text) for c in row)
            for column in columns if not alone or not others else columns[:1]:
                if column < len(row):
                    self._cell(row[column], meanings[column], over=over)

    def _of_another(self, row: list[Block], others: list[int]) -> bool:
        named = [r for i in others[:2] if i < len(row) for r in self._refs(row[i])]
        return bool(named) and self.walk.issue not in named

    def _of_this(self, row: list[Block], others: list[int]) -> bool:
        return any(self.walk.issue in self._refs(row[i]) for i in others[:2] if i < len(row))

    def _cell(self, cell: Block, meaning: Meaning, *, over: bool) -> None:
        walk = self.walk
        frame = _Frame(_LABEL_DEPTH, Meaning.DONE if over else meaning, _Section())
        marked = walk.mark(cell.text)
        walk._bare(cell, marked, frame, Said())

    def _pairs(self) -> None:
        for row in self.rows:
            if len(row) < 2:
                continue
            key = heading_meaning(row[0].text)
            if key in _WAY:
                self._cell(row[1], key, over=False)


# --- front matter -------------------------------------------------------------------------------

_META = re.compile(r"[\"']?([A-Za-z][\w .-]{0,40}?)[\"']?\s*[:=]\s*(.*)")
_META_WAITS = re.compile(
    r"(?:is )?(?:blocked ?by|depends?(?: ?on)?|dependenc(?:y|ies)|deps|requires|blockers?|needs|prerequisites?|prereqs|waiting (?:on|for)|waits (?:on|for)|after|upstream)"
)
_META_HOLDS = re.compile(
    r"(?:blocks|blocking|unblocks|required by|needed by|dependents|downstream|before)"
)
_META_NUMBER = re.compile(r"(?<![\w./#!-])(\d{1,10})(?![\w./-])")


def _meta_key(key: str) -> str:
    key = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", key.strip())
    return re.sub(r"[\s_.-]+", " ", key).lower()


def _front_matter(walk: _Walk, blocks: list[Block]) -> None:
    way: Way | None = None
    for block in blocks:
        pair = _META.match(block.text.lstrip("- "))
        value = block.text
        if pair:
            key, value = _meta_key(pair[1]), pair[2]
            known = _META_WAITS.fullmatch(key) or _META_HOLDS.fullmatch(key)
            if known:
                way = Way.WAITS if _META_WAITS.fullmatch(key) else Way.HOLDS
            elif not (block.depth and key in ("issue", "number", "id", "ref", "pr", "url")):
                way = None
        elif not block.text.startswith(("-", "]", "[", "#", '"', "'")) and not block.depth:
            way = None
        if way is not None:
            _meta_value(walk, way, re.sub(r"\s#\s.*", "", value))


def _meta_value(walk: _Walk, way: Way, value: str) -> None:
    value = value.strip().lstrip("- ")
    marked = mark(value, walk.issue, walk.hosts)
    refs: list[IssueRef] = []
    for piece in re.finditer(rf"{REF}|{_META_NUMBER.pattern}", marked.text):
        if piece[1]:
            number = int(piece[1])
            refs += [walk.issue.sibling(number)] if 0 < number < 2**31 else []
        else:
            refs += marked.at(piece[0])
    walk._enter(way, refs)
    if way is Way.WAITS and not refs:
        walk.unreadable.extend(marked.elsewhere)
        walk.unreadable.extend(k for k in plan_keys(value.strip("[]\"' ")) if not k.isdigit())


def dependencies(
    blocks: list[Block], title: str, issue: IssueRef, hosts: frozenset[str] | None
) -> Edges:
    """Every edge that the blocks and the title state of `issue`."""
    walk = _Walk(issue, hosts)
    _front_matter(walk, [b for b in blocks if b.kind is Kind.META])
    heading = Block(Kind.TEXT, title)
    marked = walk.mark(title)
    if marked.refs:
        said = read(marked, issue)
        if not said.apart:
            walk._said(heading, said)
    for block in blocks:
        walk.block(block)
    return walk.edges()
