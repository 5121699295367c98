"""What stands in the forge and the store, compared with what a bot that never failed has left."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from bot.demo.forge import Forge
from bot.demo.records import Issue
from bot.render import MARKER
from bot.store import tables as t
from bot.store.database import async_url
from tests.faults.script import BOT, FAR, ROCKET

Things = Mapping[str, Sequence[str]]

KEPT = (t.overrides, t.links, t.natives, t.edges, t.pauses)


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
        repository = forge.repository(place)
        made = Counter(label.name for label in repository.labels.values())
        twice = sorted(name for name, times in made.items() if times > 1)
        found[place] = {"labels made twice": twice}
        for issue in repository.issues.values():
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
        "waits for": sorted(f"{o.repository.full_name}#{o.number}" for o in issue.blocked_by),
        "reports": reports,
        "replies and notices": others,
        "reactions": sorted(reactions),
    }


async def kept(database_url: str) -> Snapshot:
    """What the store holds of what people said and of what follows from it, without times and ids."""
    engine = create_async_engine(async_url(database_url))
    found: dict[str, list[str]] = {}
    async with engine.connect() as connection:
        for table in KEPT:
            columns = [column for column in table.columns if column.name not in ("at", "text")]
            rows = await connection.execute(sa.select(*columns))
            found[table.name] = sorted(" ".join(map(str, row)) for row in rows)
        done = await connection.execute(sa.select(t.done_commands.c.by, t.done_commands.c.result))
        found["commands"] = sorted(filter(None, (_command(*row) for row in done)))
        given_up = sa.select(t.failures.c.about, t.failures.c.error)
        found["set aside"] = [": ".join(row) for row in await connection.execute(given_up)]
    await engine.dispose()
    return Snapshot({"store": found})


def _command(by: str, result: str) -> str:
    """One that was done; nothing for what is noted beside them."""
    if not result.startswith("{"):
        return ""
    what = json.loads(result)
    return f"{by} {what['text']!r} {'done' if what['good'] else 'refused'}"


def _plain(forge: Forge, body: str) -> str:
    """Without what may differ from run to run.

    The forge's address; ids of comments; and which of an issue's blockers a notice names, for of
    two that were closed or reopened while nobody looked both are.
    """
    body = body.replace(forge.url, "FORGE")
    body = re.sub(r"#issuecomment-\d+", "#issuecomment-N", body)
    body = re.sub(
        r"(\*\*Ready\*\* — ).* (is|are) closed", r"\1all that it waited for is closed", body
    )
    body = re.sub(
        r"(\*\*Blocked again\*\* — ).* (?:was|were) reopened, and this waits for (?:it|them)\.",
        r"\1what it waits for was reopened.",
        body,
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
