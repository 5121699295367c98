"""What Claude has answered before, and what it may still cost today."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date, datetime
from typing import Protocol

from pydantic import BaseModel, ValidationError

from bot.models import IssueRef
from bot.reading import NOTHING, Answer, AskError, Wanted


class Memory(Protocol):
    """Where answers are kept, and what was spent on a day."""

    async def get(self, key: str) -> str | None:
        """The answer put there, or None."""
        ...

    async def put(self, key: str, answer: str, tokens_in: int, tokens_out: int) -> None:
        """Keep an answer (JSON) and what it took; replaces an older one."""
        ...

    async def tokens_used(self, day: date) -> int:
        """Tokens spent or set aside on that day (UTC)."""
        ...

    async def spend(self, day: date, tokens: int) -> None:
        """Add to that day's tokens; a negative number gives back what was set aside."""
        ...


class InMemory:
    """A Memory that ends with the process: for `preview` and for tests."""

    def __init__(self) -> None:
        self.answers: dict[str, str] = {}
        self.spent: Counter[date] = Counter()

    async def get(self, key: str) -> str | None:
        """The answer put there, or None."""
        return self.answers.get(key)

    async def put(self, key: str, answer: str, tokens_in: int, tokens_out: int) -> None:  # noqa: ARG002
        """Keep an answer."""
        self.answers[key] = answer

    async def tokens_used(self, day: date) -> int:
        """Tokens spent or set aside on that day."""
        return self.spent[day]

    async def spend(self, day: date, tokens: int) -> None:
        """Add to that day's tokens."""
        self.spent[day] += tokens


class Known(BaseModel):
    """What is kept of a text: what was asked and answered, and why there is no more.

    A refusal holds for good; that an answer was unusable holds for the day (`until`).
    """

    asked: frozenset[Wanted] = frozenset()
    answer: Answer = NOTHING
    failed: str = ""
    until: date | None = None

    def with_answer(self, answer: Answer, to: frozenset[Wanted]) -> Known:
        """This, with what was answered to a question for `to`."""
        return Known(asked=self.asked | to, answer=self.answer.with_news(answer, to))

    def with_failure(self, why: str, *, until: date | None = None) -> Known:
        """This, with a question that got no usable answer; None: it never will."""
        return self.model_copy(update={"failed": why, "until": until})

    def says_no(self, today: date) -> bool:
        """Whether it is known that asking is useless today."""
        return bool(self.failed) and (self.until is None or today <= self.until)


async def recall(memory: Memory, key: str) -> Known:
    """What is kept under the key; nothing where another version of the bot wrote it."""
    kept = await memory.get(key)
    try:
        return Known.model_validate_json(kept) if kept else Known()
    except ValidationError:
        return Known()


class Budget:
    """What may be spent on a day (UTC): tokens over all issues, and readings of one issue.

    The tokens are counted in the memory, so for all replicas together; the readings by this
    process alone, as a stop for an issue whose text never rests.
    """

    def __init__(
        self, memory: Memory, *, tokens: int, readings: int, now: Callable[[], datetime]
    ) -> None:
        self._memory = memory
        self._tokens = tokens
        self._readings = readings
        self._now = now
        self._read: Counter[IssueRef] = Counter()
        self._read_on: date | None = None

    def today(self) -> date:
        """The day that is paid for now."""
        return self._now().date()

    def count_reading(self, issue: IssueRef) -> None:
        """Count one more reading of the issue. Raises AskError when it has had its share."""
        if self._read_on != self.today():
            self._read_on = self.today()
            self._read.clear()
        if self._read[issue] >= self._readings:
            raise AskError(f"this issue has been read {self._readings} times today", "budget")
        self._read[issue] += 1

    async def set_aside(self, tokens: int) -> date:
        """Reserve tokens, and say on which day. Raises AskError when the day's are used up."""
        day = self.today()
        await self._memory.spend(day, tokens)  # first, so that two at once both see it
        if await self._memory.tokens_used(day) > self._tokens:
            await self._memory.spend(day, -tokens)
            raise AskError(f"the day's budget of {self._tokens:,} tokens is used up", "budget")
        return day

    async def settle(self, day: date, *, aside: int, used: int) -> None:
        """Replace what was set aside by what was used."""
        await self._memory.spend(day, used - aside)
