"""What an `/unblock` holds for: one text and one set of open blockers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection

from bot.models import IssueRef


def fingerprint(text: str, open_blockers: Collection[IssueRef]) -> str:
    """The same value for the same text (title and body) and the same open blockers, else another.

    Neither the blockers' order and spelling nor the kind of line ends matter.
    """
    lines = "\n".join(text.splitlines())
    refs = sorted({ref.key for ref in open_blockers})
    whole = json.dumps([lines, refs])
    return hashlib.sha256(whole.encode()).hexdigest()
