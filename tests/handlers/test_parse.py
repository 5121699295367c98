"""/parse: read the text again."""

from __future__ import annotations

import pytest
from inline_snapshot import snapshot

from tests.handlers.changes import Desk, do, looks, refused


@pytest.mark.parametrize(
    ("afresh", "line"), [(False, "/parse"), (True, "/parse --force")], ids=["plain", "force"]
)
async def test_the_text_is_read_again_by_force_though_it_did_not_change(
    afresh: bool, line: str
) -> None:
    outcome = await do(line, Desk())
    assert (["#3"], afresh) == (looks(outcome), outcome.afresh)


async def test_other_words_are_refused() -> None:
    assert snapshot("`--forse` is not known here; only `--force` may follow") == await refused(
        "/parse --forse", Desk()
    )
    assert snapshot(
        "`--force --force` is not known here; only `--force` may follow"
    ) == await refused("/parse --force --force", Desk())
