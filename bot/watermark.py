"""How far everything is seen, in Gitea's time: what is asked for next, and what may be left out.

Gitea's clock is the one that counts, for it stamps what changes; it may be wrong, differ from this
machine's, and be set, and so may this machine's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

OVERLAP = timedelta(seconds=60)  # seen twice: changes of one second, and those committed late
SLACK = timedelta(seconds=5)  # Gitea tells its time in whole seconds, and an answer takes a while
HOURLY = timedelta(hours=1)  # what no list of changes shows is asked for so often
BEGINNING = datetime(1970, 1, 2, tzinfo=UTC)  # before anything changed


@dataclass(frozen=True, slots=True)
class Clocks:
    """What both clocks show at the moment before something is asked.

    `gitea` is None where Gitea has not told its time, and never later than it really is. `steady`
    (seconds) only tells what passes while this process runs: nobody sets it.
    """

    ours: datetime
    gitea: datetime | None
    steady: float = 0.0

    @property
    def watermark(self) -> Watermark:
        """Where to begin with something that is seen completely as it is now."""
        return Watermark(BEGINNING, self.ours).moved(self, None)


@dataclass(frozen=True, slots=True)
class Watermark:
    """All that happened before `since` (Gitea's time) was seen, when asked at `asked_at` (ours)."""

    since: datetime
    asked_at: datetime

    def start(self, clocks: Clocks, reach: timedelta) -> datetime:
        """From when on to ask, in whole seconds; `reach` is how far back where nothing is sure.

        A clock that was set back stamps what is new with times that are over. What Gitea's would
        have shown at `asked_at`, had it been then as it is now, tells by how much; unless ours was
        set back with it. That shows only where Gitea's is earlier than it was before.
        """
        if clocks.gitea is None:
            return _whole(self.since)
        ahead = clocks.gitea - clocks.ours
        since = min(self.since, self.asked_at + ahead - OVERLAP)
        if since > clocks.gitea - OVERLAP + SLACK:
            since = clocks.gitea - reach
        return _whole(since)

    def set_back(self, clocks: Clocks, reach: timedelta) -> bool:
        """Whether Gitea's clock seems to have been set back since: times it told are worth nothing.

        So it seems, too, where ours was set forward; then things are seen twice.
        """
        return self.start(clocks, reach) < self.since - SLACK

    def moved(self, clocks: Clocks, newest: datetime | None) -> Watermark:
        """The next watermark, once all is recorded that was asked for at that moment.

        `newest` is the latest change that was seen; it serves where Gitea tells no time.
        """
        if clocks.gitea is not None:
            return Watermark(_whole(clocks.gitea - OVERLAP), clocks.ours)
        since = max(self.since, newest - OVERLAP) if newest else self.since
        return Watermark(since, clocks.ours)

    def told_by(self, clocks: Clocks, then: Clocks | None) -> Watermark:
        """The same, where our clock was set back since: asked when it would have shown it.

        `then`: when this process asked last; None, or another moment, where it did not.
        """
        if then is None or then.ours != self.asked_at:
            return self
        ago = timedelta(seconds=clocks.steady - then.steady)
        return replace(self, asked_at=min(self.asked_at, clocks.ours - ago))


def _whole(when: datetime) -> datetime:
    return when.replace(microsecond=0)
