"""Doing the commands of a comment: whose they are, whether they may, once, and what is said of it.

Each command is judged and done on its own, in order; one that fails does not stop the rest. What
was done is remembered by comment, place and words, so that a delivery that comes again, or a crash
in the middle, does nothing twice. All that is to be said goes into one reply.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog

from bot.commands import Call, Command, Commands, Outcome, Said
from bot.errors import AIError, Permanent, Retryable, UserError
from bot.gitea.events import Event
from bot.gitea.models import User
from bot.listening import Listener
from bot.models import IssueRef
from bot.render import Renderer, code
from bot.replies import Pen, Replies, harmless
from bot.requests import Done, Request, Result, digest
from bot.rights import Registry, Rights
from bot.sayings import Pause

log = structlog.get_logger(__name__)

NOBODY = ""  # who gives what is noted beside commands
RATE_WAIT = 600.0  # seconds until commands that were put off are looked at again


class Talk(Pen, Registry, Protocol):
    """What talking needs of Gitea."""


class Ledger(Protocol):
    """What was done already."""

    async def begin_command(self, key: str, by: str) -> bool:
        """Note that a command is begun; False when it was before."""

    async def finish_command(self, key: str, result: str) -> None:
        """Note what came of it."""

    async def result_of(self, key: str) -> str | None:
        """What came of it, or None while that is not known."""

    async def commands_since(self, by: str, since: datetime) -> int:
        """How many commands somebody gave since then."""

    async def paused(self, repository: str) -> Pause | None:
        """Whether nothing is to be written in a repository."""


@dataclass(frozen=True, slots=True)
class Manners:
    """The settings of talking: other bots that are answered, commands per person and hour."""

    bots: frozenset[str] = frozenset()
    per_hour: int = 60


class Commander:
    """Does commands."""

    def __init__(
        self,
        *,
        gitea: Talk,
        ledger: Ledger,
        commands: Commands,
        desk: object,
        renderer: Renderer,
        bot: User,
        manners: Manners,
        now: Callable[[], datetime],
    ) -> None:
        self._gitea = gitea
        self._ledger = ledger
        self._commands = commands
        self._desk = desk
        self._renderer = renderer
        self._bot = bot
        self._manners = manners
        self._now = now
        self._listener = Listener(bot, commands, manners.bots)
        self._replies = Replies(gitea, renderer, bot, self._listener.find)

    async def run(self, event: Event) -> Done:
        """Do what an event asks for; nothing when it asks for nothing."""
        # Reading a long comment takes a while; in a thread it holds nobody else up.
        request = await asyncio.to_thread(self._listener.request, event)
        if request is None or not request.said or not self._listener.listens_to(event):
            return Done()
        if await self._is_noted("over", request.name):
            return Done()
        heard = await self._is_noted("said", request.name) or await self._is_quiet(request)
        if not heard:
            await self._replies.react(request, "eyes")
        rights = Rights(self._gitea, request)
        results = [await self._once(request, said, rights) for said in request.said]
        if not heard:
            await self._replies.say(request, results)
            await self._replies.react(request, "+1" if all(r.good for r in results) else "confused")
            await self._note("said", request.name)
        return _looks(request, results)

    async def close(self, done: Done) -> None:
        """Note that everything was done, the looks too: what comes again is passed over."""
        if done.name:
            await self._note("over", done.name)

    async def _is_noted(self, what: str, name: str) -> bool:
        return await self._ledger.result_of(f"{what}:{name}") is not None

    async def _note(self, what: str, name: str) -> None:
        await self._ledger.begin_command(f"{what}:{name}", NOBODY)
        await self._ledger.finish_command(f"{what}:{name}", what)

    async def _is_quiet(self, request: Request) -> bool:
        """In a paused repository commands are done, and nothing is written of them."""
        verbs = {said.verb for said in request.said}
        if verbs & {"pause", "resume"}:
            return False
        return await self._ledger.paused(request.issue.repository) is not None

    async def _not_too_many(self, request: Request) -> None:
        since = self._now() - timedelta(hours=1)
        if await self._ledger.commands_since(request.sender, since) < self._manners.per_hour:
            return
        hour = f"{self._now():%Y-%m-%dT%H}"
        if await self._ledger.begin_command(f"notice:{request.sender.lower()}:{hour}", NOBODY):
            most = self._manners.per_hour
            body = self._renderer.reply("replies/too_many", sender=request.sender, most=most)
            if not await self._is_quiet(request):
                await self._gitea.create_comment(request.issue, body)
        raise Retryable("too many commands by one person", retry_after=RATE_WAIT)

    # -- one command ------------------------------------------------------------------------

    async def _once(self, request: Request, said: Said, rights: Rights) -> Result:
        key = f"{request.origin}:{said.line}:{digest(said.text)}"
        before = await self._ledger.result_of(key)
        if before is not None:
            return Result.load(before)
        await self._not_too_many(request)
        await self._ledger.begin_command(key, request.sender)
        result = await self._do(request, said, rights)
        await self._ledger.finish_command(key, result.dump())
        log.info("command", issue=str(request.issue), verb=said.verb, good=result.good)
        return result

    async def _do(self, request: Request, said: Said, rights: Rights) -> Result:
        command = self._commands.get(said.verb)
        text = f"{said.verb} {said.words}".strip() or f"@{self._bot.login}"
        if command is None:
            near = self._commands.nearest(said.verb)
            hint = f"did you mean `{near}`?" if near else "`help` lists what there is"
            what = f"there is no command {code(said.verb)}" if said.verb else "no command given"
            return Result(text, good=False, message=f"{what}; {hint}")
        try:
            right = await rights.need(command)
        except UserError as error:  # its words may be right: how it is written is no help
            return Result(text, good=False, message=harmless(str(error)))
        except Permanent as error:
            return Result(text, good=False, message=f"Gitea refused: {code(error.message)}")
        call = Call(
            request.issue,
            command.verb,
            said.words,
            request.sender,
            request.is_pull,
            right,
            request.comment,
        )
        return await self._carry_out(command, call, text)

    async def _carry_out(self, command: Command, call: Call, text: str) -> Result:
        try:
            outcome = await command.do(call, self._desk)
        except UserError as error:
            return Result(text, good=False, message=harmless(str(error)), usage=command.usage)
        except Permanent as error:
            return Result(text, good=False, message=f"Gitea refused: {code(error.message)}")
        except AIError as error:
            return Result(text, good=False, message=harmless(str(error)))
        return self._result(call, text, outcome)

    def _result(self, call: Call, text: str, outcome: Outcome) -> Result:
        said = ""
        if outcome.template:
            values: Mapping[str, Any] = {"issue": call.issue, "call": call, **outcome.values}
            said = self._renderer.reply(outcome.template, **values).strip()
        asks = bool(said) and not outcome.look
        return Result(
            text,
            good=True,
            note="" if asks else said,
            answer=said if asks else "",
            look=tuple(str(ref) for ref in outcome.look),
            afresh=outcome.afresh,
        )


def _looks(request: Request, results: Sequence[Result]) -> Done:
    done = Done(name=request.name)
    for result in results:
        refs = {IssueRef.parse(ref) for ref in result.look}
        done.looks |= refs
        if result.afresh:
            done.afresh |= refs
    if request.boxes:
        done.looks.add(request.issue)
    return done
