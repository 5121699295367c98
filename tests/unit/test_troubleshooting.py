"""What docs/troubleshooting.md quotes is said by the bot, or by Gitea; and it leads somewhere."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.unit.documents import DOCS, ROOT, read

PAGE = DOCS / "troubleshooting.md"
OF_GITEA = {  # as Gitea 1.26.3 says it
    "webhook can only call allowed HTTP servers",
    "401 invalid username, password or token",
    "it still has open dependencies",
    "Unable to save changes to the comment",
}
LEAST = 12  # letters that stand fast in a sentence with gaps; fewer would fit anything
TEXT = re.sub(r"<[^>]*>", "", read(PAGE))
QUOTED = sorted(set(re.findall(r'"([A-Za-z0-9…][^"`|]{8,})"', TEXT)))


def sentences() -> Iterator[str]:
    """Every text in the code, with a NUL where a value is put in; and every template."""
    for path in (ROOT / "bot").rglob("*.py"):
        for node in ast.walk(ast.parse(read(path))):
            if isinstance(node, ast.JoinedStr):
                yield "".join(
                    str(part.value) if isinstance(part, ast.Constant) else "\0"
                    for part in node.values
                )
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value
    for path in (ROOT / "templates").rglob("*.j2"):
        yield read(path)


SENTENCES = list(sentences())


def is_said(words: str) -> bool:
    """Whether there is such a sentence in the code, or one that becomes it."""
    return any(words in one or _becomes(one, words) for one in SENTENCES)


def _becomes(sentence: str, words: str) -> bool:
    if "\0" not in sentence or len(sentence.replace("\0", "")) < LEAST:
        return False
    return bool(re.search(".*".join(map(re.escape, sentence.split("\0"))), words))


@pytest.mark.parametrize("words", QUOTED)
def test_what_is_quoted_is_said(words: str) -> None:
    parts = [part.strip() for part in words.split("…") if part.strip()]
    assert words in OF_GITEA or all(map(is_said, parts))


def test_something_is_quoted() -> None:
    """And what nobody says would be found."""
    assert len(QUOTED) >= 10
    assert set(QUOTED) >= OF_GITEA
    assert not is_said("the flux capacitor is empty")


def test_every_row_has_two_cells() -> None:
    """A symptom, and what to do."""
    rows = [line for line in read(PAGE).splitlines() if line.startswith("| ")]
    assert {2} == {len(re.split(r"(?<!\\)\|", row.strip("|"))) for row in rows}
