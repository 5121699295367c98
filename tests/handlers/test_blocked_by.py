"""/blocked-by: what an issue waits for."""

from __future__ import annotations

import pytest
from inline_snapshot import snapshot

from bot.commands import Right
from bot.linking import MAX_REFS
from tests.handlers.changes import Desk, do, looks, note, refused

READS = {"far/away": Right.ANYONE}


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        (["#7"], "#7"),
        (["#7", "#8", "#9"], "#7, #8 and #9"),
        (["#7"], "#7 acme/rocket#7"),
        (["#9"], "https://git.test/acme/rocket/issues/9"),
        (["far/away#7", "#8"], "far/away!7 #8"),
    ],
    ids=["one", "several", "twice", "address", "another repository"],
)
async def test_it_waits_from_now_on(expected: list[str], words: str) -> None:
    desk = Desk(rights=READS)
    outcome = await do(f"/blocked-by {words}", desk)
    assert [f"#3 waits for {one}, by alice" for one in expected] == desk.told
    assert (["#3", *expected], "") == (looks(outcome), note(outcome))


@pytest.mark.parametrize(
    "desk",
    [
        Desk(),
        Desk(rights={"far/away": None}),
        Desk(rights=READS, missing=["far/away#7"]),
        Desk(rights=READS, missing=["far/away#7", "#8"]),
    ],
    ids=["no repository", "not to be read", "no issue", "no issue either"],
)
async def test_of_other_repositories_nobody_learns_what_there_is(desk: Desk) -> None:
    assert snapshot(
        "`far/away#7` names no issue that you can see; in another repository, `coordinator` must be an administrator to tell"
    ) == await refused("/blocked-by far/away#7", desk)


async def test_where_rights_cannot_be_looked_up_the_answer_is_the_same() -> None:
    """Else it would say that there is such a repository, and that the bot is in it."""
    one, other = "not/administered#7", "no/where#7"
    answers = [await refused(f"/blocked-by {text}", Desk()) for text in (one, other)]
    assert answers[1] == answers[0].replace(one, other)


async def test_an_issue_that_is_not_here_is_said_so() -> None:
    assert snapshot("`#99` names no issue that you can see") == await refused(
        "/blocked-by #99", Desk(missing=["#99"])
    )


async def test_nothing_is_linked_when_one_of_several_is_wrong() -> None:
    await refused("/blocked-by #7 #99", Desk(missing=["#99"]))
    await refused("/blocked-by #7 #8", Desk(around=[("#8", "#3")]))
    await refused("/blocked-by #7 what", Desk())


@pytest.mark.parametrize(
    ("words", "around"),
    [
        ("#7", [("#7", "#3")]),
        ("#7", [("#7", "#5"), ("#5", "far/away#1"), ("far/away#1", "#3")]),
    ],
    ids=["direct", "long"],
)
async def test_a_circle_is_refused_with_its_path(words: str, around: list[tuple[str, str]]) -> None:
    expected = {
        1: snapshot("that would close a circle: `#3` → `#7` → `#3`"),
        3: snapshot("that would close a circle: `#3` → `#7` → `#5` → `far/away#1` → `#3`"),
    }
    desk = Desk(around=around)
    assert expected[len(around)] == await refused(f"/blocked-by {words}", desk)


async def test_a_path_without_end_is_shortened() -> None:
    around = [(f"#{n}", f"#{n + 1}") for n in range(100, 150)] + [("#150", "#3")]
    assert snapshot(
        "that would close a circle: `#3` → `#100` → `#101` → `#102` → `#103` → `#104` → `#105` → `#106` → `#107` → `#108` → `#109` → … → `#3`"
    ) == await refused("/blocked-by #100", Desk(around=around))


async def test_a_path_over_a_closed_issue_is_no_circle() -> None:
    desk = Desk(around=[("#7", "#5"), ("#5", "#3")], closed=["#5"])
    await do("/blocked-by #7", desk)
    assert ["#3 waits for #7, by alice"] == desk.told


async def test_what_is_wrong_is_said() -> None:
    assert snapshot("an issue cannot wait for itself") == await refused("/blocked-by #3", Desk())
    assert snapshot("say which issue, such as `#12` or `owner/repo#12`") == await refused(
        "/blocked-by", Desk()
    )
    assert snapshot("`seven` names no issue; write `#12` or `owner/repo#12`") == await refused(
        "/blocked-by seven", Desk()
    )
    many = " ".join(f"#{n}" for n in range(10, 11 + MAX_REFS))
    assert snapshot("at most 20 issues at once") == await refused(f"/blocked-by {many}", Desk())
