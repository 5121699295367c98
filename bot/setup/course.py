"""How a set-up goes: what is told of each step, what a dry run leaves out, what is taken back.

A step looks first. What is there already is told as such and left alone; what is not is made, and
how to take it back is remembered until everything of the run is there.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from bot.errors import CoordinatorError, GiteaError, Permanent

T = TypeVar("T")
Deed = Callable[[], Coroutine[Any, Any, T]]
Undo = tuple[str, Deed[object]]


_PRESENT = {
    "deleted": "delete",
    "gave": "give",
    "made": "make",
    "mended": "mend",
    "removed": "remove",
    "took": "take",
    "wrote": "write",
}


_WAYS_OUT = {
    None: "Check the address, and that Gitea runs.",
    401: "Check the token, or the name and the password.",
    403: "Somebody with more rights has to do this: an administrator of that place.",
}


class Mark(StrEnum):
    """How a step is."""

    DONE = "done"
    SAME = "same"
    WOULD = "would"
    WRONG = "wrong"
    NOTE = "note"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class Line:
    """What is told of a step: `what` is so, and what to `do` about it."""

    step: str
    mark: Mark
    what: str
    do: str = ""
    place: str = ""


class Stop(CoordinatorError):  # noqa: N818 - says what it does
    """A step cannot be done: `str(error)` says why, `do` what helps."""

    def __init__(self, what: str, do: str = "") -> None:
        super().__init__(what)
        self.do = do


class Told(CoordinatorError):  # noqa: N818
    """Nothing could be set up, and why has been told of each part."""


class Course:
    """One run. `tell` shows a line; with `dry` nothing is changed."""

    def __init__(self, tell: Callable[[Line], None], *, dry: bool = False, place: str = "") -> None:
        self._tell = tell
        self.dry = dry
        self.step = ""
        self.place = place
        self.wrong = 0
        self.changed = 0
        self._undo: list[Undo] = []
        self._later: list[Undo] = []
        self._said: BaseException | None = None

    def part(self, place: str) -> Course:
        """A run of its own at a place, as a part of this one; see `join`."""
        return Course(self._tell, dry=self.dry, place=place)

    def join(self, part: Course) -> None:
        """Take over what a part made: to be taken back with the rest."""
        self._undo += part._undo
        self._later += part._later
        self.wrong += part.wrong
        self.changed += part.changed

    def tell(self, mark: Mark, what: str, do: str = "") -> None:
        """Show a line of the present step."""
        self.wrong += mark is Mark.WRONG
        self.changed += mark in (Mark.DONE, Mark.WOULD)
        self._tell(Line(self.step, mark, what, do, self.place))

    def same(self, what: str) -> None:
        """Say that something is as it should be."""
        self.tell(Mark.SAME, what)

    def did(self, what: str) -> None:
        """Say what was done in many small parts, or would be."""
        if self.dry:
            self.tell(Mark.WOULD, _would(what))
        else:
            self.tell(Mark.DONE, what)

    def note(self, what: str, do: str = "") -> None:
        """Say something worth knowing."""
        self.tell(Mark.NOTE, what, do)

    async def make(
        self, what: str, deed: Deed[T], *undo: Undo, quiet: bool = False, many: bool = False
    ) -> T | None:
        """Do it and say so; None, and nothing done, in a dry run.

        What takes it back is remembered before: a request may be done though no answer comes.
        Of one that Gitea refused nothing is taken back, as what is there then is not ours; unless
        it is of `many` requests. `quiet` does it without a line.
        """
        if self.dry:
            self.tell(Mark.WOULD, _would(what))
            return None
        self._undo.extend(undo)
        try:
            made = await _whole(deed())
        except Permanent as error:
            if is_refusal(error) and not many:
                del self._undo[len(self._undo) - len(undo) :]
            raise
        if not quiet:
            self.tell(Mark.DONE, what)
        return made

    def later(self, what: str, deed: Deed[object]) -> None:
        """Remember what is to go once everything new is there."""
        self._later.append((what, deed))

    async def finish(self) -> None:
        """Everything is there: what it replaces goes, and nothing is taken back any more."""
        self._undo.clear()
        while self._later:
            what, deed = self._later.pop(0)
            try:
                await self.make(what, deed)
            except CoordinatorError as error:
                self.say(error)

    @asynccontextmanager
    async def all_or_nothing(self) -> AsyncIterator[None]:
        """What was made is taken back if what is within does not come to its end."""
        try:
            yield
        except BaseException as error:
            if isinstance(error, CoordinatorError):
                self.say(error)
            await _whole(self._take_back())
            self._later.clear()
            raise

    def say(self, error: CoordinatorError) -> None:
        """Say why a step failed, and what helps; once."""
        if not isinstance(error, Told):
            self.tell(Mark.WRONG, str(error), _way_out(error))

    async def _take_back(self) -> None:
        while self._undo:
            what, undo = self._undo.pop()
            try:
                await undo()
            except CoordinatorError as error:
                self.tell(Mark.WRONG, f"{what} could not be taken back: {error}", "Do it by hand.")
            except OSError as error:
                self.tell(Mark.WRONG, f"{what} could not be taken back: {error.strerror}")
            else:
                self.tell(Mark.UNDONE, what)


def is_refusal(error: Permanent) -> bool:
    """Whether Gitea did not do it for sure; an answer that cannot be read has no status."""
    return error.status is not None


async def _whole(work: Coroutine[Any, Any, T]) -> T:
    """Do it to its end, also when interrupted: nothing is left half done, nor unknown."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _would(what: str) -> str:
    verb, _, rest = what.partition(" ")
    return f"would {_PRESENT.get(verb, verb)} {rest}"


def _way_out(error: CoordinatorError) -> str:
    if isinstance(error, Stop):
        return error.do
    if not isinstance(error, GiteaError):
        return ""
    if "required scope" in error.message:
        return "Make a token with that scope, in Gitea under Settings ▸ Applications."
    return _WAYS_OUT.get(error.status, "")
