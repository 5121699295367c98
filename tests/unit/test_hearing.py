"""What was said while nobody heard it is done: in order, once, with the right of who may have said it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from inline_snapshot import snapshot

from bot.commands import Said
from bot.errors import NotFound, Retryable
from bot.gitea.models import Comment, User
from bot.ledger import Entry, pair
from bot.requests import Done, Result, digest
from tests.unit.talk import HERE, NOW, CrashError, World, commented, opened

WORDS = "/hold now\n/nonsense-of\n/hodl\n/status\n/priority p1\n/fail it"
ALL = [WORDS, "/hold", "/status", "/fail"]
DAY = timedelta(days=1)


@pytest.fixture
def world() -> World:
    return World()


def edited(comment: Comment, before: str, who: str = "bob") -> object:
    """What Gitea would have sent of an edit that was made."""
    author = comment.user.login
    at = comment.updated_at.isoformat()
    return commented(
        who, comment.id, comment.body, action="edited", before=before, author=author, updated_at=at
    )


# -- once ------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", ALL)
async def test_what_is_found_is_done_as_what_is_delivered(words: str) -> None:
    told, found = World(), World()
    expected = await told.say("bob", words)
    assert expected == await found.found(found.write("bob", words))
    assert (told.told, told.reactions) == (found.told, found.reactions)
    assert told.comments_there == found.comments_there


Way = Callable[[World, Comment], Awaitable[Done]]


async def by_event(world: World, comment: Comment) -> Done:
    return await world.hears("bob", comment)


async def by_asking(world: World, comment: Comment) -> Done:
    return await world.found(comment)


WAYS = [
    (by_asking, by_asking),
    (by_event, by_asking),
    (by_asking, by_event),
]
IDS = ["asked twice", "asked after the event", "the event after asking"]


@pytest.mark.parametrize("words", ALL)
@pytest.mark.parametrize(("first", "second"), WAYS, ids=IDS)
async def test_the_second_to_come_finds_it_done(words: str, first: Way, second: Way) -> None:
    once, world = World(), World()
    await once.say("bob", words)
    comment = world.write("bob", words)
    await first(world, comment)
    assert Done() == await second(world, comment)
    assert once.told == world.told
    assert (once.comments_there, once.reactions) == (world.comments_there, world.reactions)
    assert not world.edits


@pytest.mark.parametrize("crash", range(1, 30))
@pytest.mark.parametrize(("first", "second"), WAYS, ids=IDS)
async def test_who_goes_on_after_a_crash_brings_it_to_the_same_end(
    crash: int, first: Way, second: Way
) -> None:
    """At whatever call the first one ends; what was begun may be done again, as ever."""
    calm, world = World(), World(crash=crash)
    expected = await calm.say("bob", WORDS)
    comment = world.write("bob", WORDS)
    try:
        await first(world, comment)
    except CrashError:
        done = await second(world, comment)
        if crash != calm.calls:  # then all was done, and only the caller does not know
            assert expected == done
        assert Done() == await first(world, comment)
    else:
        assert crash > calm.calls
    assert list(dict.fromkeys(calm.told)) == list(dict.fromkeys(world.told))
    assert (calm.replies, calm.reactions) == (world.replies, world.reactions)


# -- in order --------------------------------------------------------------------------------


async def test_what_was_missed_is_done_before_what_was_said_later(world: World) -> None:
    """Else it would overrule that, when it is found."""
    missed = world.write("alice", "/hold a")
    words = world.write("bob", "Words.")
    later = world.write("bob", "/hold b")
    await world.hears("bob", later)
    assert ["hold a by alice", "hold b by bob"] == world.told
    for one in (missed, words, later):
        await world.found(one)
        await world.hears(one.user.login, one)
    assert ["hold a by alice", "hold b by bob"] == world.told


async def test_what_was_missed_and_cannot_be_done_holds_up_nobody(world: World) -> None:
    world.write("alice", "/hold a")
    later = world.write("bob", "/hold b")
    world.refused["comment"] = Retryable("down")
    await world.hears("bob", later)
    assert ["hold b by bob"] == world.told


async def test_what_was_done_long_ago_is_not_done_again_where_a_word_of_it_is_mended(
    world: World,
) -> None:
    """Gitea tells of it as of something new, and what was done is not known for ever."""
    world.now = NOW - 100 * DAY
    comment = world.write("bob", "/hold\nteh reason")
    world.edit(comment, "/hold\nthe reason", after=100 * 86_400 - 600)
    world.now = NOW
    await world.say("alice", "/status")
    assert [] == world.told


@pytest.mark.parametrize(
    ("expected", "ago", "more"),
    [
        (["hold by alice"], timedelta(minutes=59), {}),
        ([], timedelta(minutes=61), {}),
        ([], timedelta(minutes=11), {"catch_up": timedelta(minutes=10)}),
        ([], timedelta(minutes=11), {"bot_made": NOW - timedelta(minutes=10)}),
    ],
    ids=["within the hour", "earlier", "too old to be done", "said before the bot was there"],
)
async def test_what_was_missed_longer_ago_is_left_alone(
    expected: list[str], ago: timedelta, more: dict[str, Any]
) -> None:
    world = World(**more)
    world.now = NOW - ago
    world.write("alice", "/hold")
    world.now = NOW
    await world.say("bob", "/status")
    assert expected == world.told


async def test_what_has_its_turn_later_is_done_then_with_the_right_of_who_said_it(
    world: World,
) -> None:
    """By asking it would not be known who edited the comment, and /pause would be refused."""
    comment = world.write("alice", "Hello.")
    changed = world.edit(comment, "/pause", after=30)
    world.now += timedelta(minutes=1)
    later = world.write("bob", "/status")
    await world.deliver(commented("bob", later.id, later.body), in_hand=[comment.id])
    assert [] == world.told
    await world.deliver(edited(changed, "Hello.", "alice"))
    assert ["pause"] == world.told


async def test_an_issue_that_was_deleted_since_is_no_trouble(world: World) -> None:
    comment = world.write("alice", "/status")
    for call in ("comments", "react", "create_comment"):
        world.refused[call] = NotFound("gone", status=404)
    await world.hears("alice", comment)
    assert [] == world.replies


# -- edited ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expected", "before", "after"),
    [
        (["hold b by "], "/hold a", "/hold a\n/hold b"),
        (["hold b by "], "/hold a", "/hold b\n/hold a"),
        ([], "/hold a", "Words.\n\n/hold a"),
        (["hold a by "], "/hold a", "/hold a\n/hold a"),
        (["hold a by "], "/hold a", "Words.\n/hold a\n/hold a"),
        ([], "/hold a\n/hold a", "Words.\n\n/hold a"),
        ([], "/hold a", ""),
        (["hold a by "], "Words.", "/hold a"),
        ([], "/hold a", "```\n/hold a\n```"),
    ],
    ids=[
        "one more", "one more above", "moved", "the same once more", "both moved", "one less", "gone",
        "the first", "in code now",
    ],
)  # fmt: skip
async def test_of_an_edit_that_was_missed_what_is_new_is_done(
    world: World, expected: list[str], before: str, after: str
) -> None:
    comment = world.write("bob", before)
    await world.hears("bob", comment)
    done = len(world.told)
    comment = world.edit(comment, after)
    await world.found(comment)
    assert expected == world.told[done:]
    for event in (edited(comment, before), edited(comment, before)):
        await world.deliver(event)
    assert expected == world.told[done:], "the event that comes after all"


async def test_an_event_of_before_an_edit_that_comes_late_does_nothing(world: World) -> None:
    comment = world.write("bob", "/fail a\n/hold")
    changed = world.edit(comment, "Words.\n/hold\n/fail b\n/fail a")
    await world.found(comment)
    once = (list(world.told), list(world.comments_there))
    assert Done() == await world.hears("bob", comment)
    assert Done() == await world.deliver(edited(changed, comment.body))
    assert once == (world.told, world.comments_there)
    assert ["hold by ", "tried", "tried"] == world.told


async def test_of_two_edits_that_are_found_at_once_there_is_one_reply(world: World) -> None:
    first = world.write("bob", "Words.")
    second = world.edit(first, "/fail a")
    third = world.edit(second, "/fail a\n/fail b", after=120)
    await world.found(third)
    for late in (edited(second, first.body), edited(third, second.body)):
        assert Done() == await world.deliver(late)
    assert ["tried", "tried"] == world.told
    assert 2 == world.reply.count("that is wrong")


async def test_what_an_event_began_is_finished_in_its_name(world: World) -> None:
    """It waits for Gitea; meanwhile somebody edits the comment, and that is found by asking."""
    comment = world.write("bob", "/fail a\n/hold")
    world.refused["permission"] = Retryable("down")
    with pytest.raises(Retryable):
        await world.hears("bob", comment)
    world.refused.clear()
    changed = world.edit(comment, "/hold\n/fail b\n/fail a")
    await world.found(changed)
    assert ["tried", "hold by ", "tried"] == world.told
    assert 2 == world.reply.count("that is wrong")
    assert Done() == await world.hears("bob", comment)
    assert ["tried", "hold by ", "tried"] == world.told
    assert 2 == world.reply.count("that is wrong")


async def test_what_two_events_began_is_told_in_one_reply(world: World) -> None:
    first = world.write("bob", "/fail a\n/hold a")
    second = world.edit(first, "/fail a\n/hold a\n/fail b\n/hold b")
    later = [commented("bob", first.id, first.body), edited(second, first.body)]
    world.refused["permission"] = Retryable("down")
    for event in later:
        with pytest.raises(Retryable):
            await world.deliver(event)
    world.refused.clear()
    await world.found(second)
    assert ["tried", "tried", "hold a by ", "hold b by "] == world.told
    assert 2 == world.reply.count("that is wrong")
    for event in later:
        assert Done() == await world.deliver(event)
    assert 2 == world.reply.count("that is wrong")


async def test_what_was_kept_by_an_earlier_version_is_done(world: World) -> None:
    comment = world.write("bob", "/hold a")
    kept = Result("hold a", good=True, look=(str(HERE),)).dump().replace(', "request": ""', "")
    world.ledger[f"comment:{comment.id}:0:{digest('/hold a')}"] = ("bob", NOW, kept)
    assert Done() == await world.found(comment)
    assert {HERE} == (await world.hears("bob", comment)).looks, "it was in the middle of it"
    assert [] == world.told


async def test_what_is_kept_in_another_form_is_no_command_of_the_comment(world: World) -> None:
    comment = world.write("bob", "/hold a")
    key = f"comment:{comment.id}:2026-11-22T15:04:05Z:0:{digest('/hold a')}"
    world.ledger[key] = ("bob", NOW, "what a tick left here")
    await world.found(comment)
    assert ["hold a by bob"] == world.told


async def test_what_somebody_else_wrote_into_a_comment_is_not_done_later(world: World) -> None:
    comment = world.write("bob", "Words.")
    changed = world.edit(comment, "/hold\n\n> /hold")
    await world.deliver(edited(changed, comment.body, who="alice"))
    assert Done() == await world.found(changed)
    moved = world.edit(changed, "Words.\n/hold\n/hold a", after=120)
    await world.found(moved)
    assert ["hold a by "] == world.told


async def test_an_author_may_say_what_somebody_else_wrote_there(world: World) -> None:
    comment = world.write("bob", "Words.")
    changed = world.edit(comment, "/hold")
    await world.deliver(edited(changed, "Words.", who="alice"))
    own = world.edit(changed, "/hold\n/hold", after=120)
    await world.deliver(edited(own, "/hold"))
    assert ["hold by bob"] == world.told
    again = world.edit(own, "Words.\n/hold\n/hold", after=180)
    assert Done() == await world.found(again)


def test_a_command_that_stands_where_it_stood_is_itself() -> None:
    """Then the others of the same words, in their order."""
    a, b = digest("/a"), digest("/b")
    entries = [Entry(f"{line}{what}", line, what, None) for line, what in ((2, a), (7, a), (1, b))]
    text = [Said(0, "a", ""), Said(2, "a", ""), Said(3, "a", ""), Said(4, "b", "")]
    found = {said.line: entry.line for said, entry in pair(text, entries).items()}
    assert {2: 2, 0: 7, 4: 1} == found


# -- whose right -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expected", "who", "words"),
    [
        ("hold by ", "bob", "/hold"),
        ("hold by ", "alice", "/hold"),
        ("for this you have to write in this repository", "mallory", "/hold"),
        ("this comment was edited while I could not hear it", "alice", "/pause"),
        ("this comment was edited while I could not hear it", "mallory", "/pause"),
        ("within an hour", "mallory", "/status"),
    ],
)
async def test_an_edited_comment_is_done_as_far_as_its_author_may_write(
    world: World, expected: str, who: str, words: str
) -> None:
    """Whoever edited it could write, too, or was the author."""
    comment = world.edit(world.write(who, "Words."), words)
    await world.found(comment)
    assert expected in "\n".join([*world.told, *world.replies])
    assert bool(world.told) is (expected in world.told)


async def test_why_it_is_not_done_is_said_with_what_to_do(world: World) -> None:
    await world.found(world.edit(world.write("alice", "Words."), "/pause\n/hold"))
    assert world.reply == snapshot("""\
