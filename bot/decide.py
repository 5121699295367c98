"""Facts ▸ Report: where an issue stands, who should take it, and what to warn of.

The product's judgement, as a pure function: no I/O, no clock, no settings reached for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.agents import Work, choose, match, misfits, nearest
from bot.dependencies import Edge, Graph, cycle_through, neighbourhood
from bot.estimator import SizeLimits, difficulty, estimate, far_off, size_of
from bot.models import (
    Agent,
    Assignment,
    Dependency,
    Difficulty,
    IssueRef,
    Metadata,
    Misfit,
    Mistake,
    Reading,
    RefState,
    Report,
    Source,
    Status,
    Unset,
    Warn,
    WarningKind,
)
from bot.sayings import Override

GRAPH_MOST = 40  # edges drawn; a larger picture cannot be read


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known of an issue when its report is decided.

    `text` is title and body. `reading` is what Claude read, `ai_failure` why it could not be
    asked. `blockers` and `waiting` may name an issue several times, once per source. `edges` are
    what is known of the graph around; of this issue's own, `blockers` alone counts. `cycle` is the
    shortest one it stands in; None: as far as `edges` tell. `titles` are only those that may be
    shown here. `tree` maps the repository's paths to bytes. `busy` is how
    many *other* issues each agent has in progress. `in_progress` says that the issue carries that
    label already, `at_work` which agent it was given to: it keeps it unless the text names one.
    `dependencies_found` is how many issues it waits for, of which `dependencies_followed` were
    looked at; None when that is all of them. `hidden_blockers` counts open ones that may not be
    shown here. `kept_off` are those a text names, and a person took away in Gitea; `unset` those
    that could not be set there. `held`, `unblocked` and `priority` are what people said. `barred`
    are agents that may not work in this repository, `off` commands that are switched off in it, and
    `mistakes` what is wrong in the file that says so, if this report is to tell of it.
    """

    issue: IssueRef
    title: str = ""
    text: str = ""
    metadata: Metadata = field(default_factory=Metadata)
    reading: Reading | None = None
    ai_failure: str | None = None
    blockers: tuple[Dependency, ...] = ()
    waiting: tuple[Dependency, ...] = ()
    proposals: tuple[Dependency, ...] = ()
    edges: tuple[Edge, ...] = ()
    cycle: tuple[IssueRef, ...] | None = None
    states: Mapping[IssueRef, RefState] = field(default_factory=dict)
    titles: Mapping[IssueRef, str] = field(default_factory=dict)
    dependencies_found: int | None = None
    dependencies_followed: int | None = None
    hidden_blockers: int = 0
    kept_off: tuple[IssueRef, ...] = ()
    unset: tuple[tuple[Unset, tuple[IssueRef, ...]], ...] = ()
    tree: Mapping[str, int] | None = None
    agents: Sequence[Agent] = ()
    barred: Sequence[Agent] = ()
    off: frozenset[str] = frozenset()
    mistakes: tuple[Mistake, ...] = ()
    busy: Mapping[str, int] = field(default_factory=dict)
    share: float = 0.5
    limits: SizeLimits = field(default_factory=SizeLimits)
    is_closed: bool = False
    in_progress: bool = False
    at_work: str | None = None
    hold: bool = False
    held: Override | None = None
    unblocked: Override | None = None
    priority: str | None = None
    override_estimate: int | None = None
    override_difficulty: Difficulty | None = None
    override_agent: str | None = None
    bot: str = "coordinator"


def decide(facts: Facts) -> Report:
    """Everything the report says and the labels show, from what is known."""
    report = _with_graph(_draft(facts), facts)
    report = replace(report, status=_status(report, facts))
    return replace(report, warnings=tuple(_warnings(report, facts)))


def _draft(facts: Facts) -> Report:
    """The report before its graph, its status and its warnings, which rest on it."""
    blockers, waiting, proposals = _dependencies(facts)
    found = estimate(
        facts.metadata,
        facts.reading,
        text=facts.text,
        tree=facts.tree,
        override=facts.override_estimate,
    )
    hard, hard_source = difficulty(
        facts.metadata, facts.reading, found, override=facts.override_difficulty
    )
    return Report(
        issue=facts.issue,
        status=Status.READY,
        estimate=found,
        size=size_of(found.tokens, facts.limits),
        difficulty=hard,
        difficulty_source=hard_source,
        assignment=_assignment(facts, found.tokens, hard),
        share=facts.share,
        blockers=blockers,
        waiting=waiting,
        proposals=proposals,
        hidden_blockers=facts.hidden_blockers,
        unset=facts.unset,
        priority=facts.priority,
        off=facts.off,
        bot=facts.bot,
    )


