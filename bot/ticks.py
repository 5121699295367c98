"""Ticks that no event told of, and how one that was done is not done again.

Gitea sends a tick once. One that was missed still stands in the bot's comment, until the bot writes
it anew; so whoever is about to write asks here first. A tick is known by the comment, by when the
bot last wrote it, and by the command it stands for.

Who ticked is not told by the comment. Two notes keep it from being done twice: that a tick was
heard, by which asking passes it over; and when it was found by asking, by which an event that comes
later is known to be late.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from bot.boxes import standing, still_asked
from bot.commands import Said
from bot.gitea.models import Comment
from bot.ledger import Notes, note
from bot.render import MARKER
from bot.requests import PASSED, Wanted, digest


class Ticks:
    """Which ticks in the bot's comments were heard."""

    def __init__(self, ledger: Notes) -> None:
        self._ledger = ledger

    async def unheard(
        self, comment: Comment, written_at: str, *, on_hold: bool
    ) -> tuple[Said, ...]:
        """The commands of ticks that stand in a comment and were not heard.

        `written_at`: when the bot last wrote it, in words that are only compared; `on_hold`:
        whether the issue is.
        """
        said = still_asked(standing(comment.body), on_hold=on_hold)
        if not said:
            return ()
        written = version(comment.body, written_at, comment.updated_at)
        heard = await self._ledger.finished(f"{place(comment.id, written)}:")
        ticks = zip(said, wanted(comment.id, written, said), strict=True)
        return tuple(one for one, tick in ticks if tick.key not in heard)

    async def note(self, comment_id: int, written_at: str, said: Collection[Said]) -> None:
        """Note that ticks were heard: nobody has to ask for them, or wait for that."""
        for tick in wanted(comment_id, written_at, said):
            if await self._ledger.result_of(tick.key) is None:
                await note(self._ledger, tick.key, PASSED)

    async def find(self, comment: Comment, said: Collection[Said]) -> None:
        """Note that ticks were found in a comment as it is now: their events are late."""
        for one in said:
            await note(self._ledger, _found(comment.id, one), comment.updated_at.isoformat())

    async def is_late(self, comment_id: int, at: datetime | None, said: Said) -> bool:
        """Whether a tick of that time was found by asking, then or later."""
        found = await self._ledger.result_of(_found(comment_id, said))
        return found is not None and at is not None and at <= datetime.fromisoformat(found)


def place(comment_id: int, written_at: str) -> str:
    """What is common to the ticks of a comment as the bot wrote it once."""
    return f"tick:{comment_id}:{written_at}"


def wanted(comment_id: int, written_at: str, said: Collection[Said]) -> tuple[Wanted, ...]:
    """Ticks with their keys, in which no line stands: a box may move."""
    where = place(comment_id, written_at)
    return tuple(Wanted(one, f"{where}:{digest(one.text)}") for one in said)


def moment(text: str) -> datetime | None:
    """A time as Gitea writes it, in whatever zone; None where it is none."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return None


def version(body: str, written_at: str, updated_at: datetime | None) -> str:
    """What tells one writing of a comment from the next.

    Of the report it is remembered. Replies are not written again, so there every edit is one.
    """
    if body.startswith(MARKER):
        return written_at
    return updated_at.isoformat() if updated_at else ""


def _found(comment_id: int, said: Said) -> str:
    return f"found:{comment_id}:{digest(said.text)}"
