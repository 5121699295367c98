"""The queue's process is killed in mid-job, again and again: every job is done, none of two at once.

A real process with the real queue; what it does it writes to a file, line by line.
"""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.clock_step import ClockStep
from bot.engine import Engine
from bot.jobs import Job, RetryPolicy
from bot.recorder import Recorder

SEED = 20261122
JOBS = 24
PARTITIONS = 6
KILLS = 3
LIMIT = 60.0  # seconds


class Nobody:
    def job(self, kind: str, outcome: str, seconds: float) -> None:
        """Nobody counts."""


async def _serve(url: str, log: Path) -> None:
    """Work until killed: the process under test."""
    log_file = log.open("a", encoding="utf-8")

    def note(*words: str) -> None:
        log_file.write(" ".join(words) + "\n")
        log_file.flush()

    async def work(job: Job) -> None:
        note("begin", job.id, job.partition)
        await asyncio.sleep(0.05)
        note("end", job.id, job.partition)

    async def give_up(job: Job, error: Exception) -> None:
        note("lost", job.id, repr(error))

    engine = Engine(
        url,
        executor="killed",
        workers=8,
        poll=timedelta(milliseconds=10),
        policy=RetryPolicy(3, timedelta(milliseconds=10), timedelta(seconds=1)),
        observer=Nobody(),
        step=ClockStep(lambda: datetime.now(UTC)),
    )
    note("start")
    await engine.start(work, give_up)
    note("started")
    await asyncio.Event().wait()


async def _record(url: str, jobs: list[Job]) -> None:
    recorder = Recorder(url)
    await asyncio.gather(*map(recorder.record, jobs))
    await recorder.close()


def _lines(log: Path) -> list[list[str]]:
    text = log.read_text(encoding="utf-8") if log.exists() else ""
    return [line.split() for line in text.splitlines()]


def _until(log: Path, process: subprocess.Popen[bytes], ended: int) -> None:
    """Return when so many different jobs have ended."""
    limit = time.monotonic() + LIMIT
    while len({line[1] for line in _lines(log) if line[0] == "end"}) < ended:
        assert process.poll() is None, "the process ended by itself"
        assert time.monotonic() < limit, _lines(log)[-5:]
        time.sleep(0.005)


def _started(log: Path, process: subprocess.Popen[bytes]) -> None:
    limit = time.monotonic() + LIMIT
    while ["started"] not in _lines(log):
        assert process.poll() is None, "the process ended by itself"
        assert time.monotonic() < limit, "the process does not start"
        time.sleep(0.005)


def _overlaps(lines: list[list[str]]) -> list[str]:
    """Jobs that began while another of their partition was at work in the same process."""
    at_work: set[str] = set()
    found = []
    for what, *rest in lines:
        if what == "start":
            at_work.clear()
        elif what == "begin":
            found += [rest[0]] if rest[1] in at_work else []
            at_work.add(rest[1])
        elif what == "end":
            at_work.discard(rest[1])
    return found


def test_killed_again_and_again_it_does_every_job_one_at_a_time_per_issue(
    sqlite_url: str, tmp_path: Path
) -> None:
    seed = random.Random(SEED)
    print(f"seed {SEED}")  # noqa: T201 - shown when the test fails
    log = tmp_path / "log"
    command = [sys.executable, "-m", "tests.faults.test_kill", sqlite_url, str(log)]
    process = subprocess.Popen(command)
    try:
        _started(log, process)
        jobs = [Job(f"j{n}", "look", f"a/b#{n % PARTITIONS}", "") for n in range(JOBS)]
        asyncio.run(_record(sqlite_url, jobs))
        kills = sorted(seed.sample(range(1, JOBS // 2), KILLS))
        for ended in kills:
            _until(log, process, ended)
            process.send_signal(signal.SIGKILL)
            process.wait()
            process = subprocess.Popen(command)
        _until(log, process, JOBS)
    finally:
        process.kill()
        process.wait()
    lines = _lines(log)
    begun = [line[1] for line in lines if line[0] == "begin"]
    assert len(set(begun)) < len(begun), "nobody was killed in mid-job"
    assert [] == [line for line in lines if line[0] == "lost"]
    assert [] == _overlaps(lines), f"seed {SEED}"
    assert {job.id for job in jobs} == {line[1] for line in lines if line[0] == "end"}


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], Path(sys.argv[2])))
