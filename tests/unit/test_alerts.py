"""The alert rules and the dashboard in docs/examples: they ask for what there is, and rightly.

Where `promtool` is (Debian: package prometheus), it reads every expression, and plays what should
make each alert come, and what should not.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from bot.metrics import Metrics
from tests.unit.documents import DOCS
from tests.unit.test_metrics import observed

RULES = DOCS / "examples" / "prometheus-rules.yml"
DASHBOARD = DOCS / "examples" / "grafana-dashboard.json"
PAGE = DOCS / "metrics.md"
PROMTOOL = shutil.which("promtool")
MINUTES = 130  # that are played

ALERTS: list[dict[str, Any]] = [
    rule for group in yaml.safe_load(RULES.read_text("utf-8"))["groups"] for rule in group["rules"]
]
BOARD = json.loads(DASHBOARD.read_text("utf-8"))
PANELS = [panel for panel in BOARD["panels"] if panel["type"] != "row"]
EXPRESSIONS = {
    **{rule["alert"]: rule["expr"] for rule in ALERTS},
    **{f"{p['title']} {t['refId']}": t["expr"] for p in PANELS for t in p["targets"]},
}
every_expression = pytest.mark.parametrize("expr", EXPRESSIONS.values(), ids=EXPRESSIONS)


def series() -> dict[str, set[str]]:
    """Every series that the bot tells: its name ▸ its labels."""
    found = {"up": set[str]()}
    for family in text_string_to_metric_families(observed().page().decode()):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


SERIES = series()


def asked_for(expr: str) -> Iterator[tuple[str, str]]:
    """The names of metrics in an expression, each with what its labels are to be."""
    for found in re.finditer(r"\b(up|(?:mosaic|process)_\w+)\b(?:\{([^}]*)\})?", expr):
        yield found[1], found[2] or ""


# ---- what they ask for ----


@every_expression
def test_it_asks_for_what_the_bot_tells(expr: str) -> None:
    names = dict(asked_for(expr))
    assert names
    assert set() == names.keys() - SERIES.keys()
    for name, matchers in names.items():
        labels = set(re.findall(r"(\w+)\s*[=!]~?\s*\"", matchers))
        assert labels <= SERIES[name] | {"job", "instance"}


@every_expression
def test_rises_are_taken_of_counters_and_only_of_them(expr: str) -> None:
    """A rate of a gauge, or a counter as it stands, is a number without a meaning."""
    for name, _ in asked_for(expr):
        counts = name.endswith(("_total", "_bucket", "_count", "_sum"))
        taken = re.search(rf"\b(?:rate|increase)\({name}\b", expr) is not None
        assert counts is taken, name


@every_expression
def test_quantiles_keep_the_bounds(expr: str) -> None:
    assert expr.count("histogram_quantile") == len(re.findall(r"by \([^)]*\ble\b", expr))


@every_expression
def test_replicas_are_put_together(expr: str) -> None:
    """Of a number of the bot's own, each replica tells one."""
    for name, matchers in asked_for(expr):
        if name.startswith("mosaic_"):
            assert re.search(r"\b(?:sum|max|min)\b|unless|predict_linear", expr), (name, matchers)


# ---- the rules ----


def test_every_alert_says_what_is_so_and_what_to_do() -> None:
    for rule in ALERTS:
        assert {"summary", "description"} == rule["annotations"].keys(), rule["alert"]
        assert rule["labels"]["severity"] in ("critical", "warning", "info")
        assert all(text.endswith((".", "`).")) for text in rule["annotations"].values())


def test_the_page_lists_every_alert() -> None:
    listed = re.findall(r"^\| `(Mosaic\w+)` \|", PAGE.read_text("utf-8"), re.MULTILINE)
    assert [rule["alert"] for rule in ALERTS] == listed


def test_what_they_tell_to_do_is_there() -> None:
    """Commands of the command line, settings and metrics."""
    said = " ".join(rule["annotations"]["description"] for rule in ALERTS)
    for name in re.findall(r"\bmosaic_\w+", said):
        assert any(one.startswith(name) for one in SERIES), name
    assert {"check", "failures", "backup"} == set(re.findall(r"`mosaic-coordinator (\w+)", said))


# ---- the dashboard ----


def test_every_panel_can_be_drawn() -> None:
    ids = [panel["id"] for panel in BOARD["panels"]]
    assert len(ids) == len(set(ids))
    for panel in PANELS:
        assert panel["type"] in ("stat", "timeseries")
        assert panel["targets"]
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert all(one["datasource"]["uid"] == "${datasource}" for one in panel["targets"])


def test_panels_do_not_lie_on_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not taken & cells, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells


def test_every_metric_is_on_it() -> None:
    """But those that are of use to a rule alone."""
    shown = {name for expr in EXPRESSIONS.values() for name, _ in asked_for(expr)}
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in shown}
    told = {re.sub(r"_(bucket|sum|count)$", "", n) for n in SERIES if n.startswith("mosaic_")}
    told = {name for name in told if not name.endswith("_created")}
    assert {"mosaic_delivery_refused_at_seconds"} == told - families  # `check` asks for it


