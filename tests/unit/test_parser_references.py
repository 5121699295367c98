"""What is a reference, to what, under which names this Gitea is known."""

from __future__ import annotations

import pytest

from bot.models import IssueRef
from bot.parser import parse, references

ISSUE = IssueRef("acme", "rocket", 100)
HERE = frozenset({"git.example.com", "localhost:3000/gitea"})


def seen(text: str, hosts: frozenset[str] | None = None) -> list[str]:
    return [ref.seen_from(ISSUE) for ref in references(text, issue=ISSUE, hosts=hosts)]


@pytest.mark.parametrize(
    ("text", "want"),
    [
        pytest.param("#7", ["#7"], id="near"),
        pytest.param("(#7), [#8]; #9.", ["#7", "#8", "#9"], id="punctuation"),
        pytest.param("acme/rocket#7", ["#7"], id="own repository by name"),
        pytest.param("Acme/Rocket#7 #7", ["#7"], id="case does not matter"),
        pytest.param("other/lib#7", ["other/lib#7"], id="far"),
        pytest.param("other/lib!7", ["other/lib#7"], id="far pull request"),
        pytest.param("!7", ["#7"], id="pull request"),
        pytest.param("my-org/my.repo_x#7", ["my-org/my.repo_x#7"], id="signs in names"),
        pytest.param("PR#7", ["#7"], id="glued"),
        pytest.param("GH-7", ["#7"], id="GitHub's own"),
        pytest.param("#7-#9", ["#7", "#8", "#9"], id="range"),
        pytest.param("#7-9", ["#7", "#8", "#9"], id="short range"),
        pytest.param("#7–#9", ["#7", "#8", "#9"], id="en dash"),
        pytest.param("#7 to #9", ["#7", "#8", "#9"], id="range in words"),
        pytest.param("other/lib#7-#8", ["other/lib#7", "other/lib#8"], id="far range"),
        pytest.param("#1-#900", ["#1", "#900"], id="too wide a range: its ends"),
        pytest.param("#9-#7", ["#9", "#7"], id="backwards: both"),
        pytest.param("`#7` and > #8", ["#7", "#8"], id="code and quotes are read"),
        pytest.param("依存#7に", ["#7"], id="between characters of other scripts"),
        pytest.param("https://x.org/a/b/issues/7", ["a/b#7"], id="address"),
        pytest.param("https://x.org/a/b/pulls/7/files", ["a/b#7"], id="address of a part"),
        pytest.param("https://x.org/a/b/pull/7?x=1", ["a/b#7"], id="address with a query"),
        pytest.param("https://x.org/a/b/issues/7#issuecomment-1", ["a/b#7"], id="comment"),
        pytest.param("https://x.org/pre/fix/a/b/issues/7", ["a/b#7"], id="prefix"),
        pytest.param("https://gitlab.com/a/b/issues/7", [], id="another kind of forge"),
        pytest.param("https://x.org/a/b/-/issues/7", [], id="its addresses elsewhere"),
        pytest.param("https://x.org/a/b/issues", [], id="no number"),
        pytest.param("https://x.org/a/b/commit/7", [], id="no issue"),
        pytest.param("#0 #99999999999 #9999999999", [], id="no number an issue can have"),
        pytest.param("#7a a#7 &#7; ##7 #7.1 docs/#7", [], id="no reference"),
        pytest.param("#" * 50, [], id="only signs"),
        pytest.param("", [], id="empty"),
    ],
)
def test_references(text: str, want: list[str]) -> None:
    assert want == seen(text)


def test_a_count_is_a_reference_for_those_who_ask_for_any() -> None:
    """`step #2` is never an edge, but what Claude names may stand there."""
    assert ["#2"] == seen("Blocked by step #2")
    assert () == parse("Blocked by step #2", issue=ISSUE).blocked_by


@pytest.mark.parametrize(
    ("url", "want"),
    [
        pytest.param("https://git.example.com/a/b/issues/7", ["a/b#7"], id="ours"),
        pytest.param("http://GIT.example.com:80/a/b/pulls/7", ["a/b#7"], id="case, default port"),
        pytest.param("http://localhost:3000/gitea/a/b/issues/7", ["a/b#7"], id="port and prefix"),
        pytest.param("http://localhost:3000/a/b/issues/7", [], id="prefix missing"),
        pytest.param("http://localhost/gitea/a/b/issues/7", [], id="port missing"),
        pytest.param("https://git.example.com/x/a/b/issues/7", [], id="prefix too many"),
        pytest.param("https://github.com/a/b/issues/7", [], id="another host"),
        pytest.param("https://git.example.com.evil.org/a/b/issues/7", [], id="look-alike"),
        pytest.param("https://git.example.com@evil.org/a/b/issues/7", [], id="user part"),
        pytest.param("GH-7", [], id="GitHub's own sign means nothing here"),
    ],
)
def test_addresses_under_known_hosts(url: str, want: list[str]) -> None:
    assert want == seen(url, HERE)


def test_a_dependency_elsewhere_is_unreadable() -> None:
    text = "Depends on https://github.com/a/b/pull/7, #5"
    found = parse(text, issue=ISSUE, hosts=HERE)
    assert ((ISSUE.sibling(5),), ("https://github.com/a/b/pull/7",)) == (
        found.blocked_by,
        found.unreadable,
    )


def test_links_to_elsewhere_are_not_taken_for_what_they_call_themselves() -> None:
    text = "Blocked by [#5](https://github.com/a/b/issues/5)"
    assert () == parse(text, issue=ISSUE, hosts=HERE).blocked_by


@pytest.mark.parametrize(
    ("text", "resolved"),
    [
        pytest.param("## Dependencies\n- [x] #5\n- [ ] #6", [5], id="checked"),
        pytest.param("## Dependencies\n- ~~#5~~\n- #6", [5], id="struck"),
        pytest.param("## Dependencies\n- #5 (merged)\n- #6", [5], id="said to be merged"),
        pytest.param("## Dependencies\n- #5 has been merged\n- #6", [5], id="in a sentence"),
        pytest.param("- [x] Blocked by #5\n- Blocked by #6", [5], id="checked sentence"),
        pytest.param("## Dependencies\n### Resolved\n- #5\n### Open\n- #6", [5], id="heading"),
        pytest.param("~~Blocked by #5~~\n\nBlocked by #6", [5], id="struck sentence"),
        pytest.param("## Dependencies\n- [x] #6\n- #6", [], id="stands elsewhere"),
    ],
)
def test_what_is_resolved(text: str, resolved: list[int]) -> None:
    found = parse(text, issue=ISSUE)
    assert (tuple(map(ISSUE.sibling, resolved)), (ISSUE.sibling(6),)) == (
        found.resolved,
        found.blocked_by,
    )


def test_numbers_of_references_are_bounded() -> None:
    many = " ".join(f"#{n}" for n in range(1, 3000))
    assert 1000 == len(references(many, issue=ISSUE))
    listed = "## Blocked by\n" + "".join(f"- #{n}\n" for n in range(1, 3000))
    assert 1000 == len(parse(listed, issue=ISSUE).blocked_by)
