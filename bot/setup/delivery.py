"""The last step: a test delivery, from Gitea's queue into the bot."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from bot.errors import GiteaError
from bot.gitea.admin import AdminAPI
from bot.gitea.hooks import Hook, HooksAPI
from bot.gitea.models import Repository
from bot.receiving import WAIT, Receiver, Verdict
from bot.setup.course import Course, Stop
from bot.setup.places import Kind, Place
from bot.setup.webhook import Webhooks

LOOKED_AT = 50  # repositories


class Trial:
    """Sends one through the hook of a place, and waits for what becomes of it."""

    def __init__(self, api: AdminAPI, webhooks: Webhooks, receiver: Receiver) -> None:
        self._api = api
        self._hooks = HooksAPI(api.client)
        self._webhooks = webhooks
        self._receiver = receiver

    async def at(self, course: Course, place: Place, target: str) -> None:
        """Say whether it arrived. A hook with another secret is made anew. Raises Stop."""
        course.step = "Delivery"
        repo = await self._repository(place)
        if repo is None:
            course.note(
                f"No delivery was tested: {place} has no repository with a commit.",
                "It will show with the first issue: mosaic-coordinator check says more.",
            )
            return
        verdict = await self._send(place, repo)
        if verdict is Verdict.REFUSED and place.kind is Kind.REPOSITORY:
            verdict = await self._anew(course, place, repo)
        if verdict is not Verdict.ACCEPTED:
            raise _failed(verdict, target)
        course.same("A test delivery arrived, and its signature is right.")

    async def _send(self, place: Place, repo: str) -> Verdict:
        """Through the hook itself where Gitea can, else through one that is there for it only."""
        route = f"/repos/{repo}"
        if place.kind is Kind.REPOSITORY:
            hooks = await self._webhooks.ours(place)
            if not hooks:
                raise Stop(
                    f"Somebody removed the webhook of {place} meanwhile.", "Run setup again."
                )
            return await self._test(route, hooks[0])
        made = await self._webhooks.create_plainly(Place(Kind.REPOSITORY, repo))
        try:
            return await self._test(route, made)
        finally:
            await self._hooks.delete(route, made.id)

    async def _test(self, route: str, hook: Hook) -> Verdict:
        await self._hooks.test(route, hook.id)
        return await self._receiver.verdict(WAIT)

    async def _anew(self, course: Course, place: Place, repo: str) -> Verdict:
        for old in await self._webhooks.ours(place):
            made = await self._webhooks.replace(course, place, old)
            if made and await self._test(f"/repos/{repo}", made) is Verdict.ACCEPTED:
                return Verdict.ACCEPTED
        return Verdict.REFUSED

    async def _repository(self, place: Place) -> str | None:
        """One that has a commit, which the delivery tells of."""
        if place.kind is Kind.REPOSITORY:
            owner, _, name = place.name.partition("/")
            found = await self._api.repository(owner, name)
            return None if found.empty else place.name
        try:
            async for one in self._candidates(place):
                if not one.empty and not one.archived:
                    return one.full_name
        except GiteaError:
            return None
        return None

    def _candidates(self, place: Place) -> AsyncIterator[Repository]:
        if place.kind is Kind.ORGANIZATION:
            return self._api.repositories(place.name)
        return self._api.all_repositories(LOOKED_AT)


def _failed(verdict: Verdict, target: str) -> Stop:
    if verdict is Verdict.REFUSED:
        return Stop(
            "The bot that runs refused a test delivery: it knows another secret.",
            "Start it again, so that it reads .env; then run setup again.",
        )
    host = urlsplit(target).hostname
    return Stop(
        f"Nothing arrived of a test delivery to {target} within {WAIT:.0f} s.",
        "Can Gitea's machine reach that address? If not, give another with --bot-url.\n"
        "If it can, Gitea may not send there. Let it, in its app.ini, and start it again:\n"
        "    [webhook]\n"
        f"    ALLOWED_HOST_LIST = external,{host}\n"
        "Then run setup again.",
    )