def _assignment(facts: Facts, tokens: int, hard: Difficulty) -> Assignment:
    """Who should take it; an agent at work on it keeps it, as if a person had said so."""
    found = choose(
        facts.agents,
        tokens,
        hard,
        busy=facts.busy,
        share=facts.share,
        declared=facts.metadata.assigned_agent,
        override=facts.override_agent or _keeps_it(facts),
    )
    kept = found.source is Source.COMMAND and not facts.override_agent
    return replace(found, source=Source.GITEA) if kept else found


def _keeps_it(facts: Facts) -> str | None:
    return facts.at_work if facts.in_progress and not facts.metadata.assigned_agent else None


# ---- the dependencies, tidied ----


def _dependencies(facts: Facts) -> tuple[tuple[Dependency, ...], ...]:
    """Blockers, waiting and proposals: each issue once, none itself, nothing proposed twice."""
    blockers = _merged(d for d in facts.blockers if d.ref != facts.issue)
    waiting = _merged(d for d in facts.waiting if d.ref != facts.issue)
    known = {facts.issue, *(d.ref for d in (*blockers, *waiting))}
    return blockers, waiting, _merged(d for d in facts.proposals if d.ref not in known)


def _merged(dependencies: Iterable[Dependency]) -> tuple[Dependency, ...]:
    found: dict[IssueRef, Dependency] = {}
    for one in dependencies:
        found[one.ref] = _joined(found[one.ref], one) if one.ref in found else one
    return tuple(replace(d, title=None) if d.private else d for d in found.values())


def _joined(first: Dependency, second: Dependency) -> Dependency:
    """What two sources say of one dependency; a state that was looked up beats one that was not."""
    unknown = first.state is RefState.UNCHECKED
    return Dependency(
        ref=first.ref,
        state=second.state if unknown else first.state,
        sources=tuple(dict.fromkeys((*first.sources, *second.sources))),
        title=first.title if first.title is not None else second.title,
        is_pull=first.is_pull or second.is_pull,
        private=first.private or second.private,
        declared_in=first.declared_in or second.declared_in,
    )


def _with_graph(report: Report, facts: Facts) -> Report:
    issue = facts.issue
    near = {d.ref: d for d in (*report.waiting, *report.blockers)}
    states = {**facts.states, **{ref: d.state for ref, d in near.items()}}
    states[issue] = RefState.CLOSED if facts.is_closed else RefState.OPEN
    titles = {**facts.titles, **{r: d.title for r, d in near.items() if d.title is not None}}
    for ref in (ref for ref, d in near.items() if d.private):
        titles.pop(ref, None)
    if facts.title:
        titles[issue] = facts.title
    graph = Graph(_edges(report, facts), states)
    drawn = neighbourhood(issue, graph, GRAPH_MOST)
    shown = {issue, *(ref for edge in drawn for ref in edge)}
    return replace(
        report,
        edges=drawn,
        cycle=_cycle(graph, facts),
        states={ref: state for ref, state in states.items() if ref in shown},
        titles={ref: title for ref, title in titles.items() if ref in shown},
    )


def _cycle(graph: Graph, facts: Facts) -> tuple[IssueRef, ...]:
    """The cycle it stands in; a closed issue holds nobody back."""
    if facts.cycle is None:
        return cycle_through(facts.issue, graph)
    return () if facts.is_closed else facts.cycle


def _edges(report: Report, facts: Facts) -> list[Edge]:
    """What is known of the graph, with this issue's own edges as they are now."""
    issue = facts.issue
    # Numbers first: comparing references is dear, and there may be thousands.
    edges = [e for e in facts.edges if e[0].number != issue.number or e[0] != issue]
    edges += [(issue, d.ref) for d in report.blockers]
    edges += [(d.ref, issue) for d in report.waiting]
    return edges


# ---- where it stands ----


def _status(report: Report, facts: Facts) -> Status:
    """The first that holds; an issue of which not all blockers were looked at may be blocked."""
    cases = (
        (facts.is_closed, Status.CLOSED),
        (facts.hold or facts.held is not None, Status.HOLD),
        (facts.in_progress, Status.IN_PROGRESS),
        (facts.unblocked is None and _waits(report, facts), Status.BLOCKED),
        (_too_big(report), Status.TOO_BIG),
    )
    return next((status for so, status in cases if so), Status.READY)


def _waits(report: Report, facts: Facts) -> bool:
    return bool(
        report.open_blockers or report.cycle or facts.hidden_blockers or _not_followed(facts)
    )


def _not_followed(facts: Facts) -> bool:
    found, followed = facts.dependencies_found, facts.dependencies_followed
    return found is not None and followed is not None and found > followed


def _too_big(report: Report) -> bool:
    """Whether no agent has room for the work, also when a person named one all the same."""
    rooms = [verdict.room for verdict in report.assignment.verdicts]
    return bool(rooms) and report.estimate.tokens > max(rooms)


# ---- what to warn of ----


