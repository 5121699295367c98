"""The bot's right at a place: administrator, since Gitea tells only those who may do what."""

from __future__ import annotations

from functools import partial

from bot.errors import NotFound
from bot.gitea.admin import Account, AdminAPI, Team
from bot.gitea.api import GiteaAPI
from bot.setup.course import Course, Stop
from bot.setup.means import Confirm
from bot.setup.places import Kind, Place

LONGEST_TEAM = 30  # characters
ABOUT = "Lets the bot read, label and comment, and look up who may do what."


class Rights:
    """Gives `bot` its right; where it is None (a dry run would make it), `login` is told."""

    def __init__(self, api: AdminAPI, login: str, bot: Account | None, confirm: Confirm) -> None:
        self._api = api
        self._login = login
        self._bot = bot
        self._confirm = confirm

    async def give(self, course: Course, place: Place) -> None:
        """Make the bot an administrator there."""
        course.step = "Right"
        match place.kind:
            case Kind.REPOSITORY:
                await self._in_repository(course, place.name)
            case Kind.ORGANIZATION:
                await self._in_organization(course, place.name)
            case Kind.SYSTEM:
                await self._everywhere(course)

    async def _in_repository(self, course: Course, repo: str) -> None:
        before = await self._permission(repo)
        if before in ("admin", "owner"):
            course.same(f"{self._login} is an administrator of {repo}.")
            return
        direct = bool(self._bot) and await self._api.is_collaborator(repo, self._login)
        await course.make(
            f"made {self._login} an administrator of {repo}",
            lambda: self._api.set_collaborator(repo, self._login, "admin"),
            (
                f"gave {self._login} the right in {repo} that it had before",
                lambda: self._restore(repo, before if direct else ""),
            ),
        )

    async def _permission(self, repo: str) -> str:
        if self._bot is None:
            return "none"
        return (await GiteaAPI(self._api.client).permission(repo, self._login)).permission

    async def _restore(self, repo: str, before: str) -> None:
        if before:
            await self._api.set_collaborator(repo, self._login, before)
        else:
            await self._api.drop_collaborator(repo, self._login)

    async def _in_organization(self, course: Course, org: str) -> None:
        teams = await self._api.teams(org)
        suitable = [team for team in teams if team.administers_all]
        for team in suitable:
            if await self._is_member(team):
                course.same(f"{self._login} is in the team {team.name} of {org}.")
                return
        own = next((t for t in teams if t.name.lower() == self._team.lower()), None)
        if own is None:
            await self._new_team(course, org)
        elif own in suitable:
            await self._join(course, org, own)
        else:
            raise Stop(
                f"The team {own.name} of {org} is there, but is no administrator of every "
                "repository.",
                f"Let it be: {org} ▸ Teams ▸ {own.name} ▸ Settings: All repositories, "
                f"Administrator Access. Or put {self._login} into one that is.",
            )

    @property
    def _team(self) -> str:
        return self._login[:LONGEST_TEAM]

    async def _new_team(self, course: Course, org: str) -> None:
        team = await course.make(
            f"made the team {self._team} in {org}: administrators of all its repositories",
            lambda: self._api.create_team(org, self._team, ABOUT),
            (f"removed the team {self._team} again", lambda: self._drop_team(org)),
        )
        if team:
            await course.make("", lambda: self._api.add_member(team, self._login), quiet=True)

    async def _join(self, course: Course, org: str, team: Team) -> None:
        await course.make(
            f"put {self._login} into the team {team.name} of {org}",
            lambda: self._api.add_member(team, self._login),
            (
                f"took {self._login} out of the team {team.name} again",
                lambda: self._api.drop_member(team, self._login),
            ),
        )

    async def _drop_team(self, org: str) -> None:
        for team in await self._api.teams(org):
            if team.name.lower() == self._team.lower():
                await self._api.delete_team(team)

    async def _is_member(self, team: Team) -> bool:
        return any(
            one.login.lower() == self._login.lower() for one in await self._api.members(team)
        )

    async def _everywhere(self, course: Course) -> None:
        if self._bot and self._bot.is_admin:
            course.same(f"{self._login} is an administrator of the site.")
            return
        question = (
            f"Make {self._login} an administrator of the site? It has to ask Gitea in every "
            "repository who may do what; its token keeps it from anything but issues."
        )
        if not course.dry and not await self._confirm(question):
            raise Stop(
                "The bot was not made an administrator of the site.",
                "Name repositories, or an organisation, instead of --system.",
            )
        bot = self._bot
        await course.make(
            f"made {self._login} an administrator of the site (its token still allows only issues)",
            lambda: self._site(bot, really=True),
            (
                f"made {self._login} no administrator of the site again",
                lambda: self._site(bot, really=False),
            ),
        )

    async def _site(self, bot: Account | None, *, really: bool) -> None:
        if bot:
            await self._api.make_site_administrator(bot, really=really)

    async def take(self, course: Course, place: Place) -> None:
        """Take the right away again, as far as `give` gave it."""
        course.step = "Right"
        match place.kind:
            case Kind.REPOSITORY:
                if await self._api.is_collaborator(place.name, self._login):
                    await course.make(
                        f"removed {self._login} from the collaborators",
                        lambda: self._api.drop_collaborator(place.name, self._login),
                    )
            case Kind.ORGANIZATION:
                await self._leave(course, place.name)
            case Kind.SYSTEM:
                if self._bot and self._bot.is_admin:
                    await course.make(
                        f"made {self._login} no administrator of the site any more",
                        lambda: self._site(self._bot, really=False),
                    )

    async def _leave(self, course: Course, org: str) -> None:
        for team in await self._api.teams(org):
            if not team.administers_all or not await self._is_member(team):
                continue
            members = await self._api.members(team)
            if team.name.lower() == self._team.lower() and len(members) == 1:
                await course.make(
                    f"removed the team {team.name}", partial(self._api.delete_team, team)
                )
            else:
                await course.make(
                    f"took {self._login} out of the team {team.name}",
                    partial(self._api.drop_member, team, self._login),
                )


async def demand(api: AdminAPI, place: Place, signed_in: Account) -> None:
    """Raise Stop where there is no such place, or who is signed in may not set anything up."""
    if place.kind is Kind.SYSTEM:
        if not signed_in.is_admin:
            raise Stop(
                f"{signed_in.login} is no administrator of the site.",
                "Name repositories, or an organisation, instead of --system.",
            )
    elif place.kind is Kind.ORGANIZATION:
        if not await api.is_organization(place.name):
            raise Stop(
                f"There is no organisation {place.name}, or {signed_in.login} may not see it.",
                "Write owner/repo for a repository: the repositories of a user are named one by "
                "one.",
            )
    else:
        await _demand_repository(api, place.name, signed_in)


async def _demand_repository(api: AdminAPI, name: str, signed_in: Account) -> None:
    owner, _, repo = name.partition("/")
    try:
        found = await GiteaAPI(api.client).repository(owner, repo)
    except NotFound:
        raise Stop(
            f"There is no repository {name}, or {signed_in.login} may not see it.",
            "Check how it is written, or let an administrator of it run this.",
        ) from None
    if not found.permissions.admin:
        raise Stop(
            f"{signed_in.login} is no administrator of {name}.",
            "Let somebody run this who is.",
        )
    if found.archived:
        raise Stop(f"{name} is archived.", "Take it out of the archive first.")
