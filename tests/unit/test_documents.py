"""The documents name only what is there, and say of it what is so."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bot import __version__
from bot.cli.asking import PASSWORD, TOKEN
from bot.commands import Command, discover_commands, find
from bot.config import FROM_FILES, SHORT_NAMES, Settings, load, setting_paths
from bot.errors import ConfigError
from bot.labels import LabelBook, Scopes
from bot.models import Difficulty, IssueRef
from bot.parser import parse
from tests.unit.documents import (
    DOCS,
    DOCUMENTS,
    README,
    ROOT,
    anchors,
    blocks,
    code,
    each_document,
    headings,
    links,
    read,
    spans,
    table,
    tokens,
)

PICTURES = sorted((DOCS / "pictures").iterdir())
LARGEST_PICTURE = 200_000  # bytes
ENOUGH_FOR_A_README = 1000  # words
WRITES, DECIDES, SETUP = (DOCS / f"{n}.md" for n in ("what-it-writes", "how-it-decides", "setup"))

SHORT = {setting: name for name, setting in SHORT_NAMES.items()}
OTHER_VARIABLES = {
    *SHORT_NAMES,
    *(f"{SHORT[path]}_FILE" for path in FROM_FILES),
    *(TOKEN, f"{TOKEN}_FILE", PASSWORD, f"{PASSWORD}_FILE"),
    "BOT_CONFIG",
    "GITEA_BIN",
    "GITEA_STATIC_ROOT",
}
SETTINGS = {".".join(path) for path in setting_paths()}
COMMANDS = {one.verb: one for one in discover_commands().shown}
ROUTES = {"/health", "/ready", "/metrics", "/help"}
NO_COMMANDS = {*ROUTES, "/data", "/verb", "/word", "/room"}  # the last is the example of a page


class TestLinks:
    @each_document
    def test_every_link_leads_somewhere(self, document):
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
    def test_a_link_to_elsewhere_is_an_address(self, document):
        """By https, to a host that has a name; whether it is there, nobody asks in a test."""
        for link in links(document):
            if re.match(r"[a-z]+:", link):
                address = urlsplit(link)
                assert address.scheme == "https", link
                assert re.fullmatch(r"([\w-]+\.)+[a-z]{2,}", address.netloc), link
                assert "example." not in address.netloc, link

    @each_document
    def test_every_picture_says_what_it_shows(self, document):
        """For those who cannot see it."""
        html = "".join(t.content for t in tokens(document) if "html" in t.type)
        for tag in re.findall(r"<img [^>]*>", html):
            assert re.search(r'alt="[^"]{10,}"', tag), tag
        assert [] == [
            t.attrs["src"] for t in tokens(document) if t.type == "image" and not t.content
        ]

    @pytest.mark.parametrize("picture", PICTURES, ids=lambda path: path.name)
    def test_every_picture_is_shown_and_small(self, picture):
        shown = {
            (page.parent / link.partition("#")[0]).resolve()
            for page in DOCUMENTS
            for link in links(page)
        }
        assert picture in shown
        assert picture.stat().st_size < LARGEST_PICTURE

    def test_the_index_leads_to_every_page(self):
        pages = {path.name for path in DOCS.glob("*.md")} - {"README.md"}
        assert set() == pages - links(DOCS / "README.md")

    @pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda path: path.name)
    def test_a_page_begins_with_what_it_is_for(self, page):
        """One title, then a sentence."""
        kinds = [token.type for token in tokens(page) if token.type.endswith("_open")]
        assert ["heading_open", "paragraph_open"] == kinds[:2]
        assert 1 == len(
            re.findall(r"^# ", re.sub(r"```.*?```", "", read(page), flags=re.DOTALL), re.MULTILINE)
        )

    def test_the_readme_is_short(self):
        """What is long has a page of its own."""
        assert len(read(README).split()) < ENOUGH_FOR_A_README

    def test_no_heading_stands_twice_on_a_page(self):
        """Else a link could mean either."""
        for page in set(DOCUMENTS) - {ROOT / "CHANGELOG.md"}:
            assert len(headings(page)) == len(set(headings(page))), page


class TestNames:
    @each_document
    def test_every_make_target_is_in_the_makefile(self, document):
        targets = set(re.findall(r"^([a-z]+):", read(ROOT / "Makefile"), re.MULTILINE))
        named = re.findall(r"^ *make ([a-z]+)", code(document), re.MULTILINE)
        assert set() == set(named) - targets

    @each_document
    def test_every_variable_is_one_of_the_settings(self, document):
        """Those of other programs (`GITEA__…` is Gitea's own) are not meant."""
        names = r"\b(?:GITEA|ANTHROPIC|DATABASE|BOT|LOG)_(?!_)\w+"
        assert set() == set(re.findall(names, code(document))) - OTHER_VARIABLES

    @each_document
    def test_every_mosaic_variable_sets_something(self, document, tmp_path):
        for name in set(re.findall(r"\bMOSAIC_[A-Z_]+\b", code(document))):
            assert "there is no setting" not in complaint(name, tmp_path), name

    def test_a_mosaic_variable_that_sets_nothing_is_found(self, tmp_path):
        """The test above would see it."""
        assert "there is no setting" in complaint("MOSAIC_NO_SUCH", tmp_path)

    @each_document
    def test_every_setting_is_one(self, document):
        """`table.name`, or a name with a `_` by itself; files and metrics look alike."""
        sections = {name.split(".")[0] for name in SETTINGS if "." in name}
        for span in spans(document):
            section = re.fullmatch(r"([a-z]+)\.[a-z_]+", span)
            if section and section[1] in sections and not span.endswith(".py"):
                assert span in SETTINGS

    @each_document
    def test_every_metric_is_listed(self, document):
        named = set(re.findall(r"\bmosaic_[a-z_]+", code(document)))
        assert named <= {row[0] for row in table(DOCS / "metrics.md", "Metric")}

    @each_document
    def test_every_slash_command_is_one(self, document):
        """Where it stands as code; and its words are such as it takes."""
        typed = [line for b in blocks(document) if b.language == "text" for line in b.lines]
        for line in (*spans(document), *typed):
            said = re.fullmatch(r"(/[a-z][a-z-]*)( .*)?", line)
            if said and said[1].removeprefix("/") in COMMANDS:
                takes(COMMANDS[said[1].removeprefix("/")], line)
            elif said:
                assert said[1] in NO_COMMANDS

    def test_the_readme_names_every_command(self):
        """Each once, in the short table."""
        said = " ".join(row[1] for row in table(README, "To"))
        assert sorted(COMMANDS) == sorted(re.findall(r"/([a-z-]+)", said))


def takes(command: Command, line: str) -> None:
    """Fail where a line is not that command with words it takes.

    A word in capitals stands for whatever there is, so it fits everywhere; so does the usage itself.
    """
    [said] = find(line, bot="coordinator", known=COMMANDS)
    words, usage = said.words.split(), command.usage.split()[1:]
    assert command.verb == said.verb
    assert not words or usage, f"{line}: it takes no words"
    for word, wanted in zip(words, usage, strict=False):
        choices = wanted.strip("[]").split("|")
        if not any(re.search("[A-Z…]", one) for one in choices) and not word.isupper():
            assert word in (wanted, *choices), line


@pytest.mark.parametrize("line", ["/hold", "/hold for now", "/priority p1", "/agent NAME"])
def test_words_that_a_command_takes_are_taken(line):
    takes(COMMANDS[line.split()[0].removeprefix("/")], line)


@pytest.mark.parametrize("line", ["/impact now", "/priority high", "/graph sideways"])
def test_words_that_a_command_does_not_take_are_found(line):
    with pytest.raises(AssertionError):
        takes(COMMANDS[line.split()[0].removeprefix("/")], line)


def complaint(variable: str, folder: Path) -> str:
    """What the settings say when a variable holds nothing sensible."""
    empty = folder / "empty.toml"
    empty.touch()
    try:
        load({variable: "?"}, empty)
    except ConfigError as error:
        return str(error)
    return ""


class TestClaims:
    def test_the_pages_list_every_label_and_no_other(self):
        book = LabelBook(Scopes(), ["NAME"])
        names = {row[0] for row in table(WRITES, "Label")}
        assert {spec.name for spec in book.specs.values()} == names

    def test_the_limits_of_the_sizes(self):
        meanings = {row[0]: row[1] for row in table(WRITES, "Label")}
        limits = Settings().limits
        for size in ("small", "medium", "large"):
            assert f"{getattr(limits, size) // 1000}k" in meanings[f"context/{size}"]

    def test_the_agents_there_are(self):
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
        assert expected == table(DECIDES, "Agent")

    def test_the_settings_most_often_needed_are_those_of_the_reference(self):
        """Name, default and variable stand in docs/settings.md just so; it is written from the code."""
        reference = read(DOCS / "settings.md")
        for name, default, variable, _ in table(SETUP, "Setting"):
            shown = default if default == "not set" else f"`{default}`"
            assert f"| `{name}` | {shown} | `{variable}` |" in reference

    def test_the_issue_to_copy_is_read_as_it_is_meant(self):
        (text,) = re.findall(r"```markdown\n(.*?)```", read(DOCS / "writing-issues.md"), re.DOTALL)
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

    def test_the_commands_that_work_on_pull_requests(self):
        (sentence,) = re.findall(r"On pull requests (.*?) work", read(DOCS / "talking.md"))
        on_pulls = {verb for verb, command in COMMANDS.items() if command.on_pulls}
        assert on_pulls == set(re.findall(r"`/([a-z-]+)`", sentence))

    def test_migrations_only_add(self):
        """So replicas of the version before go on meanwhile, as docs/upgrade.md says.

        Where one has to do more, the changelog must say that all replicas are to be stopped.
        """
        done = {
            call.func.attr
            for path in (ROOT / "bot" / "store" / "migrations" / "versions").glob("0*.py")
            for function in ast.parse(read(path)).body
            if isinstance(function, ast.FunctionDef) and function.name == "upgrade"
            for call in ast.walk(function)
            if isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and isinstance(call.func.value, ast.Name)
            and call.func.value.id != "sa"
        }
        assert done <= {"create_table", "create_index", "add_column", "batch_alter_table"}

    def test_the_changelog_has_this_version(self):
        assert f" {__version__}" in read(ROOT / "CHANGELOG.md") or f"[{__version__}]" in read(
            ROOT / "CHANGELOG.md"
        )
