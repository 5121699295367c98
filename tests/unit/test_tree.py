"""Which files a text names, which tests go with them, and what a typical file weighs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models import FileShare
from bot.tree import (
    FILES_MOST,
    ONE_FILE_MOST,
    WORDS_MOST,
    is_code,
    is_test,
    matching_tests,
    named_files,
    typical_weight,
    weigh,
)

TREE = {
    "README.md": 9_000,
    "CHANGES": 30_000,
    "Dockerfile": 720,
    "pyproject.toml": 3_600,
    "poetry.lock": 900_000,
    "logo.png": 50_000,
    "src/app.py": 36_000,
    "src/pump/driver.py": 7_200,
    "src/pump/__init__.py": 0,
    "src/valve/__init__.py": 36,
    "src/valve/Driver.go": 3_600,
    "src/valve/huge.py": 5_000_000,
    "tests/test_app.py": 18_000,
    "tests/pump/test_driver.py": 10_800,
    "tests/valve/test_driver.py": 360,
    "docs/pump.md": 4_000,
}


@pytest.mark.parametrize(
    ("size", "tokens"),
    [(0, 0), (-5, 0), (1, 1), (36, 10), (37, 11), (90_000, ONE_FILE_MOST), (10**15, ONE_FILE_MOST)],
)
def test_a_file_weighs_its_bytes_up_to_what_is_read_of_one(size: int, tokens: int) -> None:
    assert tokens == weigh(size)


@pytest.mark.parametrize(
    ("named", "paths"),
    [
        pytest.param(["src/app.py"], ["src/app.py"], id="a path"),
        pytest.param(["./src/app.py", "/src/app.py"], ["src/app.py"], id="from the root, once"),
        pytest.param(["src\\app.py"], ["src/app.py"], id="the other slash"),
        pytest.param([" SRC/App.py "], ["src/app.py"], id="letters' case and blanks"),
        pytest.param(["app.py"], ["src/app.py"], id="a name only one file has"),
        pytest.param(["pump/driver.py"], ["src/pump/driver.py"], id="the end of a path"),
        pytest.param(["ump/driver.py"], [], id="the end of a path, but within a name"),
        pytest.param(["__init__.py"], [], id="a name that several files have"),
        pytest.param(["driver"], [], id="no suffix, no such file"),
        pytest.param(["Dockerfile"], ["Dockerfile"], id="a file without a suffix"),
        pytest.param(["src/new.py"], [], id="a file still to be made"),
        pytest.param(
            ["git.example/acme/rocket/src/branch/main/src/app.py"],
            ["src/app.py"],
            id="an address that ends in a path",
        ),
        pytest.param(["elsewhere/app.py"], [], id="another directory's file of that name"),
        pytest.param(["some/other/Dockerfile"], [], id="a name alone says too little of a path"),
        pytest.param(
            ["README.md", "CHANGES", "poetry.lock", "logo.png", "docs/pump.md"], [], id="not read"
        ),
        pytest.param(["", "/", "./", "a/" * 1000 + "app.py"], [], id="no names at all"),
        pytest.param(["src/pump/"], ["src/pump/"], id="a directory"),
        pytest.param(["src/valve"], ["src/valve/"], id="a directory without its slash"),
        pytest.param(["src/pump/", "__init__.py"], ["src/pump/"], id="a name that stays unclear"),
        pytest.param(
            ["src/pump/", "src/pump/driver.py"],
            ["src/pump/driver.py"],
            id="a directory of which a file is named",
        ),
        pytest.param(["docs/", "nowhere/"], [], id="a directory with nothing to read"),
    ],
)
def test_what_counts_as_named(named: list[str], paths: list[str]) -> None:
    assert paths == [share.path for share in named_files(named, "", TREE)]


def test_shares_carry_size_and_tokens() -> None:
    assert (
        FileShare("src/app.py", 36_000, 10_000),
        FileShare("src/valve/huge.py", 5_000_000, ONE_FILE_MOST),
        FileShare("src/pump/__init__.py", 0, 0),
        FileShare("src/pump/", 7_200, 2_000),
    ) == named_files(["app.py", "huge.py"], "", TREE) + named_files(
        ["src/pump/__init__.py"], "", TREE
    ) + named_files(["src/pump/"], "", TREE)


def test_a_large_directory_counts_like_one_file() -> None:
    assert (FileShare("src/", 5_046_836, ONE_FILE_MOST),) == named_files(["src/"], "", TREE)


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("The bug is in `src/pump/driver.py`.", ["src/pump/driver.py"]),
        ("See app.py:12, (huge.py) and app.py.", ["src/app.py", "src/valve/huge.py"]),
        ("https://git.example/acme/rocket/src/branch/main/src/app.py#L12", ["src/app.py"]),
        ("either and/or both, e.g. 3.5 times", []),
        ("nothing here", []),
    ],
)
def test_without_names_the_words_of_the_text_are_tried(text: str, paths: list[str]) -> None:
    assert paths == [share.path for share in named_files([], text, TREE)]
    assert paths == [share.path for share in named_files(["not/there.py"], text, TREE)]


def test_names_beat_the_words_of_the_text() -> None:
    assert ["src/app.py"] == [s.path for s in named_files(["app.py"], "huge.py", TREE)]


def test_a_path_deeper_than_any_is_not_looked_for() -> None:
    deep = "d/" * 29 + "x.py"
    tree = {deep: 36, "d/" + deep: 36}
    assert [deep] == [share.path for share in named_files([deep], "", tree)]
    assert () == named_files(["d/" + deep], "", tree)


def test_nothing_is_named_in_an_empty_repository() -> None:
    assert () == named_files(["app.py"], "app.py src/", {})


def test_the_number_of_files_is_bounded() -> None:
    tree = {f"f{n}.py": 36 for n in range(500)}
    assert FILES_MOST == len(named_files(list(tree), "", tree))
    assert WORDS_MOST == len(named_files([], " ".join(tree), tree)), "a listing is not a plan"


@given(st.lists(st.text(max_size=30), max_size=5), st.text(max_size=200))
def test_no_text_makes_it_fail_or_name_what_is_not_there(names: list[str], text: str) -> None:
    for share in named_files(names, text, TREE):
        assert any(path.startswith(share.path) for path in TREE)


# ---- tests ----


@pytest.mark.parametrize(
    ("source", "test"),
    [
        ("a/driver.py", "tests/test_driver.py"),
        ("driver.go", "driver_test.go"),
        ("src/driver.ts", "src/driver.test.ts"),
        ("src/driver.tsx", "src/__tests__/driver.spec.tsx"),
        ("lib/driver.rb", "spec/driver_spec.rb"),
        ("src/main/Driver.java", "src/test/DriverTest.java"),
        ("Driver.cs", "DriverTests.cs"),
    ],
)
def test_the_tests_of_a_source_are_found_by_name(source: str, test: str) -> None:
    tree = {source: 36, test: 72, "unrelated.py": 1}
    assert (FileShare(test, 72, 20),) == matching_tests([FileShare(source, 36, 10)], tree)


def test_of_tests_named_alike_the_nearest_is_taken() -> None:
    tree = {"a/x.py": 1, "b/x.py": 1, "a/tests/test_x.py": 1, "b/tests/test_x.py": 1}
    beside = matching_tests([FileShare("b/x.py", 1, 1)], tree)
    assert ["b/tests/test_x.py"] == [share.path for share in beside]


@pytest.mark.parametrize(
    "named",
    [
        ["tests/test_app.py"],
        ["src/app.py", "tests/test_app.py"],
        ["src/pump/__init__.py"],
        ["Dockerfile"],
        ["src/pump/"],
        [],
    ],
    ids=["a test", "a source and its test", "no test", "no suffix", "a directory", "nothing"],
)
def test_no_tests_are_added(named: list[str]) -> None:
    assert () == matching_tests([FileShare(path, 1, 1) for path in named], TREE)


@pytest.mark.parametrize(
    ("path", "so"),
    [
        ("tests/x.py", True),
        ("pkg/test/x.go", True),
        ("src/__tests__/x.ts", True),
        ("x_test.go", True),
        ("a/test_x.py", True),
        ("x.spec.ts", True),
        ("src/x.py", False),
        ("src/contest.py", False),
        ("latest/x.py", False),
        ("src/testing.py", False),
    ],
)
def test_what_looks_like_a_test(path: str, so: bool) -> None:
    assert so == is_test(path)


@pytest.mark.parametrize(
    ("path", "so"),
    [
        ("src/x.PY", True),
        ("x.tsx", True),
        ("x.md", False),
        ("x", False),
        ("py", False),
        ("static/jquery.min.js", False),
        ("vendor/a/b.go", False),
        ("web/node_modules/a.js", False),
    ],
)
def test_what_looks_like_code(path: str, so: bool) -> None:
    assert so == is_code(path)


# ---- the typical file ----


@pytest.mark.parametrize(
    ("sizes", "typical"),
    [
        pytest.param([], None, id="no source"),
        pytest.param([0, 0], None, id="only empty files"),
        pytest.param([3_600], 1_000, id="one"),
        pytest.param([36] * 9 + [7_200], 2_000, id="most of the code is in one"),
        pytest.param([3_600] * 5, 1_000, id="all alike"),
        pytest.param([3_600, 3_600, 7_200], 1_000, id="half is reached by the lighter ones"),
        pytest.param([3_600, 7_200, 7_200], 2_000, id="half is not"),
        pytest.param([10**9], ONE_FILE_MOST, id="a huge one"),
    ],
)
def test_the_typical_file_is_where_half_of_the_source_lies(sizes, typical) -> None:
    tree = {f"src/f{n}.py": size for n, size in enumerate(sizes)}
    aside = {"tests/t.py": 80_000, "docs/conf.py": 80_000, "logo.png": 80_000, "a.min.js": 80_000}
    assert typical == typical_weight({**tree, **aside})


def test_of_many_files_a_sample_is_weighed() -> None:
    tree = {f"src/f{n:06}.py": 3_600 if n % 2 else 7_200 for n in range(30_001)}
    assert 2_000 == typical_weight(tree)
