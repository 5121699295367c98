"""Asking Claude for what an issue's text does not declare; the only file that imports anthropic.

The import is lazy: it takes longer than the rest of the start-up together, and most texts declare
what is needed. What is asked and what of an answer is believed stands in `reading.py`, what is
remembered and what it may cost in `ai_memory.py`; here are the requests and their order.

Facts about the Messages API are from its documentation and from the SDK (2.12):

- `output_config.format` holds the answer to a JSON schema, except when `stop_reason` is
  `max_tokens` (cut off) or `refusal`.
- Today's models think before they answer, which counts towards `max_tokens`; a low effort keeps
  it short. They answer 400 to sampling parameters and to prefilled answers.
- 429 with `error.details.error_code` `enforced_spend_limit_reached` lasts until the month ends.
- The SDK waits for as long as `retry-after` says, and takes the text along wherever a redirect
  points; so tries are made here, within bounds, and redirects are refused.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import stamina
import structlog
from pydantic import BaseModel, Field, SecretStr, ValidationError

from bot.ai_memory import Budget, InMemory, Known, Memory, recall
from bot.errors import AIError
from bot.models import IssueRef, Reading
from bot.reading import (
    PASSING,
    READING,
    Answer,
    AskError,
    Form,
    References,
    Text,
    Wanted,
    checked,
    new_marker,
    prompt,
    token_estimate,
    worth_asking,
)
from bot.split_reading import SCHEMA, SYSTEM, Kept, believed, key, question
from bot.splitting import Part

if TYPE_CHECKING:
    import anthropic
    from anthropic.types import OutputConfigParam

__all__ = ["DEFAULT_MODEL", "InMemory", "Memory", "Observe", "Reader", "References", "Wanted"]

DEFAULT_MODEL = "claude-sonnet-5-5"  # the newest Sonnet that anthropic/types/model.py names
NO_EFFORT = ("claude-3", "claude-haiku-4-5", "claude-sonnet-4-5")  # these answer 400 to `effort`
MORE_ROOM = 4  # times the tokens for the answer, when the first one was cut off or malformed
LONGEST_WAIT = 20.0  # seconds; where the API wants more, the report is made without it
PAUSE = timedelta(seconds=30)  # how long nobody asks after the API could not answer
LONGEST_PAUSE = timedelta(minutes=10)
UNUSABLE = ("cut-off", "malformed")

A = TypeVar("A")

Observe = Callable[[str, int, int, float], None]
"""Is told of each question, for the metrics: outcome, tokens in, tokens out, seconds.

The outcome is one of answered, remembered, refused, cut-off, malformed, budget, rejected,
overloaded, timeout, unreachable, paused.
"""

log = structlog.get_logger(__name__)


class Block(BaseModel):
    """A part of Claude's message; only text is used, thinking is passed over."""

    type: str
    text: str = ""


class Usage(BaseModel):
    """What a message took, in tokens."""

    input_tokens: Annotated[int, Field(ge=0)]
    output_tokens: Annotated[int, Field(ge=0)]
    cache_creation_input_tokens: int | None = 0
    cache_read_input_tokens: int | None = 0

    @property
    def tokens_in(self) -> int:
        """All that was read, from a cache or not."""
        cached = (self.cache_creation_input_tokens or 0) + (self.cache_read_input_tokens or 0)
        return self.input_tokens + cached


class Message(BaseModel):
    """The API's answer to a question, as far as it is used."""

    type: Literal["message"]
    stop_reason: str
    content: tuple[Block, ...]
    usage: Usage

    @property
    def text(self) -> str:
        """All that Claude wrote."""
        return "".join(block.text for block in self.content if block.type == "text")


@dataclass(slots=True)
class Tally:
    """What one question has taken so far.

    `unsure` counts the tokens of requests that were given up on and may be billed all the same.
    """

    tokens_in: int = 0
    tokens_out: int = 0
    unsure: int = 0
    began: float = field(default_factory=time.monotonic)

    @property
    def total(self) -> int:
        """Everything that may be billed."""
        return self.tokens_in + self.tokens_out + self.unsure

    def add(self, usage: Usage) -> None:
        """Count a message."""
        self.tokens_in += usage.tokens_in
        self.tokens_out += usage.output_tokens


