"""The documents name only what is there, and say of it what is so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot import __version__
from bot.cli import app
from bot.config import FROM_FILES, SHORT_NAMES, Settings, load
from bot.errors import ConfigError
from bot.labels import LabelBook, Scopes
from bot.models import Difficulty, IssueRef
from bot.parser import parse

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
PICTURES = sorted((ROOT / "docs" / "pictures").iterdir())
LARGEST_PICTURE = 200_000  # bytes

SHORT = {setting: name for name, setting in SHORT_NAMES.items()}
OTHER_VARIABLES = {
    *SHORT_NAMES,
    *(f"{SHORT[path]}_FILE" for path in FROM_FILES),
    "BOT_CONFIG",
    "GITEA_BIN",
    "GITEA_STATIC_ROOT",
}

each_document = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT))
)


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def tokens(path: Path) -> Iterator[Token]:
    for token in MarkdownIt("commonmark").enable("table").parse(read(path)):
        yield token
        yield from token.children or ()


def code(path: Path) -> str:
    """Everything that stands as code, in a line or as a block."""
    kinds = ("code_inline", "code_block", "fence")
    return "\n".join(token.content for token in tokens(path) if token.type in kinds)


def links(path: Path) -> set[str]:
    """Where links and pictures lead, those in HTML too."""
    found = {str(t.attrs[k]) for t in tokens(path) for k in ("href", "src") if k in t.attrs}
    html = "".join(t.content for t in tokens(path) if t.type in ("html_block", "html_inline"))
    return found | set(re.findall(r'(?:href|src|srcset)="([^"]+)"', html))


def anchors(path: Path) -> set[str]:
    """The names under which headings can be reached, as Gitea makes them."""
    headings = re.findall(r"^#+ +(.+)$", read(path), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.strip().replace(" ", "-") for heading in plain}


def table(path: Path, first: str) -> list[list[str]]:
    """The rows of the table whose head begins with this word; cells without their backticks."""
    _, _, rest = read(path).partition(f"\n| {first} |")
    assert rest, f"{path.name} has no table {first!r}"
    lines = rest.partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]


README = ROOT / "README.md"


@each_document
def test_every_link_leads_somewhere(document):
    """To a file that is there, and to a heading in it.

    What stands behind the # of a picture says when Gitea shows it: in light or in the dark.
    """
    for link in links(document):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = document.parent / name if name else document
        assert target.exists(), link
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), link


@each_document
def test_every_make_target_is_in_the_makefile(document):
    targets = set(re.findall(r"^([a-z]+):", read(ROOT / "Makefile"), re.MULTILINE))
    named = re.findall(r"^ *make ([a-z]+)", code(document), re.MULTILINE)
    assert set() == set(named) - targets


@each_document
def test_every_command_is_one_of_the_command_line(document):
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    named = re.findall(r"mosaic-coordinator ([a-z]+)", code(document))
    assert set() == set(named) - set(commands)


def test_every_command_of_the_command_line_is_in_the_readme():
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    named = {row[0].split()[1] for row in table(README, "Command")}
    assert set(commands) == named


@each_document
def test_every_variable_is_one_of_the_settings(document):
    """Those of other programs (`GITEA__…` is Gitea's own) are not meant."""
    named = set(re.findall(r"\b(?:GITEA|ANTHROPIC|DATABASE|BOT|LOG)_(?!_)\w+", code(document)))
    assert set() == named - OTHER_VARIABLES


@each_document
def test_every_mosaic_variable_sets_something(document, tmp_path):
    for name in set(re.findall(r"\bMOSAIC_[A-Z_]+\b", code(document))):
        assert "there is no setting" not in complaint(name, tmp_path), name


def complaint(variable: str, folder: Path) -> str:
    """What the settings say when a variable holds nothing sensible."""
    empty = folder / "empty.toml"
    empty.touch()
    try:
        load({variable: "?"}, empty)
    except ConfigError as error:
        return str(error)
    return ""


def test_a_mosaic_variable_that_sets_nothing_is_found(tmp_path):
    """The test above would see it."""
    assert "there is no setting" in complaint("MOSAIC_NO_SUCH", tmp_path)


def test_the_readme_lists_every_label_and_no_other():
    book = LabelBook(Scopes(), ["NAME"])
    assert {spec.name for spec in book.specs.values()} == {row[0] for row in table(README, "Label")}


def test_the_readme_gives_the_limits_of_the_sizes():
    meanings = {row[0]: row[1] for row in table(README, "Label")}
    limits = Settings().limits
    for size in ("small", "medium", "large"):
        assert f"{getattr(limits, size) // 1000}k" in meanings[f"context/{size}"]


def test_the_readme_lists_the_agents_there_are():
    """With everything that the choice rests on."""
    settings = Settings()
    expected = [
        [
            name,
            f"{agent.context_limit // 1000}k",
            f"{int(agent.context_limit * settings.limits.share) // 1000}k",
            f"{agent.price_in} / {agent.price_out}",
            ", ".join(one for one in Difficulty if one in agent.difficulties),
            str(agent.at_once),
        ]
        for name, agent in settings.agents.items()
    ]
    assert expected == table(README, "Agent")


def test_the_settings_in_the_readme_are_those_of_the_reference():
    """Name, default and variable stand in docs/settings.md just so; it is written from the code."""
    reference = read(ROOT / "docs" / "settings.md")
    for name, default, variable, _ in table(README, "Setting"):
        shown = default if default == "not set" else f"`{default}`"
        assert f"| `{name}` | {shown} | `{variable}` |" in reference


def test_the_issue_in_the_readme_is_read_as_it_is_meant():
    """It is what people will copy."""
    (text,) = re.findall(r"```markdown\n(.*?)```", read(README), re.DOTALL)
    issue = IssueRef("acme", "rocket", 2)
    found = parse(text, issue=issue)
    assert (46_000, Difficulty.MEDIUM, "sonnet", 3) == (
        found.estimated_context,
        found.difficulty,
        found.assigned_agent,
        found.files_to_modify,
    )
    assert (issue.sibling(12), IssueRef("acme", "valves", 7)) == found.blocked_by
    assert (issue.sibling(15),) == found.blocks
    assert ("pump/driver.py",) == found.files


def test_the_changelog_has_this_version():
    assert f" {__version__}" in read(ROOT / "CHANGELOG.md") or f"[{__version__}]" in read(
        ROOT / "CHANGELOG.md"
    )


@pytest.mark.parametrize("picture", PICTURES, ids=lambda path: path.name)
def test_every_picture_is_shown_and_small(picture):
    shown = {
        (page.parent / link.partition("#")[0]).resolve()
        for page in DOCUMENTS
        for link in links(page)
    }
    assert picture in shown
    assert picture.stat().st_size < LARGEST_PICTURE
