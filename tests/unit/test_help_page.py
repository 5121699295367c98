"""The page of commands, and the table in `/help`, from the declarations."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from inline_snapshot import snapshot
from markdown_it import MarkdownIt

from bot.commands import Call, Command, Outcome, Right, discover_commands
from bot.help_page import help_page
from bot.render import Renderer


async def nothing(call: Call, desk: object) -> Outcome:
    return Outcome()


def made(usage: str, does: str, who: Right = Right.ANYONE, **other) -> Command:
    return Command(usage, does, who, (f"/{usage.split(maxsplit=1)[0]}",), nothing, **other)


SOME = [
    made("ask", "Ask something.", on_pulls=True),
    made("look", "Look again.", Right.CONCERNED),
    made("set A|B", "Set it; `A|B` is a choice.", Right.WRITE),
    made("stop", "Stop <everything> & rest.", Right.ADMIN),
]


def rows(commands) -> str:
    """The table that `/help` answers with."""
    return Renderer().reply("commands", commands=commands)


def test_a_row_says_who_may_and_what_it_does() -> None:
    assert snapshot("""\
| Command | Who | Does | Example |
|:--|:--|:--|:--|
| `/ask` | anyone | Ask something. | `/ask` |
| `/look` | author, assignees, who may write | Look again. | `/look` |
| `/set A\\|B` | who may write | Set it; `A\\|B` is a choice. | `/set` |
| `/stop` | administrators | Stop <everything> & rest. | `/stop` |
""") == rows(SOME)


def test_a_usage_with_a_choice_stays_one_cell() -> None:
    html = MarkdownIt("commonmark").enable("table").render(rows(SOME))
    assert "<code>/set A|B</code>" in html
    assert 4 * (1 + len(SOME)) == len(re.findall("<t[hd][ >]", html))


class Page(HTMLParser):
    """Notes the elements, what they load, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append(tag)
        self.ids += [value for name, value in attrs if name == "id"]
        self.loads += [v for n, v in attrs if n in ("src", "href") and not v.startswith("#")]

    def handle_data(self, data) -> None:
        self.text += data


def test_the_page_explains_every_command() -> None:
    commands = discover_commands().shown
    page = Page(help_page(commands, "coordinator"))
    assert [one.verb for one in commands] == page.ids
    for one in commands:
        assert f"/{one.usage}" in page.text
        assert one.does.replace("`", "") in page.text
        assert all(example in page.text for example in one.examples)


def test_the_page_needs_nothing_from_elsewhere() -> None:
    html = help_page(SOME, "coordinator")
    page = Page(html)
    assert [] == page.loads
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert not re.search(r"url\(|@import|https?:", html)
    assert "color-scheme: light dark" in html


def test_nothing_breaks_out_of_the_page() -> None:
    odd = made("x", "A <b>bold</b> `<i>` claim.")
    html = help_page([odd], "<script>alert(1)</script>")
    page = Page(html)
    assert not {"script", "b", "i"} & set(page.tags)
    assert "A <b>bold</b> <i> claim." in page.text
    assert "<code>&lt;i&gt;</code>" in html


def test_the_page_says_where_a_command_works() -> None:
    page = Page(help_page(SOME[:2], "coordinator"))
    assert 1 == page.text.count("issues and pull requests")