def _warnings(report: Report, facts: Facts) -> Iterator[Warn]:
    """The most serious first, each kind once; of a closed issue only that it was closed early."""
    if not facts.is_closed:
        yield from _deadlock(report, facts)
    yield from _too_early(report)
    yield from _said(report, facts)
    if facts.mistakes:
        yield Warn(WarningKind.SETTINGS, mistakes=facts.mistakes)
    if not facts.is_closed:
        yield from _capacity(report)
        yield from _references(report, facts)
        yield from _agent_names(report, facts)
        yield from _doubts(report, facts)


def _deadlock(report: Report, facts: Facts) -> Iterator[Warn]:
    if report.cycle:
        yield Warn(WarningKind.CYCLE, refs=report.cycle)
    named = (d.ref for d in (*facts.blockers, *facts.waiting))
    if facts.issue in (*facts.metadata.blocked_by, *facts.metadata.blocks, *named):
        yield Warn(WarningKind.ITSELF, refs=(facts.issue,))


def _said(report: Report, facts: Facts) -> Iterator[Warn]:
    """What people decided, with their reasons."""
    if facts.held and report.status is Status.HOLD:
        yield Warn(WarningKind.HELD, texts=(facts.held.by, facts.held.reason))
    if facts.unblocked and _waits(report, facts):
        on = f"{facts.unblocked.at:%Y-%m-%d %H:%M} UTC"
        yield Warn(WarningKind.UNBLOCKED, texts=(facts.unblocked.by, facts.unblocked.reason, on))


def _too_early(report: Report) -> Iterator[Warn]:
    """Only blockers known to be open: of the others it would not be true to say so."""
    still_open = tuple(b.ref for b in report.blockers if b.state is RefState.OPEN)
    kinds = {
        Status.CLOSED: WarningKind.CLOSED_BLOCKED,
        Status.IN_PROGRESS: WarningKind.BEGUN_BLOCKED,
    }
    if still_open and report.status in kinds:
        yield Warn(kinds[report.status], refs=still_open)


def _capacity(report: Report) -> Iterator[Warn]:
    tokens = report.estimate.tokens
    if _too_big(report):
        most = max(verdict.room for verdict in report.assignment.verdicts)
        yield Warn(WarningKind.TOO_BIG, numbers=(tokens, most, tokens - most))
    elif report.assignment.agent is None and report.status is not Status.IN_PROGRESS:
        yield Warn(WarningKind.NOBODY)


def _references(report: Report, facts: Facts) -> Iterator[Warn]:
    named = (*report.blockers, *report.waiting)
    for kind, state, among in (
        (WarningKind.UNSEEN, RefState.UNSEEN, named),
        (WarningKind.UNCHECKED, RefState.UNCHECKED, named),
        (WarningKind.GONE, RefState.GONE, report.blockers),
    ):
        refs = tuple(dict.fromkeys(d.ref for d in among if d.state is state))
        if refs:
            yield Warn(kind, refs=refs)
    if facts.kept_off:
        yield Warn(WarningKind.KEPT_OFF, refs=facts.kept_off)
    if facts.hidden_blockers:
        yield Warn(WarningKind.HIDDEN, numbers=(facts.hidden_blockers,))
    if facts.metadata.unreadable:
        yield Warn(WarningKind.UNREADABLE, texts=facts.metadata.unreadable)


def _agent_names(report: Report, facts: Facts) -> Iterator[Warn]:
    """What is wrong with the agent a person or, without a command, the text named."""
    names = [name for name in (facts.override_agent, facts.metadata.assigned_agent) if name]
    agents = [match(name, facts.agents) for name in names]
    if names and agents[0] is None and match(names[0], facts.barred):
        yield Warn(WarningKind.BARRED_AGENT, texts=(names[0],))
    elif names and agents[0] is None:
        yield Warn(WarningKind.UNKNOWN_AGENT, texts=(names[0], nearest(names[0], facts.agents)))
    named = next((agent for agent in agents if agent is not None), None)
    against = misfits(named, _work(report, facts)) if named is not None else ()
    if facts.in_progress:  # then it is at work, however busy
        against = tuple(misfit for misfit in against if misfit is not Misfit.BUSY)
    if named is not None and against:
        yield Warn(WarningKind.AGENT_MISFIT, texts=(named.name, *against))


def _work(report: Report, facts: Facts) -> Work:
    return Work(report.estimate.tokens, report.difficulty, facts.busy, facts.share)


def _doubts(report: Report, facts: Facts) -> Iterator[Warn]:
    found = report.estimate
    if found.computed is not None and far_off(facts.metadata, found):
        yield Warn(WarningKind.FAR_OFF, numbers=(found.tokens, found.computed))
    if facts.ai_failure is not None:
        yield Warn(WarningKind.AI_FAILED, texts=(facts.ai_failure,))
    if _not_followed(facts):
        counts = (facts.dependencies_found or 0, facts.dependencies_followed or 0)
        yield Warn(WarningKind.TOO_MANY, numbers=counts)
