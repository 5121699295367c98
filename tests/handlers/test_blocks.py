"""/blocks: what waits for an issue."""

from __future__ import annotations

import pytest
from inline_snapshot import snapshot

from bot.commands import Right
from tests.handlers.changes import Desk, do, looks, note, refused

WRITES = {"far/away": Right.WRITE}


@pytest.mark.parametrize(
    ("expected", "words"),
    [(["#7"], "#7"), (["#7", "far/away#8"], "#7 and far/away#8")],
    ids=["one", "another repository"],
)
async def test_they_wait_from_now_on(expected: list[str], words: str) -> None:
    desk = Desk(rights=WRITES)
    outcome = await do(f"/blocks {words}", desk)
    assert [f"{one} waits for #3, by alice" for one in expected] == desk.told
    assert (["#3", *expected], "") == (looks(outcome), note(outcome))


async def test_in_another_repository_one_must_be_able_to_write() -> None:
    desk = Desk(rights={"far/away": Right.ANYONE})
    assert snapshot("for this you have to write in `far/away`, too") == await refused(
        "/blocks #7 far/away#8", desk
    )


async def test_of_what_cannot_be_read_nobody_learns_what_there_is() -> None:
    said = snapshot(
        "`far/away#8` names no issue that you can see; in another repository, `coordinator` must be an administrator to tell"
    )
    assert said == await refused("/blocks far/away#8", Desk())
    assert said == await refused("/blocks far/away#8", Desk(rights=WRITES, missing=["far/away#8"]))


async def test_a_circle_is_refused_with_its_path() -> None:
    desk = Desk(around=[("#3", "#5"), ("#5", "#7")])
    assert snapshot("that would close a circle: `#7` → `#3` → `#5` → `#7`") == await refused(
        "/blocks #7", desk
    )


async def test_what_is_wrong_is_said() -> None:
    assert snapshot("an issue cannot wait for itself") == await refused("/blocks #3", Desk())
    assert snapshot("say which issue, such as `#12` or `owner/repo#12`") == await refused(
        "/blocks", Desk()
    )
