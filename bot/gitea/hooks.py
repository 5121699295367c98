"""Webhooks of a repository (`/repos/o/r`), an organisation (`/orgs/o`) or the system (`/admin`)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Annotated

from pydantic import BeforeValidator, SecretStr

from bot.errors import NotFound
from bot.gitea.answers import read
from bot.gitea.client import Gitea
from bot.gitea.models import Answer, Text
from bot.gitea.sansio import JSON

WEBHOOK = "/webhook/gitea"
"""Where the bot takes what they send, below its address."""

EVENTS = (
    "issues_only",
    "issue_assign",
    "issue_label",
    "issue_milestone",
    "issue_comment",
    "pull_request_only",
    "pull_request_comment",
    "push",
    "repository",
)


# As Gitea lists them, an event is that event; as it is told, it is the whole family.
_ONLY = {"issues": "issues_only", "pull_request": "pull_request_only"}


class Hook(Answer):
    """A webhook; its secret is never told."""

    id: int
    type: Text = ""
    active: bool = False
    events: Annotated[tuple[str, ...], BeforeValidator(lambda v: v or ())] = ()
    branch_filter: Text = ""
    authorization_header: Text = ""
    config: Mapping[str, str] = {}

    @property
    def url(self) -> str:
        """Where it sends to."""
        return self.config.get("url", "")

    @property
    def lacking(self) -> Sequence[str]:
        """The events the bot uses that it does not send, as Gitea lists them."""
        return sorted(as_listed(EVENTS) - set(self.events))

    @property
    def all_branches(self) -> bool:
        """Whether it tells of pushes to whatever branch."""
        return self.branch_filter in ("", "*")


def as_listed(events: Collection[str]) -> frozenset[str]:
    """As Gitea lists them: `issues_only` comes back as `issues`."""
    return frozenset(event.removesuffix("_only") for event in events)


class HooksAPI:
    """The webhooks, over a client that may set them up."""

    def __init__(self, client: Gitea) -> None:
        self._client = client

    async def list(self, place: str) -> Sequence[Hook]:
        """GET …/hooks."""
        return [read(Hook, item) async for item in self._client.getiter(f"{place}/hooks")]

    async def create(self, place: str, url: str, secret: SecretStr) -> Hook:
        """POST …/hooks."""
        config: dict[str, JSON] = {
            "url": url,
            "content_type": "json",
            "secret": secret.get_secret_value(),
        }
        if place == "/admin":
            config["is_system_webhook"] = "true"
        data: JSON = {"type": "gitea", "active": True, "events": list(EVENTS), "config": config}
        return read(Hook, await self._client.post(f"{place}/hooks", data))

    async def edit(self, place: str, hook: Hook) -> Hook:
        """PATCH …/hooks/{id}."""
        data: JSON = {
            "active": hook.active,
            "events": [_ONLY.get(event, event) for event in hook.events],
            "branch_filter": hook.branch_filter,
            "authorization_header": hook.authorization_header,
            "config": {"url": hook.url, "content_type": hook.config.get("content_type", "json")},
        }
        return read(Hook, await self._client.patch(f"{place}/hooks/{{id}}", data, id=hook.id))

    async def delete(self, place: str, hook_id: int) -> None:
        """DELETE …/hooks/{id}."""
        try:
            await self._client.delete(f"{place}/hooks/{{id}}", id=hook_id)
        except NotFound:
            return

    async def test(self, place: str, hook_id: int) -> None:
        """POST …/hooks/{id}/tests."""
        await self._client.post(f"{place}/hooks/{{id}}/tests", id=hook_id)
