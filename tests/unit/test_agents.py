"""Which agent is chosen, and what is said of the others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.agents import Work, choose, cost, match, misfits, nearest, room
from bot.models import Agent, Assignment, Difficulty, Misfit, Source

EASY, MEDIUM, HARD = Difficulty.EASY, Difficulty.MEDIUM, Difficulty.HARD


def agent(
    name: str,
    limit: int = 200_000,
    price: float = 1.0,
    difficulties: set[Difficulty] | None = None,
    at_once: int = 2,
    price_out: float = 5.0,
) -> Agent:
    return Agent(
        name=name,
        context_limit=limit,
        price_in=price,
        price_out=price_out,
        difficulties=frozenset(difficulties or set(Difficulty)),
        at_once=at_once,
    )


HAIKU = agent("haiku", 200_000, 1.0, {EASY, MEDIUM})
SONNET = agent("sonnet", 400_000, 3.0)
OPUS = agent("opus", 200_000, 5.0, {MEDIUM, HARD})
AGENTS = (OPUS, SONNET, HAIKU)


def pick(
    tokens: int = 50_000,
    difficulty: Difficulty = EASY,
    *,
    agents: tuple[Agent, ...] = AGENTS,
    busy: dict[str, int] | None = None,
    share: float = 0.5,
    declared: str | None = None,
    override: str | None = None,
) -> Assignment:
    return choose(
        agents,
        tokens,
        difficulty,
        busy=busy or {},
        share=share,
        declared=declared,
        override=override,
    )


def why(assignment: Assignment) -> dict[str, tuple[Misfit, ...]]:
    return {verdict.agent.name: verdict.misfits for verdict in assignment.verdicts}


T, D, B, P, N = (
    (Misfit.TOO_SMALL,),
    (Misfit.DIFFICULTY,),
    (Misfit.BUSY,),
    (Misfit.DEARER,),
    (Misfit.NOT_NAMED,),
)


@pytest.mark.parametrize(
    ("asked", "name", "source", "others"),
    [
        pytest.param({}, "haiku", "text", {"opus": D, "sonnet": P}, id="the cheapest that fits"),
        pytest.param(
            {"tokens": 100_000}, "haiku", "text", {"opus": D, "sonnet": P}, id="half the limit fits"
        ),
        pytest.param(
            {"tokens": 100_001},
            "sonnet",
            "text",
            {"opus": (*T, *D), "haiku": T},
            id="one more does not",
        ),
        pytest.param(
            {"difficulty": HARD},
            "sonnet",
            "text",
            {"opus": P, "haiku": D},
            id="too hard for the cheapest",
        ),
        pytest.param(
            {"busy": {"haiku": 2}},
            "sonnet",
            "text",
            {"opus": D, "haiku": B},
            id="the cheapest is busy",
        ),
        pytest.param(
            {"busy": {"haiku": 1}},
            "haiku",
            "text",
            {"opus": D, "sonnet": P},
            id="it has one place left",
        ),
        pytest.param(
            {"tokens": 200_001},
            None,
            "text",
            {"opus": (*T, *D), "sonnet": T, "haiku": T},
            id="too big for all",
        ),
        pytest.param(
            {"difficulty": HARD, "busy": {"sonnet": 2, "opus": 5}},
            None,
            "text",
            {"opus": B, "sonnet": B, "haiku": D},
            id="nobody has room",
        ),
        pytest.param(
            {"tokens": 80_000, "share": 0.25},
            "sonnet",
            "text",
            {"opus": (*T, *D), "haiku": T},
            id="another share",
        ),
        pytest.param(
            {"declared": "Sonnet"},
            "sonnet",
            "declared",
            {"opus": D, "haiku": N},
            id="declared, though dearer",
        ),
        pytest.param(
            {"declared": "opus"},
            "opus",
            "declared",
            {"sonnet": N, "haiku": N},
            id="declared, though not for easy work",
        ),
        pytest.param(
            {"declared": "opus", "busy": {"opus": 9}},
            "opus",
            "declared",
            {"sonnet": N, "haiku": N},
            id="declared, though busy",
        ),
        pytest.param(
            {"declared": "haiku", "tokens": 150_000},
            "sonnet",
            "text",
            {"opus": (*T, *D), "haiku": T},
            id="declared, but too small",
        ),
        pytest.param(
            {"declared": "nobody"},
            "haiku",
            "text",
            {"opus": D, "sonnet": P},
            id="declared, but unknown",
        ),
        pytest.param(
            {"override": "sonnet", "declared": "opus"},
            "sonnet",
            "command",
            {"opus": D, "haiku": N},
            id="a command beats the text",
        ),
        pytest.param(
            {"override": "haiku", "tokens": 900_000, "difficulty": HARD, "busy": {"haiku": 7}},
            "haiku",
            "command",
            {"opus": T, "sonnet": T},
            id="a command is obeyed whatever fits",
        ),
        pytest.param(
            {"override": "nobody", "declared": "sonnet"},
            "sonnet",
            "declared",
            {"opus": D, "haiku": N},
            id="a command that names nobody",
        ),
    ],
)
def test_the_choice_and_why_not_the_others(asked, name, source, others) -> None:
    assignment = pick(**asked)
    chosen = assignment.agent.name if assignment.agent else None
    assert (name, source) == (chosen, assignment.source)
    expected = {"opus": (), "sonnet": (), "haiku": (), **others}
    assert expected == why(assignment)


def test_verdicts_carry_room_cost_and_what_each_agent_has_in_progress() -> None:
    verdict = pick(40_000, busy={"sonnet": 1}).verdicts[1]
    assert (SONNET, 200_000, 1) == (verdict.agent, verdict.room, verdict.busy)
    assert pytest.approx(40_000 * (3.0 + 0.1 * 5.0) / 1e6) == verdict.cost


def test_what_is_written_counts_in_the_price() -> None:
    """Cheap to read and very dear to write is dear."""
    talker = agent("talker", price=1.0, price_out=90.0)
    reader = agent("reader", price=2.0, price_out=4.0)
    assert reader == pick(agents=(talker, reader)).agent


@pytest.mark.parametrize(
    ("agents", "name"),
    [
        ((agent("b"), agent("a")), "b"),
        ((agent("wide", 400_000), agent("narrow", 200_000)), "narrow"),
        ((agent("free", price=0, price_out=0), agent("cheap", price=0.1)), "free"),
    ],
    ids=["the first listed", "the one whose context is smaller", "one that costs nothing"],
)
def test_ties_are_settled_the_same_way_each_time(agents, name: str) -> None:
    assert name == pick(agents=agents).agent.name


def test_no_agents_no_choice() -> None:
    assert Assignment(None, Source.TEXT, ()) == pick(agents=(), declared="opus")


agents_lists = st.lists(
    st.builds(
        agent,
        name=st.sampled_from(["a", "b", "c", "d"]),
        limit=st.integers(1, 400_000),
        price=st.floats(0, 20),
        difficulties=st.sets(st.sampled_from(list(Difficulty)), min_size=1),
        at_once=st.integers(0, 3),
    ),
    max_size=4,
    unique_by=lambda a: a.name,
).map(tuple)


@given(
    agents_lists,
    st.integers(1, 300_000),
    st.sampled_from(list(Difficulty)),
    st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), st.integers(0, 3)),
    st.floats(0.01, 1),
    st.sampled_from([None, "a", "b", "x"]),
)
def test_nobody_is_given_more_than_there_is_room_for_unless_commanded(
    agents, tokens, difficulty, busy, share, declared
) -> None:
    assignment = choose(agents, tokens, difficulty, busy=busy, share=share, declared=declared)
    work = Work(tokens, difficulty, busy, share)
    fitting = [a for a in agents if not misfits(a, work)]
    if assignment.agent is None:
        assert not fitting
        return
    assert tokens <= room(assignment.agent, share)
    if assignment.source is Source.TEXT:
        assert assignment.agent in fitting
        assert all(cost(assignment.agent, tokens) <= cost(a, tokens) for a in fitting)
    assert [a for a in agents if a is not assignment.agent] == [
        v.agent for v in assignment.verdicts if v.misfits
    ], "every other one, and only they, have a reason"


@given(agents_lists, st.integers(1, 10**8))
def test_a_command_is_obeyed(agents, tokens) -> None:
    for one in agents:
        assignment = pick(tokens, agents=agents, override=one.name)
        assert (one, Source.COMMAND) == (assignment.agent, assignment.source)


# ---- names ----

FAMILY = tuple(agent(name) for name in ("haiku", "sonnet", "sonnet-4-5", "GLM 4.6", "gpt5"))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("haiku", "haiku"),
        ("  HAIKU ", "haiku"),
        ("@haiku", "haiku"),
        ("`haiku`", "haiku"),
        ("claude-haiku-4-5", "haiku"),
        ("Claude Haiku 4.5 (fast)", "haiku"),
        ("claude-haiku-4-5@20251001", "haiku"),
        ("sonnet", "sonnet"),
        ("Sonnet 4", "sonnet"),
        ("Sonnet 4.5", "sonnet-4-5"),
        ("claude-sonnet-4-5-20250929", "sonnet-4-5"),
        ("glm-4.6", "GLM 4.6"),
        ("glm", "GLM 4.6"),
        ("GPT-5", "gpt5"),
        ("haiku or sonnet", "haiku"),
        ("sonnet, else haiku", "sonnet"),
        ("haikus", None),
        ("4.5", None),
        ("opus", None),
        ("", None),
        (None, None),
        ("???", None),
        ("x" * 1_000_000, None),
    ],
)
def test_a_name_is_understood_as_people_write_it(written, meant) -> None:
    found = match(written, FAMILY)
    assert meant == (found.name if found else None)


def test_part_of_a_name_must_mean_one_agent_only() -> None:
    two = (agent("claude-sonnet"), agent("claude-opus"))
    assert None is match("claude", two)
    assert two[1] == match("opus", two)


def test_an_agent_whose_name_has_no_word_is_never_meant() -> None:
    assert None is match("anything", (agent("-"),))


@pytest.mark.parametrize(
    ("unknown", "near"),
    [
        ("sonet", "sonnet"),
        ("Hiaku", "haiku"),
        ("claude-sonet-4", "sonnet"),
        ("llama", ""),
        ("qwen-coder", ""),
        ("", ""),
    ],
)
def test_the_nearest_name_is_proposed_when_one_is_near(unknown: str, near: str) -> None:
    assert near == nearest(unknown, AGENTS)
