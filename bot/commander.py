"""Doing the commands of a comment: whose they are, whether they may, once, and what is said of it.

Each command is judged and done on its own, in order; one that fails does not stop the rest. What
was done is remembered by comment, place and words, so that a delivery that comes again, or a crash
in the middle, does nothing twice. All that is to be said goes into one reply.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections import Counter as Multiset
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog

from bot.boxes import REPLY, commands_of
from bot.commands import Call, Command, Commands, Outcome, Right, Said, find
from bot.errors import AIError, Forbidden, NotFound, Permanent, Retryable, UserError
from bot.folding import folded
from bot.gitea.events import Event
from bot.gitea.models import Comment, Issue, Permission, User
from bot.models import IssueRef
from bot.render import BREAK, Renderer, code
from bot.sayings import Pause

log = structlog.get_logger(__name__)

LONGEST_MESSAGE = 1_000  # characters
NOBODY = ""  # who gives what is noted beside commands
RATE_WAIT = 600.0  # seconds until commands that were put off are looked at again


class Talk(Protocol):
    """What talking needs of Gitea."""

    async def issue(self, ref: IssueRef) -> Issue:
        """The issue as it is now."""

    async def permission(self, repo: str, user: str) -> Permission:
        """What a user may in a repository."""

    def comments(self, ref: IssueRef) -> AsyncIterator[Comment]:
        """All comments of an issue."""

    async def create_comment(self, ref: IssueRef, body: str) -> Comment:
        """Write a comment."""

    async def edit_comment(self, repo: str, id: int, body: str) -> Comment:  # noqa: A002
        """Replace a comment's text."""

    async def react(self, ref: IssueRef, content: str) -> None:
        """React to an issue."""

    async def react_to_comment(self, repo: str, id: int, content: str) -> None:  # noqa: A002
        """React to a comment."""


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


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one command, as it is remembered and said."""

    text: str
    good: bool
    message: str = ""  # what was wrong
    usage: str = ""
    note: str = ""  # Markdown: what is said of one that went well
    answer: str = ""  # Markdown: what one that asks is answered
    look: tuple[str, ...] = ()
    afresh: bool = False

    def dump(self) -> str:
        """As JSON."""
        return json.dumps({name: getattr(self, name) for name in self.__slots__})

    @classmethod
    def load(cls, text: str) -> Result:
        """What `dump` wrote."""
        given = json.loads(text)
        return cls(**{**given, "look": tuple(given["look"])})


@dataclass(slots=True)
class Done:
    """What came of all commands of an event: issues to look at, those of them to read afresh.

    `name` is what all of it is remembered by; empty when there was nothing to do.
    """

    looks: set[IssueRef] = field(default_factory=set)
    afresh: set[IssueRef] = field(default_factory=set)
    name: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """The commands of one event: where they stand, who gave them, and what they are."""

    issue: IssueRef
    sender: str
    said: tuple[Said, ...]
    origin: str  # what makes them these commands and no others, however often delivered
    comment: int | None = None  # the comment to react to; None: the issue itself
    is_pull: bool = False
    boxes: bool = False

    @property
    def name(self) -> str:
        """What these very commands are remembered by, all together."""
        lines = "\n".join(f"{said.line} {said.text}" for said in self.said)
        return f"{self.origin}:{_digest(lines)}"


class Commander:
    """Does commands. `archived` tells whether nothing can be written in a repository."""

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
        now: Callable[[], datetime],
    ) -> None:
        self._gitea = gitea
        self._ledger = ledger
        self._commands = commands
        self._desk = desk
        self._renderer = renderer
        self._bot = bot
        self._manners = manners
        self._archived = archived
        self._now = now

    async def run(self, event: Event) -> Done:
        """Do what an event asks for; nothing when it asks for nothing."""
        # Reading a long comment takes a while; in a thread it holds nobody else up.
        request = await asyncio.to_thread(self.request, event)
        if request is None or not request.said or not self._listens_to(event):
            return Done()
        if await self._is_noted("over", request.name):
            return Done()
        if await self._archived(request.issue.repository):
            return Done()  # Gitea takes no answer there
        heard = await self._is_noted("said", request.name) or await self._is_quiet(request)
        if not heard:
            await self._react(request, "eyes")
        rights = _Rights(self._gitea, request)
        results = [await self._once(request, said, rights) for said in request.said]
        if not heard:
            await self._say(request, results)
            await self._react(request, "+1" if all(r.good for r in results) else "confused")
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

    # -- what is asked ----------------------------------------------------------------------

    def request(self, event: Event) -> Request | None:
        """The commands that an event brings."""
        if event.issue is None:
            return None
        if event.name == "issues" and event.action == "opened":
            said = closing_commands(self._find(event.body), event.body)
            origin = f"issue:{event.issue}"
            return Request(event.issue, event.sender, said, origin, is_pull=event.is_pull)
        if event.name != "issue_comment" or event.comment is None:
            return None
        comment, by = event.comment, event.sender
        before = event.changes.body_before
        if before is None:  # not the text was edited
            before = comment.body
        if event.action == "created":
            said, boxes = self._find(comment.body), False
        elif event.action == "edited" and comment.author.lower() == self._bot.login.lower():
            said = commands_of(before, comment.body)
            boxes = True
        elif event.action == "edited" and comment.author.lower() == by.lower():
            said, boxes = added(self._find(before), self._find(comment.body)), False
        else:
            return None
        origin = f"comment:{comment.id}"
        if boxes:
            origin += f":{comment.updated_at}"
        return Request(event.issue, by, said, origin, comment.id, event.is_pull, boxes)

    def _find(self, text: str) -> tuple[Said, ...]:
        known = [command.verb for command in self._commands]
        return tuple(find(text, bot=self._bot.login, known=known))

    def _listens_to(self, event: Event) -> bool:
        """Not to itself, and to other bots only where the settings name them."""
        sender = event.sender.lower()
        if sender == self._bot.login.lower():
            return False
        return not event.sent_by_a_program or sender in self._manners.bots

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

    async def _once(self, request: Request, said: Said, rights: _Rights) -> Result:
        key = f"{request.origin}:{said.line}:{_digest(said.text)}"
        before = await self._ledger.result_of(key)
        if before is not None:
            return Result.load(before)
        await self._not_too_many(request)
        await self._ledger.begin_command(key, request.sender)
        result = await self._do(request, said, rights)
        await self._ledger.finish_command(key, result.dump())
        log.info("command", issue=str(request.issue), verb=said.verb, good=result.good)
        return result

    async def _do(self, request: Request, said: Said, rights: _Rights) -> Result:
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

    # -- what is said -----------------------------------------------------------------------

    async def _say(self, request: Request, results: Sequence[Result]) -> None:
        if all(r.good and not r.note and not r.answer for r in results):
            return
        body = self._body(request, results)
        last = await self._reply_to_edit(request, _question(request, results))
        if last is None:
            await self._gitea.create_comment(request.issue, body)
        elif last.body != body:
            await self._gitea.edit_comment(request.issue.repository, last.id, body)

    def _body(self, request: Request, results: Sequence[Result]) -> str:
        said = self._renderer.reply(
            "replies/results",
            issue=request.issue,
            results=results,
            plain=all(r.answer for r in results),
        ).strip()
        shown, rest = folded(said)
        if rest:
            said = self._renderer.reply("replies/folded", shown=shown, rest=rest).strip()
        return f"{_marker(request)}asked={_question(request, results)} -->\n{said}\n"

    async def _reply_to_edit(self, request: Request, question: str) -> Comment | None:
        """The reply to this very request, or the last answer when only asking came after it."""
        last: Comment | None = None
        async for comment in self._gitea.comments(request.issue):
            if comment.user.id == self._bot.id and comment.body.startswith(REPLY):
                if comment.body.startswith(_marker(request)):
                    return comment
                answers = comment.body.partition(" -->")[0].endswith(f" asked={question}")
                last = comment if question and answers else None
            elif last is not None and not self._only_asks(comment, question):
                last = None
        return last

    def _only_asks(self, comment: Comment, question: str) -> bool:
        """Whether a comment holds nothing but that question."""
        said = self._find(comment.body)
        lines = [line for line in comment.body.splitlines() if line.strip()]
        return len(said) == len(lines) == 1 and _digest(said[0].text) == question

    async def _react(self, request: Request, content: str) -> None:
        """A reaction is a courtesy: where it is refused, the work goes on."""
        try:
            if request.boxes:
                return
            if request.comment is None:
                await self._gitea.react(request.issue, content)
            else:
                repo = request.issue.repository
                await self._gitea.react_to_comment(repo, request.comment, content)
        except Permanent as error:
            log.info("reaction.refused", issue=str(request.issue), error=str(error))


class _Rights:
    """What the sender may here, asked of Gitea once and only when a command needs it."""

    def __init__(self, gitea: Talk, request: Request) -> None:
        self._gitea = gitea
        self._request = request
        self._found: Right | None = None

    async def need(self, command: Command) -> Right:
        """The sender's right, which is enough for the command here; else UserError."""
        right = command.who
        if self._request.is_pull and not command.on_pulls:
            raise UserError("this is for issues; a pull request has no report")
        if right is Right.ANYONE:
            return Right.ANYONE
        if right is Right.CONCERNED and await self._is_concerned():
            return Right.CONCERNED
        found = await self._right()
        if found < max(right, Right.WRITE):
            what = "be an administrator of" if right is Right.ADMIN else "write in"
            also = ", be the issue's author or an assignee" if right is Right.CONCERNED else ""
            raise UserError(f"for this you have to {what} this repository{also}")
        return found

    async def _is_concerned(self) -> bool:
        issue = await self._gitea.issue(self._request.issue)
        sender = self._request.sender
        return issue.user.is_called(sender) or issue.assigned_to(sender)

    async def _right(self) -> Right:
        if self._found is None:
            try:
                found = await self._gitea.permission(
                    self._request.issue.repository, self._request.sender
                )
            except NotFound:
                raise UserError("Gitea does not know you here") from None
            except Forbidden:
                raise UserError(
                    "I cannot look up what you may do here; make me an administrator of this "
                    "repository"
                ) from None
            self._found = right_of(found)
        return self._found


