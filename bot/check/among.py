"""Findings of many repositories, told of many at once where they are the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from bot.check.finding import Finding, Grade

FEW = 10  # repositories; where there are more, findings are told together
NAMED = 3  # names in such a one

NAMES = "{repository}"
"""Stands in the words of a finding for the repository, or for several."""

Named = tuple[str, Finding]
"""A finding, and of which repository."""


def told(found: Iterable[Named], *, repositories: int) -> Sequence[Finding]:
    """As they are shown, in their order."""
    if repositories <= FEW:
        return [_with(finding, name, name) for name, finding in found]
    same: dict[Finding, list[str]] = {}
    for name, finding in found:
        same.setdefault(finding, []).append(name)
    return [_together(finding, names) for finding, names in same.items()]


def _together(finding: Finding, names: Sequence[str]) -> Finding:
    if finding.grade is Grade.GOOD and len(names) > NAMED:
        return _with(finding, f"{len(names)} repositories", "")
    more = len(names) - NAMED
    shown = ", ".join(names[:NAMED])
    args = " ".join(names[:NAMED])
    if more > 0:
        return _with(finding, f"{shown} and {more} more", f"{args} …")
    return _with(finding, shown, args)


def _with(finding: Finding, names: str, args: str) -> Finding:
    return replace(
        finding,
        what=finding.what.replace(NAMES, names),
        do=finding.do.replace(NAMES, args),
    )
