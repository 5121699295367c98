"""Gitea's side of what may keep the bot from working as it should."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.check import delivery, rights, token, version
from bot.check.address import unanswered
from bot.check.among import FEW, Named, told
from bot.check.delivery import Trial
from bot.check.finding import Finding, Grade
from bot.check.webhooks import Judged, elsewhere_perhaps, judge
from bot.errors import Forbidden, GiteaError, NotFound, Permanent
from bot.gitea.hooks import Hook
from bot.gitea.models import Issue, Label, Repository, User
from bot.gitea.versions import name_of
from bot.mirror import CROSSING
from bot.models import IssueRef, Mode
from bot.receiving import WAIT, Receiver, Unseen, Verdict

APART = timedelta(minutes=1)  # from here on the clocks are told to be apart
NOWHERE = IssueRef("-", "-", 1)  # Gitea reserves the name: there is no such repository
AT_ONCE = 8  # repositories
MOST_TRIED = 3  # owners whose repositories have no webhook of their own


class Gitea(Protocol):
    """What this asks of Gitea."""

    async def version(self) -> str:
        """Which it is."""

    async def me(self) -> User:
        """The bot's user."""

    def time(self, ours: datetime) -> datetime | None:
        """What Gitea's clock shows when this machine's shows `ours`."""

    async def repository(self, owner: str, repo: str) -> Repository:
        """A repository."""

    def assigned_issues(self) -> AsyncIterator[Issue]:
        """Every open issue that is assigned to the bot."""

    def open_issues(self, repo: str) -> AsyncIterator[Issue]:
        """What is open there."""

    async def add_labels(self, ref: IssueRef, ids: Sequence[int]) -> list[Label]:
        """Put labels on an issue."""

    async def add_dependency(self, ref: IssueRef, blocker: IssueRef) -> None:
        """Let an issue wait for another."""


class Hooks(Protocol):
    """The webhooks of a place."""

    async def list(self, place: str) -> Sequence[Hook]:
        """Those of a repository: `/repos/owner/name`."""


Scopes = Callable[[str], Awaitable[frozenset[str] | None]]
"""The scopes of the token of a user; None where they cannot be told."""

Receiving = Callable[[], AbstractAsyncContextManager[Receiver]]
"""Somebody who sees deliveries come. Raises Unseen."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A repository, and its webhooks as they are judged; None where none are looked at."""

    repository: Repository
    hooks: Judged | None = None

    @property
    def name(self) -> str:
        """`owner/repo`."""
        return self.repository.full_name

    @property
    def owner(self) -> str:
        """Its owner."""
        return self.name.partition("/")[0].lower()


