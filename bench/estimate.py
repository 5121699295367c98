"""How good the estimate is, against what fixing commits touched.

    python bench/estimate.py CLONES [CASES.jsonl]

CLONES is a directory with a clone of each repository the cases name (`flask`, `gin`, `zod`; bare
ones too, as `flask.git`), from which the file sizes of the commit before the fix are read.
Prints median |log2 ratio|, share within 2x, share too low by more than 2x, rank correlation,
and how many lie in the range; docs/decisions/0003-estimate.md discusses them.
"""

from __future__ import annotations

import json
import math
import statistics
import subprocess
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bot.estimator import TYPICAL_WORK, estimate
from bot.models import Estimate, Metadata
from bot.tree import BYTES_PER_TOKEN, ONE_FILE_MOST

CASES = Path(__file__).parent.parent / "tests/data/eval/context.jsonl"


def truth(case: dict[str, Any]) -> float:
    """The tokens of what the fix touched, and of the fix."""
    files = (f for f in case["files_touched"] if f["kind"] in ("source", "test"))
    weight = sum(min(f["bytes_before"] / BYTES_PER_TOKEN, ONE_FILE_MOST) for f in files)
    return weight + case["diff_bytes"] / BYTES_PER_TOKEN


def tree(clones: Path, case: dict[str, Any]) -> dict[str, int]:
    """Every path before the fix, with its size."""
    name = case["repo"].rpartition("/")[2]
    clone = next(p for p in (clones / name, clones / f"{name}.git") if p.exists())
    command = ["git", "-C", str(clone), "ls-tree", "-rlz", case["parent_commit"]]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    lines = (line.split("\t", 1) for line in listed.split("\0") if line)
    sizes = ((path, head.split()[3]) for head, path in lines)
    return {path: int(size) for path, size in sizes if size.isdigit()}


def ranks(numbers: Sequence[float]) -> list[float]:
    """The place of each in order; equal ones share the middle of theirs."""
    order = sorted(numbers)
    return [(bisect_left(order, n) + bisect_right(order, n)) / 2 for n in numbers]


def figures(name: str, found: list[Estimate], true: list[float]) -> str:
    """One line of the table."""
    off = [math.log2(e.tokens / t) for e, t in zip(found, true, strict=True)]
    median = statistics.median(map(abs, off))
    within = sum(abs(x) <= 1 for x in off) / len(off)
    under = sum(x < -1 for x in off) / len(off)
    held = sum((e.low or 0) <= t <= (e.high or 0) for e, t in zip(found, true, strict=True))
    tokens = [e.tokens for e in found]
    rank = "   -"
    if len(set(tokens)) > 1:
        rank = f"{statistics.correlation(ranks(tokens), ranks(true)):.2f}"
    return f"{name:28} {median:5.2f} {within:5.0%} {under:5.0%}  {rank}  {held / len(off):5.0%}"


def main() -> None:
    clones, path = Path(sys.argv[1]), Path(sys.argv[2]) if sys.argv[2:] else CASES
    cases = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    true = [truth(case) for case in cases]
    trees = [tree(clones, case) for case in cases]
    rows: dict[str, list[Estimate]] = {f"one constant, {TYPICAL_WORK}": []}
    for case, sizes in zip(cases, trees, strict=True):
        text = f"{case['title']}\n\n{case['body']}"
        touched = [f for f in case["files_touched"] if f["path"] in sizes]
        sources = tuple(f["path"] for f in touched if f["kind"] == "source")
        count = sum(f["kind"] in ("source", "test") for f in touched)
        for name, metadata, known in (
            (f"one constant, {TYPICAL_WORK}", Metadata(), None),
            ("text and tree as they are", Metadata(), sizes),
            ("the touched sources named", Metadata(files=sources), sizes),
            ("only their number declared", Metadata(files_to_modify=count), sizes),
        ):
            said = text if name.startswith("text") else ""
            found = estimate(metadata, None, text=said, tree=known)
            rows.setdefault(name, []).append(found)
    print(f"{len(cases)} cases {'':20} med   <2x under  rank  range")
    for name, found in rows.items():
        print(figures(name, found, true))


if __name__ == "__main__":
    main()
