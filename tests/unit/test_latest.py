"""A dictionary that does not grow without end."""

from __future__ import annotations

from bot.latest import Latest


def test_what_was_set_longest_ago_goes() -> None:
    kept: Latest[str, int] = Latest(2)
    for number, key in enumerate(("first", "second", "first", "third")):
        kept[key] = number
    assert {"first": 2, "third": 3} == kept