@dataclass(frozen=True, slots=True)
class Access:
    """What came of asking the API for a model.

    `status` is None where nothing answered, and `why` says why; `is_claude`: it answered as the
    API does; `names_model`: it is the model that it does not know.
    """

    status: int | None
    is_claude: bool = False
    names_model: bool = False
    why: str = ""


class Claude:
    """The Messages API: a question in, a message out, tried again where that may help.

    `timeout` (seconds) bounds one request; no new one is begun after twice that.
    """

    def __init__(
        self,
        *,
        api_key: SecretStr,
        base_url: str | None,
        model: str,
        timeout: float,
        attempts: int,
        first_wait: float,
    ) -> None:
        self._api_key = api_key
        self._base_url = base_url or None
        self._model = model
        self._timeout = timeout
        self._attempts = attempts
        self._first_wait = first_wait
        self._client: anthropic.AsyncAnthropic | None = None
        self._opening = asyncio.Lock()

    async def message(
        self, question: str, room: int, tally: Tally, form: Form[Any] = READING
    ) -> Message:
        """Ask, with `room` tokens for the answer. Raises AskError."""
        async for attempt in stamina.retry_context(
            on=wait_before_retry,
            attempts=self._attempts,
            timeout=2 * self._timeout,
            wait_initial=self._first_wait,
            wait_max=LONGEST_WAIT,
            wait_jitter=self._first_wait,
        ):
            with attempt:
                try:
                    message = await self._post(question, room, form)
                except AskError as error:
                    if error.outcome == "timeout":
                        tally.unsure += token_estimate(form.system, question)
                    raise
                tally.add(message.usage)
                return message
        raise AssertionError("stamina either returns or raises")  # pragma: no cover

    async def access(self) -> Access:
        """Whether the key is accepted and the model known: one request, which costs nothing.

        https://platform.claude.com/docs/en/api/models/retrieve
        """
        client = await self._opened()
        import anthropic  # noqa: PLC0415 - lazily; `_opened` has loaded it

        try:
            async with asyncio.timeout(self._timeout):
                raw = await client.models.with_raw_response.retrieve(self._model)
            return _access(raw.http_response.status_code, raw.http_response.content)
        except (TimeoutError, anthropic.APITimeoutError):
            return Access(None, why=f"no answer within {self._timeout:g} s")
        except anthropic.APIStatusError as error:
            return _access(error.status_code, error.response.content)
        except (anthropic.AnthropicError, ValueError):
            return Access(None, why="no connection")

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _post(self, question: str, room: int, form: Form[Any]) -> Message:
        """One HTTP request. Raises AskError."""
        client = await self._opened()
        import anthropic  # noqa: PLC0415 - lazily; `_opened` has loaded it

        try:
            async with asyncio.timeout(self._timeout):  # the SDK's own bounds each read, not all
                raw = await client.messages.with_raw_response.create(
                    model=self._model,
                    max_tokens=room,
                    system=form.system,
                    messages=[{"role": "user", "content": question}],
                    output_config=_output_config(self._model, form.schema),
                )
        except (TimeoutError, anthropic.APITimeoutError):
            raise AskError(
                f"Claude did not answer within {self._timeout:g} s", "timeout", wait=0
            ) from None
        except anthropic.APIStatusError as error:
            raise _status_error(error, self._model) from None
        except anthropic.AnthropicError:
            raise AskError("the Claude API cannot be reached", "unreachable", wait=0) from None
        try:
            return Message.model_validate_json(raw.http_response.content)
        except ValidationError:
            raise AskError("what answered is not the Claude API", "unreachable", wait=0) from None

    async def _opened(self) -> anthropic.AsyncAnthropic:
        async with self._opening:
            if self._client is None:
                # In a thread: importing the SDK takes a second or two.
                self._client = await asyncio.to_thread(self._open)
            return self._client

    def _open(self) -> anthropic.AsyncAnthropic:
        import anthropic  # noqa: PLC0415 - lazily, see the module's docstring

        for name in ("anthropic", "httpx2", "httpcore2"):  # at debug they log what is sent
            logging.getLogger(name).setLevel(logging.WARNING)
        return anthropic.AsyncAnthropic(
            api_key=self._api_key.get_secret_value(),
            base_url=self._base_url,
            timeout=self._timeout,
            max_retries=0,
            http_client=anthropic.DefaultAsyncHttpxClient(follow_redirects=False),
            open_telemetry=False,
        )


