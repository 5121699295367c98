"""How many examples tests with random input take: few as usual, more in the long form, `make fuzz`."""

from __future__ import annotations

import os


def examples(usual: int) -> int:
    """`FUZZ` where it says a number that is larger, else as usual."""
    return max(usual, int(os.environ.get("FUZZ") or 0))
