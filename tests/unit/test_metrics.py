"""What Prometheus is told, and that the page of documentation says so."""

from __future__ import annotations

import platform
import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot import __version__
from bot.metrics import CONTENT_TYPE, Metrics, Standing
from bot.routing import discover

PAGE = Path(__file__).resolve().parents[2] / "docs/metrics.md"


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


STANDING = Standing(
    queue={"waiting": 3},
    ages={"waiting": 12.5},
    issues={"blocked": 2},
    set_aside=1,
    unseen=90.5,
    tidied_at=1_795_700_000,
    saved_at=1_795_600_000,
    tokens=150_000,
    sizes={"store": 4096, "queue-log": 100},
    free={"store": 1024},
    disk=10**9,
)


def observed() -> Metrics:
    """Everything observed once."""
    metrics = Metrics(prices=(3.0, 15.0), tokens=2_000_000)
    metrics.delivery("issues", "recorded")
    metrics.delivered(0.3)
    metrics.job("delivery", "done", 0.2)
    metrics.request("GET", "/version", 200, 0.01)
    metrics.report(written=True)
    metrics.rechecked(changed=5, looked=2)
    metrics.reading("answered", 1200, 80, 2.5)
    metrics.deleted("jobs", 200)
    metrics.standing(STANDING)
    return metrics


@pytest.fixture
def metrics() -> Metrics:
    return observed()


@pytest.mark.parametrize(
    ("name", "labels", "expected"),
    [
        ("mosaic_deliveries_total", {"event": "issues", "outcome": "recorded"}, 1),
        ("mosaic_jobs_total", {"kind": "delivery", "outcome": "done"}, 1),
        ("mosaic_job_seconds_sum", {"kind": "delivery"}, 0.2),
        ("mosaic_job_seconds_bucket", {"kind": "delivery", "le": "0.1"}, 0),
        ("mosaic_job_seconds_bucket", {"kind": "delivery", "le": "0.25"}, 1),
        ("mosaic_gitea_requests_total", {"method": "GET", "route": "/version", "status": "200"}, 1),
        ("mosaic_gitea_request_seconds_sum", {"method": "GET", "route": "/version"}, 0.01),
        ("mosaic_reports_total", {"outcome": "written"}, 1),
        ("mosaic_ai_readings_total", {"outcome": "answered"}, 1),
        ("mosaic_ai_tokens_total", {"direction": "in"}, 1200),
        ("mosaic_ai_tokens_total", {"direction": "out"}, 80),
        ("mosaic_ai_seconds_sum", {"outcome": "answered"}, 2.5),
        ("mosaic_recheck_issues_total", {"outcome": "looked"}, 2),
        ("mosaic_recheck_issues_total", {"outcome": "left"}, 3),
        ("mosaic_recheck_age_seconds", {}, 90.5),
        ("mosaic_queue", {"state": "waiting"}, 3),
        ("mosaic_issues", {"status": "blocked"}, 2),
        ("mosaic_set_aside", {}, 1),
        ("mosaic_delivery_seconds_sum", {}, 0.3),
        ("mosaic_delivery_seconds_bucket", {"le": "0.25"}, 0),
        ("mosaic_delivery_seconds_bucket", {"le": "0.5"}, 1),
        ("mosaic_ai_cost_total", {}, 0.0048),
        ("mosaic_ai_tokens_today", {}, 150_000),
        ("mosaic_ai_tokens_limit", {}, 2_000_000),
        ("mosaic_housekeeping_deleted_total", {"what": "jobs"}, 200),
        ("mosaic_housekeeping_at_seconds", {}, 1_795_700_000),
        ("mosaic_backup_at_seconds", {}, 1_795_600_000),
        ("mosaic_queue_age_seconds", {"state": "waiting"}, 12.5),
        ("mosaic_database_bytes", {"part": "store"}, 4096),
        ("mosaic_database_bytes", {"part": "queue-log"}, 100),
        ("mosaic_database_free_bytes", {"part": "store"}, 1024),
        ("mosaic_disk_free_bytes", {}, 10**9),
    ],
)  # fmt: skip
def test_what_is_observed_is_counted(metrics, name, labels, expected):
    """Under the name that dashboards rely on."""
    assert expected == value(metrics, name, **labels)


def test_what_is_rare_begins_at_0():
    """Prometheus sees no rise in a series that begins at 1, and so no alert would come of it."""
    metrics = Metrics()
    for event in ("issues", "issue_comment", "push", "other"):
        labels = {"event": event, "outcome": "not-recorded"}
        assert 0 == value(metrics, "mosaic_deliveries_total", **labels)
    assert 0 == value(metrics, "mosaic_deliveries_total", event="unknown", outcome="refused")
    assert 0 == value(metrics, "mosaic_ai_readings_total", outcome="unreachable")


