"""Doing the commands of a comment: by whom, once, in order, and what is said of them."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot
from markdown_it import MarkdownIt

from bot.boxes import REPLY
from bot.commander import RATE_WAIT
from bot.commands import Said, find
from bot.errors import (
    AIError,
    Conflict,
    CoordinatorError,
    Forbidden,
    NotFound,
    Retryable,
    StoreError,
    UserError,
)
from bot.folding import LONGEST, SHOWN
from bot.gitea.events import Event
from bot.render import MARKER, code
from bot.replies import harmless
from bot.requests import Done, added, closing_commands
from tests.unit.talk import HERE, CrashError, World, commented, opened


@pytest.fixture
def world() -> World:
    return World()


# -- how long it is known what was done ------------------------------------------------------


@pytest.mark.parametrize("event", [commented("alice", 7, "/hold"), opened("/hold", "alice")])
@pytest.mark.parametrize(
    ("expected", "passed"),
    [(1, timedelta(days=90)), (0, timedelta(days=90, seconds=1)), (1, -timedelta(days=1))],
    ids=["known", "forgotten", "of tomorrow"],
)
async def test_an_event_that_is_older_than_what_is_known_is_not_done(
    world: World, event: Event, expected: int, passed: timedelta
) -> None:
    """Gitea sends an old one anew when asked to: it may have been done, and nobody knows."""
    world.now += passed
    await world.deliver(event)
    assert expected == len(world.told)


# -- who may ---------------------------------------------------------------------------------

MAY = [
    ("/status", "mallory", True),
    ("/status", "nobody", True),
    ("/recheck", "mallory", False),
    ("/recheck", "carol", True),  # the author
    ("/recheck", "dave", True),  # an assignee
    ("/recheck", "bob", True),
    ("/hold", "mallory", False),
    ("/hold", "carol", False),
    ("/hold", "nobody", False),
    ("/hold", "bob", True),
    ("/hold", "alice", True),
    ("/pause", "bob", False),
    ("/pause", "alice", True),
]


@pytest.mark.parametrize(("words", "who", "may"), MAY)
async def test_who_may_say_what(world: World, words: str, who: str, may: bool) -> None:
    done = await world.say(who, words)
    last = "+1" if may else "confused"
    assert {"eyes", last} == {content for _, content in world.reactions}
    assert (may and words != "/status") == bool(done.looks)
    assert (may and words in ("/hold", "/pause")) == bool(world.told)


async def test_what_is_switched_off_is_not_done_whoever_says_it(world: World) -> None:
    world.off = frozenset({"hold"})
    await world.say("alice", "/hold\n/unhold\n/status")
    assert (
        "- ✗ `hold` — switched off in this repository by `.gitea/coordinator.toml`" in world.reply
    )
    assert "- ✓ `unhold`" in world.reply
    assert not [one for one in world.told if one.startswith("hold")]


async def test_the_right_that_is_needed_is_said_and_not_who_has_it(world: World) -> None:
    await world.say("mallory", "/hold\n/recheck\n/pause")
    assert world.reply == snapshot("""\
