"""How far everything is seen: whatever either clock does, nothing that changed is left out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.watermark import BEGINNING, OVERLAP, Clocks, Watermark

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
REACH = timedelta(days=7)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


# ---- from when on is asked: five minutes after noon, when all was seen ----

SEEN = Watermark(NOON - OVERLAP, NOON)  # Gitea's clock and ours agreed
TICK = 5 * MINUTE


@pytest.mark.parametrize(
    ("expected", "ours", "gitea"),
    [
        (SEEN.since, NOON + TICK, NOON + TICK),
        (SEEN.since, NOON + TICK, NOON + TICK - timedelta(seconds=0.9)),
        (SEEN.since, NOON + TICK, None),
        (SEEN.since, NOON + TICK, NOON + TICK + HOUR),
        (SEEN.since - HOUR, NOON + TICK, NOON + TICK - HOUR),
        (SEEN.since - MINUTE, NOON + TICK, NOON + TICK - MINUTE),
        (SEEN.since - HOUR, NOON + TICK + HOUR, NOON + TICK),
        (SEEN.since, NOON + TICK - HOUR, NOON + TICK),
        (SEEN.since, NOON + TICK + HOUR, NOON + TICK + HOUR),
        (NOON + TICK - HOUR - REACH, NOON + TICK - HOUR, NOON + TICK - HOUR),
        (SEEN.since - HOUR, NOON + TICK + HOUR, NOON + TICK - timedelta(seconds=0.9)),
    ],
    ids=[
        "nothing was set",
        "Gitea's time is known to the second only",
        "Gitea tells no time",
        "Gitea's set forward",
        "Gitea's set back by an hour",
        "Gitea's set back by a minute",
        "ours set forward",
        "ours set back",
        "both set forward",
        "both set back",
        "ours set forward, to the second",
    ],
)
def test_from_when_on_is_asked(expected: datetime, ours: datetime, gitea: datetime | None) -> None:
    """A second more is asked for where Gitea's time is known to the second only."""
    start = SEEN.start(Clocks(ours, gitea), REACH)
    assert expected - timedelta(seconds=1) <= start <= expected
    assert 0 == start.microsecond


@pytest.mark.parametrize(
    ("expected", "ours", "gitea"),
    [
        (False, 300, 300),
        (False, 300, 299.1),
        (False, 1, 0.1),
        (False, 300, None),
        (False, 300, 3900),
        (True, 300, -3300),
        (True, 300, 290),
        (True, -3300, -3300),
        (True, 3900, 300),
        (False, -3300, 300),
    ],
    ids=[
        "no",
        "to the second",
        "asked again at once",
        "not known",
        "forward",
        "back",
        "back by ten seconds",
        "both back",
        "ours forward: seems so",
        "ours back",
    ],
)
def test_whether_gitea_s_clock_was_set_back(
    expected: bool, ours: float, gitea: float | None
) -> None:
    clocks = Clocks(at(ours), None if gitea is None else at(gitea))
    assert expected is SEEN.set_back(clocks, REACH)


def test_a_clock_of_ours_that_was_set_is_told_by_what_it_would_have_shown() -> None:
    """Gitea and the bot on one machine, set back by three of the five minutes since."""
    clocks = Clocks(NOON + 2 * MINUTE, NOON + 2 * MINUTE, 1300.0)
    assert SEEN.since == SEEN.start(clocks, REACH), "it cannot be told by the times alone"
    known = SEEN.told_by(clocks, Clocks(SEEN.asked_at, None, 1000.0))
    assert SEEN.since - 3 * MINUTE == known.start(clocks, REACH)
    assert known.set_back(clocks, REACH)


@pytest.mark.parametrize(
    ("ours", "then"),
    [
        (at(300), Clocks(NOON, None, 1000.0)),
        (at(3900), Clocks(NOON, None, 1000.0)),
        (at(-300), Clocks(at(1), None, 1000.0)),
        (at(-300), None),
    ],
    ids=["not set", "set forward, or the machine slept", "another process asked since", "nobody"],
)
def test_when_it_was_asked_is_believed_otherwise(ours: datetime, then: Clocks | None) -> None:
    assert SEEN == SEEN.told_by(Clocks(ours, None, 1300.0), then)


# ---- the next watermark ----


@pytest.mark.parametrize(
    ("expected", "gitea", "newest"),
    [
        (at(300) - OVERLAP, at(300.9), None),
        (at(300) - OVERLAP, at(300), at(310)),
        (at(-3300) - OVERLAP, at(-3300), at(200)),
        (at(200) - OVERLAP, None, at(200)),
        (SEEN.since, None, at(-90)),
        (SEEN.since, None, None),
    ],
    ids=[
        "Gitea's time before the list, in whole seconds",
        "not later though something is newer",
        "back with Gitea's clock",
        "no time told: the newest change",
        "no time told: never back",
        "no time told, nothing seen",
    ],
)
def test_the_next_watermark(
    expected: datetime, gitea: datetime | None, newest: datetime | None
) -> None:
    assert Watermark(expected, at(301)) == SEEN.moved(Clocks(at(301), gitea), newest)


def test_where_to_begin_with_what_is_seen_completely() -> None:
    assert Watermark(NOON - OVERLAP, at(1)) == Clocks(at(1), NOON).watermark
    assert Watermark(BEGINNING, at(1)) == Clocks(at(1), None).watermark


# ---- a world in which clocks are set ----


@dataclass
class World:
    """Gitea with its clock, a bot with another, and all that the bot found when it asked."""

    true: float = 0.0
    gitea: float = 0.0  # what the clocks are ahead of the true time
    ours: float = 0.0
    changes: list[tuple[int, int]] = field(default_factory=list)  # (number, Gitea's time)
    found: set[int] = field(default_factory=set)
    mark: Watermark | None = None
    asked: Clocks | None = None

    def change(self) -> None:
        self.changes.append((len(self.changes), int(self.true + self.gitea)))

    def go_on(self, steps: list[float | None]) -> None:
        for wait in steps:
            if wait is None:
                self.change()
            else:
                self.true += wait

    def recheck(self) -> None:
        told = int(self.true + self.gitea) - 0.3  # whole seconds, and the way takes a while
        clocks = Clocks(at(self.true + self.ours), at(told), self.true)
        mark = (self.mark or clocks.watermark).told_by(clocks, self.asked)
        since = mark.start(clocks, REACH)
        self.found |= {number for number, when in self.changes if at(when) >= since}
        self.mark, self.asked = mark.moved(clocks, None), clocks


QUIET = st.lists(st.one_of(st.none(), st.floats(0.1, 4000)), max_size=4)  # None: a change; a wait
SET = st.tuples(st.sampled_from(["", "gitea", "ours", "both"]), st.floats(-9000, 9000))


@given(st.lists(st.tuples(QUIET, SET, QUIET), max_size=8))
def test_whatever_clock_is_set_however_every_change_is_found(
    rounds: list[tuple[list[float | None], tuple[str, float], list[float | None]]],
) -> None:
    """Once between two rechecks, while the bot runs, and so knows how long ago it asked."""
    world = World(true=1e6)
    world.recheck()
    for before, (whose, by), after in rounds:
        world.go_on(before)
        world.gitea += by if whose in ("gitea", "both") else 0
        world.ours += by if whose in ("ours", "both") else 0
        world.go_on(after)
        world.recheck()
        assert {number for number, _ in world.changes} == world.found
