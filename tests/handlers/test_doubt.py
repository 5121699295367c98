"""Where it is not certain who gives a command, it says nothing and does nothing elsewhere."""

from __future__ import annotations

import pytest

from bot.commands import Right
from bot.models import Source
from bot.sayings import LinkKind
from tests.handlers.changes import HERE, Desk, do, ref, refused, report, waits_for

DOUBT = "nobody knows who said this; say it again"
ALL = {"far/away": Right.ADMIN}
FAR = ref("far/away#7")


@pytest.mark.parametrize(
    ("told", "line", "desk"),
    [
        ("hold yes by ", "/hold", Desk()),
        ("#3 waits for #7, by ", "/blocked-by #7", Desk()),
        ("#7 waits for #3, by ", "/blocks acme/rocket#7", Desk()),
        (
            "#3 ▸ far/away#7 ignored, by ",
            "/unlink far/away#7",
            Desk(report(blockers=(waits_for("far/away#7", Source.DECLARED),))),
        ),
    ],
    ids=["on the issue", "in the repository", "by its whole name", "what is shown here"],
)
async def test_here_it_is_done_in_nobody_s_name(told: str, line: str, desk: Desk) -> None:
    await do(line, desk, doubt=DOUBT)
    assert [told] == desk.told


@pytest.mark.parametrize(
    "desk",
    [Desk(rights=ALL), Desk(rights={"far/away": None}), Desk(rights=ALL, missing=["far/away#7"])],
    ids=["there", "private", "no issue"],
)
@pytest.mark.parametrize("line", ["/blocked-by far/away#7", "/blocks #8 far/away#7"])
async def test_an_issue_elsewhere_is_refused_whether_there_is_one_or_not(
    line: str, desk: Desk
) -> None:
    assert DOUBT == await refused(line, desk, doubt=DOUBT)


@pytest.mark.parametrize(
    "desk",
    [
        Desk(rights=ALL),
        Desk(rights=ALL, said={(HERE, FAR): LinkKind.ADDED}),
        Desk(report(waiting=(waits_for("far/away#7"),)), rights=ALL),
    ],
    ids=["nothing known", "added and not shown", "waits there"],
)
async def test_what_waits_elsewhere_stays(desk: Desk) -> None:
    assert DOUBT == await refused("/unlink far/away#7", desk, doubt=DOUBT)