- ✗ `hold` — for this you have to write in this repository
- ✗ `recheck` — for this you have to write in this repository, be the issue's author or an assignee
- ✗ `pause` — for this you have to be an administrator of this repository\
""")
    assert ["permission"] == [name for name in world.asked if name == "permission"], "asked once"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (Forbidden("no", status=403), "make me an administrator of this repository"),
        (NotFound("no", status=404), "Gitea does not know you here"),
        (Conflict("@alice <b>", status=422), "Gitea refused: `@alice <b>`"),
    ],
)
async def test_a_right_that_cannot_be_looked_up_is_refused(
    world: World, error: Exception, message: str
) -> None:
    world.refused["permission"] = error
    await world.say("alice", "/hold\n/status")
    assert message in world.reply
    assert ["✗", "✓"] == [line[2] for line in world.reply.splitlines() if line.startswith("- ")]
    assert not world.told


async def test_nothing_is_lost_and_nothing_done_twice_while_gitea_is_down(world: World) -> None:
    comment = world.write("bob", "/fail\n/hold")
    world.refused["permission"] = Retryable("down")
    for _ in range(2):
        with pytest.raises(Retryable):
            await world.hears("bob", comment)
    assert ["tried"] == world.told
    assert not world.replies
    world.refused.clear()
    await world.hears("bob", comment)
    assert ["tried", "hold by bob"] == world.told
    assert {"eyes", "confused"} == {content for _, content in world.reactions}
    assert 1 == len(world.replies)


async def test_what_the_database_does_not_answer_is_tried_again(world: World) -> None:
    world.failure = StoreError("away")
    with pytest.raises(StoreError):
        await world.say("bob", "/fail")
    assert not world.replies


# -- once ------------------------------------------------------------------------------------

WORDS = "/hold now\n/nonsense-of\n/hodl\n/status\n/priority p1\n/fail it"


@pytest.mark.parametrize("words", [WORDS, "/hold", "/status", "/fail"])
async def test_commands_are_done_once_whatever_is_delivered_again(words: str) -> None:
    once, often = World(), World()
    await once.say("bob", words)
    comment = often.write("bob", words)
    for delivery in ("one", "two", "three"):
        await often.hears("bob", comment, delivery=delivery)
    assert once.told == often.told
    assert once.comments_there == often.comments_there
    assert once.reactions == often.reactions
    assert not often.edits


async def test_what_comes_again_late_answers_nothing_anew(world: World) -> None:
    """Not even where the answer was edited by the next one who asked."""
    first = world.write("bob", "/status")
    await world.hears("bob", first)
    await world.say("alice", "/status")
    world.write("alice", "Thank you.")
    before = list(world.comments_there)
    await world.hears("bob", first)
    assert before == world.comments_there


async def test_the_text_is_read_afresh_once(world: World) -> None:
    comment = world.write("bob", "/parse")
    event = commented("bob", comment.id, "/parse")
    done = await world.commander.run(event)
    assert {HERE} == done.looks == done.afresh
    again = await world.commander.run(event)
    assert {HERE} == again.looks == again.afresh, "nobody looked yet"
    await world.commander.close(done)
    assert Done() == await world.commander.run(event)


async def test_nothing_to_do_is_nothing_to_remember(world: World) -> None:
    await world.say("bob", "Just words.")
    assert {} == world.ledger
    assert not world.asked


def _calls_of(words: str) -> int:
    return {WORDS: 30, "/hold": 12, "/status": 12}[words]


@pytest.mark.parametrize(
    ("words", "crash"),
    [(words, at) for words in (WORDS, "/hold", "/status") for at in range(1, _calls_of(words))],
)
async def test_a_crash_after_any_call_changes_nothing_in_the_end(words: str, crash: int) -> None:
    calm, world = World(), World(crash=crash)
    expected = await calm.say("bob", words)
    assert calm.calls < _calls_of(words), "else there are calls that are not tried"
    event = commented("bob", world.write("bob", words).id, words)
    try:
        done = await world.deliver(event)
    except CrashError:
        done = await world.deliver(event)
    else:
        assert crash > calm.calls
    if crash != calm.calls:  # then all was done, and only the caller does not know
        assert expected == done
    assert list(dict.fromkeys(calm.told)) == list(dict.fromkeys(world.told))
    assert calm.replies == world.replies
    assert calm.reactions == world.reactions


# -- what is said ----------------------------------------------------------------------------


async def test_one_reply_covers_all_lines(world: World) -> None:
    await world.say("bob", WORDS + "\n@coordinator\n@coordinator make tea")
    assert world.reply == snapshot("""\
- ✓ `hold now`
- ✗ `hodl` — there is no command `hodl`; did you mean `hold`?
- ✓ `status`
- ✓ `priority p1` — `p1` gave more than 1 commands within an hour. The rest are done later; nobody has to do anything.
- ✗ `fail it` — that is wrong: it. Usage: `/fail [WORDS]`
- ✗ `@coordinator` — no command given; `help` lists what there is
- ✗ `make tea` — there is no command `make`; `help` lists what there is