- ✗ `pause` — this comment was edited while I could not hear it, and Gitea does not say by whom; say it again in a new comment
- ✓ `hold`\
""")


async def test_an_administrator_s_own_words_count_when_nobody_edited_them(world: World) -> None:
    await world.found(world.write("alice", "/pause"))
    assert ["pause"] == world.told


async def test_no_more_than_writing_is_known_of_who_edited(world: World) -> None:
    comment = world.edit(world.write("alice", "Words."), "/recheck\n/blocks #4")
    await world.found(comment)
    assert ["blocks #4 as WRITE"] == world.told


@pytest.mark.parametrize(
    ("who", "id_", "expected"),
    [
        ("coordinator", 7, []),
        ("renovate-bot", 9, []),
        ("helper[bot]", 9, ["tried"]),  # on the list
        ("Ghost", -1, []),
        ("bob", 2, ["tried"]),
    ],
)
async def test_other_bots_only_when_listed(who: str, id_: int, expected: list[str]) -> None:
    world = World(bots=frozenset({"helper[bot]"}))
    comment = world.write(who, "/fail")
    world.comments_there[0] = comment.model_copy(update={"user": User(id=id_, login=who)})
    await world.found(comment)
    assert expected == world.told


async def test_a_person_s_commands_are_counted_however_they_are_heard() -> None:
    world = World(per_hour=2)
    await world.say("bob", "/hold 1")
    comment = world.write("bob", "/hold 2\n/hold 3")
    with pytest.raises(Retryable):
        await world.found(comment)
    world.now += timedelta(hours=2)
    await world.found(comment)
    assert ["hold 1 by bob", "hold 2 by bob", "hold 3 by bob"] == world.told


# -- what is heard at all --------------------------------------------------------------------


async def test_comments_are_done_in_their_order_and_those_that_were_deleted_not(
    world: World,
) -> None:
    one, two, three = (world.write("bob", f"/hold {n}") for n in (1, 2, 3))
    world.comments_there.remove(two)
    await world.found(three, two, one, three)
    assert ["hold 1 by bob", "hold 3 by bob"] == world.told


@pytest.mark.parametrize("days", [6, 8])
async def test_what_is_long_past_is_not_done(world: World, days: int) -> None:
    """By when it was written: an edit of a word does not make an old command new."""
    world.now = NOW - days * DAY
    comment = world.edit(world.write("bob", "Words.\n/hold"), "Word.\n/hold", after=days * 80_000)
    await world.found(comment, oldest=NOW - 7 * DAY)
    assert (["hold by "] if days < 7 else []) == world.told


async def test_what_is_older_than_its_repository_was_imported_and_is_nobody_s() -> None:
    world = World(repository_made=NOW + DAY, body="/hold b")
    await world.found(world.write("bob", "/hold a"), opening=True)
    assert [] == world.told


@pytest.mark.parametrize(
    "world", [World(is_archived=True), World(is_gone=True)], ids=["archived", "deleted"]
)
async def test_where_nothing_can_be_written_nothing_is_heard(world: World) -> None:
    assert Done() == await world.found(world.write("bob", "/hold"), opening=True)
    assert ([], set()) == (world.told, world.reactions)


async def test_a_comment_of_another_issue_is_not_this_one_s(world: World) -> None:
    comment = world.write("bob", "/hold")
    elsewhere = {"issue_url": "https://git.test/acme/rocket/issues/4"}
    world.comments_there[0] = comment.model_copy(update=elsewhere)
    assert Done() == await world.found(comment)


async def test_in_a_paused_repository_it_is_done_and_nothing_is_written() -> None:
    world = World(is_paused=True)
    comment = world.write("bob", "/hold\n/fail")
    await world.found(comment)
    assert ["hold by bob", "tried"] == world.told
    assert ([], set()) == (world.replies, world.reactions)
    world.is_paused = False
    assert Done() == await world.found(comment)
    assert [] == world.replies


async def test_on_a_pull_request_the_others_are_for_issues() -> None:
    world = World(is_pull=True, body="/hold")
    await world.found(world.write("bob", "/hold\n/blocks #4"), opening=True)
    assert ["blocks #4 as WRITE"] == world.told
    assert "this is for issues" in world.reply


# -- the text of an issue --------------------------------------------------------------------


async def test_what_closes_a_text_is_done_for_who_opened_it() -> None:
    world = World(body="Do it.\n\n/hold\n/pause", opener=User(id=1, login="alice"))
    done = await world.found(world.write("bob", "/hold b"), opening=True)
    assert ["hold by alice", "pause", "hold b by bob"] == world.told
    assert {HERE} == done.looks
    assert {(None, "eyes"), (None, "+1"), (100, "eyes"), (100, "+1")} == world.reactions


async def test_a_text_is_heard_only_when_asked_for() -> None:
    world = World(body="/hold")
    assert Done() == await world.found()


async def test_a_text_that_was_edited_is_done_as_far_as_its_author_may_write() -> None:
    world = World(body="/hold\n/pause", opener=User(id=1, login="alice"), content_version=1)
    await world.found(opening=True)
    assert ["hold by "] == world.told
    assert (
        snapshot(
            "- ✗ `pause` — the text was edited, and Gitea does not say by whom; say it again in a comment"
        )
        == world.reply.splitlines()[1]
    )


@pytest.mark.parametrize("event_first", [True, False])
async def test_a_text_is_done_once(event_first: bool) -> None:
    body = "Do it.\n\n/hold\n/fail"
    world = World(body=body, opener=User(id=2, login="bob"))
    if event_first:
        await world.deliver(opened(body))
    await world.found(opening=True)
    await world.deliver(opened(body))
    assert ["hold by bob", "tried"] == world.told
    assert 1 == len(world.replies)


async def test_commands_that_came_into_a_text_later_are_not_done() -> None:
    world = World(body="/hold", opener=User(id=2, login="bob"), content_version=1)
    event = opened("/hold")
    event.data["action"] = "edited"
    event.data["changes"] = {"body": {"from": "Do it."}}
    await world.deliver(event)
    assert Done() == await world.found(opening=True)


async def test_commands_that_stood_in_a_text_from_the_beginning_are_done() -> None:
    """Though what tells of it came when the text was edited already."""
    world = World(body="Do it.\n\n/hold", opener=User(id=2, login="bob"), content_version=1)
    event = opened(world.body)
    event.data["action"] = "edited"
    event.data["changes"] = {"body": {"from": "/hold"}}
    await world.deliver(event)
    await world.found(opening=True)
    assert ["hold by "] == world.told


async def test_a_text_by_a_program_is_not_listened_to() -> None:
    world = World(body="/hold", opener=User(id=-2, login="gitea-actions"))
    assert Done() == await world.found(opening=True)


# -- what may hold something -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("expected", "who", "body"),
    [
        (True, "bob", "Words.\n/hold"),
        (True, "mallory", "/hodl"),
        (True, "bob", "@coordinator"),
        (False, "bob", "Words."),
        (False, "bob", "/deploy"),
        (False, "bob", "```\n/hold\n```"),
        (False, "renovate-bot", "/hold"),
        (False, "coordinator", "/hold"),
    ],
)
def test_which_comments_may_be_meant(world: World, expected: bool, who: str, body: str) -> None:
    assert expected is world.commander.holds_commands(world.write(who, body))


@pytest.mark.parametrize(
    ("expected", "body"), [(True, "Do it.\n\n/hold"), (False, "/hold\n\nDo it."), (False, "Do it.")]
)
async def test_which_texts_may_be_meant(expected: bool, body: str) -> None:
    world = World(body=body)
    assert expected is world.commander.holds_commands(await world.issue(HERE))
