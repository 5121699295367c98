"""A piece of work, as the queue keeps it, and how often it is tried."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from datetime import timedelta

from bot.errors import CoordinatorError


@dataclass(frozen=True, slots=True)
class Job:
    """A piece of work. `id` names it for good: a job with a known id is not recorded again.

    `partition` is what only one job at a time may touch; `stamp` says when it was recorded, in the
    order of this process (see `Freshness`); `attempt` counts from 1.
    """

    id: str
    kind: str
    partition: str
    payload: str
    stamp: str = ""
    attempt: int = 1

    def dump(self) -> str:
        """The job as JSON."""
        return json.dumps({field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def load(cls, text: str) -> Job:
        """The job that `dump` wrote."""
        return cls(**json.loads(text))


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often, and after which waits, work is tried again."""

    attempts: int
    first_wait: timedelta
    longest_wait: timedelta

    def wait(self, attempt: int, asked: float | None, jitter: float) -> float:
        """Seconds to wait after `attempt` failed.

        Doubles from try to try; `asked` is Gitea's own wish (Retry-After); `jitter`, from 0 to 1,
        spreads jobs that failed together over half a wait.
        """
        longest = self.longest_wait.total_seconds()
        grown: float = min(longest, self.first_wait.total_seconds() * 2.0 ** min(attempt - 1, 30))
        return min(longest, max(asked or 0.0, grown)) * (1 + jitter / 2)


def again(job: Job) -> Job:
    """The next attempt at a job, as a job of its own."""
    origin = job.id.rsplit("~", 1)[0] if job.attempt > 1 else job.id
    return replace(job, id=f"{origin}~{job.attempt + 1}", attempt=job.attempt + 1)


def failed_how(error: Exception) -> str:
    """One line on what went wrong, for the list of work set aside; never a traceback."""
    if isinstance(error, CoordinatorError):
        return str(error)
    return f"internal error ({type(error).__name__}); the log has the details"
