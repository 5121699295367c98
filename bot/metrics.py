"""What Prometheus is told; the names are listed in docs/metrics.md.

No label takes a value that a stranger chooses: there are as many series as there is code for them.
"""

from __future__ import annotations

import math
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from bot import __version__

CONTENT_TYPE = CONTENT_TYPE_LATEST
MILLION = 1_000_000
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_LAG = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 21600)
_OTHER = "other"
_ANSWERS = ("answered", "remembered", "refused", "cut-off", "malformed", "budget", "rejected")
_SILENCE = ("overloaded", "timeout", "unreachable", "paused")
_EVENTS = {
    "create",
    "delete",
    "fork",
    "issues",
    "issue_assign",
    "issue_comment",
    "issue_label",
    "issue_milestone",
    "package",
    "pull_request",
    "pull_request_assign",
    "pull_request_comment",
    "pull_request_label",
    "pull_request_milestone",
    "pull_request_review_approved",
    "pull_request_review_comment",
    "pull_request_review_rejected",
    "pull_request_review_request",
    "pull_request_sync",
    "push",
    "release",
    "repository",
    "schedule",
    "status",
    "unknown",
    "wiki",
    "workflow_job",
    "workflow_run",
}  # Gitea's, of modules/webhook/type.go; `unknown` is what was refused unread


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stand when somebody looks.

    `queue`: state ▸ jobs; `ages`: state ▸ seconds of the oldest; `issues`: status ▸ issues;
    `unseen`: seconds, NaN if not known; `tidied_at`, `saved_at`: Unix time, 0 if never; `tokens`:
    of Claude's, today; `sizes`, `free`: part of the database ▸ bytes; `disk`: bytes left there.
    """

    queue: Mapping[str, int] = field(default_factory=dict)
    ages: Mapping[str, float] = field(default_factory=dict)
    issues: Mapping[str, int] = field(default_factory=dict)
    set_aside: int = 0
    unseen: float = math.nan
    tidied_at: float = 0
    saved_at: float = 0
    tokens: int = 0
    sizes: Mapping[str, int] = field(default_factory=dict)
    free: Mapping[str, int] = field(default_factory=dict)
    disk: float = math.nan


class Metrics:
    """All counters of one process; handed to whoever observes something.

    `prices`: of a million tokens that Claude reads and writes; `tokens`: how many it may take in a
    day; `database`: which one is used, in a word.
    """

    def __init__(
        self, *, prices: tuple[float, float] = (0, 0), tokens: int = 0, database: str = "sqlite"
    ) -> None:
        self.registry = CollectorRegistry()
        self._prices = prices
        self._received()
        self._worked()
        self._asked()
        self._kept()
        self._stand()
        self._told(tokens, database)
        self._begin()

    # -- what there is ----------------------------------------------------------------------

    def _received(self) -> None:
        self._deliveries = self._counter(
            "mosaic_deliveries", "Webhook deliveries.", "event", "outcome"
        )
        self._refused_at = self._gauge(
            "mosaic_delivery_refused_at_seconds", "When a delivery was refused last, as Unix time."
        )
        self._lag = self._histogram(
            "mosaic_delivery_seconds", "Time from a delivery to the end of its work.", buckets=_LAG
        )

    def _worked(self) -> None:
        self._jobs = self._counter("mosaic_jobs", "Attempts at work.", "kind", "outcome")
        self._job_seconds = self._histogram("mosaic_job_seconds", "Time of an attempt.", "kind")
        self._reports = self._counter("mosaic_reports", "Reports decided.", "outcome")
        self._rechecked = self._counter(
            "mosaic_recheck_issues", "Changed issues the recheck found.", "outcome"
        )

    def _asked(self) -> None:
        self._requests = self._counter(
            "mosaic_gitea_requests", "Requests to Gitea.", "method", "route", "status"
        )
        self._request_seconds = self._histogram(
            "mosaic_gitea_request_seconds", "Time of a request to Gitea.", "method", "route"
        )
        self._readings = self._counter("mosaic_ai_readings", "Questions to Claude.", "outcome")
        self._reading_seconds = self._histogram(
            "mosaic_ai_seconds", "Time of a question to Claude.", "outcome"
        )
        self._tokens = self._counter(
            "mosaic_ai_tokens", "Tokens Claude read and wrote.", "direction"
        )
        self._cost = self._counter("mosaic_ai_cost", "What they cost.")

    def _kept(self) -> None:
        self._deleted = self._counter(
            "mosaic_housekeeping_deleted", "Rows that housekeeping deleted.", "what"
        )

    def _stand(self) -> None:
        """Gauges that are left out while how things stand cannot be asked."""
        self._queue = self._gauge("mosaic_queue", "Work in the queue.", "state")
        self._ages = self._gauge(
            "mosaic_queue_age_seconds", "Age of the oldest work in the queue.", "state"
        )
        self._issues = self._gauge("mosaic_issues", "Coordinated issues.", "status")
        self._set_aside = self._gauge("mosaic_set_aside", "Work that was given up.")
        self._unseen = self._gauge(
            "mosaic_recheck_age_seconds", "Time since which changes were not looked for."
        )
        self._tidied_at = self._gauge(
            "mosaic_housekeeping_at_seconds", "When housekeeping was done last, as Unix time."
        )
        self._saved_at = self._gauge(
            "mosaic_backup_at_seconds", "When the last backup was made, as Unix time."
        )
        self._tokens_today = self._gauge("mosaic_ai_tokens_today", "Tokens taken today.")
        self._sizes = self._gauge("mosaic_database_bytes", "Size of the database.", "part")
        self._free = self._gauge("mosaic_database_free_bytes", "What of it is free.", "part")
        self._disk = self._gauge("mosaic_disk_free_bytes", "What is left on its disk.")
        self._by_label = (self._queue, self._ages, self._issues, self._sizes, self._free)
        self._single = (
            self._set_aside,
            self._unseen,
            self._tidied_at,
            self._saved_at,
            self._tokens_today,
            self._disk,
        )
        self._stands = True

    def _told(self, tokens: int, database: str) -> None:
        self._gauge("mosaic_ai_tokens_limit", "Tokens that may be taken in a day.").set(tokens)
        build = self._gauge(
            "mosaic_build_info", "What runs; always 1.", "version", "python", "database"
        )
        build.labels(__version__, platform.python_version(), database).set(1)
        ProcessCollector(registry=self.registry)

    def _begin(self) -> None:
        """Begin at 0 what is rare and matters: of a series that begins at 1 nobody sees a rise."""
        for event in sorted(_EVENTS | {_OTHER}):
            self._deliveries.labels(event, "not-recorded")
        self._deliveries.labels("unknown", "refused")
        for outcome in (*_ANSWERS, *_SILENCE):
            self._readings.labels(outcome)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, registry=self.registry)

    def _histogram(
        self, name: str, text: str, *labels: str, buckets: tuple[float, ...] = _SECONDS
    ) -> Histogram:
        return Histogram(name, text, labels, buckets=buckets, registry=self.registry)

    # -- what is observed -------------------------------------------------------------------

    def delivery(self, event: str, outcome: str) -> None:
        """A webhook request was answered."""
        self._deliveries.labels(event if event in _EVENTS else _OTHER, outcome).inc()
        if outcome == "refused":
            self._refused_at.set_to_current_time()

    def delivered(self, seconds: float) -> None:
        """All that a delivery asked for is done, or given up, so long after it came."""
        self._lag.observe(max(0.0, seconds))

    def job(self, kind: str, outcome: str, seconds: float) -> None:
        """An attempt at work ended: done, retried, set-aside or left."""
        self._jobs.labels(kind, outcome).inc()
        self._job_seconds.labels(kind).observe(seconds)

    def request(self, method: str, route: str, status: int | None, seconds: float) -> None:
        """A request to Gitea ended; no status: there was no answer."""
        self._requests.labels(method, route, str(status or "none")).inc()
        self._request_seconds.labels(method, route).observe(seconds)

    def report(self, *, written: bool) -> None:
        """A report was decided, and written or left alone."""
        self._reports.labels("written" if written else "unchanged").inc()

    def rechecked(self, *, changed: int, looked: int) -> None:
        """Issues of a repository had changed, and of these some must be looked at."""
        self._rechecked.labels("looked").inc(looked)
        self._rechecked.labels("left").inc(max(0, changed - looked))

    def reading(self, outcome: str, tokens_in: int, tokens_out: int, seconds: float) -> None:
        """Claude was asked, or was not because the answer is known or must not be asked for."""
        self._readings.labels(outcome).inc()
        self._reading_seconds.labels(outcome).observe(seconds)
        self._tokens.labels("in").inc(tokens_in)
        self._tokens.labels("out").inc(tokens_out)
        price_in, price_out = self._prices
        self._cost.inc((tokens_in * price_in + tokens_out * price_out) / MILLION)

    def deleted(self, what: str, rows: int) -> None:
        """Housekeeping deleted rows of one kind."""
        self._deleted.labels(what).inc(rows)

    # -- how things stand -------------------------------------------------------------------

    def standing(self, now: Standing) -> None:
        """How things stand now, asked when somebody looks."""
        self._tell_standing(shown=True)
        issues = {status or "unknown": count for status, count in now.issues.items()}
        by_label = (now.queue, now.ages, issues, now.sizes, now.free)
        for gauge, values in zip(self._by_label, by_label, strict=True):
            gauge.clear()
            for label, value in values.items():
                gauge.labels(label).set(value)
        single = (now.set_aside, now.unseen, now.tidied_at, now.saved_at, now.tokens, now.disk)
        for gauge, value in zip(self._single, single, strict=True):
            gauge.set(value)

    def unknown(self) -> None:
        """How things stand cannot be asked: nothing is told of it, rather than what once was so."""
        self._tell_standing(shown=False)

    def _tell_standing(self, *, shown: bool) -> None:
        change = self.registry.register if shown else self.registry.unregister
        for gauge in (*self._by_label, *self._single) if shown is not self._stands else ():
            change(gauge)
        self._stands = shown

    def page(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self.registry)
