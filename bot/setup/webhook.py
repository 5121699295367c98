"""The webhook at a place."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from pydantic import SecretStr

from bot.gitea.hooks import Hook, HooksAPI
from bot.setup.course import Course
from bot.setup.places import Place
from bot.setup.wish import Wish


class Webhooks:
    """Makes the hooks of a wish, with the secret. `fresh`: no hook can have this one yet."""

    def __init__(self, api: HooksAPI, wish: Wish, secret: SecretStr, *, fresh: bool) -> None:
        self._api = api
        self._target = wish.target
        self._former = wish.former_target
        self._secret = secret
        self._fresh = fresh

    async def ours(self, place: Place) -> Sequence[Hook]:
        """The hooks there that send to the bot, or to where it was before."""
        targets = {self._target, self._former}
        return [one for one in await self._api.list(place.route) if one.url in targets]

    async def put(self, course: Course, place: Place) -> None:
        """Let there be one hook that sends what the bot uses, with the secret."""
        course.step = "Webhook"
        first, *more = [*await self.ours(place), None]
        if first is None:
            await self.create(course, place, f"made the webhook of {place} to {self._target}")
        elif self._fresh:
            await self.replace(course, place, first)
        else:
            await self._mend(course, place, first)
        for extra in more[:-1]:
            if extra:
                gone = partial(self._api.delete, place.route, extra.id)
                course.later("removed a second webhook to the same address", gone)

    async def create(self, course: Course, place: Place, what: str) -> Hook | None:
        """Make the hook, whatever there is."""
        there = {one.id for one in await self.ours(place)}
        return await course.make(
            what,
            lambda: self._api.create(place.route, self._target, self._secret),
            ("removed the webhook again", lambda: self._take_new(place, there)),
        )

    async def create_plainly(self, place: Place) -> Hook:
        """Make one without a word; whoever asks removes it again."""
        return await self._api.create(place.route, self._target, self._secret)

    async def replace(self, course: Course, place: Place, hook: Hook) -> Hook | None:
        """Make one with the secret in the place of this one: Gitea changes no hook's secret."""
        made = await self.create(course, place, f"made the webhook of {place} anew")
        course.later(
            "removed the webhook it replaces",
            partial(self._api.delete, place.route, hook.id),
        )
        return made

    async def _mend(self, course: Course, place: Place, hook: Hook) -> None:
        moved = [] if hook.url == self._target else [f"it sent to {hook.url}"]
        wrong = [*moved, *_faults(hook)]
        if not wrong:
            course.same(f"The webhook of {place} to {self._target} is there.")
            return
        events = (*hook.events, *hook.lacking)  # what somebody has it send besides, it goes on to
        better = hook.model_copy(
            update={
                "active": True,
                "events": events,
                "branch_filter": "*",
                "config": {**hook.config, "url": self._target},
            }
        )
        await course.make(
            f"mended the webhook of {place}: {', '.join(wrong)}",
            lambda: self._api.edit(place.route, better),
            ("made the webhook as it was", lambda: self._api.edit(place.route, hook)),
        )

    async def _take_new(self, place: Place, there: set[int]) -> None:
        for one in await self.ours(place):
            if one.id not in there:
                await self._api.delete(place.route, one.id)

    async def take(self, course: Course, place: Place) -> None:
        """Remove every hook there that sends to the bot."""
        course.step = "Webhook"
        for hook in await self.ours(place):
            await course.make(
                f"removed the webhook of {place} to {hook.url}",
                partial(self._api.delete, place.route, hook.id),
            )


def _faults(hook: Hook) -> Sequence[str]:
    lacking = hook.lacking
    return [
        *(["it was switched off"] if not hook.active else []),
        *([f"it did not send {', '.join(lacking)}"] if lacking else []),
        *(["it sent only some branches"] if not hook.all_branches else []),
    ]
