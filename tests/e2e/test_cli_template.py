"""The command `template`, as people call it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.issue_templates import text_of

pytestmark = [pytest.mark.counted, pytest.mark.usefixtures("elsewhere")]

WRITTEN = [".gitea/ISSUE_TEMPLATE/coordinator.md", ".gitea/ISSUE_TEMPLATE/coordinator-form.yaml"]


@pytest.mark.parametrize("kind", ["issue", "form"])
def test_each_is_printed_as_it_is_to_be_committed(run, kind):
    """To the last line's end, and nothing else."""
    done = run("template", kind, "--assign", "coordinator")
    assert (0, "") == (done.status, done.err)
    assert text_of(kind, assign="coordinator") == done.out


def test_both_are_written_into_this_folder_or_another(run):
    """And named."""
    assert WRITTEN == run("template", "--write").out.split()
    assert all(Path(name).is_file() for name in WRITTEN)
    Path("rocket").mkdir()
    done = run("template", "--write", "rocket", "--assign", "coordinator")
    assert [f"rocket/{name}" for name in WRITTEN] == done.out.split()
    assert "  - coordinator" in Path("rocket", WRITTEN[0]).read_text("utf-8")


def test_what_is_there_stays_unless_one_insists(run):
    """With 2, and the way out."""
    run("template", "--write")
    Path(WRITTEN[1]).write_text("theirs", encoding="utf-8")
    done = run("template", "--write")
    assert (2, "") == (done.status, done.out)
    assert f"mosaic-coordinator: {WRITTEN[1]} is there already; --force overwrites it\n" == done.err
    assert 0 == run("template", "--write", "--force").status
    assert text_of("form") == Path(WRITTEN[1]).read_text("utf-8")


def test_a_folder_that_may_not_be_written_is_told(run, monkeypatch):
    """With 1: it is no bad use."""

    def refused(self, *_, **__):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "mkdir", refused)
    done = run("template", "--write")
    assert (1, "mosaic-coordinator: .gitea/ISSUE_TEMPLATE: Permission denied\n") == (
        done.status,
        done.err,
    )
