"""What an issue says of who waits for whom: its text, commands, and Claude where that is wanted.

Pure. What Gitea's own dependencies say is a matter of `bot.natives`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from bot.dependencies import Edge
from bot.models import IssueRef, Metadata, Reading, Source
from bot.sayings import Heard, LinkKind


@dataclass(frozen=True, slots=True)
class Said:
    """The edges (waits, for) that an issue says, each with where it comes from.

    `named` is every issue that the text or a command in this repository names, of which `linked`
    the latter; `proposed` are those Claude thinks the issue waits for, and nobody has said a word
    about.
    """

    edges: Mapping[Edge, frozenset[Source]] = field(default_factory=dict)
    named: frozenset[IssueRef] = frozenset()
    linked: frozenset[IssueRef] = frozenset()
    proposed: tuple[IssueRef, ...] = ()

    def without_commands(self, edges: Collection[Edge]) -> Said:
        """The same, when commands say these no longer."""
        left = {
            edge: sources - {Source.COMMAND} if edge in edges else sources
            for edge, sources in self.edges.items()
        }
        kept = {edge: sources for edge, sources in left.items() if sources}
        return replace(self, edges=kept)

    def and_read(self, edges: Collection[Edge]) -> Said:
        """The same, with what Claude read before: it counts until the text is read anew."""
        read = {edge: self.edges.get(edge, frozenset()) | {Source.AI} for edge in edges}
        return replace(self, edges={**self.edges, **read})


def said_by(
    me: IssueRef, metadata: Metadata, reading: Reading | None, heard: Heard, *, claude: str
) -> Said:
    """What an issue says. `claude`: what is done with what Claude read, as in the settings.

    That another issue waits for this one is believed of a text within a repository only: whoever
    may write a text here need not have a say there.
    """
    found: dict[Edge, set[Source]] = {}

    def enter(waits: IssueRef, on: IssueRef, source: Source) -> None:
        if waits != on and (waits, on) not in heard.ignored:
            found.setdefault((waits, on), set()).add(source)

    for ref in metadata.blocked_by:
        enter(me, ref, Source.DECLARED)
    for ref in metadata.blocks:
        if ref.key[0] == me.key[0]:
            enter(ref, me, Source.DECLARED)
    if reading and claude == "accept":
        for ref in reading.blocked_by:
            enter(me, ref, Source.AI)
    for link in heard.links:
        if link.kind is LinkKind.ADDED:
            enter(link.waits, link.on, Source.COMMAND)
    proposed = reading.blocked_by if reading and claude == "propose" else ()
    linked = heard.linked_in(me.repository) - heard.unlinked - {me}
    named = {*metadata.blocked_by, *metadata.blocks, *linked} - heard.unlinked - {me}
    return Said(
        {edge: frozenset(sources) for edge, sources in found.items()},
        frozenset(named),
        linked,
        tuple(ref for ref in proposed if ref not in heard.linked),
    )
