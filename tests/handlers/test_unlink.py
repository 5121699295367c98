"""/unlink: wait no longer."""

from __future__ import annotations

import pytest
from inline_snapshot import snapshot

from bot.commands import Right
from bot.models import IssueRef, Report, Source
from bot.sayings import LinkKind
from tests.handlers.changes import HERE, Desk, do, looks, note, ref, refused, report, waits_for

ADDED, IGNORED = LinkKind.ADDED, LinkKind.IGNORED
COMMAND, DECLARED, GITEA = Source.COMMAND, Source.DECLARED, Source.GITEA


def out(text: str) -> tuple[IssueRef, IssueRef]:
    return HERE, ref(text)


def into(text: str) -> tuple[IssueRef, IssueRef]:
    return ref(text), HERE


@pytest.mark.parametrize(
    ("told", "desk"),
    [
        (
            "#3 ▸ #7 taken away",
            Desk(report(blockers=(waits_for("#7", COMMAND),)), said={out("#7"): ADDED}),
        ),
        (
            "#7 ▸ #3 taken away",
            Desk(report(waiting=(waits_for("#7", COMMAND),)), said={into("#7"): ADDED}),
        ),
        ("#3 ▸ #7 taken away", Desk(said={out("#7"): ADDED})),
        ("#3 ▸ #7 ignored, by alice", Desk(report(blockers=(waits_for("#7", DECLARED),)))),
        ("#3 ▸ #7 ignored, by alice", Desk(report(blockers=(waits_for("#7", GITEA),)))),
        ("#7 ▸ #3 ignored, by alice", Desk(report(waiting=(waits_for("#7", DECLARED),)))),
        (
            "#3 ▸ #7 ignored, by alice",
            Desk(report(blockers=(waits_for("#7", COMMAND, DECLARED),)), said={out("#7"): ADDED}),
        ),
        ("#3 ▸ #7 ignored, by alice", Desk(around=[("#3", "#7"), ("#7", "#8")])),
    ],
    ids=[
        "added", "added there", "added, not looked at yet", "declared", "native", "declared there",
        "both", "too many to be in the report",
    ],
)  # fmt: skip
async def test_what_was_added_is_taken_away_and_what_is_declared_ignored(
    told: str, desk: Desk
) -> None:
    outcome = await do("/unlink #7", desk)
    assert ([told], ["#3", "#7"]) == (desk.told, looks(outcome))
    assert ("ignored" in told) is bool(note(outcome))


async def test_both_directions_go_at_once() -> None:
    desk = Desk(report(waiting=(waits_for("#7"),)), said={out("#7"): ADDED})
    outcome = await do("/unlink #7", desk)
    assert ["#3 ▸ #7 taken away", "#7 ▸ #3 ignored, by alice"] == desk.told
    assert snapshot("\\#7 stands in a text or in Gitea, and is ignored from now on") == note(
        outcome
    )


async def test_the_reply_names_what_is_ignored_from_now_on() -> None:
    blockers = (waits_for("#7"), waits_for("#8"), waits_for("#9", COMMAND))
    desk = Desk(report(blockers=blockers), said={out("#9"): ADDED})
    outcome = await do("/unlink #7 #8 #9", desk)
    assert snapshot(
        "\\#7 and \\#8 stand in a text or in Gitea, and are ignored from now on"
    ) == note(outcome)


@pytest.mark.parametrize(
    "desk",
    [Desk(), Desk(said={out("#7"): IGNORED}), Desk(around=[("#7", "#8")])],
    ids=["nothing", "ignored already", "not of this issue"],
)
async def test_what_is_no_edge_is_refused(desk: Desk) -> None:
    assert snapshot("`#7` and this issue do not wait for one another") == await refused(
        "/unlink #7", desk
    )


async def test_nothing_is_done_when_one_of_several_is_no_edge() -> None:
    desk = Desk(report(blockers=(waits_for("#7"),)))
    await refused("/unlink #7 #8", desk)


FAR = "far/away#7"


def far(kind: str, *sources: Source) -> Report:
    return report(**{kind: (waits_for(FAR, *sources),)})


@pytest.mark.parametrize(
    ("told", "desk"),
    [
        (f"#3 ▸ {FAR} ignored, by alice", Desk(far("blockers"))),
        (
            f"#3 ▸ {FAR} taken away",
            Desk(far("blockers", COMMAND), said={out(FAR): ADDED}),
        ),
        (
            f"#3 ▸ {FAR} taken away",
            Desk(said={out(FAR): ADDED}, rights={"far/away": Right.ANYONE}),
        ),
        (
            f"{FAR} ▸ #3 ignored, by alice",
            Desk(far("waiting"), rights={"far/away": Right.WRITE}),
        ),
    ],
    ids=["shown here anyway", "added, and shown", "not shown, but readable", "writable"],
)
async def test_an_issue_of_another_repository_is_unlinked(told: str, desk: Desk) -> None:
    await do(f"/unlink {FAR}", desk)
    assert [told] == desk.told


async def test_of_what_cannot_be_read_nobody_learns_that_there_is_an_edge() -> None:
    said = snapshot("`far/away#7` and this issue do not wait for one another")
    assert said == await refused(f"/unlink {FAR}", Desk(said={out(FAR): ADDED}))
    assert said == await refused(f"/unlink {FAR}", Desk())


@pytest.mark.parametrize("right", [None, Right.ANYONE])
async def test_what_waits_in_another_repository_is_for_those_who_write_there(
    right: Right | None,
) -> None:
    desk = Desk(far("waiting"), rights={"far/away": right})
    assert snapshot("for this you have to write in `far/away`, too") == await refused(
        f"/unlink {FAR}", desk
    )
