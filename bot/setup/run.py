"""The set-up as a whole: its steps, in their order."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from pydantic import SecretStr

from bot.envfile import env_text, read_env
from bot.gitea.admin import Account
from bot.gitea.hooks import HooksAPI
from bot.receiving import Unseen, receiving
from bot.setup.at_place import AtPlace, each
from bot.setup.course import Stop
from bot.setup.delivery import Trial
from bot.setup.env import check_writable, is_private, with_values, write_env
from bot.setup.labels import LabelMaker
from bot.setup.means import Means, Progress, untold
from bot.setup.places import Place
from bot.setup.reach import SignedIn, demand_scopes, needed, reach
from bot.setup.rights import Rights, demand
from bot.setup.tokens import Tokens
from bot.setup.user import find_user, make_user
from bot.setup.webhook import Webhooks
from bot.setup.wish import WRITTEN, Wish

TRIED = 5  # places


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
            fresh = not wish.secrets
            hook_secrets = wish.secrets or [SecretStr(secrets.token_hex(32))]
            at = await self._at(bot, hook_secrets[0], fresh=fresh)
            done = await each(course, wish.places, at.put, self._for(many=True))
            await self._settings(token, hook_secrets)
            await course.finish()
        if not course.dry:
            await self._try_out(at, done, hook_secrets)

    async def _try_out(
        self, at: AtPlace, done: Sequence[Place], hook_secrets: Sequence[SecretStr]
    ) -> None:
        """Send a test delivery through each hook; of many places, through some."""
        wish, course = self._wish, self._course
        course.step = "Delivery"
        try:
            async with receiving(wish.address, *wish.listens, hook_secrets) as receiver:
                test = Trial(at.api, at.webhooks, receiver)
                for place in done[:TRIED]:
                    part = course.part(str(place))
                    try:
                        async with part.all_or_nothing():
                            await test.at(part, place, wish.target)
                            await part.finish()
                    finally:
                        course.join(part)
        except Unseen as error:
            stop = Stop(f"No delivery was tested: {_lower(str(error))}", error.do)
            course.say(stop)
            raise stop from None
        except Stop as error:
            if not course.wrong:
                course.say(error)
            raise

    def _for(self, *, many: bool) -> Progress:
        """Progress over places, or over the repositories of the only one."""
        return self._means.progress if many == (len(self._wish.places) > 1) else untold

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

    async def _at(self, bot: Account | None, secret: SecretStr, *, fresh: bool) -> AtPlace:
        wish, api = self._wish, self._api
        return AtPlace(
            api,
            await api.me(),
            Rights(api, wish.bot, bot, self._means.confirm),
            Webhooks(HooksAPI(api.client), wish, secret, fresh=fresh),
            LabelMaker(api, wish.labels, self._for(many=False)),
        )

    async def _settings(self, token: SecretStr | None, hook_secrets: Sequence[SecretStr]) -> None:
        """Write what the bot has to know into `.env`, where it is not there already."""
        course, path = self._course, self._wish.env
        course.step = "Settings"
        wanted = self._wanted(token, hook_secrets)
        before, has = env_text(path), read_env({}, path)
        lacking = {name: value for name, value in wanted.items() if has.get(name) != value}
        after = with_values(before, lacking) if lacking else before
        if before == after and is_private(path):
            course.same(f"{path} says all that.")
        else:
            await course.make(
                f"wrote {path}" if before != after else f"made {path} readable by you only",
                partial(_write, path, after),
                (f"{path} is as it was", partial(_write, path, before)),
            )
        for name, value in self._wish.environ.items():
            if name in wanted and value != wanted[name]:
                course.note(
                    f"{name} is set in the environment to something else, and wins over {path}.",
                    "Unset it there before you start the bot.",
                )

    def _wanted(
        self, token: SecretStr | None, hook_secrets: Sequence[SecretStr]
    ) -> Mapping[str, str]:
        wish = self._wish
        secret = ",".join(one.get_secret_value() for one in hook_secrets)
        has = (token or SecretStr("")).get_secret_value()
        wanted = dict(zip(WRITTEN, (wish.url, has, secret, wish.address), strict=True))
        kept = {
            "GITEA_TOKEN": token == wish.token,
            "GITEA_WEBHOOK_SECRET": bool(wish.secrets),
        }
        for name in wish.from_files:
            if not kept[name]:
                raise Stop(
                    f"{name}_FILE is set, so a new {name} cannot stand in {wish.env}.",
                    f"Unset {name}_FILE, and run setup again.",
                )
            del wanted[name]
        return wanted


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


async def _write(path: Path, text: str) -> None:
    write_env(path, text)
