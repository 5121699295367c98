"""People at work in the embedded forge, as a process of its own: for `load.py`.

    python bench/crowd.py ISSUES REPOSITORIES    # reads orders from its input, answers in JSON

It makes the issues, and tells where it is. Told where the bot listens, it sends so many deliveries
of what people do, one after another as Gitea does, at a rate or as fast as they go in. Then it
tells how they were answered, and what was said.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections import Counter
from dataclasses import dataclass, field
from time import perf_counter

from bot.demo.actor import Actor
from bot.demo.deliveries import Delivery
from bot.demo.forge import Forge, serve
from bot.demo.refusals import Refused

BOT, PEOPLE = "coordinator", ("alice", "bob", "carol")
AHEAD = 20  # deliveries that may wait while people go on
SIZES = ("4k", "9k", "30k", "70k")
KINDS = {"comment": 30, "title": 10, "body": 15, "close": 6, "reopen": 6, "label": 18, "say": 15}
SEED = 20261126


@dataclass
class Crowd:
    """The issues, and what is done with them."""

    issues: int
    repositories: int
    dice: random.Random = field(default_factory=lambda: random.Random(SEED))
    answers: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    said: dict[str, str] = field(default_factory=dict)
    acted: int = 0

    def __post_init__(self) -> None:
        self.forge = Forge()
        self.token = self.forge.add_user(BOT)
        for login in PEOPLE:
            self.forge.add_user(login)
        self.names = [f"acme/repo{n}" for n in range(self.repositories)]
        self.each = self.issues // self.repositories
        for name in self.names:
            self.forge.add_repository(name, files={"src/pump.py": 9000, "src/valve.py": 30_000})
            for login in (BOT, *PEOPLE):
                self.forge.grant(name, login, "admin" if login == BOT else "write")
            alice = self.actor(name, "alice")
            for label in ("later", "bug"):
                alice.create_label(label)
            for number in range(1, self.each + 1):
                alice.open(f"Task {number}", self.text(name, number))
        self._send, deliveries = self.forge.deliveries._send, self.forge.deliveries  # noqa: SLF001
        deliveries._send = self.send  # type: ignore[method-assign] # noqa: SLF001

    def actor(self, name: str, login: str = "") -> Actor:
        return self.forge.act_as(login or self.dice.choice(PEOPLE), name)

    def text(self, name: str, number: int) -> str:
        """A text that says a size, and of every third that it waits for one before it."""
        lines = [f"Context estimate: {self.dice.choice(SIZES)} tokens", "Difficulty: easy"]
        if number % 3 == 0:
            lines.insert(0, f"Blocked by #{self.dice.randrange(1, number)}\n")
        if number % 10 == 0:
            other = self.dice.choice(self.names)
            if other != name:
                lines.insert(0, f"Blocked by {other}#{self.dice.randrange(1, number)}\n")
        return "\n".join(lines)

    async def send(self, session: object, delivery: Delivery) -> None:
        """Send one, and note how long its answer took."""
        began = perf_counter()
        await self._send(session, delivery)
        if delivery.body["sender"]["login"] != BOT:
            self.answers.append(perf_counter() - began)
            self.statuses[delivery.status or 0] += 1

    def act(self, nth: int) -> None:
        """Somebody does something, of which one delivery tells; first each issue is assigned."""
        if nth < self.issues:
            at, number = nth % self.repositories, nth // self.repositories + 1
            self.actor(self.names[at]).assign(number, BOT)
            return
        name, number = self.dice.choice(self.names), self.dice.randrange(1, self.each + 1)
        [kind] = self.dice.choices([*KINDS], [*KINDS.values()])
        getattr(self, kind)(self.actor(name), name, number)

    def comment(self, who: Actor, _name: str, number: int) -> None:
        who.comment(number, "Thanks, I shall look at it.")

    def title(self, who: Actor, _name: str, number: int) -> None:
        who.edit(number, title=f"Task {number}, take {self.dice.random():.6f}")

    def body(self, who: Actor, name: str, number: int) -> None:
        who.edit(number, body=f"{self.text(name, number)}\n{self.dice.random():.6f}")

    def close(self, who: Actor, name: str, number: int) -> object:
        if who.issue(number).closed_at:
            return self.comment(who, name, number)
        try:
            return who.close(number)
        except Refused:  # Gitea closes nothing that waits for something
            return self.comment(who, name, number)

    def reopen(self, who: Actor, name: str, number: int) -> None:
        if who.issue(number).closed_at:
            who.reopen(number)
        else:
            self.comment(who, name, number)

    def label(self, who: Actor, name: str, number: int) -> None:
        if any(one.name == "later" for one in who.issue(number).labels):
            self.comment(who, name, number)
        else:
            who.label(number, "later")

    def say(self, who: Actor, name: str, number: int) -> None:
        priority = self.dice.choice(("p0", "p1", "p2", "p3"))
        self.said[f"{name}#{number}"] = priority
        who.comment(number, f"/priority {priority}")

    async def go(
        self, url: str, secret: str, deliveries: int, per_second: float
    ) -> dict[str, object]:
        """So many deliveries; what came of them."""
        events = ("issues", "issue_assign", "issue_label", "issue_comment", "push", "repository")
        self.forge.add_hook(url, secret=secret, organization="acme", events=events)
        began = perf_counter()
        for nth in range(deliveries):
            self.act(nth)
            if per_second:
                await asyncio.sleep(max(0.0, began + (nth + 1) / per_second - perf_counter()))
            while nth - len(self.answers) > AHEAD:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.001)
        await self.forge.settled()
        return {
            "seconds": perf_counter() - began,
            "answers": sorted(self.answers),
            "statuses": dict(self.statuses),
            "said": self.said,
        }


async def run(issues: int, repositories: int) -> None:
    crowd = Crowd(issues, repositories)
    async with serve(crowd.forge) as url:
        print(json.dumps({"url": url, "token": crowd.token, "names": crowd.names}), flush=True)
        while order := await asyncio.to_thread(sys.stdin.readline):
            print(json.dumps(await crowd.go(**json.loads(order))), flush=True)


if __name__ == "__main__":
    asyncio.run(run(*map(int, sys.argv[1:3])))
