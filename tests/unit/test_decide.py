"""Facts in, report out: status, warnings, dependencies and graph."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.decide import GRAPH_MOST, Facts, decide
from bot.estimator import SizeLimits
from bot.models import (
    Agent,
    ContextSize,
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
    Warn,
    WarningKind,
)

ISSUE = IssueRef("acme", "rocket", 2)
DECLARED, GITEA = (Source.DECLARED,), (Source.GITEA,)


def ref(number: int) -> IssueRef:
    return ISSUE.sibling(number)


def dep(number: int, state: RefState = RefState.OPEN, **more: object) -> Dependency:
    return replace(Dependency(ref(number), state, DECLARED), **more)


def agent(name: str, limit: int, price: float, hardest: Difficulty, at_once: int = 1) -> Agent:
    order = list(Difficulty)
    return Agent(
        name=name,
        context_limit=limit,
        price_in=price,
        price_out=price * 5,
        difficulties=frozenset(order[: order.index(hardest) + 1]),
        at_once=at_once,
    )


AGENTS = (
    agent("haiku", 100_000, 1, Difficulty.MEDIUM),
    agent("opus", 200_000, 5, Difficulty.HARD),
)
BASE = Facts(issue=ISSUE, title="Retry", text="Retry", agents=AGENTS)
READY_META = Metadata(estimated_context=20_000, difficulty=Difficulty.EASY)


def told(metadata: Metadata = READY_META, **facts: object) -> Report:
    return decide(replace(BASE, metadata=metadata, **facts))


def meta(**more: object) -> Metadata:
    return Metadata.model_validate({**READY_META.model_dump(), **more})


def kinds(report: Report) -> list[WarningKind]:
    return [warning.kind for warning in report.warnings]


# ---- the whole of it ----


def test_an_issue_that_wants_nothing_is_ready_and_goes_to_the_cheapest() -> None:
    report = told()
    assert Status.READY == report.status
    assert (20_000, Source.DECLARED) == (report.estimate.tokens, report.estimate.source)
    assert (Difficulty.EASY, Source.DECLARED) == (report.difficulty, report.difficulty_source)
    assert (AGENTS[0], Source.TEXT) == (report.assignment.agent, report.assignment.source)
    assert ContextSize.SMALL == report.size
    assert () == report.warnings
    assert ({ISSUE: RefState.OPEN}, {ISSUE: "Retry"}) == (report.states, report.titles)


def test_what_a_person_commanded_beats_text_and_claude() -> None:
    report = told(
        meta(assigned_agent="haiku"),
        reading=Reading(difficulty=Difficulty.MEDIUM, estimated_context=7),
        override_estimate=60_000,
        override_difficulty=Difficulty.HARD,
        override_agent="opus",
    )
    assert (60_000, Source.COMMAND) == (report.estimate.tokens, report.estimate.source)
    assert (Difficulty.HARD, Source.COMMAND) == (report.difficulty, report.difficulty_source)
    assert (AGENTS[1], Source.COMMAND) == (report.assignment.agent, report.assignment.source)


def test_settings_reach_where_they_belong() -> None:
    report = told(
        share=0.1, limits=SizeLimits(1_000, 2_000, 3_000), bot="mosaic", override_estimate=9_000
    )
    assert (0.1, "mosaic", ContextSize.HUGE) == (report.share, report.bot, report.size)
    assert [10_000, 20_000] == [verdict.room for verdict in report.assignment.verdicts]


def test_the_tree_and_the_text_reach_the_estimate() -> None:
    report = told(Metadata(), text="in src/a.py", tree={"src/a.py": 36_000})
    assert Source.FILES == report.estimate.source
    assert ["src/a.py"] == [share.path for share in report.estimate.files]


def test_the_same_facts_give_the_same_report() -> None:
    facts = {"blockers": (dep(7), dep(3)), "waiting": (dep(9),), "edges": ((ref(7), ref(3)),)}
    assert told(**facts) == told(**facts)


# ---- status ----

BLOCKED = {"blockers": (dep(7),)}
TOO_BIG = {"override_estimate": 150_000}


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        pytest.param({}, Status.READY, id="nothing in the way"),
        pytest.param(BLOCKED, Status.BLOCKED, id="an open blocker"),
        pytest.param({"blockers": (dep(7, RefState.UNSEEN),)}, Status.BLOCKED, id="unseen"),
        pytest.param({"blockers": (dep(7, RefState.UNCHECKED),)}, Status.BLOCKED, id="unchecked"),
        pytest.param({"blockers": (dep(7, RefState.CLOSED),)}, Status.READY, id="closed"),
        pytest.param({"blockers": (dep(7, RefState.MERGED),)}, Status.READY, id="merged"),
        pytest.param({"blockers": (dep(7, RefState.GONE),)}, Status.READY, id="gone"),
        pytest.param(
            {"blockers": (dep(7, RefState.CLOSED), dep(8))}, Status.BLOCKED, id="one of two open"
        ),
        pytest.param({"waiting": (dep(7),)}, Status.READY, id="others wait for it"),
        pytest.param({"proposals": (dep(7),)}, Status.READY, id="a proposal is no edge"),
        pytest.param({"blockers": (dep(2),)}, Status.READY, id="itself is no edge"),
        pytest.param({"hidden_blockers": 1}, Status.BLOCKED, id="a blocker nobody may name"),
        pytest.param(
            {"dependencies_found": 9, "dependencies_followed": 8}, Status.BLOCKED, id="not all seen"
        ),
        pytest.param(
            {"dependencies_found": 9, "dependencies_followed": 9}, Status.READY, id="all seen"
        ),
        pytest.param({"dependencies_found": 9}, Status.READY, id="all seen, not counted"),
        pytest.param(TOO_BIG, Status.TOO_BIG, id="nobody has room"),
        pytest.param({"override_estimate": 100_000}, Status.READY, id="just room"),
        pytest.param(
            {**TOO_BIG, "override_agent": "opus"}, Status.TOO_BIG, id="a command, no room"
        ),
        pytest.param({"busy": {"haiku": 1, "opus": 1}}, Status.READY, id="busy is not too big"),
        pytest.param({"agents": ()}, Status.READY, id="no agents"),
        pytest.param({**TOO_BIG, **BLOCKED}, Status.BLOCKED, id="blocked before too big"),
        pytest.param({**TOO_BIG, **BLOCKED, "in_progress": True}, Status.IN_PROGRESS, id="begun"),
        pytest.param({**BLOCKED, "in_progress": True, "hold": True}, Status.HOLD, id="held"),
        pytest.param(
            {**BLOCKED, "in_progress": True, "hold": True, "is_closed": True},
            Status.CLOSED,
            id="closed before all",
        ),
    ],
)
def test_where_it_stands(facts, status: Status) -> None:
    assert status == told(**facts).status


# ---- warnings ----

CYCLE = {"blockers": (dep(7),), "edges": ((ref(7), ref(3)), (ref(3), ISSUE))}


@pytest.mark.parametrize(
    ("metadata", "facts", "warning"),
    [
        pytest.param(
            {},
            CYCLE,
            Warn(WarningKind.CYCLE, refs=(ISSUE, ref(7), ref(3), ISSUE)),
            id="a cycle, with its path",
        ),
        pytest.param(
            {"blocked_by": (ISSUE,)},
            {},
            Warn(WarningKind.ITSELF, refs=(ISSUE,)),
            id="blocked by itself",
        ),
        pytest.param(
            {"blocks": (ISSUE,)}, {}, Warn(WarningKind.ITSELF, refs=(ISSUE,)), id="blocks itself"
        ),
        pytest.param(
            {}, {"blockers": (dep(2),)}, Warn(WarningKind.ITSELF, refs=(ISSUE,)), id="as a blocker"
        ),
        pytest.param(
            {}, {"waiting": (dep(2),)}, Warn(WarningKind.ITSELF, refs=(ISSUE,)), id="as one waiting"
        ),
        pytest.param(
            {},
            {"blockers": (dep(7), dep(8, RefState.CLOSED), dep(9)), "in_progress": True},
            Warn(WarningKind.BEGUN_BLOCKED, refs=(ref(7), ref(9))),
            id="begun though blocked",
        ),
        pytest.param(
            {},
            {"blockers": (dep(7), dep(8, RefState.CLOSED)), "is_closed": True},
            Warn(WarningKind.CLOSED_BLOCKED, refs=(ref(7),)),
            id="closed though blocked",
        ),
        pytest.param(
            {},
            TOO_BIG,
            Warn(WarningKind.TOO_BIG, numbers=(150_000, 100_000, 50_000)),
            id="too big, and by how much",
        ),
        pytest.param(
            {"difficulty": "hard"}, {"busy": {"opus": 1}}, Warn(WarningKind.NOBODY), id="all busy"
        ),
        pytest.param({}, {"agents": ()}, Warn(WarningKind.NOBODY), id="no agents"),
        pytest.param(
            {},
            {
                "blockers": (dep(9, RefState.UNSEEN), dep(7, RefState.UNSEEN)),
                "waiting": (dep(8, RefState.UNSEEN), dep(8, RefState.UNSEEN)),
            },
            Warn(WarningKind.UNSEEN, refs=(ref(9), ref(7), ref(8))),
            id="unseen, on either side, each once",
        ),
        pytest.param(
            {},
            {"blockers": (dep(7, RefState.UNCHECKED),)},
            Warn(WarningKind.UNCHECKED, refs=(ref(7),)),
            id="unchecked",
        ),
        pytest.param(
            {},
            {"blockers": (dep(7, RefState.GONE),), "waiting": (dep(8, RefState.GONE),)},
            Warn(WarningKind.GONE, refs=(ref(7),)),
            id="a blocker is gone",
        ),
        pytest.param(
            {}, {"hidden_blockers": 2}, Warn(WarningKind.HIDDEN, numbers=(2,)), id="hidden"
        ),
        pytest.param(
            {"unreadable": ("A-1", "B-2")},
            {},
            Warn(WarningKind.UNREADABLE, texts=("A-1", "B-2")),
            id="unreadable",
        ),
        pytest.param(
            {"assigned_agent": "haikuu"},
            {},
            Warn(WarningKind.UNKNOWN_AGENT, texts=("haikuu", "haiku")),
            id="an agent nobody knows",
        ),
        pytest.param(
            {"assigned_agent": "Gamma"},
            {"barred": (agent("gamma", 1000, 1, Difficulty.EASY),)},
            Warn(WarningKind.BARRED_AGENT, texts=("Gamma",)),
            id="an agent that may not work here",
        ),
        pytest.param(
            {},
            {"mistakes": (Mistake("it is no file", whole=True),)},
            Warn(WarningKind.SETTINGS, mistakes=(Mistake("it is no file", whole=True),)),
            id="mistakes in the repository's file",
        ),
        pytest.param(
            {},
            {"override_agent": "xyzzy"},
            Warn(WarningKind.UNKNOWN_AGENT, texts=("xyzzy", "")),
            id="a commanded agent nobody knows",
        ),
        pytest.param(
            {"assigned_agent": "Claude Haiku", "estimated_context": 60_000},
            {},
            Warn(WarningKind.AGENT_MISFIT, texts=("haiku", Misfit.TOO_SMALL)),
            id="the declared agent is too small",
        ),
        pytest.param(
            {"assigned_agent": "haiku", "difficulty": "hard"},
            {"busy": {"haiku": 1}},
            Warn(WarningKind.AGENT_MISFIT, texts=("haiku", Misfit.DIFFICULTY, Misfit.BUSY)),
            id="the declared agent is not for this, and busy",
        ),
        pytest.param(
            {"difficulty": "hard"},
            {"override_agent": "haiku"},
            Warn(WarningKind.AGENT_MISFIT, texts=("haiku", Misfit.DIFFICULTY)),
            id="the commanded agent does not fit",
        ),
        pytest.param(
            {"files": ("a.py",), "estimated_context": 40_000},
            {"tree": {"a.py": 36}},
            Warn(WarningKind.FAR_OFF, numbers=(40_000, 6_700)),
            id="declared far from computed",
        ),
        pytest.param(
            {}, {"ai_failure": "429"}, Warn(WarningKind.AI_FAILED, texts=("429",)), id="no Claude"
        ),
        pytest.param(
            {},
            {"dependencies_found": 70, "dependencies_followed": 50},
            Warn(WarningKind.TOO_MANY, numbers=(70, 50)),
            id="too many dependencies",
        ),
    ],
)
def test_what_is_warned_of(metadata, facts, warning: Warn) -> None:
    assert (warning,) == told(meta(**metadata), **facts).warnings


@pytest.mark.parametrize(
    ("metadata", "facts"),
    [
        pytest.param({"assigned_agent": "opus"}, {}, id="a declared agent that fits"),
        pytest.param({"assigned_agent": ""}, {"override_agent": ""}, id="empty names"),
        pytest.param(
            {"assigned_agent": "xyzzy"}, {"override_agent": "opus"}, id="a command hides the text's"
        ),
        pytest.param(
            {"assigned_agent": "haiku"},
            {"busy": {"haiku": 1}, "in_progress": True},
            id="busy, but at work already",
        ),
        pytest.param(
            {"difficulty": "hard"},
            {"busy": {"opus": 1}, "in_progress": True},
            id="nobody free, but at work already",
        ),
        pytest.param(
            {},
            {"blockers": (dep(7, RefState.CLOSED),), "in_progress": True},
            id="begun after its blockers",
        ),
        pytest.param({}, {"blockers": (dep(7),)}, id="plainly blocked"),
        pytest.param(
            {},
            {"blockers": (dep(7), dep(3)), "edges": ((ref(7), ref(3)),)},
            id="edges, but no cycle",
        ),
        pytest.param(
            {"unreadable": ("A-1",), "assigned_agent": "xyzzy", "blocked_by": (ISSUE,)},
            {
                **TOO_BIG,
                "is_closed": True,
                "ai_failure": "429",
                "edges": CYCLE["edges"],
                "blockers": (dep(7, RefState.UNSEEN),),
                "dependencies_found": 9,
                "dependencies_followed": 1,
            },
            id="closed: the rest does not matter any more",
        ),
    ],
)
def test_what_is_not_warned_of(metadata, facts) -> None:
    assert () == told(meta(**metadata), **facts).warnings


def test_warnings_stand_in_order_the_most_serious_first() -> None:
    report = told(
        meta(
            estimated_context=300_000,
            blocked_by=(ISSUE,),
            unreadable=("A-1",),
            assigned_agent="haiku",
            files=("a.py",),
        ),
        tree={"a.py": 36},
        edges=CYCLE["edges"],
        blockers=(
            dep(7),
            dep(11, RefState.UNSEEN),
            dep(12, RefState.UNCHECKED),
            dep(13, RefState.GONE),
        ),
        in_progress=True,
        hidden_blockers=1,
        ai_failure="429",
        dependencies_found=9,
        dependencies_followed=1,
    )
    assert [
        WarningKind.CYCLE,
        WarningKind.ITSELF,
        WarningKind.BEGUN_BLOCKED,
        WarningKind.TOO_BIG,
        WarningKind.UNSEEN,
        WarningKind.UNCHECKED,
        WarningKind.GONE,
        WarningKind.HIDDEN,
        WarningKind.UNREADABLE,
        WarningKind.AGENT_MISFIT,
        WarningKind.FAR_OFF,
        WarningKind.AI_FAILED,
        WarningKind.TOO_MANY,
    ] == kinds(report)


@pytest.mark.parametrize(
    ("facts", "metadata", "chosen"),
    [
        pytest.param({"in_progress": True}, {}, ("opus", Source.GITEA), id="begun"),
        pytest.param({}, {}, ("haiku", Source.TEXT), id="not begun"),
        pytest.param(
            {"in_progress": True},
            {"assigned_agent": "haiku"},
            ("haiku", Source.DECLARED),
            id="the text names another",
        ),
        pytest.param(
            {"in_progress": True, "override_agent": "haiku"},
            {},
            ("haiku", Source.COMMAND),
            id="a person commands another",
        ),
    ],
)
def test_an_agent_at_work_keeps_the_issue(facts, metadata, chosen) -> None:
    """Others may have become cheaper or freer meanwhile."""
    report = told(meta(**metadata), at_work="opus", **facts)
    found = report.assignment
    assert found.agent is not None
    assert chosen == (found.agent.name, found.source)


def test_an_unknown_command_falls_back_on_the_text_and_warns_of_both() -> None:
    report = told(meta(assigned_agent="haiku", difficulty="hard"), override_agent="xyzzy")
    assert (AGENTS[0], Source.DECLARED) == (report.assignment.agent, report.assignment.source)
    assert [WarningKind.UNKNOWN_AGENT, WarningKind.AGENT_MISFIT] == kinds(report)


# ---- dependencies ----


def test_a_dependency_told_by_several_sources_stands_once_with_all_of_them() -> None:
    report = told(
        blockers=(
            dep(7, RefState.UNCHECKED, declared_in=ref(7)),
            dep(8),
            dep(7, RefState.CLOSED, sources=GITEA, title="Pump", is_pull=True),
            dep(7, RefState.OPEN, sources=DECLARED, title="Other"),
        )
    )
    assert (
        Dependency(
            ref(7),
            RefState.CLOSED,
            (Source.DECLARED, Source.GITEA),
            title="Pump",
            is_pull=True,
            declared_in=ref(7),
        ),
        dep(8),
    ) == report.blockers


def test_the_title_of_a_private_one_is_shown_nowhere() -> None:
    report = told(
        blockers=(dep(7, title="Secret", private=True),),
        waiting=(dep(8, title="Also secret"), dep(8, private=True)),
        titles={ref(7): "Secret", ref(8): "Also secret", ref(9): "Public"},
        edges=((ref(9), ref(8)),),
    )
    assert "ecret" not in str(report)
    assert {ISSUE: "Retry", ref(9): "Public"} == report.titles


def test_nothing_is_proposed_that_is_known_or_is_the_issue_itself() -> None:
    report = told(
        blockers=(dep(7),), waiting=(dep(8),), proposals=(dep(7), dep(8), dep(2), dep(9), dep(9))
    )
    assert [ref(9)] == [proposal.ref for proposal in report.proposals]


# ---- the graph ----


def test_the_graph_holds_what_is_around_and_no_more() -> None:
    report = told(
        blockers=(dep(7, title="Pump"),),
        waiting=(dep(9, RefState.CLOSED),),
        edges=((ref(7), ref(3)), (ref(50), ref(51))),
        states={ref(3): RefState.MERGED, ref(50): RefState.OPEN},
        titles={ref(3): "Valve", ref(50): "Elsewhere"},
    )
    assert ((ISSUE, ref(7)), (ref(9), ISSUE), (ref(7), ref(3))) == report.edges
    assert {
        ISSUE: RefState.OPEN,
        ref(7): RefState.OPEN,
        ref(9): RefState.CLOSED,
        ref(3): RefState.MERGED,
    } == report.states
    assert {ISSUE: "Retry", ref(7): "Pump", ref(3): "Valve"} == report.titles


def test_a_remembered_edge_of_its_own_that_is_gone_is_not_drawn() -> None:
    report = told(blockers=(dep(7),), edges=((ISSUE, ref(6)), (ISSUE, ref(7)), (ref(6), ISSUE)))
    assert ((ISSUE, ref(7)), (ref(6), ISSUE)) == report.edges
    assert () == report.cycle


def test_an_issue_of_the_same_number_elsewhere_keeps_its_edges() -> None:
    elsewhere = IssueRef("acme", "engine", ISSUE.number)
    known = ((ref(7), elsewhere), (elsewhere, ref(9)))
    assert {(ISSUE, ref(7)), *known} == set(told(blockers=(dep(7),), edges=known).edges)


def test_a_closed_blocker_makes_no_deadlock() -> None:
    closed = {ref(3): RefState.CLOSED}
    assert () == told(**CYCLE, states=closed).cycle
    assert () == told(**CYCLE, is_closed=True).cycle
    assert Status.BLOCKED == told(**CYCLE, states=closed).status, "its blocker is open all the same"


@pytest.mark.parametrize(
    ("cycle", "known"),
    [
        pytest.param((ISSUE, ref(50), ISSUE), (ISSUE, ref(50), ISSUE), id="one far away"),
        pytest.param((), (), id="none after all"),
        pytest.param((ISSUE, ref(7), ref(3), ISSUE), None, id="as far as edges tell"),
    ],
)
def test_a_cycle_that_is_known_needs_no_edges(cycle, known) -> None:
    report = told(**CYCLE, cycle=known)
    assert cycle == report.cycle
    assert (cycle != ()) is (WarningKind.CYCLE in kinds(report))
    assert () == told(**CYCLE, cycle=known, is_closed=True).cycle


def test_in_a_circle_it_is_blocked_whatever_its_blockers_are() -> None:
    assert Status.BLOCKED is told(cycle=(ISSUE, ref(50), ISSUE)).status


def test_what_was_just_looked_up_beats_a_remembered_state() -> None:
    assert told(**CYCLE, states={ref(7): RefState.CLOSED}).cycle


def test_the_graph_is_bounded() -> None:
    report = told(waiting=tuple(dep(n) for n in range(100, 300)))
    assert GRAPH_MOST == len(report.edges)
    assert 200 == len(report.waiting)
    assert GRAPH_MOST + 1 == len(report.states)


def test_without_a_title_none_is_shown() -> None:
    assert {} == told(title="").titles


# ---- whatever the facts ----

dependencies = st.lists(
    st.builds(
        Dependency,
        ref=st.integers(1, 6).map(ref),
        state=st.sampled_from(RefState),
        sources=st.sampled_from([DECLARED, GITEA]),
        title=st.sampled_from([None, "T"]),
        private=st.booleans(),
    ),
    max_size=6,
).map(tuple)


@given(
    facts=st.builds(
        Facts,
        issue=st.just(ISSUE),
        metadata=st.builds(
            Metadata,
            estimated_context=st.sampled_from([None, 1, 80_000, 10**12]),
            difficulty=st.sampled_from([None, *Difficulty]),
            assigned_agent=st.sampled_from([None, "haiku", "opus", "sonnet"]),
        ),
        blockers=dependencies,
        waiting=dependencies,
        proposals=dependencies,
        edges=st.lists(
            st.tuples(st.integers(1, 6).map(ref), st.integers(1, 6).map(ref)), max_size=9
        ).map(tuple),
        agents=st.sampled_from([(), AGENTS]),
        busy=st.dictionaries(st.sampled_from(["haiku", "opus"]), st.integers(0, 2)),
        is_closed=st.booleans(),
        in_progress=st.booleans(),
        hold=st.booleans(),
        override_agent=st.sampled_from([None, "haiku", "x"]),
    )
)
def test_status_and_warnings_agree_with_the_rest_of_the_report(facts: Facts) -> None:
    report = decide(facts)
    assert len(set(kinds(report))) == len(report.warnings), "each kind once"
    assert facts.issue not in {d.ref for d in (*report.blockers, *report.waiting)}
    if report.status is Status.READY:
        assert not report.open_blockers
        assert not report.cycle
        assert WarningKind.TOO_BIG not in kinds(report)
    if report.status is Status.BLOCKED:
        assert report.open_blockers
    assert (report.cycle != ()) == (WarningKind.CYCLE in kinds(report))
    assert set(report.titles) <= set(report.states)
