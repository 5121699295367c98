"""What may keep the bot from working as it should, each with why it matters and what to do.

So far: that Gitea answers and knows the bot, what the bot may in its repositories, and whether
Gitea's own dependencies can be set there.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import Protocol

from bot.check.finding import Finding, Grade
from bot.errors import GiteaError, NotFound, Permanent
from bot.gitea.models import Issue, Repository, User
from bot.mirror import CROSSING
from bot.models import IssueRef, Mode

APART = timedelta(minutes=1)  # from here on the clocks are told to be apart
NOWHERE = IssueRef("-", "-", 1)  # Gitea reserves the name: there is no such repository


class Gitea(Protocol):
    """What this asks of Gitea."""

    async def me(self) -> User:
        """The bot's user."""

    def time(self, ours: datetime) -> datetime | None:
        """What Gitea's clock shows when this machine's shows `ours`."""

    async def repository(self, owner: str, repo: str) -> Repository:
        """A repository."""

    def assigned_issues(self) -> AsyncIterator[Issue]:
        """Every open issue that is assigned to the bot."""

    async def add_dependency(self, ref: IssueRef, blocker: IssueRef) -> None:
        """Let an issue wait for another."""


class Check:
    """Looks at everything, and says what was found. `now` is this machine's time."""

    def __init__(self, gitea: Gitea, *, mode: Mode, now: datetime) -> None:
        self._gitea = gitea
        self._mode = mode
        self._now = now

    async def findings(self, named: Collection[str]) -> Sequence[Finding]:
        """What there is to say, also of the repositories `named` (`owner/repo`).

        Where none are named, it is those in which issues are assigned to the bot.
        """
        try:
            me = await self._gitea.me()
            assigned = [one.ref async for one in self._gitea.assigned_issues()]
        except GiteaError as error:
            return [_unanswered(error)]
        names = sorted({*named} or {ref.repository for ref in assigned})
        of_repositories = await asyncio.gather(*map(self._repository, names))
        return [
            Finding("gitea.answers", Grade.GOOD, f"Gitea answers, and the bot is {me.login}."),
            *self._clocks(),
            *chain.from_iterable(of_repositories),
            *([] if names else [_nothing(me)]),
            *await self._crossing(assigned),
        ]

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

    async def _repository(self, name: str) -> Sequence[Finding]:
        owner, _, repo = name.partition("/")
        try:
            found = await self._gitea.repository(owner, repo)
        except NotFound:
            return [
                Finding(
                    "repository.unseen",
                    Grade.WRONG,
                    f"{name} cannot be seen.",
                    "It does not exist, or the bot may not read it.",
                    "Correct the name, or make the bot a collaborator there, as administrator.",
                )
            ]
        except GiteaError as error:
            return [_unanswered(error)]
        if found.archived:
            return [
                Finding(
                    "repository.archived",
                    Grade.NOTE,
                    f"{name} is archived.",
                    "The bot writes nothing there.",
                )
            ]
        return [self._right(found), *self._dependencies(found)]

    def _right(self, found: Repository) -> Finding:
        if found.permissions.admin:
            return Finding(
                "rights.administrator",
                Grade.GOOD,
                f"{found.full_name}: the bot is an administrator.",
            )
        if found.permissions.push:
            return Finding(
                "rights.write",
                Grade.WRONG,
                f"{found.full_name}: the bot may write, but is no administrator.",
                "Only administrators may ask Gitea what somebody may do, so every command that "
                "changes something is refused.",
                "Settings ▸ Collaborators: give it Administrator.",
            )
        return Finding(
            "rights.none",
            Grade.WRONG,
            f"{found.full_name}: the bot may not write.",
            "Gitea lets nobody be assigned who may not, and labels cannot be set.",
            "Settings ▸ Collaborators: give it Administrator.",
        )

    def _dependencies(self, found: Repository) -> Sequence[Finding]:
        if self._mode is Mode.OFF or found.native_dependencies:
            return []
        return [
            Finding(
                "dependencies.off",
                Grade.NOTE,
                f"{found.full_name}: dependencies are switched off.",
                "What texts and commands say counts, but does not show beside the issues, and "
                "does not keep anybody from closing one too early.",
                "Settings ▸ Advanced Settings ▸ Issues: Enable Dependencies For Issues and Pull "
                "Requests. Or set gitea.dependencies to off.",
            )
        ]

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
            return [_unanswered(error)]
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


def _unanswered(error: GiteaError) -> Finding:
    what = "the token is not accepted" if error.status == 401 else "Gitea does not answer"
    name = "token.refused" if error.status == 401 else "gitea.silent"
    do = "Check GITEA_TOKEN." if error.status in (401, 403) else "Check GITEA_URL."
    return Finding(name, Grade.WRONG, f"{what}: {error}", "Nothing works without.", do)


def _nothing(me: User) -> Finding:
    return Finding(
        "assigned.none",
        Grade.NOTE,
        f"No open issue is assigned to {me.login}.",
        "So there is no repository to look at.",
        "Assign one, or name a repository: mosaic-coordinator check owner/repo",
    )
