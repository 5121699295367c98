"""A real delivery: Gitea is made to send one, and it is seen what becomes of it.

Labels are added to an issue, none at all: Gitea changes nothing, writes nothing into the history
and notifies nobody, but sends `issue_label` to every webhook (1.22, 1.24, 1.26). A comment that is
written with the words it has already is told by 1.22 only.
"""

from __future__ import annotations

import ipaddress
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import urlsplit

from bot.check.finding import Finding, Grade
from bot.gitea.models import Issue, Label
from bot.models import IssueRef
from bot.receiving import WAIT, Receiver, Refused, Unseen, Verdict

LATELY = timedelta(days=1)
WAIT_FOR_OTHERS = 5.0  # seconds; where nobody knows of a hook that could send one


class Gitea(Protocol):
    """What this asks of Gitea."""

    def open_issues(self, repo: str) -> AsyncIterator[Issue]:
        """What is open there."""

    async def add_labels(self, ref: IssueRef, ids: Sequence[int]) -> list[Label]:
        """Put labels on an issue."""


class Trial:
    """Tries deliveries out, one after another, with `receiver` to see them."""

    def __init__(self, gitea: Gitea, receiver: Receiver, assigned: Sequence[IssueRef]) -> None:
        self._gitea = gitea
        self._receiver = receiver
        self._assigned = assigned

    async def of(self, repository: str, *, seconds: float = WAIT) -> Verdict | None:
        """What became of one; None where there is nothing to send one with. Raises GiteaError."""
        ref = await self._issue(repository)
        if ref is None:
            return None
        await self._gitea.add_labels(ref, ())
        return await self._receiver.verdict(seconds)

    async def _issue(self, repository: str) -> IssueRef | None:
        for ref in self._assigned:
            if ref.repository.lower() == repository.lower():
                return ref
        async for issue in self._gitea.open_issues(repository):
            return issue.ref
        return None


def untried(repository: str) -> Finding:
    """There was nothing to send one with."""
    return Finding(
        "delivery.untried",
        Grade.NOTE,
        f"{repository}: no delivery was tried, as no issue is open.",
        "So it is not known whether what Gitea sends arrives, and with the right secret.",
        "Open an issue there, and check again.",
    )


def unseen(error: Unseen) -> Finding:
    """Nobody could see one come."""
    return Finding(
        "delivery.unseen",
        Grade.NOTE,
        f"No delivery was tried: {str(error)[:1].lower()}{str(error)[1:]}",
        "So it is not known whether what Gitea sends arrives, and with the right secret.",
        error.do,
    )


def refused_before(refused: Refused, now: datetime) -> Sequence[Finding]:
    """The bot refused some lately: Gitea's API lists no deliveries, but the bot counts."""
    if not refused.count or now - refused.last > LATELY:
        return []
    several = "1 delivery" if refused.count == 1 else f"{refused.count} deliveries"
    return [
        Finding(
            "delivery.refused_before",
            Grade.NOTE,
            f"The bot refused {several} since it started, the last at "
            f"{refused.last:%Y-%m-%d %H:%M} UTC.",
            "A webhook with another secret sends them, or somebody who is not Gitea: the bot "
            "lost what they told of, and finds it later by itself.",
            "Its log says why (delivery.refused). In Gitea, Settings ▸ Webhooks ▸ Recent "
            "Deliveries shows which failed, and can send them again.",
        )
    ]


def of_verdict(
    verdict: Verdict, repository: str, url: str, *, running: bool, shared: bool
) -> Finding:
    """What became of one that was sent to `url`; `shared`: other replicas may have taken it."""
    if verdict is Verdict.ACCEPTED:
        instead = "" if running else " (The bot does not run: check received it in its place.)"
        return Finding(
            "delivery.arrives",
            Grade.GOOD,
            f"{repository}: a delivery arrived, and its signature is right.{instead}",
        )
    if verdict is Verdict.REFUSED:
        return _refused(repository, url, running=running)
    return _nothing(repository, url, shared=shared)


def _refused(repository: str, url: str, *, running: bool) -> Finding:
    again = "Was .env changed since the bot was started? Then start it again.\n" if running else ""
    page = f"{repository} ▸ Settings ▸ Webhooks ▸ {url}" if url else "The page of the webhook"
    return Finding(
        "hook.secret",
        Grade.WRONG,
        f"{repository}: the webhook's secret is not the bot's.",
        "The bot refuses everything it sends.",
        f"{again}{page}: put the value of GITEA_WEBHOOK_SECRET in Secret, and Update Webhook.\n"
        f"Or: mosaic-coordinator setup {repository}",
    )


def _nothing(repository: str, url: str, *, shared: bool) -> Finding:
    host = urlsplit(url).hostname or ""
    allow = (
        "Let Gitea send there, in its app.ini, and start it again:\n"
        "    [webhook]\n"
        f"    ALLOWED_HOST_LIST = external,{host or 'HOST-OF-THE-BOT'}"
    )
    reach = f"et Gitea's machine reach {url or 'the bot'}: name, port, firewall, proxy."
    ways = [allow, f"If it may already, l{reach}"] if is_inside(host) else [f"L{reach}", allow]
    replicas = " (Or another replica took it, which cannot be seen.)" if shared else ""
    return Finding(
        "delivery.nothing",
        Grade.WRONG,
        f"{repository}: nothing arrived of a delivery{f' to {url}' if url else ''}.",
        f"Gitea sends nothing to such an address unless it is allowed to.{replicas}"
        if is_inside(host)
        else f"Gitea cannot reach it, or may not send there.{replicas}",
        "\n".join(ways),
    )


def is_inside(host: str) -> bool:
    """Whether Gitea, unless told otherwise, takes a host for one that it may not send to."""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith((".local", ".lan", ".internal", ".localhost"))
