"""Ticks are done once, whether their event is heard, is lost, or comes late."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from inline_snapshot import snapshot

from bot.boxes import REPLY, SPLIT_MARKER
from bot.errors import Retryable
from bot.gitea.events import Event
from bot.gitea.models import Comment
from bot.requests import Done
from bot.ticks import Ticks, moment
from tests.unit.talk import BOT, HERE, NOW, CrashError, World, commented

BOXES = ("parse", "recheck", "hold")
W0 = NOW.isoformat()


@pytest.fixture
def world() -> World:
    return World()


def ticking(before: Comment, after: Comment, who: str = "bob", *, east: bool = False) -> Event:
    """What Gitea sends of a tick; `east`: in another zone's words."""
    at = after.updated_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if east:
        at = (after.updated_at + timedelta(hours=1)).isoformat().replace("+00:00", "+01:00")
    return commented(
        who,
        after.id,
        after.body,
        action="edited",
        before=before.body,
        author="Coordinator",
        updated_at=at,
    )


async def deliver(world: World, event: Event, written_at: str = W0) -> Done:
    done = await world.commander.run(event, written_at)
    await world.commander.close(done)
    return done


async def unheard(world: World, comment: Comment, written_at: str = W0) -> list[str]:
    found = await Ticks(world).unheard(comment, written_at, on_hold=world.on_hold)
    return [said.text for said in found]


# -- what was not heard ----------------------------------------------------------------------


async def test_what_somebody_ticked_is_unheard_until_it_is_noted(world: World) -> None:
    clear = world.report(*BOXES)
    both = world.tick(world.tick(clear, "hold"), "parse")
    assert [] == await unheard(world, clear)
    assert ["/parse --force", "/hold"] == await unheard(world, both)
    [parse, _] = await Ticks(world).unheard(both, W0, on_hold=False)
    await Ticks(world).note(both.id, W0, [parse])
    assert ["/hold"] == await unheard(world, both)
    assert ["/parse --force", "/hold"] == await unheard(world, both, "the next writing")


async def test_a_hold_is_the_bot_s_own_doing_while_it_holds() -> None:
    world = World(on_hold=True)
    held = world.report("hold on", "parse")
    assert [] == await unheard(world, held)
    assert ["/unhold"] == await unheard(world, world.tick(held, "hold"))
    world.on_hold = False
    assert [] == await unheard(world, held), "the comment is only not written anew yet"
    assert [] == await unheard(world, world.tick(world.report("hold on"), "hold"))


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (NOW, "2026-11-22T15:04:05Z"),
        (NOW, "2026-11-22T16:04:05+01:00"),
        (None, ""),
        (None, "yesterday"),
    ],
)
def test_times_are_compared_whatever_their_zone(expected: datetime | None, text: str) -> None:
    assert expected == moment(text)


# -- by asking -------------------------------------------------------------------------------


async def test_a_tick_that_is_found_is_done_for_somebody_who_may_write(world: World) -> None:
    comment = world.tick(world.report(*BOXES), "hold")
    done = await world.found(comment, written_at=W0)
    assert (["hold by "], {HERE}) == (world.told, done.looks)
    assert not [one for one in world.asked if one == "permission"], "of whom?"
    assert (set(), []) == (world.reactions, world.replies)
    assert [] == await unheard(world, comment)


async def test_a_report_that_somebody_made_a_proposed_split_of_is_heard_once(world: World) -> None:
    """Else whoever is about to put the report right has it heard again, and again."""
    body = f"{SPLIT_MARKER}\n- [x] <!-- mosaic:box=create-split --> Create these issues\n"
    report = world.report(*BOXES)
    later = report.updated_at + timedelta(minutes=1)
    comment = report.model_copy(update={"body": body, "updated_at": later})
    world.comments_there[world.comments_there.index(report)] = comment
    assert ["/create-split"] == await unheard(world, comment)
    await world.found(comment, written_at=W0)
    assert [] == await unheard(world, comment)


async def test_what_asks_for_a_right_elsewhere_is_refused_with_what_to_do(world: World) -> None:
    comment = world.tick(world.report("accept:far/away#7"), "accept:far/away#7")
    await world.found(comment, written_at=W0)
    assert world.reply == snapshot(
        "- ✗ `blocked-by far/away#7` — this was ticked while I could not hear it, and Gitea does not say by whom; tick it again. Usage: `/blocked-by REF`"
    )
    assert [] == await unheard(world, comment)


