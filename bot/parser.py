"""An issue's text ▸ what it declares: the entry to reading.

    text/markup.py      the text as blocks, without what its author does not say (text/inline.py)
    text/references.py  what an issue is called: `#7`, `owner/repo#7`, addresses
    text/phrases.py     the phrases of waiting and blocking, a table
    text/relations.py   what one line says with them (text/objects.py: of which issues)
    text/sections.py    what headings, lists, tables, front matter add to that
    text/declared.py    difficulty, tokens, agent, files (text/values.py: their grammar)
    text/paths.py       the files named

An edge counts only if the text says it of this issue, now. Nothing is looked up.
"""

from __future__ import annotations

from bot.models import IssueRef, Metadata
from bot.text.declared import declared
from bot.text.inline import Kind, inline
from bot.text.markup import blocks, clean
from bot.text.paths import paths
from bot.text.references import references
from bot.text.sections import dependencies

MAX_TEXT = 4 * 1024 * 1024

__all__ = ["MAX_TEXT", "parse", "references"]


def parse(
    body: str, *, issue: IssueRef, title: str = "", hosts: frozenset[str] | None = None
) -> Metadata:
    """What the text of `issue` declares; never raises.

    `hosts` are the names this Gitea is known by, `host[:port][/prefix]`: an address under one of
    them is a reference, any other that is declared as a dependency is `unreadable`. Without it an
    address of any forge counts as a reference to its `owner/repo#n`.

    Work is bounded, and what is beyond is not read: the first `MAX_TEXT` characters of the body
    and 1,000 of the title; of these 25,000 lines that are not code, quote or comment, a long line
    in pieces of 2,000 characters; 300,000 characters of lines that could state a dependency; 1,000
    references a side. The time is linear in the text, for 1 MB below a second.
    """
    read = blocks(clean(body[:MAX_TEXT]))
    heading = inline(Kind.TEXT, clean(title[:1000]))
    edges = dependencies(read, heading.text, issue, hosts)
    values = declared(read)
    return Metadata(
        blocked_by=edges.waits,
        blocks=edges.holds,
        resolved=edges.resolved,
        unreadable=edges.unreadable,
        difficulty=values.difficulty,
        estimated_context=values.estimated_context,
        assigned_agent=values.assigned_agent,
        files=paths([*read, heading]),
        files_to_modify=values.files_to_modify,
        implementation_tokens=values.implementation_tokens,
        test_tokens=values.test_tokens,
    )