class Reader:
    """Reads issue texts with Claude, within a day's budget and never the same text twice.

    `timeout` (seconds) bounds one request; tries end after twice that. `daily_tokens` bounds what
    is read and written on a day (UTC) over all issues, `daily_readings` how often one issue is
    read on a day. `max_text` is in characters, `max_output_tokens` includes Claude's thinking.
    `references` finds what may be a dependency: `functools.partial(parser.references, hosts=…)`.
    """

    def __init__(
        self,
        *,
        api_key: SecretStr,
        base_url: str | None,
        daily_tokens: int,
        timeout: float,
        max_output_tokens: int,
        max_text: int,
        memory: Memory,
        references: References,
        now: Callable[[], datetime],
        model: str = DEFAULT_MODEL,
        attempts: int = 3,
        first_wait: float = 1.0,
        daily_readings: int = 30,
        observe: Observe = lambda *_: None,
    ) -> None:
        self._claude = Claude(
            api_key=api_key,
            base_url=base_url,
            model=model,
            timeout=timeout,
            attempts=attempts,
            first_wait=first_wait,
        )
        self._budget = Budget(memory, tokens=daily_tokens, readings=daily_readings, now=now)
        self._model = model
        self._max_output_tokens = max_output_tokens
        self._max_text = max_text
        self._memory = memory
        self._references = references
        self._now = now
        self._observe = observe
        self._under_way: dict[tuple[str, frozenset[Wanted]], asyncio.Task[Known]] = {}
        self._paused: tuple[datetime, str] | None = None

    async def read(
        self, *, title: str, body: str, issue: IssueRef, wanted: frozenset[Wanted]
    ) -> Reading:
        """What Claude reads in an issue's text, checked against it; empty where not `wanted`.

        A reading that is given up on (cancelled) goes on and is there the next time. Raises
        AIError when Claude could not be asked or gave no usable answer; its message is a clause
        fit for the report ("the day's budget of 2,000,000 tokens is used up").
        """
        text = Text.of(title, body, most=self._max_text)
        asked = worth_asking(text, wanted, issue, self._references)
        if not asked:
            return Reading()
        known = await self._known(text, asked, issue)
        if known.failed and asked - known.asked:
            raise AIError(known.failed)
        return checked(known.answer, text, asked, issue=issue, references=self._references)

    async def split(
        self, *, title: str, body: str, issue: IssueRef, room: int, tokens: int
    ) -> tuple[Part, ...]:
        """The parts into which Claude would split an issue, each of at most `room` tokens.

        None when the text gives nothing to go by. `tokens` is the estimate of the whole. Raises
        AIError as `read` does.
        """
        text = Text.of(title, body, most=self._max_text)
        if text.is_blank:
            return ()
        form = Form(
            SYSTEM,
            SCHEMA,
            partial(believed, text=text, room=room, issue=issue, references=self._references),
        )
        name = key(text, self._model, room)
        kept = Kept.load(await self._memory.get(name))
        if kept.answer:
            self._tell(issue, "remembered", Tally())
            return form.read(kept.answer)
        if kept.says_no(self._budget.today()):
            self._tell(issue, "remembered", Tally())
            raise AIError(kept.failed)
        tally = Tally()
        asked = question(text, room, tokens, new_marker(text.whole))
        most = MORE_ROOM * self._max_output_tokens  # the parts' words, not a few fields
        try:
            message, parts = await self._answered(asked, form, most, issue, tally)
        except AskError as error:
            self._tell(issue, error.outcome, tally)
            if error.outcome != "refused" and error.outcome not in UNUSABLE:
                raise
            until = None if error.outcome == "refused" else self._budget.today()
            kept = Kept(failed=str(error), until=until)
            await self._keep(name, kept, tally)
            raise
        self._tell(issue, "answered", tally)
        await self._keep(name, Kept(answer=message.text), tally)
        return parts

    async def _keep(self, name: str, kept: Kept, tally: Tally) -> None:
        await self._memory.put(name, kept.model_dump_json(), tally.tokens_in, tally.tokens_out)

    async def forget(self, *, title: str, body: str) -> None:
        """Ask about this text again, the next time, though it was answered."""
        text = Text.of(title, body, most=self._max_text)
        nothing = Known().model_dump_json()
        await self._memory.put(text.key(self._model), nothing, 0, 0)

    async def close(self) -> None:
        """Give up what is under way and close the connections."""
        tasks = tuple(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._claude.close()

    async def _known(self, text: Text, asked: frozenset[Wanted], issue: IssueRef) -> Known:
        """What is known of the text, after asking for what is not; equal questions share a call."""
        known = await recall(self._memory, text.key(self._model))
        missing = asked - known.asked
        if not missing or known.says_no(self._budget.today()):
            self._tell(issue, "remembered", Tally())
            return known
        key = (text.key(self._model), missing)
        task = self._under_way.get(key)
        if task is None:
            task = asyncio.create_task(self._learn(text, missing, issue))
            self._under_way[key] = task
            task.add_done_callback(lambda done: self._ended(key, done))
        return await asyncio.shield(task)  # one reader who leaves must not take it from the others

    def _ended(self, key: tuple[str, frozenset[Wanted]], done: asyncio.Task[Known]) -> None:
        self._under_way.pop(key, None)
        if not done.cancelled():
            done.exception()  # seen, so that asyncio does not complain when everybody has left

    async def _learn(self, text: Text, missing: frozenset[Wanted], issue: IssueRef) -> Known:
        """Ask, and remember the answer or that there is none."""
        tally = Tally()
        key = text.key(self._model)
        failure: AskError | None = None
        try:
            answer = await self._ask(text, missing, issue, tally)
        except AskError as error:
            failure = error
        self._tell(issue, failure.outcome if failure else "answered", tally)
        before = await recall(self._memory, key)  # afresh: another question may have ended since
        if failure is None:
            known = before.with_answer(answer, missing)
        elif failure.outcome == "refused":
            known = before.with_failure(str(failure))
        elif failure.outcome in UNUSABLE:
            known = before.with_failure(str(failure), until=self._budget.today())
        else:
            raise failure
        await self._memory.put(key, known.model_dump_json(), tally.tokens_in, tally.tokens_out)
        return known

    async def _ask(
        self, text: Text, missing: frozenset[Wanted], issue: IssueRef, tally: Tally
    ) -> Answer:
        question = prompt(text, missing, new_marker(text.whole))
        most = self._max_output_tokens
        _, answer = await self._answered(question, READING, most, issue, tally)
        return answer

    async def _answered(
        self, question: str, form: Form[A], room: int, issue: IssueRef, tally: Tally
    ) -> tuple[Message, A]:
        """One question, put once more with more room when the answer is no use."""
        self._check_pause()
        self._budget.count_reading(issue)
        try:
            message = await self._paid(question, form, room, tally)
            return message, answer_in(message, form)
        except AskError as error:
            if error.outcome not in UNUSABLE:
                raise
        message = await self._paid(question, form, MORE_ROOM * room, tally)
        return message, answer_in(message, form)

    async def _paid(self, question: str, form: Form[Any], room: int, tally: Tally) -> Message:
        """Ask within the day's budget: what it may take is set aside first, then put right.

        Where the process ends or the task is cancelled meanwhile, it stays set aside: the
        request may be billed.
        """
        aside = token_estimate(form.system, question) + room
        before = tally.total
        day = await self._budget.set_aside(aside)
        try:
            message = await self._claude.message(question, room, tally, form)
        except AskError as error:
            self._pause_after(error)
            await self._budget.settle(day, aside=aside, used=tally.total - before)
            raise
        await self._budget.settle(day, aside=aside, used=tally.total - before)
        return message

    def _check_pause(self) -> None:
        if self._paused and self._now() < self._paused[0]:
            raise AskError(self._paused[1], "paused")

    def _pause_after(self, error: AskError) -> None:
        """While the API is down, tell the next readers at once: no work queues up behind it."""
        if error.outcome in PASSING:
            pause = max(PAUSE, timedelta(seconds=min(error.wait or 0, 1e6)))
            self._paused = (self._now() + min(pause, LONGEST_PAUSE), str(error))

    def _tell(self, issue: IssueRef, outcome: str, tally: Tally) -> None:
        """Log and count one question; neither the text nor the answer is in it."""
        seconds = time.monotonic() - tally.began
        self._observe(outcome, tally.tokens_in, tally.tokens_out, seconds)
        log.info(
            "ai.read",
            issue=str(issue),
            outcome=outcome,
            model=self._model,
            tokens_in=tally.tokens_in,
            tokens_out=tally.tokens_out,
            seconds=round(seconds, 3),
        )


class _Told(BaseModel):
    """What the API tells of a model, or of an error."""

    class Error(BaseModel):
        """Its `error`."""

        message: str = ""

    type: Literal["model", "error"]
    error: Error = Error()


def _access(status: int, content: bytes) -> Access:
    try:
        told = _Told.model_validate_json(content)
    except ValidationError:
        return Access(status)
    is_claude = (told.type == "model") == (status == 200)
    return Access(status, is_claude, told.error.message.startswith("model:"))


def wait_before_retry(error: Exception) -> bool | float:
    """Whether to ask again (stamina's back-off hook), or after how many seconds exactly."""
    if not isinstance(error, AskError) or error.wait is None or error.wait > LONGEST_WAIT:
        return False
    return error.wait or True


def answer_in(message: Message, form: Form[A]) -> A:
    """The answer in a message. Raises AskError: refused, cut-off, malformed or rejected."""
    match message.stop_reason:
        case "refusal":
            raise AskError("Claude declined to read this text", "refused")
        case "max_tokens":
            raise AskError("Claude's answer was cut off, twice", "cut-off")
        case "model_context_window_exceeded":
            raise AskError("the text is too long for the model", "rejected")
    try:
        return form.read(message.text)
    except ValueError:
        raise AskError("Claude's answer was not in the agreed form, twice", "malformed") from None


def _output_config(model: str, schema: dict[str, object]) -> OutputConfigParam:
    if model.startswith(NO_EFFORT):
        return {"format": {"type": "json_schema", "schema": schema}}
    return {"format": {"type": "json_schema", "schema": schema}, "effort": "low"}


def _status_error(error: anthropic.APIStatusError, model: str) -> AskError:
    """What an error status of the API means for the report.

    https://platform.claude.com/docs/en/api/errors
    """
    status = error.status_code
    log.warning("ai.status", status=status, code=error.error_code, request_id=error.request_id)
    if error.error_code == "enforced_spend_limit_reached":
        return AskError("the Claude account's spending limit is reached", "rejected")
    lasting = {
        401: "the API key is not accepted (401): see ANTHROPIC_API_KEY",
        402: "the Claude account's billing is refused (402)",
        403: f"the API key may not use {model} (403)",
        404: f"the API does not know the model {model} (404): see `model` under [ai]",
        413: "the text is too long for the API (413)",
    }
    if status in lasting:
        return AskError(lasting[status], "rejected")
    wait = _retry_after(error.response.headers.get("retry-after"))
    if status == 429:
        return AskError("Claude is asked too often at the moment (429)", "overloaded", wait)
    if status == 529:
        return AskError("Claude is overloaded at the moment (529)", "overloaded", wait)
    if status >= 500 or status in (408, 409):
        return AskError(f"the Claude API has a fault at the moment ({status})", "unreachable", wait)
    return AskError(f"the Claude API refuses the question ({status})", "rejected")


def _retry_after(header: str | None) -> float:
    """Seconds to wait; 0 where the API did not say, or in a way its documentation does not name."""
    try:
        return max(0.0, float(header or 0))
    except ValueError:
        return 0.0
