"""What Prometheus is told; the names are listed in docs/metrics.md."""

from __future__ import annotations

import math
from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

CONTENT_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """All counters of one process; handed to whoever observes something."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._deliveries = Counter(
            "mosaic_deliveries", "Webhook deliveries.", ("event", "outcome"), registry=self.registry
        )
        self._refused_at = Gauge(
            "mosaic_delivery_refused_at_seconds",
            "When a delivery was refused last, as Unix time.",
            registry=self.registry,
        )
        self._jobs = Counter(
            "mosaic_jobs", "Attempts at work.", ("kind", "outcome"), registry=self.registry
        )
        self._job_seconds = Histogram(
            "mosaic_job_seconds",
            "Time of an attempt.",
            ("kind",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._requests = Counter(
            "mosaic_gitea_requests",
            "Requests to Gitea.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._request_seconds = Histogram(
            "mosaic_gitea_request_seconds",
            "Time of a request to Gitea.",
            ("method", "route"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._reports = Counter(
            "mosaic_reports", "Reports decided.", ("outcome",), registry=self.registry
        )
        self._rechecked = Counter(
            "mosaic_recheck_issues",
            "Changed issues the recheck found.",
            ("outcome",),
            registry=self.registry,
        )
        self._readings = Counter(
            "mosaic_ai_readings", "Questions to Claude.", ("outcome",), registry=self.registry
        )
        self._reading_seconds = Histogram(
            "mosaic_ai_seconds",
            "Time of a question to Claude.",
            ("outcome",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._tokens = Counter(
            "mosaic_ai_tokens",
            "Tokens Claude read and wrote.",
            ("direction",),
            registry=self.registry,
        )
        self._deleted = Counter(
            "mosaic_housekeeping_deleted", "Rows deleted.", ("what",), registry=self.registry
        )
        self._queue = Gauge(
            "mosaic_queue", "Work in the queue.", ("state",), registry=self.registry
        )
        self._issues = Gauge(
            "mosaic_issues", "Coordinated issues.", ("status",), registry=self.registry
        )
        self._set_aside = Gauge(
            "mosaic_set_aside", "Work that was given up.", registry=self.registry
        )
        self._unseen = Gauge(
            "mosaic_recheck_age_seconds",
            "Time since which changes were not looked for.",
            registry=self.registry,
        )
        self._standing = (self._queue, self._issues, self._set_aside, self._unseen)
        self._stands = True

    def delivery(self, event: str, outcome: str) -> None:
        """A webhook request was answered."""
        self._deliveries.labels(event, outcome).inc()
        if outcome == "refused":
            self._refused_at.set_to_current_time()

    def job(self, kind: str, outcome: str, seconds: float) -> None:
        """An attempt at work ended: done, retried or set-aside."""
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

    def deleted(self, what: str, rows: int) -> None:
        """Housekeeping deleted rows of one kind."""
        self._deleted.labels(what).inc(rows)

    def standing(
        self,
        *,
        queue: Mapping[str, int],
        issues: Mapping[str, int],
        set_aside: int,
        unseen: float = math.nan,
    ) -> None:
        """How things stand now, asked when somebody looks; `unseen`: seconds, NaN if not known."""
        self._tell_standing(shown=True)
        for state, count in queue.items():
            self._queue.labels(state).set(count)
        self._issues.clear()
        for status, count in issues.items():
            self._issues.labels(status or "unknown").set(count)
        self._set_aside.set(set_aside)
        self._unseen.set(unseen)

    def unknown(self) -> None:
        """How things stand cannot be asked: nothing is told of it, rather than what once was so."""
        self._tell_standing(shown=False)

    def _tell_standing(self, *, shown: bool) -> None:
        change = self.registry.register if shown else self.registry.unregister
        for gauge in self._standing if shown is not self._stands else ():
            change(gauge)
        self._stands = shown

    def page(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self.registry)
