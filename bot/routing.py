"""Which handlers an event goes to.

A handler says which issues to look at; it reads nothing from Gitea and writes nothing there. All
handlers of an event run, also when one fails.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Collection, Iterator
from typing import Protocol

from bot.gitea.events import Event
from bot.models import IssueRef

ISSUE_EVENTS = ("issues", "issue_assign", "issue_label", "issue_milestone")
"""The names under which forges announce what happens to an issue; Gitea uses the first for all."""


class Desk(Protocol):
    """What handlers may know and do."""

    @property
    def login(self) -> str:
        """The bot's own login."""

    async def concerns(self, ref: IssueRef) -> bool:
        """Whether the bot has anything to do with an issue, as far as is remembered."""

    async def gone(self, ref: IssueRef) -> None:
        """Remember that an issue was deleted."""

    async def wrote(self, ref: IssueRef, login: str) -> None:
        """Remember that somebody edited an issue's text."""

    async def deleted(self, forge_id: int, repository: str) -> Collection[IssueRef]:
        """Remember that a repository was deleted; the issues elsewhere that concerns."""

    async def changed(self, repository: str) -> Collection[IssueRef]:
        """Forget what is remembered of a repository; the issues that are judged otherwise now."""


Handler = Callable[[Event, Desk], Awaitable[Collection[IssueRef]]]


class Router:
    """Events to handlers, by event name and action; routers compose."""

    def __init__(self, *routers: Router) -> None:
        self._handlers: dict[tuple[str, str], list[Handler]] = {}
        for router in routers:
            for key, handlers in router._handlers.items():  # noqa: SLF001 - another of its kind
                self._handlers.setdefault(key, []).extend(handlers)

    def on(self, names: str | Collection[str], *actions: str) -> Callable[[Handler], Handler]:
        """Register a handler for these events and actions; no action: for all of them."""
        events = (names,) if isinstance(names, str) else names

        def register(handler: Handler) -> Handler:
            for name in events:
                for action in actions or ("*",):
                    self._handlers.setdefault((name, action), []).append(handler)
            return handler

        return register

    def handlers(self, event: Event) -> list[Handler]:
        """The handlers of an event, each once; none means that nobody cares for it."""
        found = [
            *self._handlers.get((event.name, event.action), ()),
            *self._handlers.get((event.name, "*"), ()),
        ]
        return list(dict.fromkeys(found))

    async def route(self, event: Event, desk: Desk) -> set[IssueRef]:
        """The issues to look at because of an event.

        Raises what a handler raised, after all have run; then the event is to be routed again.
        """
        looks: set[IssueRef] = set()
        errors: list[Exception] = []
        for handler in self.handlers(event):
            try:
                looks.update(await handler(event, desk))
            except Exception as error:  # noqa: BLE001 - raised below, when the others have run
                errors.append(error)
        if errors:
            raise errors[0]
        return looks


def discover(package: str) -> Router:
    """One router of all modules of a package that have a `router`."""
    return Router(*_routers(package))


def _routers(package: str) -> Iterator[Router]:
    found = importlib.import_module(package)
    for module in sorted(pkgutil.iter_modules(found.__path__), key=lambda m: m.name):
        router = getattr(importlib.import_module(f"{package}.{module.name}"), "router", None)
        if isinstance(router, Router):
            yield router
