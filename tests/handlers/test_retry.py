"""/retry: do again what failed."""

from __future__ import annotations

from inline_snapshot import snapshot

from tests.handlers.changes import Desk, do, looks, note, refused


async def test_it_says_how_much_is_done_again() -> None:
    one, two, none = [await do("/retry", Desk(failed=number)) for number in (1, 2000, 0)]
    assert snapshot("1 piece of work that had failed is done again") == note(one)
    assert snapshot("2,000 pieces of work that had failed are done again") == note(two)
    assert snapshot("nothing had failed here") == note(none)
    assert ["#3"] == looks(one)


async def test_words_are_too_many() -> None:
    assert snapshot("nothing may follow on that line") == await refused("/retry all", Desk())
