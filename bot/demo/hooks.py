"""Setting webhooks up, changing, testing and removing them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from bot.demo import payloads
from bot.demo.deliveries import Delivery, as_go_writes, subscribed
from bot.demo.records import Hook, Repository, User
from bot.demo.refusals import Refused, not_found, required
from bot.demo.world import World

TYPES = ("gitea", "gogs", "slack", "discord", "dingtalk", "telegram", "msteams", "feishu")


@dataclass(frozen=True, slots=True, kw_only=True)
class HookWish:
    """What a hook is to be; None leaves a thing as it is, or as Gitea makes it."""

    kind: str = "gitea"
    url: str | None = None
    content_type: str | None = None
    secret: str = ""
    events: tuple[str, ...] = ()
    active: bool | None = None
    branch_filter: str = ""
    authorization: str = ""
    name: str = ""


def create_hook(
    world: World,
    wish: HookWish,
    *,
    repository: Repository | None = None,
    organization: User | None = None,
) -> Hook:
    """A new hook; raises the 422 of a wish that cannot be met. Not active unless it says so."""
    if not wish.kind:
        raise required("Type")
    if wish.kind not in TYPES:
        raise Refused(422, f"Invalid hook type: {wish.kind}")
    for name, value in (("url", wish.url), ("content_type", wish.content_type)):
        if value is None:
            raise Refused(422, f"Missing config option: {name}")
    now = world.state.now()
    hook = Hook(
        id=world.state.next_id("hook"),
        url=_checked_url(wish.url or ""),
        created=now,
        updated=now,
        secret=wish.secret,
        content_type=_checked_type(wish.content_type or ""),
        events=subscribed(list(wish.events)),
        active=bool(wish.active),
        branch_filter=wish.branch_filter,
        authorization=wish.authorization,
        name=wish.name,
        repository=repository,
        organization=organization,
    )
    world.state.hooks[hook.id] = hook
    return hook


def edit_hook(world: World, hook: Hook, wish: HookWish) -> None:
    """Change a hook; its events are replaced whatever the wish says, its secret stays."""
    hook.url = hook.url if wish.url is None else _checked_url(wish.url)
    if wish.content_type is not None:
        hook.content_type = _checked_type(wish.content_type)
    hook.events = subscribed(list(wish.events))
    hook.branch_filter = wish.branch_filter
    hook.authorization = wish.authorization
    hook.active = hook.active if wish.active is None else wish.active
    hook.updated = world.state.now()


def test_delivery(world: World, doer: User, hook: Hook, repository: Repository) -> None:
    """Send a normal `push` of the latest commit, as Gitea does in place of a ping."""
    commit = repository.branches.get(repository.default_branch)
    if commit is None:
        raise not_found("repository is empty")
    none: dict[str, list[str]] = {"added": [], "removed": [], "modified": []}
    payload = payloads.push(
        world.state,
        repository,
        repository.default_branch,
        doer,
        before=commit,
        commits=[(commit, none)],
    )
    world.deliveries.queue(Delivery(hook, "push", as_go_writes(payload)))


def replay(world: World, delivery: Delivery) -> Delivery:
    """Send a delivery again, with a new UUID, as the page of a hook does."""
    again = Delivery(delivery.hook, delivery.event_type, delivery.payload)
    world.deliveries.queue(again)
    return again


def _checked_url(url: str) -> str:
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise Refused(422, "Invalid url")
    return url


def _checked_type(content_type: str) -> str:
    if content_type not in ("json", "form"):
        raise Refused(422, "Invalid content type")
    return content_type