class Check:
    """Looks at everything, and says what was found. `now` is this machine's time.

    `url`: Gitea's address as it is set, `target`: where webhooks are to send, `every`: how often
    the bot looks by itself; `shared`: other replicas may take what comes. Without `hooks`,
    `scopes` or `receiving` those are not looked at.
    """

    def __init__(
        self,
        gitea: Gitea,
        *,
        mode: Mode,
        now: datetime,
        hooks: Hooks | None = None,
        scopes: Scopes | None = None,
        receiving: Receiving | None = None,
        url: str = "",
        target: str = "",
        every: str = "5m",
        shared: bool = False,
    ) -> None:
        self._gitea = gitea
        self._mode = mode
        self._now = now
        self._hooks = hooks
        self._scopes = scopes
        self._receiving = receiving
        self._url = url
        self._target = target
        self._every = every
        self._shared = shared

    async def findings(self, named: Collection[str]) -> Sequence[Finding]:
        """What there is to say, also of the repositories `named` (`owner/repo`).

        Where none are named, it is those in which issues are assigned to the bot.
        """
        try:
            which = await self._version()
            me = await self._gitea.me()
        except GiteaError as error:
            return [self._failed(error)]
        start = [
            Finding(
                "gitea.answers",
                Grade.GOOD,
                f"{name_of(which)} answers, and the bot is {me.login}.",
            ),
            *version.of_version(which),
            *await self._of_token(me),
            *self._clocks(),
        ]
        try:
            assigned = [one.ref async for one in self._gitea.assigned_issues()]
        except GiteaError as error:
            failed = self._failed(error)
            return start if failed.id in {one.id for one in start} else [*start, failed]
        names = sorted({*named} or {ref.repository for ref in assigned})
        found = [
            *start,
            *await self._of_repositories(names, assigned),
            *([] if names else [_nothing(me)]),
            *await self._crossing(assigned),
        ]
        told = list(dict.fromkeys(found))
        lacking = [one for one in told if one.id == token.SCOPE]  # the first one names them all
        return [one for one in told if one not in lacking[1:]]

    def _failed(self, error: GiteaError) -> Finding:
        return (
            token.refused(error) if isinstance(error, Forbidden) else unanswered(error, self._url)
        )

    async def _version(self) -> str:
        """Which Gitea it is; empty where the token may not ask."""
        try:
            return await self._gitea.version()
        except Forbidden as error:
            if token.LACKS in error.message:
                return ""
            raise

    async def _of_token(self, me: User) -> Sequence[Finding]:
        scopes = await self._scopes(me.login) if self._scopes else None
        return [*token.of_scopes(scopes), *token.of_user(me)]

    def _clocks(self) -> Sequence[Finding]:
        there = self._gitea.time(self._now)
        apart = abs(there - self._now) if there else timedelta(0)
        if apart <= APART:
            return []
        return [
            Finding(
                "clock.apart",
                Grade.NOTE,
                f"Gitea's clock and this machine's are {apart.total_seconds():.0f} s apart.",
                "What changed is asked for by Gitea's clock, so nothing is missed; but times that "
                "are shown do not agree.",
                "Let both set their clocks by NTP.",
            )
        ]

    # -- repositories -----------------------------------------------------------------------

    async def _of_repositories(
        self, names: Sequence[str], assigned: Sequence[IssueRef]
    ) -> Sequence[Finding]:
        at_once = asyncio.Semaphore(AT_ONCE)

        async def one(name: str) -> Seen | Named:
            async with at_once:
                return await self._repository(name)

        looked = await asyncio.gather(*map(one, names))
        seen = [one for one in looked if isinstance(one, Seen)]
        tried, verdicts = await self._tried(seen, assigned)
        found: list[Named] = [one for one in looked if not isinstance(one, Seen)]
        for each in seen:
            found += [(each.name, one) for one in self._of(each, verdicts.get(_group(each)))]
        return [*told(found, repositories=len(names)), *tried]

    async def _repository(self, name: str) -> Seen | Named:
        owner, _, repo = name.partition("/")
        try:
            found = await self._gitea.repository(owner, repo)
            if found.archived:
                return name, rights.ARCHIVED
            return Seen(found, await self._judged(found))
        except NotFound:
            return name, rights.UNSEEN
        except GiteaError as error:
            return name, self._failed(error)

    async def _judged(self, found: Repository) -> Judged | None:
        if self._hooks is None:
            return None
        hooks = None
        if found.permissions.admin:
            try:
                hooks = await self._hooks.list(f"/repos/{found.full_name}")
            except Permanent:
                hooks = None
        return judge(hooks, self._target, self._every)

    def _of(self, seen: Seen, verdict: Verdict | None) -> Sequence[Finding]:
        """What is said of one repository; `verdict`: of a delivery of its kind."""
        hooks = seen.hooks or Judged()
        unless = hooks.unless if verdict is not Verdict.ACCEPTED else ()
        if verdict is None and not hooks.has_own:
            unless = [elsewhere_perhaps(one) for one in unless]
        return [
            rights.of_rights(seen.repository),
            *hooks.always,
            *unless,
            *rights.of_dependencies(seen.repository, self._mode),
        ]

    # -- a delivery -------------------------------------------------------------------------

    async def _tried(
        self, seen: Sequence[Seen], assigned: Sequence[IssueRef]
    ) -> tuple[Sequence[Finding], dict[str, Verdict | None]]:
        """Try one out for each kind of webhook: those of repositories, and those of owners."""
        if self._receiving is None or not (groups := _groups(seen)):
            return [], {}
        found: list[Finding] = []
        verdicts: dict[str, Verdict | None] = {}
        try:
            async with self._receiving() as receiver:
                trial = Trial(self._gitea, receiver, assigned)
                for group, members in groups.items():
                    verdict, said = await self._try(trial, members, receiver)
                    verdicts[group] = verdict
                    found += said
                if Verdict.REFUSED not in verdicts.values():
                    found += delivery.refused_before(receiver.refused, self._now)
        except Unseen as error:
            return [delivery.unseen(error)], {}
        return found, verdicts

    async def _try(
        self, trial: Trial, members: Sequence[Seen], receiver: Receiver
    ) -> tuple[Verdict | None, Sequence[Finding]]:
        for one in members[:FEW]:
            hooks = one.hooks or Judged()
            wait = delivery.WAIT_FOR_OTHERS if hooks.unless else WAIT
            try:
                verdict = await trial.of(one.name, seconds=wait)
            except GiteaError as error:
                return None, [self._failed(error)]
            if verdict is None:
                continue
            if verdict is Verdict.NOTHING and hooks.unless:
                return verdict, []  # why is told already
            url = hooks.url or self._target
            said = delivery.of_verdict(
                verdict, one.name, url, running=receiver.running, shared=self._shared
            )
            return verdict, [said]
        return None, [delivery.untried(members[0].name)]

    async def _crossing(self, assigned: Sequence[IssueRef]) -> Sequence[Finding]:
        """Whether Gitea allows dependencies between repositories.

        It says so only when asked to set one. It is asked for one on a repository that cannot be.
        """
        if self._mode is not Mode.BOTH or not assigned:
            return []
        try:
            await self._gitea.add_dependency(assigned[0], NOWHERE)
        except Permanent as error:
            if CROSSING not in error.message:
                return []
        except GiteaError as error:
            return [self._failed(error)]
        return [
            Finding(
                "dependencies.crossing",
                Grade.NOTE,
                "This Gitea allows no dependencies between repositories.",
                "What an issue waits for elsewhere counts, but is not set in Gitea.",
                "Its administrator can allow it in app.ini: ALLOW_CROSS_REPOSITORY_DEPENDENCIES = "
                "true, under [service].",
            )
        ]


def _group(seen: Seen) -> str:
    return "own" if seen.hooks and seen.hooks.has_own else seen.owner


def _groups(seen: Sequence[Seen]) -> dict[str, list[Seen]]:
    """Where a delivery can be tried, by the kind of webhook that should send it."""
    groups: dict[str, list[Seen]] = {}
    for one in seen:
        if one.hooks and one.repository.permissions.push and not one.hooks.silent:
            groups.setdefault(_group(one), []).append(one)
    owners = [group for group in groups if group != "own"]
    return {one: groups[one] for one in [*filter(groups.get, ["own"]), *owners[:MOST_TRIED]]}


def _nothing(me: User) -> Finding:
    return Finding(
        "assigned.none",
        Grade.NOTE,
        f"No open issue is assigned to {me.login}.",
        "So there is no repository to look at.",
        "Assign one, or name a repository: mosaic-coordinator check owner/repo",
    )
