"""One issue as it is being judged: how it was read, and what was said of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.gitea.models import Issue
from bot.naming import Now
from bot.policies import Found
from bot.policy import Policy
from bot.sayings import Heard
from bot.snapshot import Snapshot
from bot.store.queries import Known
from bot.understanding import Understood


@dataclass(frozen=True, slots=True)
class Case:
    """An issue as it was read, beside what was known of it. `began`: Gitea's time before that.

    `found` is what holds in its repository, once that is known.
    """

    now: Snapshot
    known: Known
    began: datetime
    found: Found

    @property
    def policy(self) -> Policy:
        """By what it is judged."""
        return self.found.policy

    @property
    def issue(self) -> Issue:
        """The issue itself."""
        return self.now.issue


@dataclass(frozen=True, slots=True)
class Words:
    """What was said of an issue, by its text (which `authors` wrote) and by commands.

    All issues in it are called as they are `now`.
    """

    understood: Understood
    heard: Heard
    now: Now
    authors: tuple[str, ...]
