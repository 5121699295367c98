"""Who may see what: of other repositories nothing is told that somebody here could not read there.

Two questions. May everybody who reads this issue read that one, too? Else it is *concealed*: it
shows as it was typed, and whether it still blocks. And may whoever typed it read it? Else it is
*veiled*: it shows as one that does not exist, so that nobody learns by a text what there is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from bot.errors import Retryable
from bot.models import IssueRef, RefState, Source
from bot.repositories import Repositories
from bot.store.queries import Edge

REPOSITORIES = 100  # other ones that are asked about at once; a text may name a thousand
WRITTEN = (Source.DECLARED, Source.AI)  # whose edges stand in a text


@dataclass(frozen=True, slots=True)
class Veil:
    """What around an issue (`me`) may not be shown as it is.

    `named` are the issues that its text or a command at it names, of which `linked` the latter.
    `states` are what those that are veiled show as.
    """

    me: IssueRef
    named: frozenset[IssueRef] = frozenset()
    linked: frozenset[IssueRef] = frozenset()
    concealed: frozenset[IssueRef] = frozenset()
    states: Mapping[IssueRef, RefState] = field(default_factory=dict)

    def lets_through(self, edge: Edge) -> bool:
        """Whether an edge of `me` may be shown: to concealed issues only what was typed here."""
        other = edge.on if edge.waits == self.me else edge.waits
        if other not in self.concealed:
            return True
        if other not in self.named or edge.said_by != self.me:
            return False
        by_command = edge.source is Source.COMMAND and other in self.linked
        return by_command or edge.source in WRITTEN


class Sight:
    """Judges what may be shown, by what Gitea says of repositories and people."""

    def __init__(self, repositories: Repositories) -> None:
        self._repositories = repositories

    async def concealed(self, me: IssueRef, refs: Iterable[IssueRef]) -> set[IssueRef]:
        """Those of other repositories that somebody may be unable to read.

        So, too, of those over `REPOSITORIES`, which are not asked about.
        """
        foreign = sorted({ref.key[0] for ref in refs if ref.key[0] != me.key[0]})
        asked = foreign[:REPOSITORIES]
        hidden = await asyncio.gather(*map(self._repositories.hidden, asked))
        readable = {me.key[0], *(name for name, no in zip(asked, hidden, strict=True) if not no)}
        return {ref for ref in refs if ref.key[0] not in readable}

    async def veiled(
        self, concealed: Collection[IssueRef], authors: Collection[str]
    ) -> dict[IssueRef, RefState]:
        """Those of concealed issues that somebody who wrote the text may not read, as they show.

        No author: nobody may. Where Gitea cannot say now who may, they could not be checked.
        """
        names = sorted({ref.key[0] for ref in concealed})[:REPOSITORIES]
        found = await asyncio.gather(*(self._shown_to(name, authors) for name in names))
        shown_as = dict(zip(names, found, strict=True))
        states = {ref: shown_as.get(ref.key[0], RefState.UNSEEN) for ref in concealed}
        return {ref: state for ref, state in states.items() if state is not None}

    async def _shown_to(self, repository: str, authors: Collection[str]) -> RefState | None:
        """What issues there show as in a text of these people; None: as they are."""
        try:
            if await self.may_read(repository, authors):
                return None
        except Retryable:
            return RefState.UNCHECKED
        return RefState.UNSEEN

    async def may_read(self, repository: str, authors: Collection[str]) -> bool:
        """Whether all of them may read a repository, and there are any; raises Retryable."""
        for author in authors:
            if not await self._repositories.may_read(repository, author):
                return False
        return bool(authors)