def test_it_is_told_what_runs(metrics):
    """As everybody does, so that a change of it shows beside everything else."""
    labels = {"version": __version__, "python": platform.python_version(), "database": "sqlite"}
    assert 1 == value(metrics, "mosaic_build_info", **labels)
    assert 0 < (value(metrics, "process_resident_memory_bytes") or 0)


def test_who_sends_cannot_make_new_series(metrics):
    """Whoever knows the secret can name an event as they like."""
    for number in range(100):
        metrics.delivery(f"event_{number}", "ignored")
    assert 100 == value(metrics, "mosaic_deliveries_total", event="other", outcome="ignored")
    assert b"event_" not in metrics.page()


def test_every_event_that_is_handled_has_a_name_of_its_own():
    """So that one can see which fail."""
    metrics, known = Metrics(), {name for name, _ in discover("handlers")._handlers}
    for name in known:
        metrics.delivery(name, "recorded")
    assert value(metrics, "mosaic_deliveries_total", event="other", outcome="recorded") is None
    assert known


def test_a_clock_that_was_set_back_makes_no_time_less_than_none(metrics):
    metrics.delivered(-5)
    assert 0.3 == value(metrics, "mosaic_delivery_seconds_sum")


def test_it_goes_on_counting(metrics):
    """Other labels are other counts."""
    metrics.delivery("issues", "recorded")
    metrics.delivery("issues", "own")
    assert 2 == value(metrics, "mosaic_deliveries_total", event="issues", outcome="recorded")
    assert 1 == value(metrics, "mosaic_deliveries_total", event="issues", outcome="own")


def test_no_answer_of_gitea_is_a_status_of_its_own(metrics):
    """It is told from every answer."""
    metrics.request("GET", "/version", None, 10.0)
    labels = {"method": "GET", "route": "/version", "status": "none"}
    assert 1 == value(metrics, "mosaic_gitea_requests_total", **labels)


def test_a_report_that_was_left_alone_is_told_from_a_written_one(metrics):
    """Most are."""
    metrics.report(written=False)
    assert 1 == value(metrics, "mosaic_reports_total", outcome="unchanged")
    assert 1 == value(metrics, "mosaic_reports_total", outcome="written")


def test_how_things_stand_is_what_was_said_last(metrics):
    """A status that no issue has any more is gone, one that is not known has a name."""
    metrics.standing(Standing(queue={"waiting": 0}, issues={"ready": 1, "": 4}))
    assert 0 == value(metrics, "mosaic_queue", state="waiting")
    assert (1, 4) == tuple(value(metrics, "mosaic_issues", status=s) for s in ("ready", "unknown"))
    assert value(metrics, "mosaic_issues", status="blocked") is None
    assert 0 == value(metrics, "mosaic_set_aside")


def test_two_bots_in_one_process_count_apart(metrics):
    """As in these tests."""
    assert value(Metrics(), "mosaic_set_aside") == 0
    assert value(metrics, "mosaic_set_aside") == 1


def families(metrics: Metrics) -> dict[str, tuple[str, str, frozenset[str]]]:
    """Name as it is asked for ▸ kind, text, labels; without the times of creation."""
    found = {}
    for family in text_string_to_metric_families(metrics.page().decode()):
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        name = family.name + ("_total" if family.type == "counter" else "")
        if name.startswith("mosaic_") and not name.endswith("_created"):
            found[name] = (family.type, family.documentation, frozenset(labels))
    return found


def test_the_page_is_in_the_text_format(metrics):
    """With help on everything, and the type that Prometheus asks for."""
    assert CONTENT_TYPE.startswith("text/plain; version=")
    assert 27 == len(families(metrics))
    assert all(text.endswith(".") for _, text, _ in families(metrics).values())


def test_the_documentation_lists_every_metric(metrics):
    """Name, kind and labels; what it says of each begins as its help does."""
    listed = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if row := re.fullmatch(r"\| `(mosaic_\w+)` \| (\w+) \|(.*?)\| (.+) \|", line):
            name, kind, labels, text = row.groups()
            listed[name] = (kind, frozenset(re.findall(r"`(\w+)`", labels)), text)
    expected = families(metrics)
    assert {n: (kind, labels) for n, (kind, _, labels) in expected.items()} == {
        n: (kind, labels) for n, (kind, labels, _) in listed.items()
    }
    assert all(listed[n][2].startswith(text) for n, (_, text, _) in expected.items())


def test_what_cannot_be_asked_is_not_told(metrics: Metrics) -> None:
    metrics.unknown()
    metrics.unknown()
    assert b"mosaic_set_aside" not in metrics.page()
    assert b"mosaic_queue" not in metrics.page()
    assert b"mosaic_jobs_total" in metrics.page()
    metrics.standing(Standing(queue={"waiting": 4}))
    assert 4 == value(metrics, "mosaic_queue", state="waiting")
