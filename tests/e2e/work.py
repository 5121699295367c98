"""A bot at work on a Gitea under test, and the one question the story asks again and again."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.app import Bot
from bot.config import load
from bot.render import MARKER
from bot.server import serving
from tests.forges import SECRET, Api, ForgeServer

EVENTS = (
    "issues",
    "issue_assign",
    "issue_label",
    "issue_milestone",
    "issue_comment",
    "pull_request",
    "push",
    "repository",
)
LIMIT = 60.0  # seconds until the bot is given up; machines may be busy
BOT = "coordinator"
SELDOM = {"MOSAIC_RECHECK_EVERY": "365d"}  # the clock's own must not come in between


@dataclass
class Look:
    """What a person sees on an issue: the bot's comments, and all labels."""

    reports: list[str]
    others: list[str]
    labels: set[str]

    @property
    def report(self) -> str:
        """The one report; fails when there is none, or several."""
        assert 1 == len(self.reports), self.reports
        return self.reports[0]

    @property
    def headline(self) -> str:
        """The report's first words, in bold: Ready, Blocked …"""
        found = re.search(r"^\*\*(.+?)\*\*", self.report, re.MULTILINE)
        return found[1] if found else ""


@dataclass
class Work:
    """A repository of the forge under test, with a bot that hears of everything in it."""

    server: ForgeServer
    bot: Bot
    port: int
    repo: str
    hook: str = ""
    alice: Api = field(init=False)

    def __post_init__(self) -> None:
        self.alice = self.server.api("alice")

    async def hear(self) -> None:
        """Let the bot hear of what happens in the repository, through a webhook."""
        url = f"http://127.0.0.1:{self.port}/webhook/gitea"
        self.hook = await self.server.hook(f"/repos/{self.repo}", url, EVENTS)

    async def deafen(self) -> None:
        """Take the webhook away: what happens now, the bot has to find out by itself."""
        await self.server.remove_hook(self.hook)

    async def open(self, title: str, body: str = "", *assignees: str) -> int:
        made = await self.alice.do(
            "POST",
            f"/repos/{self.repo}/issues",
            {"title": title, "body": body, "assignees": list(assignees)},
        )
        return int(made["number"])

    async def change(self, number: int, **fields: Any) -> None:
        await self.alice.do("PATCH", f"/repos/{self.repo}/issues/{number}", fields)

    async def assign(self, number: int) -> None:
        await self.change(number, assignees=[BOT])

    async def depend(self, number: int, on: int) -> None:
        """Let an issue wait for another one in Gitea's sidebar, as Alice."""
        await self.server.add_dependency(self.repo, number, on)

    async def undepend(self, number: int, on: int) -> None:
        """Take that back."""
        await self.server.remove_dependency(self.repo, number, on)

    async def natives(self, number: int) -> set[int]:
        """What an issue waits for in Gitea's sidebar, as Alice sees it; hidden: 0."""
        return set(await self.server.dependencies(self.repo, number, "alice"))

    async def tick(self, number: int, box: str) -> None:
        """Tick a box of the bot's report, as Gitea's page does: by editing the comment."""
        comments = await self.alice.read(f"/repos/{self.repo}/issues/{number}/comments")
        [report] = [c for c in comments if c["body"].startswith(MARKER)]
        mark = f"<!-- mosaic:box={box} -->"
        assert f"- [ ] {mark}" in report["body"], report["body"]
        body = report["body"].replace(f"- [ ] {mark}", f"- [x] {mark}")
        path = f"/repos/{self.repo}/issues/comments/{report['id']}"
        await self.alice.do("PATCH", path, {"body": body})

    async def look(self, number: int) -> Look:
        comments = await self.alice.read(f"/repos/{self.repo}/issues/{number}/comments")
        labels = await self.alice.read(f"/repos/{self.repo}/issues/{number}/labels")
        mine = [c["body"] for c in comments if c["user"]["login"] == BOT]
        return Look(
            reports=[body for body in mine if body.startswith(MARKER)],
            others=[body for body in mine if not body.startswith(MARKER)],
            labels={label["name"] for label in labels},
        )

    async def until(
        self, number: int, *labels: str, headline: str, says: str = "", not_: str = "\0"
    ) -> Look:
        """What stands there, once labels, the report's first words and its text are so."""
        wanted = set(labels)
        look = await self.look(number)
        try:
            async with asyncio.timeout(LIMIT):
                while not (
                    look.reports
                    and wanted == look.labels
                    and look.headline == headline
                    and says in look.report
                    and not_ not in look.report
                ):
                    await asyncio.sleep(0.05)
                    look = await self.look(number)
        except TimeoutError:
            raise AssertionError(f"#{number} still is {look}") from None
        return look

    async def quiet(self) -> None:
        """Return when the queue is empty; says nothing of deliveries still on their way."""
        async with asyncio.timeout(LIMIT):
            while any((await self.bot.engine.counts()).values()):
                await asyncio.sleep(0.02)


@asynccontextmanager
async def at_work(
    server: ForgeServer,
    directory: Path,
    *,
    right: str = "admin",
    repo: str = "",
    environ: Mapping[str, str] | None = None,
    **files: int,
) -> AsyncIterator[Work]:
    """A repository with a webhook to a bot that has `right` in it; a new one unless `repo` is."""
    people = {"alice": "admin", "bob": "write", "mallory": "read", BOT: right}
    repo = repo or await server.repository(people=people, files=dict(files))
    settings = load(
        {
            "GITEA_URL": server.url,
            "GITEA_TOKEN": server.limited_token(BOT, "write:issue", "read:repository", "read:user"),
            "GITEA_WEBHOOK_SECRET": SECRET,
            "DATABASE_URL": f"sqlite:///{directory}/bot.db",
            "HOST": "127.0.0.1",
            "PORT": "0",
            **SELDOM,
            **(environ or {}),
        },
        _no_settings(directory),
    )
    async with serving(settings) as (bot, port):
        work = Work(server, bot, port, repo)
        await work.hear()
        yield work


def _no_settings(directory: Path) -> Path:
    path = directory / "bot.toml"
    path.write_text("", encoding="utf-8")
    return path