def _marker(request: Request) -> str:
    """How the reply to a request begins: by it a crash in the middle makes no second one."""
    return f"{REPLY} {request.name} "


def _question(request: Request, results: Sequence[Result]) -> str:
    """What a request asks, by which the same question is known again; empty for all others."""
    if len(results) == 1 and results[0].answer:
        return _digest(request.said[0].text)
    return ""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def right_of(permission: Permission) -> Right:
    """Gitea's word for it as ours."""
    if permission.can_administer:
        return Right.ADMIN
    return Right.WRITE if permission.can_write else Right.ANYONE


def added(before: Collection[Said], after: Collection[Said]) -> tuple[Said, ...]:
    """The commands of an edited comment that it did not hold before."""
    there = Multiset(said.text for said in before)
    new = []
    for said in after:
        if there[said.text]:
            there[said.text] -= 1
        else:
            new.append(said)
    return tuple(new)


def closing_commands(said: Sequence[Said], text: str) -> tuple[Said, ...]:
    """The commands that are a text's last paragraph; none when anything else stands in it."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").rstrip().split("\n")
    first = len(lines)
    while first and lines[first - 1].strip():
        first -= 1
    closing = tuple(one for one in said if one.line >= first)
    return closing if len(closing) == len(lines) - first else ()


# What is code or escaped, what is not, and where Gitea would see a mention, reference or address.
_UNSAFE = re.compile(
    r"(\\[`*_~<|&$\\]|&#(?:38|60|9[1-3]|96|124|8203);|(?<!`)`[^`]+`(?!`))|([`<|&\[\\])"
    r"|(?<=@)(?=\w)|(?<=[#!])(?=\d)|(?<=:)(?=[/\w+-])|(?<=www)(?=\.)",
    re.IGNORECASE,
)


def harmless(message: str) -> str:
    """A message as one line of Markdown in which at most code stands out.

    Whoever wrote it should have escaped what a person said; should that be forgotten, it still is
    no mention, link, reference, table cell or HTML. What is escaped already is left as it is.
    """
    line = " ".join(message.split())[:LONGEST_MESSAGE]
    return _UNSAFE.sub(lambda m: m[1] or (f"&#{ord(m[2])};" if m[2] else BREAK), line)


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
