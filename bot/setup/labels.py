"""The bot's labels in repositories: made before they are first needed, or taken away."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from bot.errors import CoordinatorError, NotFound, Permanent
from bot.gitea.admin import AdminAPI
from bot.gitea.api import GiteaAPI
from bot.gitea.models import Label, Repository
from bot.labels import LabelSpec
from bot.setup.course import Course, is_refusal
from bot.setup.means import Progress
from bot.setup.places import Kind, Place

AT_ONCE = 4  # repositories


class LabelMaker:
    """Makes the labels; `progress` is told how many repositories are done, of how many."""

    def __init__(self, api: AdminAPI, specs: Sequence[LabelSpec], progress: Progress) -> None:
        self._api = api
        self._gitea = GiteaAPI(api.client)
        self._specs = specs
        self._progress = progress

    async def put(self, course: Course, place: Place) -> None:
        """Make what is missing in the repositories of a place."""
        course.step = "Labels"
        if not self._specs:
            course.same("Labels are switched off in the settings.")
        elif place.kind is Kind.REPOSITORY:
            await self._in_one(course, place.name)
        elif place.kind is Kind.ORGANIZATION:
            await self._in_all(course, place.name)
        else:
            course.note("Each repository gets the labels when its first issue is assigned.")

    async def _in_one(self, course: Course, repo: str) -> None:
        missing = await self._missing(repo)
        if not missing:
            course.same(f"{repo} has the labels.")
            return
        asked: list[LabelSpec] = []
        await course.make(
            f"made {len(missing)} labels in {repo}",
            lambda: self._make(repo, missing, asked),
            (f"removed the new labels of {repo} again", lambda: self._take(repo, asked)),
            many=True,
        )

    async def _in_all(self, course: Course, org: str) -> None:
        found = [one async for one in self._api.repositories(org) if _takes_labels(one)]
        gate = asyncio.Semaphore(AT_ONCE)
        done = 0

        async def one(repo: str) -> str:
            nonlocal done
            async with gate:
                outcome = await self._quietly(course, repo)
            done += 1
            self._progress(done, len(found))
            return outcome

        async with asyncio.TaskGroup() as group:  # waits for all of them, also when interrupted
            tasks = [group.create_task(one(repo.full_name)) for repo in found]
        outcomes = [task.result() for task in tasks]
        made, same = outcomes.count("made"), outcomes.count("same")
        if made:
            course.did(f"made the labels in {made} repositories of {org}")
        if same or not found:
            course.same(f"{same} repositories of {org} have the labels.")

    async def _quietly(self, course: Course, repo: str) -> str:
        part = course.part(repo)
        part.step = course.step
        asked: list[LabelSpec] = []
        try:
            async with part.all_or_nothing():
                missing = await self._missing(repo)
                if missing and not course.dry:
                    await part.make(
                        "",
                        lambda: self._make(repo, missing, asked),
                        (f"removed the new labels of {repo}", lambda: self._take(repo, asked)),
                        quiet=True,
                        many=True,
                    )
        except CoordinatorError:
            return "failed"
        finally:
            course.join(part)
        return "made" if missing else "same"

    async def _missing(self, repo: str) -> Sequence[LabelSpec]:
        have = {label.name.casefold() for label in await self._gitea.labels(repo)}
        return [spec for spec in self._specs if spec.name.casefold() not in have]

    async def _make(self, repo: str, specs: Sequence[LabelSpec], asked: list[LabelSpec]) -> None:
        """Make them; `asked` are those that are there then, or may be."""
        for spec in specs:
            asked.append(spec)
            try:
                await self._gitea.create_label(
                    repo, spec.name, spec.color, spec.description, exclusive=True
                )
            except Permanent as error:
                if is_refusal(error):
                    asked.remove(spec)
                raise

    async def _take(self, repo: str, specs: Sequence[LabelSpec]) -> None:
        names = {spec.name.casefold() for spec in specs}
        there = await self._gitea.labels(repo)
        await self._delete(repo, [one for one in there if one.name.casefold() in names])

    async def take(self, course: Course, place: Place) -> None:
        """Take the bot's labels out of the repositories of a place."""
        course.step = "Labels"
        if not self._specs or place.kind is Kind.SYSTEM:
            return
        repos = [place.name]
        if place.kind is Kind.ORGANIZATION:
            repos = [one.full_name async for one in self._api.repositories(place.name)]
        for done, repo in enumerate(repos, 1):
            there = [one for one in await self._gitea.labels(repo) if self._is_own(one)]
            if there:
                await course.make(
                    f"removed {len(there)} labels of {repo}", partial(self._delete, repo, there)
                )
            self._progress(done, len(repos))

    async def _delete(self, repo: str, labels: Sequence[Label]) -> None:
        for label in labels:
            with suppress(NotFound):
                await self._gitea.delete_label(repo, label.id)

    def _is_own(self, label: Label) -> bool:
        """Whether the bot made it, and nobody made it another one since."""
        return any(
            (label.name, f"#{label.color.lower()}", label.description)
            == (spec.name, spec.color, spec.description)
            for spec in self._specs
        )


def _takes_labels(repo: Repository) -> bool:
    return not repo.archived and (repo.has_issues or repo.has_pull_requests)
