"""What people do in one run: the same deeds, in the same order, for the same seed.

A script has acts. Within one, deeds of different issues are mixed; whatever goes wrong meanwhile,
at its end every issue stands as it would if nothing had. So within an act no issue goes back and
forth: whoever was away meanwhile could not tell that it did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from bot.demo.forge import Forge

BOT = "coordinator"
ROCKET, FAR = "acme/rocket", "far/away"
PEOPLE = {"alice": "admin", "bob": "write", "mallory": "read"}
BLOCKERS = 3  # issues #1 to #3 of each repository, which nobody works on

SIZES = ("9k", "20k", "45k", "70k")
DIFFICULTIES = ("easy", "medium", "hard")
FREE = (  # done by whoever may, and answered the same whenever that is
    "/priority p{n}",
    "/estimate {n}5k",
    "/difficulty hard",
    "/blocked-by #{n}",
    "/hold until the review of step {n}",
    "/help priority",
    "/help",
    "@coordinator frobnicate {n}",
    "/prority p1",
    "/difficulty simple",
    "/estimate twelve",
)


@dataclass(frozen=True)
class Deed:
    """One thing that somebody does, and how it is called in what is printed."""

    name: str
    issue: tuple[str, int]
    do: Callable[[Forge], object]


def script(seed: int, issues: int) -> list[list[Deed]]:
    """The acts: issues are opened, talked about, let go, and blocked again."""
    random = Random(seed)
    places = [(ROCKET if n % 4 else FAR) for n in range(issues)]
    count = {ROCKET: BLOCKERS, FAR: BLOCKERS}
    mine = []
    for place in places:
        count[place] += 1
        mine.append((place, count[place]))
    waits = {issue: _blockers(random, issue[0]) for issue in mine}
    acts = [
        [_open(random, issue, waits[issue]) for issue in mine],
        _mixed(random, [list(_talk(random, issue)) for issue in mine]),
        _mixed(random, [list(_let_go(blocker)) for blocker in _all_blockers()]),
        _mixed(random, [list(_last(random, issue)) for issue in mine]),
    ]
    back = random.sample(_all_blockers(), 2)
    return [*acts, [_act(f"reopen {one}", one, "alice", "reopen") for one in back]]


def furnish(forge: Forge) -> str:
    """Users, repositories and blockers; returns the bot's token."""
    token = forge.add_user(BOT)
    for login in PEOPLE:
        forge.add_user(login)
    for place in (ROCKET, FAR):
        forge.add_repository(place, files={"README.md": 900, "src/pump.py": 12_000})
        for login, right in {**PEOPLE, BOT: "admin"}.items():
            forge.grant(place, login, right)
        for n in range(BLOCKERS):
            forge.act_as("alice", place).open(f"Blocker {n + 1}")
    return token


def _all_blockers() -> list[tuple[str, int]]:
    return [(place, n + 1) for place in (ROCKET, FAR) for n in range(BLOCKERS)]


def _blockers(random: Random, place: str) -> list[str]:
    chosen = random.sample(_all_blockers(), random.choice((0, 1, 1, 2)))
    return [f"#{n}" if where == place else f"{where}#{n}" for where, n in chosen]


def _act(name: str, issue: tuple[str, int], who: str, verb: str, *args: object) -> Deed:
    def do(forge: Forge) -> object:
        return getattr(forge.act_as(who, issue[0]), verb)(issue[1], *args)

    return Deed(name, issue, do)


def _open(random: Random, issue: tuple[str, int], waits: list[str]) -> Deed:
    size, difficulty = random.choice(SIZES), random.choice(DIFFICULTIES)
    declared = f"Context estimate: {size} tokens\nDifficulty: {difficulty}\n"
    body = random.choice((declared, declared, "Mend `src/pump.py`.\n"))
    body += f"\nBlocked by: {', '.join(waits)}\n" if waits else ""

    def do(forge: Forge) -> object:
        opened = forge.act_as("alice", issue[0]).open(f"Do {issue[1]}", body, assignees=[BOT])
        assert opened.number == issue[1]
        return opened

    return Deed(f"open {issue[0]}#{issue[1]}", issue, do)


def _talk(random: Random, issue: tuple[str, int]) -> Iterator[Deed]:
    """Commands by those who may and by one who may not, and a text that is edited."""
    for n, words in enumerate(random.sample(FREE, random.choice((1, 2, 3)))):
        said = words.format(n=n + 1)
        yield _act(f"say {said!r}", issue, random.choice(("alice", "bob")), "comment", said)
    if random.random() < 0.3:
        for n in (0, 2, 1):
            yield _act(f"say p{n}", issue, "bob", "comment", f"/priority p{n}")
    if random.random() < 0.3:
        yield _act("say as mallory", issue, "mallory", "comment", "/difficulty easy")
    if random.random() < 0.3:
        yield _act("react", issue, "bob", "react")


def _let_go(blocker: tuple[str, int]) -> Iterator[Deed]:
    yield _act(f"close {blocker[0]}#{blocker[1]}", blocker, "alice", "close")


def _last(random: Random, issue: tuple[str, int]) -> Iterator[Deed]:
    what = random.choice(("edit", "unassign", "close", "say", "nothing"))
    if what == "edit":
        declared = "Context estimate: 30k tokens\nDifficulty: easy\n"
        text = random.choice((declared, "Mend `src/pump.py`, and the tank.\n"))
        place, number = issue

        def do(forge: Forge) -> object:
            return forge.act_as("bob", place).edit(number, body=text)

        yield Deed("edit the text", issue, do)
    elif what == "unassign":
        yield _act("unassign", issue, "alice", "unassign", BOT)
    elif what == "close":
        yield _act("close", issue, "alice", "close")
    elif what == "say":
        yield _act("say /unhold", issue, "alice", "comment", "/unhold")


def _mixed(random: Random, lines: list[list[Deed]]) -> list[Deed]:
    """One of the lines' next deeds after the other: each line keeps its order."""
    left = [list(line) for line in lines if line]
    mixed = []
    while left:
        line = random.choice(left)
        mixed.append(line.pop(0))
        left = [one for one in left if one]
    return mixed