async def test_the_issue_is_looked_at_also_when_nothing_is_left_to_do(world: World) -> None:
    """Its report was left as it is because of the tick, and somebody else did that by now."""
    comment = world.report(*BOXES)
    assert Done(looks={HERE}) == await world.found(comment, written_at=W0)


async def test_somebody_s_ticks_are_not_counted() -> None:
    world = World(per_hour=1)
    await world.say("bob", "/hold")
    comment = world.tick(world.tick(world.report(*BOXES), "hold"), "parse")
    done = await world.found(comment, written_at=W0)
    assert {HERE} == done.afresh


@pytest.mark.parametrize("on_hold", [True, False])
@pytest.mark.parametrize("box", ["hold", "hold on"])
async def test_what_is_so_already_is_not_asked_for_and_waited_for_by_nobody(
    box: str, on_hold: bool
) -> None:
    world = World(on_hold=on_hold)
    comment = world.tick(world.report(box), "hold")
    await world.found(comment, written_at=W0)
    assert (["hold by "] if (box, on_hold) == ("hold", False) else []) == [
        told for told in world.told if told.startswith("hold")
    ]
    for world.on_hold in (True, False):
        assert [] == await unheard(world, comment)


async def test_ticks_of_long_ago_are_not_done_and_waited_for_by_nobody(world: World) -> None:
    comment = world.tick(world.report(*BOXES), "hold")
    old = {"oldest": comment.updated_at + timedelta(seconds=1)}
    assert {HERE} == (await world.found(comment, written_at=W0, **old)).looks
    assert ([], []) == (world.told, await unheard(world, comment))


async def test_a_tick_of_yesterday_in_an_old_report_is_done(world: World) -> None:
    comment = world.tick(world.report(*BOXES), "hold", after=80 * 86_400)
    await world.found(comment, written_at=W0, oldest=NOW + timedelta(days=79))
    assert ["hold by "] == world.told


async def test_the_box_of_a_split_is_one_for_each_edit(world: World) -> None:
    """Replies are not written anew, so when that was is not known; what it opens it opens once."""
    reply = f"{REPLY} x -->\n{SPLIT_MARKER}\n- [ ] <!-- mosaic:box=create-split --> X\n"
    first = world.tick(world.write(BOT.login, reply), "create-split")
    for _ in range(2):
        await world.found(first, written_at=W0)
    assert 1 == sum("create-split" in body for body in world.replies[1:])
    world.edit(first, reply, after=120)
    [cleared] = [one for one in world.comments_there if one.id == first.id]
    await world.found(world.tick(cleared, "create-split", after=180), written_at=W0)
    assert 2 == sum("create-split" in body for body in world.replies[1:])


# -- by an event, and by asking --------------------------------------------------------------


async def test_a_tick_whose_event_was_heard_is_not_found(world: World) -> None:
    before = world.report(*BOXES)
    after = world.tick(before, "hold")
    await deliver(world, ticking(before, after))
    assert [] == await unheard(world, after)
    await world.found(after, written_at=W0)
    assert ["hold by bob"] == world.told


@pytest.mark.parametrize("east", [False, True])
@pytest.mark.parametrize("written_at", [W0, (NOW + timedelta(hours=1)).isoformat()])
async def test_the_event_of_a_tick_that_was_found_is_late(
    world: World, written_at: str, east: bool
) -> None:
    """The bot wrote its comment anew since, or is about to."""
    before = world.report(*BOXES)
    after = world.tick(before, "hold")
    await world.found(after, written_at=W0)
    assert Done() == await deliver(world, ticking(before, after, east=east), written_at)
    assert ["hold by "] == world.told


async def test_the_next_tick_of_a_box_is_another_one(world: World) -> None:
    before = world.report(*BOXES)
    after = world.tick(before, "hold")
    await world.found(after, written_at=W0)
    w1 = world.edit(after, before.body, after=70)
    again = world.tick(w1, "hold", after=80)
    await deliver(world, ticking(w1, again), w1.updated_at.isoformat())
    assert ["hold by ", "hold by bob"] == world.told


async def test_the_time_of_an_event_that_cannot_be_read_makes_it_not_late(world: World) -> None:
    before = world.report(*BOXES)
    after = world.tick(before, "hold")
    await world.found(after, written_at=W0)
    event = ticking(before, after)
    event.data["comment"]["updated_at"] = ""  # type: ignore[index, call-overload]
    await deliver(world, event)
    assert ["hold by ", "hold by bob"] == world.told


FIRST, SECOND, ASK = "the first", "the second", "ask"