`nobody` gave more than 1 commands within an hour. The rest are done later; nobody has to do anything.\
""")
    assert {"eyes", "confused"} == {content for _, content in world.reactions}


async def test_who_says_more_than_is_done_is_told_from_where_on(world: World) -> None:
    await world.say("bob", "/hold\n" * 20 + "/priority p0\n/priority p1")
    done, left = world.reply.splitlines()[:20], world.reply.splitlines()[20:]
    assert {"- ✓ `hold`"} == set(done)
    told = "20 commands of one comment are; say the rest in another one"
    assert [f"- ✗ `priority p0` — not done, nor what follows: {told}"] == left
    assert {"eyes", "confused"} == {content for _, content in world.reactions}


async def test_what_goes_well_is_said_by_a_reaction_alone(world: World) -> None:
    done = await world.say("bob", "/hold")
    assert {(100, "eyes"), (100, "+1")} == world.reactions
    assert not world.replies
    assert {HERE} == done.looks
    assert set() == done.afresh


async def test_questions_alone_are_answered_without_a_list(world: World) -> None:
    await world.say("mallory", "/status\n/status again")
    assert "✓" not in world.reply
    assert world.reply.count("within an hour") == 2


async def test_a_bare_word_of_another_bot_is_left_alone(world: World) -> None:
    await world.say("bob", "/deploy production")
    assert not world.replies
    assert not world.reactions


async def test_hidden_commands_are_not_suggested(world: World) -> None:
    await world.say("bob", "@coordinator split-nov")
    assert "did you mean" not in world.reply


@pytest.mark.parametrize("error", [AIError("Claude is away"), Conflict("is archived", status=423)])
async def test_one_that_fails_stops_no_other(world: World, error: CoordinatorError) -> None:
    world.failure = error
    await world.say("bob", "/fail\n/hold")
    assert "- ✗ `fail` — " in world.reply
    assert "- ✓ `hold`" in world.reply
    assert ["tried", "hold by bob"] == world.told


async def test_reactions_that_are_refused_do_not_stop_the_work(world: World) -> None:
    world.refused["react"] = Forbidden("locked", status=403)
    await world.say("bob", "/hold\n/status")
    assert ["hold by bob"] == world.told
    assert 1 == len(world.replies)


async def test_on_pull_requests_the_others_say_that_they_are_for_issues(world: World) -> None:
    done = await world.say("bob", "/status\n/blocks #4\n/hold\n/recheck", is_pull=True)
    assert ["blocks #4 as WRITE"] == world.told
    assert {HERE, HERE.sibling(4)} == done.looks
    assert 2 == world.reply.count("this is for issues; a pull request has no report")


async def test_in_an_archived_repository_nothing_is_done_and_nothing_written() -> None:
    world = World(is_archived=True)
    await world.say("bob", "/hold\n/hodl")
    assert [] == world.told
    assert ([], set()) == (world.replies, world.reactions)


async def test_in_a_paused_repository_commands_are_done_and_nothing_is_written() -> None:
    world = World(is_paused=True)
    await world.say("bob", "/hold\n/fail\n/status")
    assert ["hold by bob", "tried"] == world.told
    assert not world.replies
    assert not world.reactions
    await world.say("bob", "/pause")
    assert 1 == len(world.replies)


# -- asking again ----------------------------------------------------------------------------


async def test_asking_again_edits_the_last_answer(world: World) -> None:
    await world.say("mallory", "/status")
    first = world.reply
    await world.say("bob", "/status")
    assert first == world.reply
    world.told.append("something")
    await world.say("bob", "@coordinator status")
    assert first != world.reply
    assert [101, 101, 101][:2] == world.edits[:2]


@pytest.mark.parametrize(
    ("who", "between"),
    [
        ("bob", "Thank you."),
        ("bob", "> /status"),
        ("coordinator", f"{MARKER}\nReport"),
        ("coordinator", "It is ready now."),
        ("mallory", f"{REPLY} comment:1 -->"),
    ],
)
async def test_asking_again_answers_anew_where_something_stands_between(
    world: World, who: str, between: str
) -> None:
    await world.say("mallory", "/status")
    world.write(who, between)
    before = len(world.replies)
    await world.say("bob", "/status")
    assert before + 1 == len(world.replies)
    assert not world.edits


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("/status", "/status it"),
        ("/status\n/status", "/status"),
        ("/status", "/status\n/status"),
        ("/fail", "/status"),
        ("/status", "/fail"),
        ("/fail", "/fail"),
        ("/priority p1", "/priority p1"),
    ],
)
async def test_another_question_has_an_answer_of_its_own(
    world: World, first: str, second: str
) -> None:
    await world.say("bob", first)
    await world.say("bob", second)
    assert 2 == len(world.replies)
    assert not world.edits


# -- edited, deleted, opened, ticked ---------------------------------------------------------


def edited(who: str, before: str | None, after: str, author: str = "") -> Event:
    return commented(who, 5, after, action="edited", before=before, author=author)


@pytest.mark.parametrize(
    ("who", "before", "after", "expected"),
    [
        ("bob", "Words.", "/hold", ["hold by bob"]),
        ("BOB", "Words.", "/hold", ["hold by BOB"]),
        ("bob", "/hold a", "/hold a\n/hold b", ["hold b by bob"]),
        ("bob", "/hold a", "Words.\n/hold a", []),
        ("bob", "/hold a", "/hold a\n/hold a", ["hold a by bob"]),
        ("bob", "/hold a", "", []),
        ("bob", None, "/hold a", []),
        ("bob", "> /hold a", "/hold a", ["hold a by bob"]),
        ("alice", "Words.", "/hold", []),
    ],
)
async def test_an_edited_comment_runs_what_is_new_and_only_by_its_author(
    world: World, who: str, before: str | None, after: str, expected: list[str]
) -> None:
    world.rights["BOB"] = "write"
    await world.deliver(edited(who, before, after, author="bob"))
    assert expected == world.told


async def test_an_edit_is_answered_beside_what_was_answered_before(world: World) -> None:
    comment = world.write("bob", "/fail a")
    await world.hears("bob", comment)
    event = commented("bob", comment.id, "/fail a\n/fail b", action="edited", before="/fail a")
    await world.deliver(event)
    first, second = world.replies
    assert "fail a" in first
    assert "fail a" not in second


async def test_a_deleted_comment_changes_nothing(world: World) -> None:
    await world.deliver(commented("bob", 5, "/hold", action="deleted"))
    assert not world.told
    assert not world.reactions


async def test_what_closes_a_new_issues_text_is_done(world: World) -> None:
    await world.deliver(opened("Do it.\r\n\r\n/hold\r\n/fail\r\n"))
    assert ["hold by bob", "tried"] == world.told
    assert {(None, "eyes"), (None, "confused")} == world.reactions
    assert 1 == len(world.replies)


CLOSING = [
    ("alone", "/hold", 1),
    ("two", "Text\n\n/hold\n/status", 2),
    ("blank lines behind", "Text\n\n/hold\n\n \n", 1),
    ("CR", "Text\r\r/hold", 1),
    ("text above", "Text\n/hold", 0),
    ("text below", "/hold\nText", 0),
    ("text behind", "/hold\n\nText", 0),
    ("another bot's", "/hold\n/deploy", 0),
    ("code", "```\n\n/hold\n```", 0),
    ("open code", "```\n\n/hold", 0),
    ("none", "", 0),
]


@pytest.mark.parametrize(
    ("text", "expected"), [r[1:] for r in CLOSING], ids=[r[0] for r in CLOSING]
)
def test_commands_of_a_text_are_its_last_paragraph_and_nothing_else(
    text: str, expected: int
) -> None:
    said = find(text, bot="coordinator", known=["hold", "status"])
    assert expected == len(closing_commands(said, text))


def test_what_an_edit_added_is_counted() -> None:
    a, b = Said(0, "hold", ""), Said(1, "hold", "")
    assert (b,) == added([a], [a, b])
    assert () == added([a, b], [b])


BOX = "- [{}] <!-- mosaic:box={} --> words"


def ticking(who: str, before: str, after: str, at: str = "2026-11-22T15:04:05Z") -> Event:
    return commented(
        who,
        5,
        f"{MARKER}\n{after}",
        before=f"{MARKER}\n{before}",
        action="edited",
        author="Coordinator",
        updated_at=at,
    )


async def test_a_tick_is_a_command_of_who_ticks(world: World) -> None:
    box = BOX.format(" ", "hold"), BOX.format("x", "hold")
    done = await world.deliver(ticking("bob", *box))
    assert ["hold by bob"] == world.told
    assert {HERE} == done.looks
    assert not world.reactions, "nobody wrote what one could react to"
    await world.deliver(ticking("bob", *box))
    assert ["hold by bob"] == world.told
    await world.deliver(ticking("bob", *box, at="2026-11-22T15:04:06Z"))
    assert ["hold by bob"] * 2 == world.told


async def test_a_tick_without_the_right_is_undone_with_a_reply(world: World) -> None:
    done = await world.deliver(ticking("mallory", BOX.format(" ", "hold"), BOX.format("x", "hold")))
    assert {HERE} == done.looks
    assert "write in this repository" in world.reply


async def test_an_edited_report_without_a_tick_is_no_command(world: World) -> None:
    await world.deliver(ticking("bob", "Words.", "/hold"))
    assert not world.told


async def test_other_events_bring_no_commands(world: World) -> None:
    for event in (
        Event("d", "push", "push", "", {"sender": {"login": "bob", "id": 1}}),
        Event("d", "issues", "issues", "", {**opened("/hold").data, "action": "closed"}),
        Event("d", "issue_comment", "", "", {**opened("/hold").data, "action": "created"}),
    ):
        assert Done() == await world.deliver(event)
    assert not world.told


# -- who is listened to ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "id_", "expected"),
    [
        ("coordinator", 7, 0),
        ("Coordinator", 7, 0),
        ("renovate-bot", 9, 0),
        ("dependabot", 9, 0),
        ("talbot", 9, 1),  # a person
        ("helper[bot]", 9, 1),  # on the list
        ("Ghost", -1, 0),
        ("gitea-actions", -2, 0),
        ("bob", 2, 1),
    ],
)
async def test_other_bots_only_when_listed(who: str, id_: int, expected: int) -> None:
    world = World(bots=frozenset({"helper[bot]"}))
    await world.say(who, "/status", sender_id=id_)
    assert expected == sum("within an hour" in body for body in world.replies)


# -- how many --------------------------------------------------------------------------------


async def test_too_many_commands_are_put_off_with_one_notice_and_done_later() -> None:
    world = World(per_hour=3)
    first = world.write("bob", "/hold 1\n/hold 2")
    second = world.write("bob", "/hold 3\n/hold 4")
    await world.hears("bob", first)
    for _ in range(2):
        with pytest.raises(Retryable) as caught:
            await world.hears("bob", second)
        assert RATE_WAIT == caught.value.retry_after
    assert ["hold 1 by bob", "hold 2 by bob", "hold 3 by bob"] == world.told
    assert world.reply == snapshot(
        "`bob` gave more than 3 commands within an hour. The rest are done later; nobody has to do anything."
    )
    await world.say("alice", "/hold")
    assert "hold by alice" in world.told, "others go on"
    await world.hears("bob", first)
    world.now += timedelta(hours=1, seconds=1)
    await world.hears("bob", second)
    assert "hold 4 by bob" == world.told[-1]
    assert 5 == len(world.told)
    assert 1 == len(world.replies)


async def test_a_notice_is_one_per_hour_and_none_in_a_paused_repository() -> None:
    world = World(per_hour=0)
    for hours in (0, 0, 1):
        world.now += timedelta(hours=hours)
        with pytest.raises(Retryable):
            await world.say("bob", "/hold")
    assert 2 == len(world.replies)
    quiet = World(per_hour=0, is_paused=True)
    with pytest.raises(Retryable):
        await quiet.say("bob", "/hold")
    assert not quiet.replies


async def test_a_person_called_notice_has_commands_of_their_own() -> None:
    world = World(per_hour=1)
    for who in ("bob", "bob", "alice", "alice"):
        world.now += timedelta(seconds=1)
        try:
            await world.say(who, "/status")
        except Retryable:
            continue
    await world.say("notice", "/status")
    assert 3 + 2 == sum("within an hour" in body for body in world.replies)


# -- long answers ----------------------------------------------------------------------------


def _folds(world: World) -> tuple[str, str]:
    shown, _, rest = world.reply.partition("\n\n<details><summary>Show the rest</summary>\n\n")
    return shown, rest.removesuffix("\n\n</details>")


async def test_a_long_answer_is_cut_between_blocks_into_a_fold_out(world: World) -> None:
    block = "```text\n" + "line\n\n" * 100 + "```"
    world.text = "\n\n".join([block] * 40)
    await world.say("bob", "/long")
    shown, rest = _folds(world)
    assert SHOWN - len(block) < len(shown) <= SHOWN
    for part in (shown, rest):
        assert part.startswith("```text\nline")
        assert part.count("```") % 2 == 0


async def test_a_long_list_is_cut_between_its_items(world: World) -> None:
    await world.say("bob", "\n".join(f"/fail {'w ' * 500}{n}" for n in range(20)))
    shown, rest = _folds(world)
    assert 20 == (shown + "\n" + rest).count("\n- ✗") + 1
    assert rest.startswith("- ✗")
    assert SHOWN / 2 < len(shown) <= SHOWN


async def test_one_long_block_is_folded_as_a_whole_and_cut_at_the_end(world: World) -> None:
    world.text = "| a |\n|---|\n" + "| b |\n" * (LONGEST // 5)
    await world.say("bob", "/long")
    shown, rest = _folds(World(comments_there=world.comments_there))
    assert (
        ""
        == shown.removeprefix("<details><summary>Show the rest</summary>").partition("|")[0].strip()
    )
    assert len(world.reply) < LONGEST + 200
    assert "| b |\n\n…\n\n</details>" in world.reply
    assert "" == rest


# -- nothing breaks out ----------------------------------------------------------------------

HOSTILE = st.lists(
    st.sampled_from(
        [
            *(
                "/hold",
                "@alice",
                "@coordinator hold",
                "#7",
                "!7",
                "acme/moon#7",
                "https://x.y",
                "www.x",
            ),
            *(
                "`",
                "``",
                "<b>",
                "</details>",
                "<!--",
                "-->",
                "[a](b)",
                "![a](b)",
                "|",
                "\\",
                "*",
                "_",
            ),
            *(
                "&#64;alice",
                "&",
                "<",
                "\\@alice",
                "a",
                " ",
                "$x$",
                ":smile:",
                "> ",
                "- ",
                "# ",
                "---",
            ),
        ]
    ),
    min_size=1,
    max_size=12,
).map("".join)
MARKDOWN = MarkdownIt("commonmark", {"linkify": False}).enable("table")


def _visible(markdown: str) -> list[str]:
    """The texts in which Gitea would look for mentions and references, as they stand on the page."""
    return [
        child.content
        for token in MARKDOWN.parse(markdown)
        for child in token.children or []
        if child.type == "text"
    ]


def _kinds(markdown: str) -> set[str]:
    tokens = MARKDOWN.parse(markdown)
    return {t.type for token in tokens for t in (token, *(token.children or []))}


def check(said: str) -> None:
    """That nothing in it does more than being read."""
    assert not re.search(r"^[ \-✓✗>]*[/@]\w", said, re.MULTILINE)
    assert [] == find(said, bot="coordinator", known=["hold", "status", "fail"])
    kinds = _kinds(said.partition("\n")[2] if said.startswith(REPLY) else said)
    assert not kinds & {"link_open", "image", "html_inline", "html_block", "table_open", "hr"}
    for text in _visible(said):
        assert not re.search(r"(?<![\w])@\w|[#!]\d|\w://|www\.", text), text


@given(HOSTILE, HOSTILE)
async def test_no_words_of_a_person_break_out_of_a_reply(one: str, two: str) -> None:
    world = World()
    words = f"/fail {one}\n@coordinator {two}\n/hodl {one}\n/status {two}\n/priority {one}"
    await world.say("bob", words)
    for body in world.replies:
        check(body)


@given(HOSTILE)
async def test_no_error_breaks_out_of_a_reply(words: str) -> None:
    for error in (UserError(words), UserError(f"a\n{words}"), AIError(words), Conflict(words)):
        world = World(failure=error)
        await world.say("bob", "/fail")
        check(world.comments_there[-1].body)


@given(HOSTILE)
def test_what_is_escaped_already_stays_as_it_is(words: str) -> None:
    said = f"{code(f'a{words}b')} is wrong; did you mean `hold`?"
    assert said == harmless(said)
    assert harmless(words) == harmless(harmless(words))


async def test_a_verb_is_nothing_in_the_line_by_which_a_reply_is_known(world: World) -> None:
    await world.say("bob", "@coordinator --><img> now")
    assert [] == [
        line
        for one in world.comments_there[1:]
        for line in one.body.splitlines()[:1]
        if "img" in line
    ]
