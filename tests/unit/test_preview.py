"""The report for a text without any server."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.config import load
from bot.errors import UserError
from bot.models import IssueRef
from bot.preview import Previewer, Text
from bot.render import MARKER

BODY = """\
Retry in `pump/driver.py`.

**Total estimated:** 46000 tokens
**Difficulty:** medium
**Recommended agent:** sonnet

## Dependencies

- Blocked by: #1, acme/valves#4
- Blocks: #3
"""
ISSUE = IssueRef("acme", "rocket", 2)


class TestJson:
    def test_one_issue_is_an_object(self):
        """As programs hand it in."""
        line = json.dumps(
            {"repository": "acme/rocket", "number": 2, "title": "Retry", "body": BODY}
        )
        assert Text(ISSUE, "Retry", BODY) == Text.from_json(line)

    @pytest.mark.parametrize(
        "line", ["{}", '{"repository": null, "number": null, "title": null, "body": null}']
    )
    def test_what_is_not_said_is_filled_in(self, line):
        """A text alone is enough."""
        assert Text(IssueRef("owner", "repository", 1), "", "") == Text.from_json(line)

    def test_other_keys_are_passed_over(self):
        """An issue as Gitea gives it has many."""
        assert "x" == Text.from_json('{"body": "x", "labels": [], "source": 1}').body

    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            ("", "not JSON"),
            ("{", "not JSON"),
            ("[" * 100_000, "not JSON"),
            ('{"number": ' + "9" * 5000 + "}", "not JSON"),
            ("[]", "not an object"),
            ("1", "not an object"),
            ('{"repository": "rocket"}', "repository"),
            ('{"repository": "a/b/c"}', "repository"),
            ('{"repository": "a b/c"}', "repository"),
            ('{"repository": "/"}', "repository"),
            ('{"repository": ["a/b"]}', "repository"),
            ('{"number": "2"}', "number"),
            ('{"number": 2.0}', "number"),
            ('{"number": true}', "number"),
            ('{"number": -2}', "number"),
            ('{"number": 99999999999}', "number"),
            ('{"title": ["x"]}', "title and body"),
            ('{"body": {"x": 1}}', "title and body"),
        ],
        ids=lambda value: value[:40],
    )
    def test_what_is_no_issue_is_told(self, line, expected):
        """In words that say what is wanted."""
        with pytest.raises(UserError, match=expected):
            Text.from_json(line)

    @given(
        st.dictionaries(
            st.sampled_from(["repository", "number", "title", "body"]),
            st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text()),
        )
    )
    def test_whatever_is_handed_in_is_an_issue_or_told(self, given_):
        """And an issue gives an answer that can be printed, whatever is printed to."""
        try:
            text = Text.from_json(json.dumps(given_))
        except UserError:
            return
        answer = json.dumps(Previewer(load({})).as_json(text))
        assert str(text.issue) == json.loads(answer)["issue"]


class TestMarkdown:
    @pytest.mark.parametrize(
        ("text", "title", "body"),
        [
            ("# Retry\n\nText", "Retry", "\nText"),
            ("\ufeff# Retry\r\nText", "Retry", "Text"),
            ("# Retry", "Retry", ""),
            ("Text\n# Not a title", "", "Text\n# Not a title"),
            ("#1 is first", "", "#1 is first"),
            ("## A section", "", "## A section"),
            ("", "", ""),
            ("\ufeffText", "", "Text"),
        ],
    )
    def test_a_first_line_may_be_the_title(self, text, title, body):
        """A heading of the first level; a mark of the byte order is none of the text."""
        found = Text.from_markdown(text)
        assert (title, body) == (found.title, found.body)


@pytest.fixture
def previewer() -> Previewer:
    return Previewer(load({}))


def test_the_json_says_what_was_read_and_what_was_made_of_it(previewer):
    """References in the same repository are numbers."""
    found = previewer.as_json(Text(ISSUE, "Retry", BODY))
    assert {
        "issue": "acme/rocket#2",
        "metadata": {
            "blocks": [3],
            "blocked_by": [1, "acme/valves#4"],
            "resolved": [],
            "unreadable": [],
            "difficulty": "medium",
            "estimated_context": 46_000,
            "assigned_agent": "sonnet",
            "files": ["pump/driver.py"],
            "files_to_modify": None,
            "implementation_tokens": None,
            "test_tokens": None,
        },
        "report": {
            "status": "blocked",
            "context": 46_000,
            "context_source": "declared",
            "low": None,
            "high": None,
            "size": "medium",
            "difficulty": "medium",
            "difficulty_source": "declared",
            "agent": "sonnet",
            "warnings": [],
        },
    } == found


def test_a_text_that_declares_nothing_is_worked_out(previewer):
    """And nothing is made up."""
    found = previewer.as_json(Text(ISSUE, "Retry", "Do it."))
    assert {None} == {
        found["metadata"][k] for k in ("difficulty", "estimated_context", "assigned_agent")
    }
    assert ("ready", "text") == (found["report"]["status"], found["report"]["context_source"])
    assert found["report"]["low"] < found["report"]["context"] < found["report"]["high"]


def test_what_fits_nobody_has_no_agent(previewer):
    """As the comment would say."""
    found = previewer.as_json(Text(ISSUE, "", "**Estimated context:** 190k tokens"))
    report = found["report"]
    assert ("too-big", None) == (report["status"], report["agent"])
    assert "too-big" in report["warnings"]


def test_the_settings_in_force_count():
    """Agents, limits and the addresses of this Gitea."""
    agent = '{"context_limit": 1000000, "price_in": 1, "price_out": 1}'
    settings = load(
        {
            "MOSAIC_AGENTS__BIG": agent,
            "MOSAIC_LIMITS__MEDIUM": "26000",
            "GITEA_URL": "https://git.example.org",
        }
    )
    body = "**Estimated context:** 46k tokens\n\nBlocked by https://git.example.org/acme/valves/issues/4"
    found = Previewer(settings).as_json(Text(ISSUE, "", body))
    assert ("big", "large") == (found["report"]["agent"], found["report"]["size"])
    assert ["acme/valves#4"] == found["metadata"]["blocked_by"]


def test_the_markdown_is_the_comment_as_it_would_stand_there(previewer):
    """Marker, numbers, blockers, all taken as open."""
    text = previewer.markdown(Text(ISSUE, "Retry", BODY))
    assert text.startswith(MARKER)
    for expected in ("Blocked", "46k", "sonnet", "waits for 2 issues", "acme/valves"):
        assert expected in text


def test_a_text_without_a_number_waits_for_number_one_and_not_for_itself(previewer):
    report = previewer.as_json(Text.from_markdown("Blocked by #1"))["report"]
    assert ("blocked", []) == (report["status"], report["warnings"])


def test_nobody_is_asked_even_with_a_key():
    """The texts may be secret, and a preview costs nothing."""
    plain, keyed = (
        load({}),
        load({"ANTHROPIC_API_KEY": "k3y", "GITEA_TOKEN": "t", "GITEA_URL": "http://127.0.0.1:9"}),
    )
    text = Text(ISSUE, "Retry", "Do it.")
    assert Previewer(plain).as_json(text) == Previewer(keyed).as_json(text)