@pytest.mark.parametrize("order", sorted(set(itertools.permutations([FIRST, SECOND, ASK, ASK]))))
async def test_two_ticks_in_quick_succession_are_each_done_once(
    world: World, order: tuple[str, ...]
) -> None:
    """What was before the second one holds the first already; whatever is heard, and when."""
    clear = world.report(*BOXES)
    one = world.tick(clear, "parse", after=1)
    two = world.tick(one, "hold", after=2)
    events = {FIRST: ticking(clear, one), SECOND: ticking(one, two)}
    afresh = []
    for what in order:
        if what == ASK:
            done = await world.found(two, written_at=W0)
        else:
            done = await deliver(world, events[what])
        afresh += [HERE] * (HERE in done.afresh)
    assert (1, [HERE]) == (len(world.told), afresh)
    assert [] == await unheard(world, two)


@pytest.mark.parametrize(
    ("who", "id_"), [("renovate-bot", 9), ("Ghost", -1)], ids=["another bot", "one of Gitea's own"]
)
async def test_a_tick_that_is_not_listened_to_is_waited_for_by_nobody(
    world: World, who: str, id_: int
) -> None:
    before = world.report(*BOXES)
    after = world.tick(before, "hold")
    event = ticking(before, after, who)
    event.data["sender"]["id"] = id_  # type: ignore[index, call-overload]
    assert Done() == await deliver(world, event)
    await world.found(after, written_at=W0)
    assert ([], []) == (world.told, await unheard(world, after))


async def test_a_tick_that_waits_for_gitea_is_waited_for_by_nobody_else(world: World) -> None:
    before = world.report(*BOXES)
    after = world.tick(before, "hold")
    world.refused["permission"] = Retryable("down")
    with pytest.raises(Retryable):
        await deliver(world, ticking(before, after))
    world.refused.clear()
    assert [] == await unheard(world, after)
    await world.found(after, written_at=W0)
    assert [] == world.told
    await deliver(world, ticking(before, after))
    assert ["hold by bob"] == world.told


# -- with who writes the report --------------------------------------------------------------


@dataclass
class Reporter:
    """Stands in for the coordinator: writes the report, unless a tick in it was not heard."""

    world: World
    comment: Comment
    written_at: str = W0
    jobs: list[int] = field(default_factory=list)

    async def look(self) -> None:
        [stands] = [one for one in self.world.comments_there if one.id == self.comment.id]
        if await unheard(self.world, stands, self.written_at):
            self.jobs.append(stands.id)
            return
        seconds = (stands.updated_at - NOW).total_seconds() + 5
        written = self.world.edit(stands, self.comment.body, after=seconds)
        self.written_at = written.updated_at.isoformat()

    async def work(self) -> None:
        """Do the jobs; each looks at the end, and what ends with the process is done again."""
        while self.jobs:
            try:
                done = await self.world.commander.hear(
                    HERE, [self.jobs[0]], oldest=NOW, written_at=self.written_at
                )
                if done.looks:
                    await self.look()
                await self.world.commander.close(done)
            except CrashError:
                continue
            self.jobs.pop(0)


@pytest.mark.parametrize("crash", range(15))
async def test_a_look_leaves_an_unheard_tick_and_writes_when_it_was_heard(crash: int) -> None:
    """Whenever the process ends in between; the event comes when all is over."""
    world = World(crash=crash)
    clear = world.report(*BOXES)
    ticked = world.tick(world.tick(clear, "hold"), "recheck")
    reporter = Reporter(world, clear)
    await reporter.look()
    assert [clear.id] == reporter.jobs
    assert ticked in world.comments_there, "it is as it was"
    await reporter.work()
    assert ["hold by "] == list(dict.fromkeys(world.told))
    [stands] = world.comments_there
    assert (clear.body, stands.updated_at.isoformat()) == (stands.body, reporter.written_at)
    assert Done() == await deliver(world, ticking(clear, ticked), reporter.written_at)
    assert ["hold by "] == list(dict.fromkeys(world.told))
    assert world.calls < 15 or crash, "else there are calls that are not tried"


async def test_a_look_between_two_events_waits_for_the_second(world: World) -> None:
    """It comes first in most cases; then what was to be heard finds nothing."""
    clear = world.report(*BOXES)
    one = world.tick(clear, "parse", after=1)
    two = world.tick(one, "hold", after=2)
    reporter = Reporter(world, clear)
    await deliver(world, ticking(clear, one))
    await reporter.look()
    assert [clear.id] == reporter.jobs
    await deliver(world, ticking(one, two))
    await reporter.look()
    await reporter.work()
    assert ["hold by bob"] == world.told
    assert [clear.body] == [one.body for one in world.comments_there]