# ---- played by promtool ----

WELL = {
    "up{}": "1x{n}",
    'mosaic_deliveries_total{event="issues",outcome="recorded"}': "0+10x{n}",
    'mosaic_deliveries_total{event="issues",outcome="not-recorded"}': "0x{n}",
    'mosaic_deliveries_total{event="unknown",outcome="refused"}': "0x{n}",
    'mosaic_delivery_seconds_bucket{le="1"}': "0+9x{n}",
    'mosaic_delivery_seconds_bucket{le="60"}': "0+10x{n}",
    'mosaic_delivery_seconds_bucket{le="300"}': "0+10x{n}",
    'mosaic_delivery_seconds_bucket{le="+Inf"}': "0+10x{n}",
    'mosaic_queue_age_seconds{state="waiting"}': "1x{n}",
    'mosaic_queue_age_seconds{state="running"}': "2x{n}",
    "mosaic_set_aside{}": "0x{n}",
    "mosaic_recheck_age_seconds{}": "60x{n}",
    'mosaic_gitea_requests_total{method="GET",route="/user",status="200"}': "0+100x{n}",
    'mosaic_gitea_requests_total{method="GET",route="/user",status="500"}': "0+1x{n}",
    'mosaic_ai_readings_total{outcome="answered"}': "0+5x{n}",
    'mosaic_ai_readings_total{outcome="remembered"}': "0+50x{n}",
    'mosaic_ai_readings_total{outcome="timeout"}': "0+1x{n}",
    "mosaic_ai_tokens_today{}": "100x{n}",
    "mosaic_ai_tokens_limit{}": "2000000x{n}",
    "mosaic_housekeeping_at_seconds{}": "-3600x{n}",
    "mosaic_backup_at_seconds{}": "0x{n}",
    "mosaic_disk_free_bytes{}": "9000000000x{n}",
    "process_start_time_seconds{}": "-7200x{n}",
}
LOST, REFUSED = list(WELL)[2:4]
WAITING, RUNNING = list(WELL)[8:10]
FAILED, TIMEOUT = list(WELL)[13], list(WELL)[16]
PAUSED, BUDGET = TIMEOUT.replace("timeout", "paused"), TIMEOUT.replace("timeout", "budget")
ANSWERED = list(WELL)[14]
TOKEN = FAILED.replace("500", "401")
SILENT = FAILED.replace("500", "none")
QUICK, SLOW, SLOWEST = list(WELL)[4:7]
OF_ALL = {QUICK: "0+2x{n}", SLOW: "0+5x{n}", SLOWEST: "0+9x{n}"}
FULLER = "20000000000-20000000x{n}"
DAYS_AGO = "-300000x{n}"
UNKNOWN = " ".join(["NaN"] * MINUTES)


