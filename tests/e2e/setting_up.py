"""A set-up on an embedded forge: how it is called, and what the forge and `.env` are like then."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bot.config import load
from bot.demo.forge import Forge, serve
from bot.envfile import read_env
from bot.errors import CoordinatorError
from bot.gitea.client import Gitea
from bot.labels import label_book
from bot.setup.course import Course, Line
from bot.setup.means import Means
from bot.setup.places import SYSTEM, places_of
from bot.setup.removal import Extent, Removal
from bot.setup.run import Setup
from bot.setup.wish import Wish
from tests.gitea_server import free_port

REPO = "acme/rocket"
LABELS = tuple(label_book(load({})).specs.values())


@dataclass
class Stage:
    """A forge, a folder, and the port on which a bot would listen."""

    forge: Forge
    env: Path
    port: int
    lines: list[Line] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    answer: bool = True
    other: str = ""
    secret: str = ""

    @property
    def values(self) -> dict[str, str]:
        """What stands in `.env`."""
        return read_env({}, self.env)

    def marks(self, step: str = "") -> list[str]:
        """The marks of all lines, or of those of a step."""
        return [line.mark.value for line in self.lines if step in ("", line.step)]

    def said(self, mark: str) -> str:
        """The text of the lines with this mark."""
        shown = (f"{line.what} {line.do}".strip() for line in self.lines if line.mark == mark)
        return "\n".join(shown)

    async def setup(self, *places: str, dry: bool = False, **more: Any) -> bool:
        """Set up at these places; whether it got to its end."""
        return await self._run(*places, dry=dry, **more)

    async def remove(self, *places: str, dry: bool = False, **more: Any) -> bool:
        """Take away from these places, or from everywhere."""
        extent = Extent(more.pop("labels", False), more.pop("user", False))
        return await self._run(*places, dry=dry, extent=extent, **more)

    async def _run(
        self, *places: str, dry: bool, extent: Extent | None = None, **more: Any
    ) -> bool:
        self.lines.clear()
        course = Course(self.lines.append, dry=dry)
        wish, secret = self._wish(places, **more), SecretStr(self.secret or self.forge.admin_token)
        async with self.client(secret, login=more.get("login", "x")) as gitea:
            means = Means(gitea, secret, course, self.client, self._confirm, self._ask, _untold)
            try:
                await (Removal(wish, means, extent) if extent else Setup(wish, means)).run()
            except CoordinatorError:
                return False
        return not course.wrong

    def client(self, secret: SecretStr, login: str = "x") -> Gitea:
        """Signed in with a name."""
        return Gitea(self.forge.url, secret, login=login, timeout=5, attempts=1)

    def _wish(self, places: tuple[str, ...], **more: Any) -> Wish:
        values = self.values
        where = [*places_of(p for p in places if p != "system")]
        token = more.get("token", values.get("GITEA_TOKEN", ""))
        secrets = [one for one in values.get("GITEA_WEBHOOK_SECRET", "").split(",") if one]
        return Wish(
            url=self.forge.url,
            places=[*where, *([SYSTEM] if "system" in places else [])],
            bot=more.get("bot", "coordinator"),
            email="coordinator@noreply.localhost",
            address=more.get("address", f"http://127.0.0.1:{self.port}"),
            labels=more.get("specs", LABELS),
            token=SecretStr(token),
            secrets=[SecretStr(one) for one in secrets],
            listens=("127.0.0.1", self.port),
            host=more.get("host", "here"),
            env=self.env,
            former=values.get("MOSAIC_SERVER__URL", ""),
            adding=more.get("adding", False),
            from_files=more.get("from_files", frozenset()),
            environ=more.get("environ", {}),
        )

    async def _confirm(self, question: str) -> bool:
        self.asked.append(question)
        return self.answer

    async def _ask(self, login: str) -> SecretStr | None:
        self.asked.append(login)
        return SecretStr(self.other) if self.other else None

    def snapshot(self) -> object:
        """Everything a set-up may change, but the secrets of hooks."""
        state = self.forge.state
        return {
            "users": sorted((u.login, u.is_admin) for u in state.users.values()),
            "tokens": sorted(state.tokens),
            "hooks": [
                (h.id, h.url, sorted(h.events), h.active, h.target) for h in state.hooks.values()
            ],
            "teams": sorted((t.name, len(t.members)) for t in state.teams.values()),
            "rights": {r.full_name: dict(r.collaborators) for r in state.repositories.values()},
            "labels": {
                r.full_name: sorted(label.name for label in r.labels.values())
                for r in state.repositories.values()
            },
            "env": self.env.read_bytes() if self.env.exists() else None,
        }


def _untold(_done: int, _total: int) -> None:
    pass


@asynccontextmanager
async def stage_in(folder: Path) -> AsyncIterator[Stage]:
    """A forge with one repository, and a folder without `.env`."""
    forge = Forge()
    forge.add_user("alice")
    forge.add_repository(REPO)
    forge.grant(REPO, "alice", "admin")
    async with serve(forge):
        yield Stage(forge, folder / ".env", free_port())
