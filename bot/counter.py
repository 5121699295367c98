"""The desk at which commands are done: everything `bot.desk` speaks of, put together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from bot.boxes import holds_split
from bot.commands import Commands, References, Right
from bot.desk import Standing, Written
from bot.errors import Forbidden, NotFound, UserError
from bot.gitea.models import Comment, Issue, Permission
from bot.models import Agent, IssueRef, RefState, Report
from bot.policy import Policy
from bot.proposal import part_of
from bot.rights import right_of
from bot.sayings import Field
from bot.splitting import Part
from bot.store.queries import Known, Store
from bot.store.sayings import SayingsStore


class Gitea(Protocol):
    """What this needs of Gitea."""

    async def issue(self, ref: IssueRef) -> Issue:
        """An issue as it is now."""

    async def permission(self, repo: str, user: str) -> Permission:
        """What a user may in a repository."""

    async def create_issue(self, repo: str, title: str, body: str) -> Issue:
        """Open an issue."""

    def comments(self, ref: IssueRef) -> AsyncIterator[Comment]:
        """All comments of an issue, the oldest first."""

    def issues_since(self, repo: str, since: datetime) -> AsyncIterator[Issue]:
        """The issues of a repository that changed since then."""


class Splitter(Protocol):
    """What this needs of Claude."""

    async def split(
        self, *, title: str, body: str, issue: IssueRef, room: int, tokens: int
    ) -> tuple[Part, ...]:
        """The parts into which it would split an issue."""


class Examiner(Protocol):
    """What this needs of the coordinator."""

    async def examine(self, ref: IssueRef) -> Report | None:
        """The report as decided now, nothing written."""


class Surveyor(Protocol):
    """What this needs of the surveyor."""

    async def edges(self, issue: IssueRef) -> Collection[tuple[IssueRef, IssueRef]]:
        """Every edge around that may be shown at an issue."""

    async def circle(
        self,
        waits: IssueRef,
        on: IssueRef,
        *,
        at: IssueRef,
        also: Collection[tuple[IssueRef, IssueRef]] = (),
    ) -> Sequence[IssueRef]:
        """The circle that an edge would close, as it may be shown at an issue."""

    async def may_show(self, refs: Collection[IssueRef], at: IssueRef) -> set[IssueRef]:
        """Those of the issues that may be named at an issue."""

    async def unshown(self, refs: Collection[IssueRef], at: IssueRef) -> dict[IssueRef, int]:
        """How many things hold issues back that may not be named at another one."""


class Counter:
    """The desk."""

    def __init__(
        self,
        *,
        store: Store,
        sayings: SayingsStore,
        gitea: Gitea,
        examiner: Examiner,
        surveyor: Surveyor,
        agents: Sequence[Agent],
        commands: Commands,
        bot: str,
        references: References,
        put_back: Callable[[IssueRef], Awaitable[int]],
        policy: Callable[[str], Awaitable[Policy]],
        splitter: Splitter | None = None,
    ) -> None:
        self._store = store
        self._gitea = gitea
        self._examiner = examiner
        self._surveyor = surveyor
        self._splitter = splitter
        self.agents = agents
        self.commands = commands
        self.bot = bot
        self.references = references
        self._put_back = put_back
        self.policy = policy
        self.sayings = sayings
        # What people said is the store's; it is here under the same names.
        self.overrides = sayings.overrides
        self.override = sayings.override
        self.give_back = sayings.give_back
        self.link = sayings.link
        self.ignore = sayings.ignore
        self.unlink = sayings.unlink
        self.links = sayings.links
        self.pause = sayings.pause
        self.resume = sayings.resume
        self.paused = sayings.paused

    async def report(self, issue: IssueRef) -> Report | None:
        """The issue's report as decided now, nothing written; None when it is not coordinated."""
        return await self._examiner.examine(issue)

    async def put_back(self, issue: IssueRef) -> int:
        """Do again what failed on an issue; how many pieces of work that is."""
        return await self._put_back(issue)

    async def text(self, issue: IssueRef) -> str:
        """The issue's title and text, as they are now."""
        found = await self._gitea.issue(issue)
        return f"{found.title}\n\n{found.body}"

    async def edges(self, issue: IssueRef) -> Collection[tuple[IssueRef, IssueRef]]:
        """Every known edge (waits, for) connected with an issue, both ways, bounded."""
        return await self._surveyor.edges(issue)

    async def circle(
        self,
        waits: IssueRef,
        on: IssueRef,
        *,
        at: IssueRef,
        also: Collection[tuple[IssueRef, IssueRef]] = (),
    ) -> Sequence[IssueRef]:
        """The circle that would be closed if one waited for another; empty when none."""
        return await self._surveyor.circle(waits, on, at=at, also=also)

    async def standing(self, refs: Collection[IssueRef]) -> Mapping[IssueRef, Standing]:
        """What is remembered of issues; unknown ones are absent."""
        known = await self._store.issues(refs)
        return {ref: await self._standing(one) for ref, one in known.items()}

    async def unshown(self, refs: Collection[IssueRef], at: IssueRef) -> Mapping[IssueRef, int]:
        """How many things hold issues back that may not be named at another one; none: absent."""
        return await self._surveyor.unshown(refs, at)

    async def queue(self, repository: str) -> Sequence[Standing]:
        """The coordinated, open issues of a repository."""
        known = await self._store.coordinated_in(repository)
        return [await self._standing(one) for one in known if one.state == "open"]

    async def all_in(self, repository: str) -> Sequence[IssueRef]:
        """Every coordinated issue of a repository, closed ones too."""
        return [one.ref for one in await self._store.coordinated_in(repository)]

    async def blockers(self, refs: Collection[IssueRef]) -> Mapping[IssueRef, Sequence[IssueRef]]:
        """What each waits for, open ones only, those that may be shown in their repository."""
        edges = await self._store.blockers(refs)
        known = await self._store.issues({edge.on for edge in edges})
        found: dict[IssueRef, list[IssueRef]] = {ref: [] for ref in refs}
        for edge in edges:
            one = known.get(edge.on)
            over = one is not None and one.state in ("closed", "gone")
            shown = await self._surveyor.may_show([edge.on], edge.waits)
            if not over and edge.on in shown and edge.on not in found[edge.waits]:
                found[edge.waits].append(edge.on)
        return found

    async def right(self, repository: str, user: str) -> Right | None:
        """What a user may in another repository; None when they cannot even read it."""
        try:
            found = await self._gitea.permission(repository, user)
        except NotFound:
            return None
        except Forbidden:
            raise UserError(
                "I cannot look up what you may do there; make me an administrator of that "
                "repository"
            ) from None
        return right_of(found) if found.can_read else None

    async def exists(self, issue: IssueRef) -> bool:
        """Whether there is such an issue that the bot may see."""
        try:
            await self._gitea.issue(issue)
        except NotFound:
            return False
        return True

    async def create_issue(self, repository: str, title: str, body: str) -> IssueRef:
        """Open an issue."""
        return (await self._gitea.create_issue(repository, title, body)).ref

    async def divided(self, issue: IssueRef, room: int, tokens: int) -> tuple[Part, ...] | None:
        """The parts that Claude reads in the text; None where it is not to be asked."""
        if self._splitter is None or not (await self.policy(issue.repository)).ai:
            return None
        found = await self._gitea.issue(issue)
        return await self._splitter.split(
            title=found.title, body=found.body, issue=found.ref, room=room, tokens=tokens
        )

    async def proposals(self, issue: IssueRef) -> Sequence[Written]:
        """The bot's own replies at an issue that hold a proposed split, the oldest first."""
        return [
            Written(comment.id, comment.body, comment.created_at)
            async for comment in self._gitea.comments(issue)
            if comment.user.is_called(self.bot) and holds_split(comment.body)
        ]

    async def parts(self, issue: IssueRef, digest: str, since: datetime) -> Mapping[int, IssueRef]:
        """The issues that the bot made of a proposal's parts, by the part's number."""
        found: dict[int, IssueRef] = {}
        async for one in self._gitea.issues_since(issue.repository, since):
            said = part_of(one.body) if one.user.is_called(self.bot) and not one.is_pull else None
            if said and (said[0], said[2]) == (issue.number, digest):
                found[said[1]] = min(one.ref, found.get(said[1], one.ref))
        return found

    async def _standing(self, known: Known) -> Standing:
        said = await self.sayings.overrides(known.ref)
        states = {"open": RefState.OPEN, "closed": RefState.CLOSED, "gone": RefState.GONE}
        return Standing(
            issue=known.ref,
            title=known.title,
            state=states.get(known.state, RefState.UNCHECKED),
            status=known.status,
            agent=known.agent,
            priority=said.priority,
            held=said.get(Field.HOLD) is not None,
        )
