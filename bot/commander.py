"""Doing the commands of a comment: whose they are, whether they may, once, and what is said of it.

Each command is judged and done on its own, in order; one that fails does not stop the rest. What
was done is remembered by comment, place and words, so that a delivery that comes again, or a crash
in the middle, does nothing twice. All that is to be said goes into one reply.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog

from bot.commands import MAX_COMMANDS, Call, Command, Commands, Outcome, Said
from bot.errors import AIError, Permanent, Retryable, UserError
from bot.gitea.events import Event
from bot.gitea.models import Comment, Issue, User
from bot.hearing import Hearing, Reader
from bot.ledger import NOBODY, OVER, SAID, Ledger, is_noted, note
from bot.listening import Listener
from bot.models import POLICY_FILE, IssueRef
from bot.policy import Policy
from bot.render import Renderer, code
from bot.replies import Pen, Replies, harmless
from bot.requests import Done, Request, Result, Wanted
from bot.rights import Registry, Rights

log = structlog.get_logger(__name__)

BEFORE = timedelta(hours=1)  # back from what is said, what was missed before it is looked for
RATE_WAIT = 600.0  # seconds until commands that were put off are looked at again


class Talk(Pen, Registry, Reader, Protocol):
    """What talking needs of Gitea."""


@dataclass(frozen=True, slots=True)
class Manners:
    """The settings of talking: other bots that are answered, commands per person and hour.

    `remembered`: for how long it is known which commands were done; `catch_up`: those that were
    missed, and are older, are not done.
    """

    bots: frozenset[str] = frozenset()
    per_hour: int = 60
    remembered: timedelta = timedelta(days=90)
    catch_up: timedelta = timedelta(days=7)


class Commander:
    """Does commands.

    `archived` tells whether nothing can be written in a repository, `policy` what holds in it,
    `clock` Gitea's time, or an earlier one.
    """

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
        archived: Callable[[str], Awaitable[bool]],
        policy: Callable[[str], Awaitable[Policy]],
        now: Callable[[], datetime],
        clock: Callable[[], datetime],
    ) -> None:
        self._gitea = gitea
        self._ledger = ledger
        self._commands = commands
        self._desk = desk
        self._renderer = renderer
        self._bot = bot
        self._manners = manners
        self._archived = archived
        self._policy = policy
        self._now = now
        self._clock = clock
        self._listener = Listener(bot, commands, manners.bots)
        self._hearing = Hearing(gitea, ledger, self._listener)
        self._replies = Replies(gitea, renderer, bot, self._listener.find)

    async def run(self, event: Event, written_at: str = "", in_hand: Collection[int] = ()) -> Done:
        """Do what an event asks for; nothing when it asks for nothing.

        `written_at`: when the bot last wrote the comment that the event is about, if it is its own;
        `in_hand`: comments whose own events are here, and have their turn later.
        """
        if event.said_at and self._clock() - event.said_at > self._manners.remembered:
            log.info("command.too_old", issue=str(event.issue), said_at=event.said_at.isoformat())
            return Done()  # nobody knows any more whether it was done
        request = await self._hearing.told(event, written_at)
        if request is None:
            return Done()
        done = Done() if request.boxes else await self._missed_before(event, in_hand)
        done.add(await self._answer(request))
        return done

    async def _missed_before(self, event: Event, in_hand: Collection[int]) -> Done:
        """Do first what was said shortly before, and was not heard."""
        if event.issue is None or event.said_at is None:
            return Done()
        oldest = event.said_at - min(BEFORE, self._manners.catch_up)
        if self._bot.created:
            oldest = max(oldest, self._bot.created)  # what was said earlier was said to others
        missed = await self._hearing.missed_before(event, oldest, in_hand)
        if not missed:
            return Done()
        log.info("command.missed", issue=str(event.issue), comments=missed)
        try:
            return await self.hear(event.issue, missed, oldest=oldest)
        except (Retryable, Permanent, UserError) as error:
            log.warning("command.not_made_up_for", issue=str(event.issue), error=str(error))
            return Done()  # it is found again by asking; who says something else need not wait

    async def hear(
        self,
        ref: IssueRef,
        comments: Collection[int],
        *,
        oldest: datetime,
        opening: bool = False,
        written_at: str = "",
    ) -> Done:
        """Do what comments ask for, and with `opening` the issue's text, and what was not done.

        They are found by asking, for no event may have told of them. What was written before
        `oldest` is left alone; `written_at` as for `run`, of the issue's report.
        """
        done = Done()
        for found in await self._hearing.read(ref, comments, opening=opening, oldest=oldest):
            for request in await self._hearing.asked(found, written_at):
                done.add(await self._answer(request))
        return done

    def holds_commands(self, written: Comment | Issue) -> bool:
        """Whether there may be something for `hear` in a comment, or in an issue's text.

        Nothing is asked for it but Markdown: call it in a thread.
        """
        return self._listener.holds_commands(written)

    async def close(self, done: Done) -> None:
        """Note that everything was done, the looks too: what comes again is passed over."""
        for name in done.names:
            await note(self._ledger, f"{OVER}:{name}", OVER)

    async def _answer(self, request: Request) -> Done:
        if request.wanted and await self._archived(request.issue.repository):
            return Done()  # Gitea takes no answer there
        if not request.wanted:
            return _looks(request, ())
        if await is_noted(self._ledger, OVER, request.name):
            return Done()
        heard = await is_noted(self._ledger, SAID, request.name) or await self._is_quiet(request)
        if not heard:
            await self._replies.react(request, "eyes")
        rights = Rights(self._gitea, request)
        results = [await self._once(request, one, rights) for one in request.wanted]
        if not heard:
            await self._replies.say(request, results)
            await self._replies.react(request, "+1" if all(r.good for r in results) else "confused")
            await note(self._ledger, f"{SAID}:{request.name}", SAID)
        return _looks(request, results)

    async def _is_quiet(self, request: Request) -> bool:
        """In a paused repository commands are done, and nothing is written of them."""
        verbs = {said.verb for said in request.said}
        if verbs & {"pause", "resume"}:
            return False
        return await self._ledger.paused(request.issue.repository) is not None

    async def _not_too_many(self, request: Request) -> None:
        if not request.sender:
            return
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

    async def _once(self, request: Request, one: Wanted, rights: Rights) -> Result:
        before = await self._ledger.result_of(one.key)
        if before is not None:
            return await self._taken_over(request, one, Result.load(before))
        await self._not_too_many(request)
        await self._ledger.begin_command(one.key, request.sender)
        result = replace(await self._do(request, one.said, rights), request=request.name)
        await self._ledger.finish_command(one.key, result.dump())
        log.info("command", issue=str(request.issue), verb=one.said.verb, good=result.good)
        return result

    async def _taken_over(self, request: Request, one: Wanted, result: Result) -> Result:
        """What was done before; from now on this request speaks of it, and no other."""
        if result.request != request.name:
            result = replace(result, request=request.name)
            await self._ledger.finish_command(one.key, result.dump())
        return result

    async def _do(self, request: Request, said: Said, rights: Rights) -> Result:
        command = self._commands.get(said.verb)
        text = f"{said.verb} {said.words}".strip() or f"@{self._bot.login}"
        if said.beyond:
            message = (
                f"not done, nor what follows: {MAX_COMMANDS} commands of one comment are; "
                "say the rest in another one"
            )
            return Result(text, good=False, message=message)
        if command is None:
            near = self._commands.nearest(said.verb)
            hint = f"did you mean `{near}`?" if near else "`help` lists what there is"
            what = f"there is no command {code(said.verb)}" if said.verb else "no command given"
            return Result(text, good=False, message=f"{what}; {hint}")
        if command.belongs_to in (await self._policy(request.issue.repository)).off:
            where = f"in this repository by {code(POLICY_FILE)}"
            return Result(text, good=False, message=f"switched off {where}")
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
            "" if request.doubt else request.sender,
            request.is_pull,
            right,
            request.comment,
            request.doubt,
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
    done = Done(names=[request.name] if request.wanted else [])
    for result in results:
        refs = {IssueRef.parse(ref) for ref in result.look}
        done.looks |= refs
        if result.afresh:
            done.afresh |= refs
    if request.boxes:
        done.looks.add(request.issue)
    return done
