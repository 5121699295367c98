"""What is set up at one place, and at each of many."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bot.errors import CoordinatorError
from bot.gitea.admin import Account, AdminAPI
from bot.setup.course import Course, Told
from bot.setup.labels import LabelMaker
from bot.setup.means import Progress
from bot.setup.places import Place
from bot.setup.rights import Rights, demand
from bot.setup.webhook import Webhooks

AT_ONCE = 4  # places


@dataclass(frozen=True, slots=True)
class AtPlace:
    """The steps at a place, as who is signed in."""

    api: AdminAPI
    signed_in: Account
    rights: Rights
    webhooks: Webhooks
    labels: LabelMaker

    async def put(self, course: Course, place: Place) -> None:
        """Set the bot up there: all of it, or nothing."""
        async with course.all_or_nothing():
            course.step = "Right"
            await demand(self.api, place, self.signed_in)
            await self.rights.give(course, place)
            await self.webhooks.put(course, place)
            await self.labels.put(course, place)

    async def take(self, course: Course, place: Place) -> None:
        """Take the bot away from there; what cannot be is told, and the rest goes."""
        failed = None
        for step in (self.webhooks.take, self.labels.take, self.rights.take):
            try:
                await step(course, place)
            except CoordinatorError as error:
                course.say(error)
                failed = error
        if failed:
            raise failed


async def each(
    course: Course,
    places: Sequence[Place],
    work: Callable[[Course, Place], Awaitable[None]],
    progress: Progress,
) -> Sequence[Place]:
    """Do it at each place; where it was done. One that fails stops no other.

    Raises Told when all fail.
    """
    gate, seen, failed = asyncio.Semaphore(AT_ONCE), 0, set[Place]()

    async def one(place: Place) -> None:
        nonlocal seen
        part = course.part(str(place))
        async with gate:
            try:
                await work(part, place)
            except CoordinatorError:
                failed.add(place)
        course.join(part)
        seen += 1
        progress(seen, len(places))

    async with asyncio.TaskGroup() as group:
        for place in places:
            group.create_task(one(place))
    if len(failed) == len(places):
        raise Told("nothing could be set up")
    return [place for place in places if place not in failed]
