"""Commands small enough to be seen through, and a world to give them in: Gitea, ledger and desk."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.boxes import REPLY
from bot.commander import Commander, Manners
from bot.commands import Call, Commands, Outcome, Right, command
from bot.errors import NotFound, UserError
from bot.gitea.events import Event
from bot.gitea.models import (
    Comment,
    Issue,
    IssueRepository,
    Permission,
    PullRequest,
    Repository,
    User,
)
from bot.models import IssueRef
from bot.policy import Policy
from bot.render import MARKER, Renderer
from bot.requests import Done
from bot.sayings import Field, Override, Overrides, Pause

HERE = IssueRef("acme", "rocket", 3)
BOT = User(id=7, login="coordinator")
NOW = datetime(2026, 11, 22, 15, 4, 5, tzinfo=UTC)
IDS = {"coordinator": 7, "alice": 1, "bob": 2, "mallory": 3}


# -- commands, small enough to be seen through ----------------------------------------------


@command("hold [REASON]", does="X.", who=Right.WRITE, examples=["/hold"])
async def hold(call: Call, desk: World) -> Outcome:
    await desk.set(f"hold {call.rest} by {call.sender}".replace("  ", " "))
    return Outcome.reconsider(call.issue)


@command("priority P", does="X.", who=Right.WRITE, examples=["/priority p1"])
async def priority(call: Call, desk: World) -> Outcome:
    await desk.set(f"priority {call.rest}")
    values = {"sender": call.rest, "most": 1}
    return Outcome(template="replies/too_many", values=values, look=(call.issue,))


@command("status [X]", does="X.", who=Right.ANYONE, examples=["/status"], on_pulls=True)
async def status(call: Call, desk: World) -> Outcome:
    return Outcome.reply("replies/too_many", sender=call.rest or "nobody", most=desk.changes)


@command("blocks REF", does="X.", who=Right.WRITE, examples=["/blocks"], on_pulls=True)
async def blocks(call: Call, desk: World) -> Outcome:
    await desk.set(f"blocks {call.rest} as {call.right.name}")
    return Outcome.reconsider(call.issue, HERE.sibling(4))


@command("unhold", does="X.", who=Right.WRITE, examples=["/unhold"])
async def unhold(call: Call, desk: World) -> Outcome:
    await desk.set(f"unhold by {call.sender}")
    return Outcome.reconsider(call.issue)


@command("blocked-by REF", does="X.", who=Right.WRITE, examples=["/blocked-by #4"])
async def blocked_by(call: Call, desk: World) -> Outcome:
    raise UserError(call.doubt or f"{call.sender} is known")


@command("recheck", does="X.", who=Right.CONCERNED, examples=["/recheck"])
async def recheck(call: Call, desk: World) -> Outcome:
    return Outcome.reconsider(call.issue)


@command("parse", does="X.", who=Right.WRITE, examples=["/parse"])
async def parse(call: Call, desk: World) -> Outcome:
    return Outcome.reconsider(call.issue, afresh=True)


@command("pause", does="X.", who=Right.ADMIN, examples=["/pause"])
async def pause(call: Call, desk: World) -> Outcome:
    await desk.set("pause")
    return Outcome.reconsider(call.issue)


@command("fail [WORDS]", does="X.", who=Right.ANYONE, examples=["/fail"])
async def fail(call: Call, desk: World) -> Outcome:
    await desk.set("tried")
    raise desk.failure or UserError(f"that is wrong: {call.rest}")


@command("long", does="X.", who=Right.ANYONE, examples=["/long"])
async def long(call: Call, desk: World) -> Outcome:
    return Outcome.reply("replies/folded", shown=desk.text, rest="")


@command("split-now", does="X.", who=Right.WRITE, examples=[], hidden=True)
async def hidden(call: Call, desk: World) -> Outcome:
    return Outcome.reconsider(call.issue)


ALL = (
    hold,
    unhold,
    priority,
    status,
    blocked_by,
    blocks,
    recheck,
    parse,
    pause,
    fail,
    long,
    hidden,
)
COMMANDS = Commands([one.declaration for one in ALL])  # type: ignore[attr-defined]


class CrashError(BaseException):
    """The process is gone."""


@dataclass
class World:
    """Gitea, the ledger and the desk; `crash` is the call at which the process ends."""

    rights: dict[str, str] = field(
        default_factory=lambda: {"alice": "admin", "bob": "write", "mallory": "read"}
    )
    comments_there: list[Comment] = field(default_factory=list)
    edits: list[int] = field(default_factory=list)
    reactions: set[tuple[int | None, str]] = field(default_factory=set)
    refused: dict[str, Exception] = field(default_factory=dict)
    ledger: dict[str, tuple[str, datetime, str]] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    now: datetime = NOW
    bots: frozenset[str] = frozenset()
    per_hour: int = 60
    catch_up: timedelta = timedelta(days=7)
    bot_made: datetime | None = None
    is_paused: bool = False
    is_archived: bool = False
    off: frozenset[str] = frozenset()
    on_hold: bool = False
    body: str = ""
    content_version: int = 0
    opener: User = field(default_factory=lambda: User(id=1, login="Carol"))
    is_pull: bool = False
    is_gone: bool = False
    repository_made: datetime = NOW - timedelta(days=300)
    failure: Exception | None = None
    text: str = ""
    crash: int = -1
    calls: int = 0
    asked: list[str] = field(default_factory=list)

    @property
    def changes(self) -> int:
        return len(set(self.told))

    @property
    def commander(self) -> Commander:
        return Commander(
            gitea=self,
            ledger=self,
            commands=COMMANDS,
            desk=self,
            renderer=Renderer(),
            bot=BOT.model_copy(update={"created": self.bot_made}),
            manners=Manners(self.bots, self.per_hour, catch_up=self.catch_up),
            archived=self.archived,
            policy=self.policy,
            now=lambda: self.now,
            clock=lambda: self.now,
        )

    def step(self, name: str) -> None:
        """One call from outside; every other one crashes before it, or after it is done."""
        self.asked.append(name)
        if name in self.refused:
            raise self.refused[name]

    def stepped(self) -> None:
        self.calls += 1
        if self.calls == self.crash:
            raise CrashError

    async def policy(self, repository: str) -> Policy:
        assert HERE.repository == repository
        return Policy(off=self.off)

    async def archived(self, repository: str) -> bool:
        assert HERE.repository == repository
        return self.is_archived

    # Gitea

    async def issue(self, ref: IssueRef) -> Issue:
        self.step("issue")
        if self.is_gone:
            raise NotFound("gone", status=404)
        return Issue(
            id=1,
            number=ref.number,
            body=self.body,
            user=self.opener,
            assignees=(User(id=5, login="Dave"),),
            created_at=NOW,
            updated_at=NOW,
            repository=IssueRepository(
                id=1, name=ref.repo, owner=ref.owner, full_name=ref.repository
            ),
            pull_request=PullRequest() if self.is_pull else None,
            content_version=self.content_version,
        )

    async def repository(self, owner: str, repo: str) -> Repository:
        self.step("repository")
        return Repository(
            id=1,
            full_name=f"{owner}/{repo}",
            owner=User(id=1, login=owner),
            created_at=self.repository_made,
            archived=self.is_archived,
        )

    async def comment(self, repo: str, id: int) -> Comment:  # noqa: A002
        self.step("comment")
        found = [one for one in self.comments_there if one.id == id]
        if not found:
            raise NotFound("deleted", status=404)
        return found[0]

    async def permission(self, repo: str, user: str) -> Permission:
        assert HERE.repository == repo
        self.step("permission")
        return Permission(permission=self.rights.get(user, "none"))

    async def comments(
        self, ref: IssueRef, *, since: datetime | None = None
    ) -> AsyncIterator[Comment]:
        self.step("comments")
        for one in list(self.comments_there):
            if since is None or one.updated_at >= since:
                yield one

    def write(self, login: str, body: str) -> Comment:
        made = Comment(
            id=100 + len(self.comments_there),
            body=body,
            user=User(id=IDS.get(login, 99), login=login),
            created_at=self.now,
            updated_at=self.now,
            issue_url=f"https://git.test/{HERE.repository}/issues/{HERE.number}",
        )
        self.comments_there.append(made)
        return made

    def edit(self, comment: Comment, body: str, *, after: float = 60) -> Comment:
        """Somebody edits a comment, so many seconds after it was written."""
        at = self.comments_there.index(comment)
        when = comment.created_at + timedelta(seconds=after)
        changed = comment.model_copy(update={"body": body, "updated_at": when})
        self.comments_there[at] = changed
        return changed

    async def create_comment(self, ref: IssueRef, body: str) -> Comment:
        self.step("create_comment")
        made = self.write(BOT.login, body)
        self.stepped()
        return made

    async def edit_comment(self, repo: str, id: int, body: str) -> Comment:  # noqa: A002
        self.step("edit_comment")
        at = next(i for i, one in enumerate(self.comments_there) if one.id == id)
        self.comments_there[at] = self.comments_there[at].model_copy(update={"body": body})
        self.edits.append(id)
        self.stepped()
        return self.comments_there[at]

    async def react(self, ref: IssueRef, content: str) -> None:
        self.step("react")
        self.reactions.add((None, content))
        self.stepped()

    async def react_to_comment(self, repo: str, id: int, content: str) -> None:  # noqa: A002
        self.step("react")
        self.reactions.add((id, content))
        self.stepped()

    # the ledger

    async def begin_command(self, key: str, by: str) -> bool:
        new = key not in self.ledger
        self.ledger.setdefault(key, (by.lower(), self.now, ""))
        self.stepped()
        return new

    async def finish_command(self, key: str, result: str) -> None:
        by, at, _ = self.ledger[key]
        self.ledger[key] = (by, at, result)
        self.stepped()

    async def result_of(self, key: str) -> str | None:
        return self.ledger.get(key, ("", NOW, ""))[2] or None

    async def finished(self, prefix: str) -> dict[str, str]:
        return {k: one[2] for k, one in self.ledger.items() if k.startswith(prefix) and one[2]}

    async def overrides(self, issue: IssueRef) -> Overrides:
        held = (Override(Field.HOLD, "yes", "alice", NOW),) if self.on_hold else ()
        return Overrides(held)

    async def commands_since(self, by: str, since: datetime) -> int:
        return sum(one[0] == by.lower() and one[1] >= since for one in self.ledger.values())

    async def paused(self, repository: str) -> Pause | None:
        return Pause(repository, "alice", NOW) if self.is_paused else None

    # the desk

    async def set(self, what: str) -> None:
        self.told.append(what)
        self.stepped()

    # what happens

    async def say(self, who: str, text: str, **more: object) -> Done:
        """Somebody writes a comment, and the bot hears of it."""
        return await self.hears(who, self.write(who, text), **more)

    async def hears(self, who: str, comment: Comment, **more: object) -> Done:
        return await self.deliver(commented(who, comment.id, comment.body, **more))

    async def deliver(self, event: Event, in_hand: Collection[int] = ()) -> Done:
        done = await self.commander.run(event, in_hand=in_hand)
        await self.commander.close(done)
        return done

    def report(self, *boxes: str) -> Comment:
        """The bot writes its report, with boxes: `parse`, or `hold on` for one that it ticks."""
        lines = [
            f"- [{'x' if b.endswith(' on') else ' '}] <!-- mosaic:box={b} --> X" for b in boxes
        ]
        return self.write(BOT.login, "\n".join([MARKER, *lines]))

    def tick(self, comment: Comment, box: str, *, after: float = 60) -> Comment:
        """Somebody ticks a box, or clears it."""
        line = re.search(
            rf"^- \[(.)\] <!-- mosaic:box={box}(?: on)? -->", comment.body, re.MULTILINE
        )
        assert line
        at, mark = line.start(1), "x" if line[1] == " " else " "
        return self.edit(comment, f"{comment.body[:at]}{mark}{comment.body[at + 1 :]}", after=after)

    async def found(self, *comments: Comment | int, **more: Any) -> Done:
        """The bot finds comments by asking, and does what is asked for there."""
        ids = [one if isinstance(one, int) else one.id for one in comments]
        done = await self.commander.hear(HERE, ids, **{"oldest": NOW - timedelta(days=7), **more})
        await self.commander.close(done)
        return done

    @property
    def replies(self) -> list[str]:
        """What the bot said besides its report, without the line by which it knows it again."""
        mine = [one.body for one in self.comments_there if one.user.id == BOT.id]
        mine = [body for body in mine if not body.startswith(MARKER)]
        return [
            (body.partition("\n")[2] if body.startswith(REPLY) else body).strip() for body in mine
        ]

    @property
    def reply(self) -> str:
        [one] = self.replies
        return one


def commented(
    who: str,
    comment: int,
    body: str,
    *,
    action: str = "created",
    author: str = "",
    before: str | None = None,
    is_pull: bool = False,
    sender_id: int = 1,
    updated_at: str = "2026-11-22T15:04:05Z",
    delivery: str = "d",
) -> Event:
    data = {
        "action": action,
        "sender": {"id": sender_id, "login": who},
        "repository": {"full_name": HERE.repository},
        "issue": {"number": HERE.number},
        "comment": {
            "id": comment,
            "body": body,
            "updated_at": updated_at,
            "user": {"login": author or who},
        },
        "is_pull": is_pull,
    }
    if before is not None:
        data["changes"] = {"body": {"from": before}}
    return Event(delivery, "issue_comment", "issue_comment", "repository", data)  # type: ignore[arg-type]


def opened(body: str, who: str = "bob", created_at: str = "2026-11-22T15:04:05Z") -> Event:
    data = {
        "action": "opened",
        "sender": {"id": 1, "login": who},
        "repository": {"full_name": HERE.repository},
        "issue": {"number": HERE.number, "body": body, "created_at": created_at},
    }
    return Event("d", "issues", "issues", "repository", data)  # type: ignore[arg-type]