def every(minutes: int, rise: int) -> str:
    """A counter that rises once in so many minutes."""
    return " ".join(f"{rise * step}x{minutes - 1}" for step in range(1, MINUTES // minutes))


PLAYED: dict[str, tuple[str, dict[str, str]]] = {
    "all is well": ("", {}),
    "no bot answers": (
        "MosaicCoordinatorDown",
        {"up{}": "1x30 0x{n}", "mosaic_set_aside{}": "0x30 stale"},
    ),
    "its storage does not answer": (
        "MosaicCoordinatorSilent",
        {"mosaic_set_aside{}": "0x30 stale"},
    ),
    "one delivery is lost": ("MosaicDeliveriesLost", {LOST: "0x115 1x{n}"}),
    "deliveries are refused": ("MosaicDeliveriesRefused", {REFUSED: "0x20 0+1x{n}"}),
    "one delivery is refused": ("", {REFUSED: "0x110 1x{n}"}),
    "work waits": ("MosaicQueueStalled", {WAITING: "0+60x{n}"}),
    "work does not end": ("MosaicJobStuck", {RUNNING: "0+60x{n}"}),
    "work was given up": ("MosaicWorkGivenUp", {"mosaic_set_aside{}": "0x30 2x{n}"}),
    "reports are late": ("MosaicReportsLate", OF_ALL),
    "nobody rechecks": ("MosaicRecheckLate", {"mosaic_recheck_age_seconds{}": "0+60x{n}"}),
    "before the first recheck": ("", {"mosaic_recheck_age_seconds{}": UNKNOWN}),
    "Gitea fails": ("MosaicGiteaFailing", {FAILED: "0+60x{n}"}),
    "Gitea is silent": ("MosaicGiteaFailing", {SILENT: "0+60x{n}"}),
    "the token is refused": ("MosaicTokenRefused", {TOKEN: "0x20 0+1x{n}"}),
    "the token is refused to a quiet bot": ("MosaicTokenRefused", {TOKEN: "_x20 " + every(5, 1)}),
    "the token was refused once": ("", {TOKEN: "0x108 2x{n}"}),
    "the token is right again": ("", {TOKEN: "0x20 0+1x20 20x{n}"}),
    "Claude is silent": ("MosaicClaudeFailing", {TIMEOUT: "0+20x{n}"}),
    "Claude is silent, and many ask": (  # it is tried once in some minutes, and all others wait
        "MosaicClaudeFailing",
        {ANSWERED: "0+5x20 105x{n}", TIMEOUT: "0x20 " + every(5, 1), PAUSED: "0x20 0+20x{n}"},
    ),
    "Claude was silent, and answers": ("", {TIMEOUT: "0x20 1x{n}", PAUSED: "0x20 0+20x5 100x{n}"}),
    "Claude is silent, and of most issues it was asked enough": (
        "MosaicClaudeFailing",
        {ANSWERED: "0x{n}", TIMEOUT: every(5, 1), BUDGET: "0+20x{n}"},
    ),
    "Claude is not used": ("", dict.fromkeys(list(WELL)[14:17], "0x{n}")),
    "the day's tokens are used up": (
        "MosaicClaudeBudgetUsed",
        {"mosaic_ai_tokens_today{}": "0+40000x{n}"},
    ),
    "no tokens are given": ("", {"mosaic_ai_tokens_limit{}": "0x{n}"}),
    "nobody tidies": ("MosaicHousekeepingLate", {"mosaic_housekeeping_at_seconds{}": DAYS_AGO}),
    "it was just started": (
        "",
        {
            "mosaic_housekeeping_at_seconds{}": DAYS_AGO,
            "process_start_time_seconds{}": "-7200x99 6000x{n}",
        },
    ),
    "it was saved long ago": (
        "",  # at the beginning of time nothing is two days old: see the next
        {"mosaic_backup_at_seconds{}": "1x{n}"},
    ),
    "the disk is nearly full": ("MosaicDiskFull", {"mosaic_disk_free_bytes{}": "100000000x{n}"}),
    "the disk fills up, and that was not seen for long": (
        "",  # a line through a few minutes leads anywhere
        {"mosaic_disk_free_bytes{}": FULLER},
    ),
    "a server keeps the data": ("", {"mosaic_disk_free_bytes{}": UNKNOWN}),
    "it starts again and again": (
        "MosaicRestarting",
        {"process_start_time_seconds{}": "0+300x{n}"},
    ),
}


def played(expected: str, changed: dict[str, str], minutes: int) -> dict[str, Any]:
    """A test of promtool's: which alerts there are at the end, when these series stand so."""
    job = 'job="mosaic-coordinator",instance="a"'
    rows = [
        {
            "series": one.replace("{", "{" + job + ("," if "=" in one else "")),
            "values": values.format(n=minutes),
        }
        for one, values in {**WELL, **changed}.items()
    ]
    samples = [{"labels": f'{{alertname="{expected}"}}', "value": 1}] if expected else []
    return {
        "interval": "1m",
        "input_series": rows,
        "promql_expr_test": [
            {
                "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                "eval_time": f"{minutes - 10}m",
                "exp_samples": samples,
            }
        ],
    }


QUIET = {"mosaic_housekeeping_at_seconds{}": "0+60x{n}"}  # over days, too

promtool = pytest.mark.skipif(PROMTOOL is None, reason="no promtool: Debian's package prometheus")


def run_promtool(*arguments: object) -> str:
    """What it says; empty where all is well."""
    done = subprocess.run(
        [str(PROMTOOL), *map(str, arguments)], capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr if done.returncode else ""


@promtool
def test_each_alert_comes_when_it_should_and_only_then(tmp_path: Path) -> None:
    tests = {name: played(*told, MINUTES) for name, told in PLAYED.items()}
    late = {"mosaic_backup_at_seconds{}": "1x{n}", **QUIET}
    filling = {**QUIET, "mosaic_disk_free_bytes{}": FULLER}
    tests["the disk fills up"] = played("MosaicDiskFull", filling, 700)
    tests["nobody saves"] = played("MosaicBackupLate", late, 3000)
    path = tmp_path / "rules-test.yml"
    whole = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "1m",
        "tests": [{"name": name, **test} for name, test in tests.items()],
    }
    path.write_text(yaml.safe_dump(whole), encoding="utf-8")
    assert "" == run_promtool("test", "rules", path)


def test_each_alert_is_played() -> None:
    come = {expected for expected, _ in PLAYED.values()} | {"MosaicBackupLate", "MosaicDiskFull"}
    assert {rule["alert"] for rule in ALERTS} | {""} == come


@promtool
def test_every_expression_can_be_read(tmp_path: Path) -> None:
    rules = [
        {"alert": "A", "expr": expr.replace("$__rate_interval", "5m").replace("$job", "x")}
        for expr in EXPRESSIONS.values()
    ]
    path = tmp_path / "rules.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "g", "rules": rules}]}), "utf-8")
    assert "" == run_promtool("check", "rules", "--lint=none", path)


@promtool
def test_prometheus_likes_how_the_metrics_are_named(metrics: Metrics) -> None:
    """As far as their names may still be chosen."""
    done = subprocess.run(
        [str(PROMTOOL), "check", "metrics"], input=metrics.page(), capture_output=True, check=False
    )
    assert b"" == done.stdout + done.stderr


@pytest.fixture
def metrics() -> Metrics:
    return observed()
