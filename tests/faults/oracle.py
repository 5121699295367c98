"""What stands in the forge, compared with what a bot that never failed has left."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.demo.forge import Forge
from bot.demo.records import Issue
from bot.render import MARKER
from tests.faults.script import BOT, FAR, ROCKET

Things = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Snapshot:
    """What the bot has left at each issue, by what kind of thing it is."""

    issues: Mapping[str, Things]

    def differences(self, expected: Snapshot) -> list[str]:
        """A line for each thing that is too much or too little here."""
        found = []
        for name, things in expected.issues.items():
            for kind, wanted in things.items():
                there = list(self.issues.get(name, {}).get(kind, ()))
                missing = _without(wanted, there)
                more = _without(there, wanted)
                found += [f"{name} {kind}: missing {one!r}" for one in missing]
                found += [f"{name} {kind}: too much {one!r}" for one in more]
        return found


def snapshot(forge: Forge) -> Snapshot:
    """As it is now."""
    found = {}
    for place in (ROCKET, FAR):
        for issue in forge.repository(place).issues.values():
            found[f"{place}#{issue.number}"] = _things(forge, issue)
    return Snapshot(found)


def _things(forge: Forge, issue: Issue) -> Things:
    mine = [one.body for one in issue.comments if one.poster.login == BOT]
    reports = [_plain(forge, body) for body in mine if body.startswith(MARKER)]
    others = sorted(_plain(forge, body) for body in mine if not body.startswith(MARKER))
    said = [one for one in issue.comments if one.poster.login != BOT]
    reactions = [
        f"{nth} {reaction.content}"
        for nth, one in enumerate(said)
        for reaction in one.reactions
        if reaction.user.login == BOT
    ]
    return {
        "labels": sorted(label.name for label in issue.labels),
        "reports": reports,
        "replies and notices": others,
        "reactions": sorted(reactions),
    }


def _plain(forge: Forge, body: str) -> str:
    """Without what may differ from run to run.

    The forge's address; ids of comments; and which of an issue's blockers a notice names, for of
    two that were closed while nobody looked both are.
    """
    body = body.replace(forge.url, "FORGE")
    body = re.sub(r"#issuecomment-\d+", "#issuecomment-N", body)
    body = re.sub(
        r"(\*\*Ready\*\* — ).* (is|are) closed", r"\1all that it waited for is closed", body
    )
    return re.sub(r"(<!-- mosaic-coordinator:[a-z-]+) [^>]*-->", r"\1 -->", body)


def _without(these: Sequence[str], those: Sequence[str]) -> list[str]:
    left = list(those)
    rest = []
    for one in these:
        if one in left:
            left.remove(one)
        else:
            rest.append(one)
    return rest
