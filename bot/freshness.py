"""What an issue's last reading covers, so that nothing is done for what it has seen already."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.jobs import Job
from bot.latest import Latest

READINGS_MOST = 20_000  # remembered by `Freshness`: about 5 MB


class Freshness:
    """Tells whether a job was recorded before its issue was last read.

    No clock is asked: jobs get a number when they are recorded, a reading the number at its
    beginning. Jobs recorded before this process began are older than any reading in it; jobs of
    other replicas cannot be compared, and are never skipped. Of readings the latest `most` are
    remembered: an issue whose reading is forgotten is looked at once too often.
    """

    def __init__(self, executor: str, boot: str, *, most: int = READINGS_MOST) -> None:
        self._executor = executor
        self._boot = boot
        self._number = 0
        self._read: Latest[object, int] = Latest(most)

    def stamp(self) -> str:
        """The mark of a job recorded now."""
        self._number += 1
        return f"{self._executor}/{self._boot}/{self._number}"

    def begin(self) -> int:
        """Called before an issue is read; hand it to `done` when the work is complete."""
        return self._number

    def done(self, about: object, begun: int) -> None:
        """Everything recorded up to `begun` is covered by a reading that is complete."""
        self._read[about] = max(begun, self._read.get(about, 0))

    def forget(self, about: object) -> None:
        """No reading covers it any longer: more is known than a reading could find."""
        self._read.pop(about, None)

    def covers(self, about: object, stamp: str) -> bool:
        """Whether a job of that stamp has nothing left to do."""
        executor, _, rest = stamp.partition("/")
        boot, _, rest = rest.partition("/")
        number, _, _ = rest.partition("/")  # behind it may stand when it came
        if about not in self._read or executor != self._executor or not number.isdigit():
            return False
        return boot != self._boot or int(number) <= self._read[about]


def timed(stamp: str, now: datetime) -> str:
    """A stamp that also tells when its job was recorded; earlier versions take it for unknown."""
    return f"{stamp}/{now.timestamp():.3f}"


def recorded_at(job: Job) -> datetime | None:
    """When a job with a `timed` stamp was recorded first, however often it was tried since."""
    told = job.stamp.split("/")[3:]
    try:
        return datetime.fromtimestamp(float(told[0]), UTC) if told else None
    except (ValueError, OverflowError, OSError):
        return None
