"""What is found: how it is, why that matters, and the exact thing to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """How a finding is: as it should be, worth knowing, or to be mended."""

    GOOD = "good"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: `what` it is, `why` that matters, what to `do` about it.

    `id` is its name for programs, such as `hook.secret`; it does not change with the words.
    """

    id: str
    grade: Grade
    what: str
    why: str = ""
    do: str = ""
