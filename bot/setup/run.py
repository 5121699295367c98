"""The set-up as a whole: its steps, in their order."""

from __future__ import annotations

import secrets

from pydantic import SecretStr

from bot.envfile import env_text, read_env
from bot.gitea.admin import Account
from bot.gitea.hooks import HooksAPI
from bot.setup.at_place import AtPlace, each
from bot.setup.env import check_writable, is_private, with_values, write_env
from bot.setup.labels import LabelMaker
from bot.setup.means import Means, untold
from bot.setup.reach import SignedIn, demand_scopes, needed, reach
from bot.setup.rights import Rights, demand
from bot.setup.tokens import Tokens
from bot.setup.user import find_user, make_user
from bot.setup.webhook import Webhooks
from bot.setup.wish import Wish


class Setup:
    """Sets the bot up as wished."""

    def __init__(self, wish: Wish, means: Means) -> None:
        self._wish = wish
        self._means = means
        self._api = means.api
        self._course = means.course

    async def run(self) -> None:
        """Do it all, or nothing. Raises CoordinatorError, which has been told."""
        course, wish = self._course, self._wish
        async with course.all_or_nothing():
            course.step = "Settings"
            check_writable(wish.env)
            signed_in = await reach(course, self._api, self._means.secret)
            found = await self._before(signed_in)
            bot, token = await self._bot(signed_in, found)
            secret = wish.secret
            fresh = not secret.get_secret_value()
            if fresh:
                secret = SecretStr(secrets.token_hex(32))
            await self._places(bot, secret, fresh=fresh)
            await self._settings(token, secret)
            await course.finish()

    async def _before(self, signed_in: SignedIn) -> Account | None:
        """Look at everything that may stop it before anything is made; the bot's user, if any."""
        wish, course = self._wish, self._course
        if len(wish.places) == 1:
            await demand(self._api, wish.places[0], signed_in.account)
        found = await find_user(course, self._api, wish, signed_in)
        course.step = "Gitea"
        makes_user = found is None and signed_in.account.is_admin
        scopes = list(needed(wish.places, adding=wish.adding, makes_user=makes_user))
        demand_scopes(signed_in, scopes)
        return found

    async def _bot(
        self, signed_in: SignedIn, found: Account | None
    ) -> tuple[Account | None, SecretStr | None]:
        course, wish = self._course, self._wish
        course.step = "User"
        tokens = Tokens(wish, self._means)
        if wish.adding:
            return await tokens.holder(), wish.token
        bot = await make_user(course, self._api, wish, signed_in, found)
        return bot, await tokens.put(signed_in, bot)

    async def _places(self, bot: Account | None, secret: SecretStr, *, fresh: bool) -> None:
        wish, many = self._wish, len(self._wish.places) > 1
        at = AtPlace(
            self._api,
            await self._api.me(),
            Rights(self._api, wish.bot, bot, self._means.confirm),
            Webhooks(HooksAPI(self._api.client), wish.target, secret, fresh=fresh),
            LabelMaker(self._api, wish.labels, untold if many else self._means.progress),
        )
        await each(self._course, wish.places, at.put, self._means.progress if many else untold)

    async def _settings(self, token: SecretStr | None, secret: SecretStr) -> None:
        """Write what the bot has to know into `.env`, where it is not there already."""
        course, path = self._course, self._wish.env
        course.step = "Settings"
        before, has = env_text(path), read_env({}, path)
        wanted = {
            "GITEA_URL": self._wish.url,
            "GITEA_TOKEN": (token or SecretStr("")).get_secret_value(),
            "GITEA_WEBHOOK_SECRET": secret.get_secret_value(),
            "MOSAIC_SERVER__URL": self._wish.address,
        }
        lacking = {name: value for name, value in wanted.items() if has.get(name) != value}
        after = with_values(before, lacking) if lacking else before
        if before == after and is_private(path):
            course.same(f"{path} says all that.")
            return
        what = f"wrote {path}" if before != after else f"let nobody else read {path}"

        async def write() -> None:
            write_env(path, after)

        async def restore() -> None:
            write_env(path, before)

        await course.make(what, write, (f"{path} is as it was", restore))
