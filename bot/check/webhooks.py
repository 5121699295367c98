"""The webhooks of a repository that are the bot's, and what keeps them from telling it all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from bot.check.among import NAMES
from bot.check.finding import Finding, Grade
from bot.gitea.hooks import WEBHOOK, Hook

SHOWN = {
    "issues": "Issues",
    "issue_assign": "Issue Assigned",
    "issue_label": "Issue Labeled",
    "issue_milestone": "Issue Milestoned",
    "issue_comment": "Issue Comment",
    "pull_request": "Pull Request",
    "pull_request_comment": "Pull Request Comment",
    "push": "Push",
    "repository": "Repository",
}
"""How Gitea's page calls the events the bot uses."""

TRIED = "issue_label"
"""The event a delivery is tried with."""

_NEEDED = {"issues", "issue_assign", "issue_comment"}
_LATE = "What it does not send, the bot finds only when it looks for what it missed: every {every}."
_SETUP = f"Or: mosaic-coordinator setup {NAMES}"
_PLAIN = ("gitea", "gogs", "forgejo")


@dataclass(frozen=True, slots=True)
class Judged:
    """What is so whatever arrives, what is wrong only if nothing does, and what can be tried.

    `url`: where the hook sends that should tell the bot; empty where there is none, or none can
    be seen. `silent`: it does not send the event that is tried.
    """

    always: Sequence[Finding] = ()
    unless: Sequence[Finding] = ()
    url: str = ""
    silent: bool = False

    @property
    def has_own(self) -> bool:
        """Whether a hook of its own should tell the bot."""
        return bool(self.url)


def judge(hooks: Sequence[Hook] | None, target: str, every: str) -> Judged:
    """The hooks of one repository; None: they may not be read.

    `target`: where they are to send, empty if not set; `every`: how often the bot looks by itself.
    """
    if hooks is None:
        return Judged()
    ours = [one for one in hooks if _is_ours(one, target)]
    if not ours:
        return Judged(unless=[_none(target)])
    exact = [one for one in ours if one.url == target] or ours
    active = [one for one in exact if one.active]
    if not active:
        return Judged(unless=[_off(exact[0], every)])
    hook, *more = active
    moved = [_elsewhere(hook, target)] if target and hook.url != target else []
    return Judged(
        always=[*_of_events(hook, every), *_of_kind(hook), *_of_branches(hook, every), *_of(more)],
        unless=moved,
        url=hook.url,
        silent=TRIED in hook.lacking,
    )


def _is_ours(hook: Hook, target: str) -> bool:
    """Whether a hook sends to the bot, or is meant to."""
    there = urlsplit(hook.url)
    same = bool(target) and there.netloc == urlsplit(target).netloc
    return same or there.path.rstrip("/").endswith(WEBHOOK)


def _page(hook: Hook) -> str:
    return f"{NAMES} ▸ Settings ▸ Webhooks ▸ {hook.url}"


def _none(target: str) -> Finding:
    where = target or f"the bot's address with {WEBHOOK} behind it"
    return Finding(
        "hook.none",
        Grade.WRONG,
        f"{NAMES}: no webhook tells the bot.",
        "It is told of nothing, so it answers only when it looks for what it missed.",
        f"mosaic-coordinator setup {NAMES}\n"
        f"Or by hand: {NAMES} ▸ Settings ▸ Webhooks ▸ Add Webhook ▸ Gitea, to "
        f"{where}, with GITEA_WEBHOOK_SECRET as its secret.",
    )


def elsewhere_perhaps(finding: Finding) -> Finding:
    """The same, where nothing could be tried: another place may have a webhook, too."""
    why = "Unless its organisation or the whole Gitea has one, which the bot may not read: "
    return replace(finding, grade=Grade.NOTE, why=why + finding.why[:1].lower() + finding.why[1:])


def _off(hook: Hook, every: str) -> Finding:
    return Finding(
        "hook.off",
        Grade.WRONG,
        f"{NAMES}: the webhook to {hook.url} is switched off.",
        _LATE.format(every=every),
        f"{_page(hook)}: tick Active, and Update Webhook. {_SETUP}",
    )


def _elsewhere(hook: Hook, target: str) -> Finding:
    return Finding(
        "hook.elsewhere",
        Grade.WRONG,
        f"{NAMES}: the webhook sends to {hook.url}, and the bot is at {target}.",
        "What Gitea sends there does not reach the bot.",
        f"{_page(hook)}: set Target URL to {target}\nOr, if the first one is right, set "
        f"MOSAIC_SERVER__URL to {hook.url.removesuffix(WEBHOOK)}",
    )


def _of_events(hook: Hook, every: str) -> Sequence[Finding]:
    lacking = hook.lacking
    if not lacking:
        return []
    names = ", ".join(SHOWN.get(one, one) for one in lacking)
    return [
        Finding(
            "hook.events",
            Grade.WRONG if _NEEDED & set(lacking) else Grade.NOTE,
            f"{NAMES}: the webhook does not send: {names}.",
            _LATE.format(every=every),
            f"{_page(hook)}: Trigger On ▸ Custom Events: tick {names}, and Update Webhook. "
            f"{_SETUP}",
        )
    ]


def _of_kind(hook: Hook) -> Sequence[Finding]:
    if hook.type in _PLAIN:
        return []
    return [
        Finding(
            "hook.type",
            Grade.WRONG,
            f"{NAMES}: the webhook to {hook.url} is one for {hook.type}.",
            "What it sends is not what the bot reads.",
            f"{_page(hook)}: Remove Webhook, then: mosaic-coordinator setup {NAMES}",
        )
    ]


def _of_branches(hook: Hook, every: str) -> Sequence[Finding]:
    if hook.all_branches:
        return []
    return [
        Finding(
            "hook.branches",
            Grade.NOTE,
            f"{NAMES}: the webhook tells only of pushes to {hook.branch_filter[:60]}.",
            _LATE.format(every=every),
            f"{_page(hook)}: empty Branch filter, and Update Webhook. {_SETUP}",
        )
    ]


def _of(more: Sequence[Hook]) -> Sequence[Finding]:
    if not more:
        return []
    return [
        Finding(
            "hook.twice",
            Grade.NOTE,
            f"{NAMES}: {len(more) + 1} webhooks send to the bot.",
            "Everything comes more than once, which does no harm but costs time.",
            f"{_page(more[0])}: Remove Webhook on all but one. {_SETUP}",
        )
    ]
