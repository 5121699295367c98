"""Taking the bot away again: its webhooks, rights, token, and what stands in `.env`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import partial

from pydantic import SecretStr

from bot.envfile import env_text
from bot.errors import CoordinatorError, Forbidden, GiteaError, NotFound
from bot.gitea.admin import Account, AdminAPI
from bot.gitea.hooks import HooksAPI
from bot.setup.at_place import AtPlace, each
from bot.setup.course import Stop, Told
from bot.setup.env import check_writable, without, write_env
from bot.setup.labels import LabelMaker
from bot.setup.means import Means, untold
from bot.setup.places import SYSTEM, Kind, Place
from bot.setup.reach import SignedIn, demand_scopes, needed, reach
from bot.setup.rights import Rights
from bot.setup.tokens import our_tokens
from bot.setup.webhook import Webhooks
from bot.setup.wish import WRITTEN, Wish


@dataclass(frozen=True, slots=True)
class Extent:
    """What goes beside webhooks and rights; `user`: the bot's user, with its token."""

    labels: bool = False
    user: bool = False


class Removal:
    """Takes the bot away from the places of a wish; from everywhere where none are named.

    Only from everywhere, its token and its settings go too. A thing that cannot be taken away is
    told, and the others go all the same.
    """

    def __init__(self, wish: Wish, means: Means, extent: Extent) -> None:
        self._wish = wish
        self._means = means
        self._extent = extent
        self._api = means.api
        self._course = means.course
        self._skipped = False

    async def run(self) -> None:
        """Do it. Raises CoordinatorError, which has been told."""
        course, wish = self._course, self._wish
        course.step = "Settings"
        async with course.all_or_nothing():
            check_writable(wish.env)
            signed_in = await reach(course, self._api, self._means.secret)
            places = wish.places or [one async for one in self._found(signed_in)]
            course.step = "Gitea"
            demand_scopes(signed_in, self._scopes(signed_in, places))
            if not course.dry and not await self._means.confirm(self._question(places)):
                raise Stop("Nothing was removed.")
            bot = await self._api.user(wish.bot)
        await self._from(places, signed_in.account, bot)
        if not wish.places:
            await self._for_good(signed_in, bot)

    def _scopes(self, signed_in: SignedIn, places: Sequence[Place]) -> list[str]:
        whole = not self._wish.places
        user = self._extent.user and signed_in.account.is_admin
        return list(needed(places, adding=not whole, makes_user=user))

    def _question(self, places: Sequence[Place]) -> str:
        names = ", ".join(map(str, places[:5])) + (" …" if len(places) > 5 else "")
        more = [
            *(["Its labels are removed from every issue there."] if self._extent.labels else []),
            *(["It is no administrator of the site any more."] if SYSTEM in places else []),
            *(
                []
                if self._wish.places
                else ["Its token is deleted, and its settings go from .env."]
            ),
            *(["Its user is deleted."] if self._extent.user else []),
        ]
        return " ".join([f"Take {self._wish.bot} away from {names or 'nowhere'}?", *more])

    async def _found(self, signed_in: SignedIn) -> AsyncIterator[Place]:
        """Where the bot is set up, as far as its own token or who is signed in can tell."""
        hooks = self._hooks()
        repositories = await self._repositories()
        owners = {one.partition("/")[0] for one in repositories} | await self._organizations()
        candidates = [
            *(Place(Kind.REPOSITORY, name) for name in repositories),
            *(Place(Kind.ORGANIZATION, name) for name in sorted(owners)),
            *([SYSTEM] if signed_in.account.is_admin else []),
        ]
        for place in candidates:
            try:
                if await hooks.ours(place):
                    yield place
            except (Forbidden, NotFound) as error:
                if await self._exists(place):
                    self._skip(f"the webhooks of {place}", error)

    async def _exists(self, place: Place) -> bool:
        """Whether there is such a place: the owner of a repository may be no organisation."""
        if place.kind is not Kind.ORGANIZATION:
            return True
        try:
            return await self._api.is_organization(place.name)
        except Forbidden:
            return True

    def _skip(self, what: str, error: GiteaError) -> None:
        self._skipped = True
        self._course.note(f"Left out, as {what} may not be seen: {error}")

    async def _repositories(self) -> list[str]:
        """Those of the bot, else of who is signed in. Raises a GiteaError if neither is told."""
        if self._wish.token.get_secret_value():
            try:
                async with self._means.sign_in(self._wish.token) as client:
                    return await _names(AdminAPI(client))
            except (Forbidden, NotFound):
                self._course.note("GITEA_TOKEN is not accepted: only your repositories are seen.")
        return await _names(self._api)

    async def _organizations(self) -> set[str]:
        try:
            return set(await self._api.organizations_of(self._wish.bot))
        except NotFound:
            return set()
        except Forbidden as error:
            self._skip(f"the organisations of {self._wish.bot}", error)
            return set()

    def _hooks(self) -> Webhooks:
        hooks = HooksAPI(self._api.client)
        return Webhooks(hooks, self._wish, SecretStr(""), fresh=False)

    async def _from(self, places: Sequence[Place], me: Account, bot: Account | None) -> None:
        wish = self._wish
        labels = LabelMaker(self._api, wish.labels if self._extent.labels else (), untold)
        rights = Rights(self._api, wish.bot, bot, self._means.confirm)
        at = AtPlace(self._api, me, rights, self._hooks(), labels)
        if places:
            try:
                await each(self._course, places, at.take, self._means.progress)
            except Told:
                return

    async def _for_good(self, signed_in: SignedIn, bot: Account | None) -> None:
        course, wish = self._course, self._wish
        course.step = "Token"
        if course.wrong or self._skipped:
            course.note("The token and .env stay, as something may be left that needs them.")
            return
        try:
            if not await self._token(signed_in, bot):
                course.note(f"{wish.env} stays as it is.", "Its token is still good.")
                return
            await self._user(signed_in, bot)
            course.step = "Settings"
            before = env_text(wish.env)
            after = without(before, WRITTEN)
            if before != after:
                await course.make(
                    f"took its settings out of {wish.env}", partial(_write, wish, after)
                )
        except CoordinatorError as error:
            course.say(error)

    async def _token(self, signed_in: SignedIn, bot: Account | None) -> bool:
        """Delete it; whether it is gone."""
        course, wish = self._course, self._wish
        if not bot:
            return True
        if not signed_in.account.is_admin and signed_in.account.id != bot.id:
            course.note(
                f"{signed_in.account.login} may not delete {bot.login}'s token.",
                f"Sign in as {bot.login}: Settings ▸ Applications ▸ Delete.",
            )
            return False
        for one in await our_tokens(self._api, wish):
            await course.make(
                f"deleted the token {one.name}", partial(self._api.delete_token, wish.bot, one.name)
            )
        return True

    async def _user(self, signed_in: SignedIn, bot: Account | None) -> None:
        course = self._course
        course.step = "User"
        if bot and self._extent.user and signed_in.account.is_admin:
            await course.make(
                f"removed the user {bot.login}", partial(self._api.delete_user, bot.login)
            )
        elif bot:
            course.note(f"The user {bot.login} is left, with what it wrote.", "--user removes it.")


async def _names(api: AdminAPI) -> list[str]:
    return [one.full_name async for one in api.my_repositories()]


async def _write(wish: Wish, text: str) -> None:
    write_env(wish.env, text)
