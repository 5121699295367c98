"""When a session is told to compact, and when to hand over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.context_monitor import Action, Advice, Session, judge


@pytest.mark.parametrize(
    ("used", "limit", "advice"),
    [
        pytest.param(0, 200_000, Advice(Action.CONTINUE, 0.0, 200_000), id="nothing held"),
        pytest.param(159_999, 200_000, Advice(Action.CONTINUE, 79.9, 40_001), id="just below 80 %"),
        pytest.param(160_000, 200_000, Advice(Action.COMPACT, 80.0, 40_000), id="80 %"),
        pytest.param(189_999, 200_000, Advice(Action.COMPACT, 94.9, 10_001), id="just below 95 %"),
        pytest.param(190_000, 200_000, Advice(Action.HAND_OVER, 95.0, 10_000), id="95 %"),
        pytest.param(200_000, 200_000, Advice(Action.HAND_OVER, 100.0, 0), id="full"),
        pytest.param(250_000, 200_000, Advice(Action.HAND_OVER, 125.0, 0), id="over the limit"),
        pytest.param(1, 1, Advice(Action.HAND_OVER, 100.0, 0), id="the smallest limit"),
    ],
)
def test_advice_follows_the_part_in_use(used: int, limit: int, advice: Advice) -> None:
    assert advice == judge(used, limit)


@pytest.mark.parametrize(
    ("used", "compact_at", "hand_over_at", "action"),
    [
        (50, 0.5, 0.9, Action.COMPACT),
        (49, 0.5, 0.9, Action.CONTINUE),
        (90, 0.5, 0.9, Action.HAND_OVER),
        (70, 0.7, 0.7, Action.HAND_OVER),
        (99, 1.0, 1.0, Action.CONTINUE),
        (7, 0.07, 0.95, Action.COMPACT),
        (29, 0.29, 0.95, Action.COMPACT),
    ],
)
def test_thresholds_can_be_set_and_count_from_the_token_that_reaches_them(
    used: int, compact_at: float, hand_over_at: float, action: Action
) -> None:
    assert action == judge(used, 100, compact_at=compact_at, hand_over_at=hand_over_at).action


@pytest.mark.parametrize(
    ("used", "limit", "thresholds", "says"),
    [
        (-1, 100, {}, "cannot hold -1"),
        (1, 0, {}, "limit of 0"),
        (1, -5, {}, "limit of -5"),
        (1, 9, {"compact_at": 0.0}, "Compact at 0.0"),
        (1, 9, {"compact_at": 0.96}, "compacting no later"),
        (1, 9, {"hand_over_at": 1.01}, "hand over at 1.01"),
        (1, 9, {"compact_at": float("nan")}, "do not go together"),
    ],
)
def test_figures_that_make_no_sense_are_refused_with_a_sentence(
    used: int, limit: int, thresholds: dict[str, float], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        judge(used, limit, **thresholds)


@given(st.integers(0, 10**7), st.integers(0, 10**7), st.integers(1, 10**7))
def test_more_in_use_never_softens_the_advice(one: int, other: int, limit: int) -> None:
    order = list(Action)
    less, more = sorted((one, other))
    assert order.index(judge(less, limit).action) <= order.index(judge(more, limit).action)


@given(st.integers(0, 10**7), st.integers(1, 10**7))
def test_the_percentage_never_claims_a_threshold_that_was_not_reached(
    used: int, limit: int
) -> None:
    advice = judge(used, limit)
    assert (advice.percent >= 80) == (advice.action is not Action.CONTINUE)
    assert (advice.percent >= 95) == (advice.action is Action.HAND_OVER)


def test_a_session_only_grows_until_it_is_compacted() -> None:
    session = Session("opus", 1000).seen(700).seen(820)
    assert Action.COMPACT == session.advice().action
    assert session == session.seen(700), "a measurement that came late changes nothing"

    session = session.compacted(150)
    assert (150, 820, 1) == (session.used, session.peak, session.compactions)
    assert Action.CONTINUE == session.advice().action

    session = session.seen(960)
    assert (960, 960, 1) == (session.used, session.peak, session.compactions)
    assert Action.HAND_OVER == session.advice().action


def test_a_session_takes_its_own_thresholds() -> None:
    session = Session("opus", 1000, used=500)
    assert Action.COMPACT == session.advice(compact_at=0.4).action
    assert Action.HAND_OVER == session.advice(compact_at=0.4, hand_over_at=0.5).action


def test_a_session_that_begins_with_something_has_held_it() -> None:
    session = Session("opus", 1000, used=500)
    assert 500 == session.compacted(100).peak


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Session("opus", 0), "limit of 0"),
        (lambda: Session("opus", 10, used=-1), "cannot hold -1"),
        (lambda: Session("opus", 10).seen(-1), "cannot hold -1"),
        (lambda: Session("opus", 10, used=5).compacted(5), "frees nothing"),
        (lambda: Session("opus", 10, used=5).compacted(-1), "cannot hold -1"),
    ],
    ids=["no limit", "negative start", "negative measurement", "frees nothing", "negative rest"],
)
def test_a_session_refuses_what_cannot_be(make, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        make()
