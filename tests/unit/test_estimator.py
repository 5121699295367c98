"""Where an estimate comes from, how large it is, and how hard the work is then."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.estimator import SizeLimits, difficulty, estimate, far_off, size_of
from bot.models import (
    MAX_TOKENS,
    ContextSize,
    Difficulty,
    Estimate,
    Metadata,
    Reading,
    Source,
)

# A typical file weighs 10,000 tokens, so a whole task 8,000 + 2 x 10,000, and 15 % of that 4,200.
TREE = {
    "README.md": 9_000,
    "Dockerfile": 3_600,
    "src/app.py": 36_000,
    "src/pump.py": 7_200,
    "src/odd.py": 3_600,
    "tests/test_app.py": 18_000,
    "tests/test_odd.py": 3_600,
}


def of(
    text: str = "Something is slow",
    *,
    tree: dict[str, int] | None = TREE,
    read: int | None = None,
    override: int | None = None,
    **declared: object,
) -> Estimate:
    metadata = Metadata.model_validate(declared)
    reading = Reading(estimated_context=read) if read is not None else None
    return estimate(metadata, reading, text=text, tree=tree, override=override)


@pytest.mark.parametrize(
    ("known", "tokens", "source"),
    [
        pytest.param(
            {"override": 1, "estimated_context": 2, "files": ("app.py",), "read": 3},
            1,
            Source.COMMAND,
            id="a command beats everything",
        ),
        pytest.param(
            {"estimated_context": 2, "files": ("app.py",), "read": 3},
            2,
            Source.DECLARED,
            id="declared beats the files",
        ),
        pytest.param(
            {"files": ("pump.py",), "read": 3}, 12_000, Source.FILES, id="the files beat Claude"
        ),
        pytest.param(
            {"files_to_modify": 1, "read": 3}, 12_000, Source.TEXT, id="declared parts beat Claude"
        ),
        pytest.param({"read": 3_333}, 3_333, Source.AI, id="Claude beats a guess"),
        pytest.param(
            {"read": 3_333, "files": ("app.py",), "tree": None},
            3_333,
            Source.AI,
            id="Claude beats files of unknown size",
        ),
        pytest.param({}, 28_000, Source.TEXT, id="a guess from the repository"),
        pytest.param({"tree": None}, 17_000, Source.TEXT, id="a guess from nothing"),
    ],
)
def test_where_the_number_comes_from(known, tokens: int, source: Source) -> None:
    found = of(**known)
    assert (tokens, source) == (found.tokens, found.source)


@pytest.mark.parametrize(
    ("known", "paths", "tokens"),
    [
        pytest.param(
            {"files": ("src/app.py",)},
            ["src/app.py", "tests/test_app.py"],
            10_000 + 5_000 + 4_200 + 1_500,
            id="a source and its tests",
        ),
        pytest.param(
            {"files": ("src/pump.py",)},
            ["src/pump.py"],
            2_000 + 4_000 + 4_200 + 1_500,
            id="a source without tests: they are to be written",
        ),
        pytest.param(
            {"files": ("src/pump.py", "tests/test_app.py")},
            ["src/pump.py", "tests/test_app.py"],
            2_000 + 5_000 + 4_200 + 1_500,
            id="tests are named: no others",
        ),
        pytest.param(
            {"files": ("src/app.py", "tests/test_odd.py")},
            ["src/app.py", "tests/test_odd.py"],
            10_000 + 1_000 + 4_200 + 1_500,
            id="other tests are named: no others",
        ),
        pytest.param(
            {"files": ("Dockerfile",)},
            ["Dockerfile"],
            1_000 + 4_200 + 1_500,
            id="no code, no tests",
        ),
        pytest.param(
            {"files": ("src/app.py",), "test_tokens": 800},
            ["src/app.py"],
            10_000 + 800 + 4_200 + 1_500,
            id="the tests are declared",
        ),
        pytest.param(
            {"files": ("src/app.py",), "implementation_tokens": 9_000},
            ["src/app.py", "tests/test_app.py"],
            10_000 + 5_000 + 4_200 + 9_000,
            id="the change is declared",
        ),
        pytest.param(
            {"files": ("src/app.py",), "files_to_modify": 4},
            ["src/app.py", "tests/test_app.py"],
            10_000 + 5_000 + 2 * 10_000 + 1_500,
            id="more are counted than named",
        ),
        pytest.param(
            {"files": ("src/app.py",), "files_to_modify": 1},
            ["src/app.py", "tests/test_app.py"],
            10_000 + 5_000 + 1_500,
            id="all that is counted is named",
        ),
        pytest.param(
            {"text": "It fails in src/pump.py"},
            ["src/pump.py"],
            2_000 + 4_000 + 4_200 + 1_500,
            id="a file in the text",
        ),
        pytest.param({"files": ("README.md",)}, [], 28_000, id="a file nobody reads"),
        pytest.param({"files": ("new.py",)}, [], 28_000, id="a file still to be made"),
        pytest.param(
            {"files_to_modify": 3, "implementation_tokens": 20_000, "test_tokens": 10_000},
            [],
            3 * 10_000 + 20_000 + 10_000,
            id="all parts declared",
        ),
        pytest.param(
            {
                "tree": None,
                "files_to_modify": 3,
                "implementation_tokens": 20_000,
                "test_tokens": 10_000,
            },
            [],
            3 * 6_000 + 20_000 + 10_000,
            id="all parts declared, the repository unknown",
        ),
        pytest.param(
            {"tree": None, "implementation_tokens": 20_000},
            [],
            6_000 + 2_550 + 20_000,
            id="only the change declared: some file it must be",
        ),
        pytest.param(
            {"tree": None, "files": ("a.py", "b.md", "test_a.py")},
            [],
            2 * 6_000 + 2_550 + 1_500,
            id="named, the repository unknown",
        ),
        pytest.param(
            {"tree": None, "files": ("a.py",)},
            [],
            6_000 + 4_000 + 2_550 + 1_500,
            id="named without tests, the repository unknown",
        ),
        pytest.param({"files_to_modify": 0}, [], 1_500, id="no file at all"),
        pytest.param({"tree": {}}, [], 17_000, id="an empty repository"),
        pytest.param({"tree": {"README.md": 5}}, [], 17_000, id="a repository without source"),
    ],
)
def test_what_the_files_and_the_text_add_up_to(known, paths: list[str], tokens: int) -> None:
    found = of(**known)
    assert paths == [share.path for share in found.files]
    rounded = round(tokens, 2 - len(str(tokens)))
    assert (rounded, rounded) == (found.tokens, found.computed)
    source = Source.FILES if paths else Source.TEXT
    assert (source, source) == (found.source, found.computed_from)


def test_what_was_computed_is_kept_beside_a_declared_number() -> None:
    found = of(estimated_context=5_000, files=("src/pump.py",))
    assert (5_000, 12_000, Source.FILES) == (found.tokens, found.computed, found.computed_from)
    assert (None, None) == (found.low, found.high), "who declares a number means that number"


def test_what_was_computed_is_kept_beside_what_claude_read() -> None:
    found = of(read=50_000)
    assert (50_000, 28_000, Source.TEXT) == (found.tokens, found.computed, found.computed_from)


@pytest.mark.parametrize(
    ("known", "low", "high"),
    [
        ({"files": ("src/pump.py",)}, 4_800, 42_000),
        ({"read": 10_000}, 4_000, 25_000),
        ({}, 7_000, 70_000),
        ({"override": 10_000}, None, None),
    ],
    ids=["from files", "read by Claude", "a guess", "commanded"],
)
def test_the_range_is_as_wide_as_the_source_is_unsure(known, low, high) -> None:
    found = of(**known)
    assert (low, high) == (found.low, found.high)


numbers = st.one_of(st.none(), st.integers(-(10**20), 10**20))


@given(
    files=st.lists(st.sampled_from([*TREE, "new.py", "src/", "x" * 99]), max_size=6),
    tree=st.one_of(st.none(), st.dictionaries(st.sampled_from(list(TREE)), st.integers(0, 2**60))),
    count=numbers,
    work=numbers,
    tests=numbers,
    declared=numbers,
    read=numbers,
    override=numbers,
    text=st.text(max_size=50),
)
def test_every_estimate_is_bounded_and_its_range_holds_it(
    files, tree, count, work, tests, declared, read, override, text
) -> None:
    found = of(
        text,
        tree=tree,
        read=read,
        override=override,
        files=tuple(files),
        files_to_modify=count,
        implementation_tokens=work,
        test_tokens=tests,
        estimated_context=declared,
    )
    assert 1 <= found.tokens <= MAX_TOKENS
    assert found.computed is not None
    assert 1 <= found.computed <= MAX_TOKENS
    exact = found.source in (Source.COMMAND, Source.DECLARED)
    assert exact == (found.low is None) == (found.high is None)
    if found.low is not None and found.high is not None:
        assert 1 <= found.low <= found.tokens <= found.high <= MAX_TOKENS


# ---- a declared number that cannot be ----


@pytest.mark.parametrize(
    ("known", "so"),
    [
        pytest.param({"estimated_context": 3_000, "files": ("pump.py",)}, True, id="4 x less"),
        pytest.param({"estimated_context": 3_001, "files": ("pump.py",)}, False, id="nearly"),
        pytest.param({"estimated_context": 48_000, "files": ("pump.py",)}, True, id="4 x more"),
        pytest.param({"estimated_context": 47_999, "files": ("pump.py",)}, False, id="almost"),
        pytest.param({"estimated_context": 500, "files_to_modify": 3}, True, id="parts declared"),
        pytest.param(
            {"estimated_context": 900, "files": ("a.py",), "tree": None}, True, id="sizes unknown"
        ),
        pytest.param(
            {"estimated_context": 48_000, "text": "in pump.py"}, True, id="a file in the text"
        ),
        pytest.param({"estimated_context": 112_000}, False, id="4 x a guess"),
        pytest.param({"estimated_context": 224_000}, True, id="8 x a guess"),
        pytest.param({"override": 1, "files": ("pump.py",)}, False, id="a command is meant"),
        pytest.param({"files": ("pump.py",)}, False, id="nothing declared"),
    ],
)
def test_a_declared_number_far_from_the_computed_one_is_noticed(known, so: bool) -> None:
    plain = {key: value for key, value in known.items() if key not in ("tree", "override", "text")}
    assert so == far_off(Metadata.model_validate(plain), of(**known))


def test_without_anything_computed_nothing_is_far_off() -> None:
    assert not far_off(Metadata(), Estimate(5, Source.DECLARED))


# ---- size and difficulty ----


@pytest.mark.parametrize(
    ("tokens", "size"),
    [
        (1, ContextSize.SMALL),
        (25_000, ContextSize.SMALL),
        (25_001, ContextSize.MEDIUM),
        (50_000, ContextSize.MEDIUM),
        (50_001, ContextSize.LARGE),
        (100_000, ContextSize.LARGE),
        (100_001, ContextSize.HUGE),
    ],
)
def test_sizes_reach_up_to_their_limits(tokens: int, size: ContextSize) -> None:
    assert size == size_of(tokens)
    assert size == size_of(tokens * 2, SizeLimits(50_001, 100_001, 200_001))


@pytest.mark.parametrize("limits", [(0, 1, 2), (2, 2, 3), (1, 3, 2), (-5, 1, 2)])
def test_size_limits_must_grow(limits: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="must be above 0 and grow"):
        SizeLimits(*limits)


def many(count: int) -> tuple[str, ...]:
    return tuple(f"src/f{n}.py" for n in range(count))


@pytest.mark.parametrize(
    ("declared", "tokens", "expected"),
    [
        pytest.param({"files": ("src/pump.py",)}, None, "easy", id="one small file"),
        pytest.param({"files": ("src/app.py",)}, None, "medium", id="one large file"),
        pytest.param({}, None, "medium", id="nothing known"),
        pytest.param({"estimated_context": 15_000}, None, "easy", id="little is declared"),
        pytest.param({"estimated_context": 15_001}, None, "medium", id="a little more"),
        pytest.param({"estimated_context": 60_000}, None, "medium", id="much, but not too much"),
        pytest.param({"estimated_context": 60_001}, None, "hard", id="much is declared"),
        pytest.param({"files_to_modify": 3}, 9_000, "medium", id="three files"),
        pytest.param({"files_to_modify": 2}, 9_000, "easy", id="two files"),
        pytest.param({"files_to_modify": 8}, 9_000, "medium", id="eight files"),
        pytest.param({"files_to_modify": 9}, 9_000, "hard", id="nine files"),
        pytest.param({"files": many(9)}, 9_000, "hard", id="nine files named"),
        pytest.param(
            {"files": ("a.py", "b.py", "test_a.py", "b_test.py")}, 9_000, "easy", id="tests beside"
        ),
    ],
)
def test_difficulty_is_worked_out_from_the_size(declared, tokens, expected: str) -> None:
    found = of(**declared, override=tokens)
    source = Source.FILES if found.files else Source.TEXT
    expected_pair = (Difficulty(expected), source)
    assert expected_pair == difficulty(Metadata.model_validate(declared), None, found)


@pytest.mark.parametrize(
    ("override", "declared", "read", "expected"),
    [
        ("hard", "easy", "medium", ("hard", "command")),
        (None, "easy", "hard", ("easy", "declared")),
        (None, None, "hard", ("hard", "ai")),
        (None, None, None, ("medium", "text")),
    ],
)
def test_difficulty_that_somebody_told_beats_what_is_worked_out(
    override, declared, read, expected
) -> None:
    found = difficulty(
        Metadata(difficulty=declared),
        Reading(difficulty=read),
        of(),
        override=Difficulty(override) if override else None,
    )
    assert expected == found
