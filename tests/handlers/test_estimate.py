"""/estimate: how many tokens of context the work needs."""

from __future__ import annotations

import pytest
from inline_snapshot import snapshot

from bot.errors import UserError
from bot.models import MAX_TOKENS
from bot.sayings import Field
from handlers.commands.estimate import tokens
from tests.handlers.changes import Desk, do, looks, note, refused


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (46_000, "46000"),
        (46_000, "46,000"),
        (46_000, "46k"),
        (46_000, "46K"),
        (120_000, "0.12M"),
        (120_000, "0.12m"),
        (1_500, "1.5k"),
        (46_250, "46.25k"),
        (290, "0.29k"),  # not 289.99…, and too few
        (1_500_000, "1,500k"),
        (500, "500"),
        (MAX_TOKENS, "100M"),
        (MAX_TOKENS, "100,000,000"),
    ],
)
def test_numbers_are_read_exactly(expected: int, text: str) -> None:
    if expected < 500:
        with pytest.raises(UserError, match=f"^{expected} is out of range"):
            tokens(text)
    else:
        assert expected == tokens(text)


@pytest.mark.parametrize(
    "text",
    [
        "46 k", "46k tokens", "about 46k", "~46k", "20k-30k", "46.000", "46.5", "4,6k", "46,00",
        "-46k", "46kk", "46g", "0x10", "٤٦k", "46k auto", "1e5", ".5M", "46.k", "9999999999", "none",
        "1_000",
    ],
)  # fmt: skip
def test_what_is_no_plain_number_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="is no number of tokens"):
        tokens(text)


@pytest.mark.parametrize("text", ["499", "46", "0", "0.4k", "101M", "999999999", "100.001M"])
def test_what_is_out_of_range_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="out of range"):
        tokens(text)


async def test_it_is_set() -> None:
    desk = Desk()
    outcome = await do("/estimate 46k", desk)
    assert (["estimate 46000 by alice"], ["#3"], "") == (desk.told, looks(outcome), note(outcome))


@pytest.mark.parametrize("before", [{Field.ESTIMATE: "46000"}, {}], ids=["set", "not set"])
@pytest.mark.parametrize("word", ["auto", "AUTO"])
async def test_it_is_given_back(before: dict[Field, str], word: str) -> None:
    desk = Desk(set=dict(before))
    outcome = await do(f"/estimate {word}", desk)
    assert (["estimate given back"], ["#3"]) == (desk.told, looks(outcome))


async def test_what_is_wrong_is_said() -> None:
    assert snapshot("say how many tokens; write `46000`, `46k` or `0.12M`") == await refused(
        "/estimate", Desk()
    )
    assert snapshot(
        "lots \\`of\\` it is no number of tokens; write `46000`, `46k` or `0.12M`"
    ) == await refused("/estimate lots `of` it", Desk())
    assert snapshot("46 is out of range; say 500 to 100M") == await refused("/estimate 46", Desk())
    assert snapshot("5,000,000,000 is out of range; say 500 to 100M") == await refused(
        "/estimate 5000M", Desk()
    )
