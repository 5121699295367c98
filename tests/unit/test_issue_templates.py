"""The issue template and the issue form: what people fill in is read as they mean it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from bot.errors import UserError
from bot.issue_templates import FOLDER, NAMES, text_of, write
from bot.models import Difficulty, IssueRef, Metadata
from bot.parser import parse

ISSUE = IssueRef("acme", "rocket", 2)
FILLED = {
    "Objective": "Retry in `pump/driver.py` when a valve does not answer.",
    "Estimated context": "46k",
    "Files to modify": "3",
    "Difficulty": "hard",
    "Recommended agent": "sonnet",
    "Blocked by": "#12, acme/valves#7",
    "Blocks": "#15",
}


def read(body: str) -> Metadata:
    """What the bot reads in an issue of this text."""
    return parse(body, issue=ISSUE)


def template() -> str:
    """The text that an issue begins with, which is what stands below the head."""
    return text_of("issue").split("---\n", 2)[2]


def form(values: dict[str, str]) -> str:
    """The text that Gitea makes of the form; tests/forge/test_issue_templates.py holds it to that."""
    fields = [field for field in yaml.safe_load(text_of("form"))["body"] if "id" in field]
    labels = [field["attributes"]["label"] for field in fields]
    return "".join(f"### {label}\n\n{values.get(label) or '_No response_'}\n\n" for label in labels)


def assert_filled(found: Metadata) -> None:
    """Everything of FILLED was read, and nothing else."""
    assert (
        Metadata(
            blocked_by=(ISSUE.sibling(12), IssueRef("acme", "valves", 7)),
            blocks=(ISSUE.sibling(15),),
            difficulty=Difficulty.HARD,
            estimated_context=46_000,
            assigned_agent="sonnet",
            files=("pump/driver.py",),
            files_to_modify=3,
        )
        == found
    )


@pytest.mark.parametrize("text", [template(), form({})], ids=["template", "form"])
def test_unfilled_it_declares_nothing(text):
    """Its hints and `_No response_` are no answers."""
    assert Metadata() == read(text)


@pytest.mark.parametrize("stay", [True, False], ids=["hints stay", "hints taken out"])
def test_the_filled_template_is_read(stay):
    """Whether one writes before the hints or in their place."""
    lines = []
    for line in template().splitlines():
        before, mark, hint = line.partition("<!--")
        words = before.strip(" -:").replace("Total estimated", "Estimated context")
        answered = f"{before}{FILLED.get(words)}" + (f" {mark}{hint}" if stay else "")
        lines.append(answered if words in FILLED and mark else line)
        if line in ("## Difficulty", "## Objective"):
            lines += ["", FILLED[line[3:]], ""]
    assert_filled(read("\n".join(lines)))


def test_the_filled_form_is_read():
    assert_filled(read(form(FILLED)))


def test_what_is_filled_in_stands_for_itself():
    """One answer does not lend its meaning to the next, which is empty."""
    for label in ("Estimated context", "Files to modify", "Blocked by", "Blocks"):
        found = read(form({label: FILLED[label]})).model_dump()
        empty = Metadata().model_dump()
        assert 1 == sum(found[name] != empty[name] for name in empty), label


class TestHead:
    @pytest.mark.parametrize("kind", NAMES)
    def test_gitea_needs_a_name_and_a_sentence(self, kind):
        """It leaves out what has none."""
        head = yaml.safe_load(text_of(kind).removeprefix("---\n").split("---\n")[0])
        assert head["name"]
        assert head["about"]
        assert "assignees" not in head

    @pytest.mark.parametrize("kind", NAMES)
    def test_issues_may_be_assigned_to_the_bot_at_once(self, kind):
        head = yaml.safe_load(text_of(kind, assign="co").removeprefix("---\n").split("---\n")[0])
        assert ["co"] == head["assignees"]

    @pytest.mark.parametrize("login", ["a b", "a\nname: x", "-x", "#x", "ж"])
    def test_to_a_login_only(self, login):
        """Nothing else gets into the file."""
        with pytest.raises(UserError, match="is no login of Gitea"):
            text_of("issue", assign=login)

    def test_the_form_has_fields_with_names_of_their_own(self):
        """As Gitea asks for: letters, digits, - and _; it must know the type."""
        fields = yaml.safe_load(text_of("form"))["body"]
        names = [field["id"] for field in fields if "id" in field]
        assert len(names) == len(set(names))
        assert {"textarea", "input", "dropdown", "markdown"} == {field["type"] for field in fields}
        for field in fields:
            assert all(isinstance(v, str | list) for v in field["attributes"].values())


class TestWriting:
    def test_both_are_put_where_gitea_looks(self, tmp_path):
        """Twice changes nothing."""
        paths = write(tmp_path)
        assert [tmp_path / FOLDER / name for name in NAMES.values()] == paths
        assert [text_of("issue"), text_of("form")] == [p.read_text("utf-8") for p in paths]
        assert paths == write(tmp_path)

    def test_what_is_there_is_not_overwritten(self, tmp_path):
        """And then the other one is not written either; unless one insists."""
        theirs = tmp_path / FOLDER / NAMES["form"]
        theirs.parent.mkdir(parents=True)
        theirs.write_text("theirs", encoding="utf-8")
        with pytest.raises(UserError, match="is there already; --force overwrites it"):
            write(tmp_path)
        assert "theirs" == theirs.read_text("utf-8")
        assert [theirs] == list(theirs.parent.iterdir())
        write(tmp_path, force=True)
        assert text_of("form") == theirs.read_text("utf-8")

    def test_only_into_a_folder_that_is_there(self):
        """A mistyped one is not made."""
        with pytest.raises(UserError, match="there/is/none is no folder"):
            write(Path("/there/is/none"))
