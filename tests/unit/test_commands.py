"""Where a command stands in a comment, and where what looks like one is none."""

from __future__ import annotations

import re
import sys
from types import FrameType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands import (
    MAX_COMMANDS,
    MAX_COMMENT,
    Call,
    Commands,
    Outcome,
    Right,
    Said,
    command,
    discover_commands,
    find,
    issues_in,
    nearest,
)
from bot.errors import UserError
from bot.models import IssueRef
from bot.text.references import references

HERE = IssueRef("acme", "rocket", 3)
EVERY = discover_commands()
KNOWN = [one.verb for one in EVERY]


def said(text: str) -> list[str]:
    """The commands of a text, each as one would type it."""
    return [one.text for one in find(text, bot="Coordinator", known=KNOWN)]


LIVE = [
    ("alone", "/hold", ["/hold"]),
    ("with words", "/hold until the review", ["/hold until the review"]),
    ("one blank before", " /hold", ["/hold"]),
    ("three blanks before", "   /hold", ["/hold"]),
    ("blanks behind", "/hold now  \t ", ["/hold now"]),
    ("tab before the words", "/hold\tnow", ["/hold now"]),
    ("upper case", "/HOLD Now", ["/hold Now"]),
    ("CRLF", "Well.\r\n\r\n/hold now\r\n/status\r\n", ["/hold now", "/status"]),
    ("CR alone", "/hold\r/status", ["/hold", "/status"]),
    ("under text", "Please\n/hold", ["/hold"]),
    ("over text", "/hold\nThank you.", ["/hold"]),
    ("under a hard break", "Please  \n/hold", ["/hold"]),
    ("under a heading", "# Now\n/hold", ["/hold"]),
    ("under a list", "- a\n- b\n\n/hold", ["/hold"]),
    ("under a quote", "> a\n\n/hold", ["/hold"]),
    ("under code", "```\na\n```\n/hold", ["/hold"]),
    ("under a comment", "<!-- a -->\n\n/hold", ["/hold"]),
    ("under a table", "| a |\n|---|\n| b |\n\n/hold", ["/hold"]),
    ("under a fold-out", "<details>\n\na\n\n</details>\n\n/hold", ["/hold"]),
    (
        "under a tag that holds nothing",
        "a<br>\n/hold\n\n<img src=x>\n\n/status",
        ["/hold", "/status"],
    ),
    ("under what is no HTML element", "A List<String> of these.\n\n/hold", ["/hold"]),
    ("under a closing tag of nothing", "a</b>\n\n/hold", ["/hold"]),
    ("under a tag in a quote", "> <details>\n\n/hold", ["/hold"]),
    ("under a tag in a list", "- <details>\n\n/hold\n\n</details>", ["/hold"]),
    ("under an open backtick", "a ` b\n/hold", ["/hold"]),
    ("in order", "/hold\n\n/estimate 5k\n/status", ["/hold", "/estimate 5k", "/status"]),
    ("twice", "/hold\n/hold", ["/hold", "/hold"]),
    ("words in code", "/agent `opus`", ["/agent `opus`"]),
    ("words with markup", "/hold *now* [a](b) <b>", ["/hold *now* [a](b) <b>"]),
    ("to the bot", "@coordinator hold now", ["/hold now"]),
    ("to the bot, upper case", "@COORDINATOR Hold", ["/hold"]),
    ("to the bot, comma", "@coordinator, hold", ["/hold"]),
    ("to the bot, colon", "@coordinator: hold", ["/hold"]),
    ("to the bot, slash", "@coordinator /hold now", ["/hold now"]),
    ("to the bot, tab", "@coordinator\thold now", ["/hold now"]),
    ("to the bot, nonsense", "@coordinator make me tea", ["/make me tea"]),
    ("to the bot, nothing", "@coordinator", ["/"]),
    ("near miss", "/hodl now", ["/hodl now"]),
    ("near miss, two edits", "/etsimat 5k", ["/etsimat 5k"]),
    ("a mark of ours in it", "/hold \ue0a01\ue0a1", ["/hold \ue0a01\ue0a1"]),
]


@pytest.mark.parametrize(("text", "expected"), [row[1:] for row in LIVE], ids=[r[0] for r in LIVE])
def test_a_command_is_recognised_where_a_person_means_it(text: str, expected: list[str]) -> None:
    assert expected == said(text)


DEAD = [
    ("nothing", ""),
    ("in a sentence", "Please /hold this."),
    ("behind a mention of another", "@alice /hold"),
    ("to another", "@alice hold"),
    ("to one called nearly so", "@coordinator2 hold"),
    ("to the bot in a sentence", "I asked @coordinator hold"),
    ("four blanks", "    /hold"),
    ("tab", "\t/hold"),
    ("four blanks in a paragraph", "a\n    /hold"),
    ("path", "/etc/passwd"),
    ("path of a verb", "/hold/it"),
    ("path with words", "/usr is full"),
    ("path of one", "/usr"),
    ("home", "/home"),
    ("tmp", "/tmp"),
    ("path with a dot", "/hold.txt"),
    ("verb and colon", "/hold: now"),
    ("two slashes", "//hold"),
    ("slash alone", "/"),
    ("slash and blank", "/ hold"),
    ("for another bot", "/deploy production"),
    ("escaped", "\\/hold"),
    ("entity", "&#47;hold"),
    ("behind an invisible character", "\u200b/hold"),
    ("behind a no-break space", "\u00a0/hold"),
    ("bold", "**/hold**"),
    ("bold over lines", "**a\n/hold\nb**"),
    ("struck over lines", "~~a\n/hold\nb~~"),
    ("fenced", "```\n/hold\n```"),
    ("fenced by tildes", "~~~\n/hold\n~~~"),
    ("fenced with a language", "```sh\n/hold\n```"),
    ("fenced and not closed", "```\n/hold"),
    ("fenced by more", "````\n```\n/hold\n```\n/hold\n````"),
    ("fenced, closed by others", "```\n~~~\n/hold\n```"),
    ("fenced, indented", "   ```\n   /hold\n   ```"),
    ("fenced, blank lines", "```\n\n\n/hold\n\n```"),
    ("fenced, CRLF", "```\r\n/hold\r\n```"),
    ("fenced in a list", "- a\n\n  ```\n  /hold\n  ```"),
    ("inline code over lines", "`a\n/hold\nb`"),
    ("inline code by two", "``a `\n/hold\nb``"),
    ("quoted", "> /hold"),
    ("quoted without blank", ">/hold"),
    ("quoted twice", "> > /hold"),
    ("quoted, lazily", "> a\n/hold"),
    ("quoted twice, lazily", "> > a\n/hold"),
    ("quoted list, lazily", "> - a\n/hold"),
    ("quoted, in a later paragraph", "> a\n>\n> /hold"),
    ("quoted reply", "@bob wrote:\n> /hold\n> /status\n\nNo."),
    ("call-out", "> [!NOTE]\n> /hold"),
    ("HTML comment", "<!-- /hold -->"),
    ("HTML comment over lines", "<!--\n/hold\n-->"),
    ("HTML comment, blank lines", "<!--\n\n/hold\n\n-->"),
    ("HTML comment, open", "<!--\n\n/hold\n"),
    ("HTML comment in a line", "a <!-- b\n/hold\n-->"),
    ("processing instruction", "a <?b\n/hold\n?>"),
    ("declaration", "<!A\n/hold\n>"),
    ("CDATA", "<![CDATA[\n\n/hold\n]]>"),
    ("tag block", "<div>\n/hold\n</div>"),
    ("tag block of any name", "<foo>\n/hold\n</foo>"),
    ("tags, blank lines", "<div>\n\n/hold\n\n</div>"),
    ("fold-out", "<details><summary>a</summary>\n\n/hold\n\n</details>"),
    ("fold-out, open", "<details>\n\n/hold"),
    ("fold-out in a line", "a <details>\n/hold\n</details>"),
    ("fold-out in a fold-out", "<details>\n<details>\n</details>\n\n/hold\n\n</details>"),
    ("fold-out, wrongly nested", "<details>\n\n<b>\n\n</details>\n\n</b>\n\n<details>\n\n/hold"),
    ("tags over paragraphs", "a <b>\n\n/hold\n\nb</b>"),
    ("tag in upper case", "<PRE>\n\n/hold\n\n</PRE>"),
    ("tags, one of them in a list", "<details>\n\n/hold\n\n- </details>"),
    ("tag's attribute", 'a <a title="\n/hold\n">b</a>'),
    ("script", "<script>\n\n/hold\n</script>"),
    ("link's text", "[a\n/hold\nb](https://example.org)"),
    ("link's title", '[a](b "\n/hold\n")'),
    ("link's address", "[a](\n/hold\n)"),
    ("link by reference", "[a\n/hold][b]\n\n[b]: https://example.org"),
    ("link definition", "[b]:\n/hold"),
    ("link definition's title", '[b]: c "\n/hold\n"'),
    ("image", "![a\n/hold\nb](c.png)"),
    ("heading", "# /hold"),
    ("underlined heading", "/hold\n---"),
    ("underlined heading of lines", "a\n/hold\nb\n==="),
    ("list", "- /hold"),
    ("numbered list", "1. /hold"),
    ("task", "- [ ] /hold"),
    ("list, lazily", "- a\n/hold"),
    ("list's second paragraph", "- a\n\n  /hold"),
    ("numbered list's second paragraph", "1. a\n\n   /hold"),
    ("table", "| a |\n|---|\n| /hold |"),
    ("table's row", "a | b\n--|--\n/hold | c"),
    ("table's row without a bar", "a | b\n--|--\n/hold now"),
    ("table's head", "/hold | a\n--|--\nb | c"),
]


@pytest.mark.parametrize("text", [row[1] for row in DEAD], ids=[row[0] for row in DEAD])
def test_what_only_looks_like_a_command_is_none(text: str) -> None:
    assert [] == said(text)


def test_where_a_command_stands_and_whether_it_was_said_to_the_bot() -> None:
    text = "Well.\n\n@coordinator hold it\n/status"
    expected = [Said(2, "hold", "it", addressed=True), Said(3, "status", "")]
    assert expected == find(text, bot="coordinator", known=KNOWN)


def test_only_so_many_commands_of_a_comment_are_done() -> None:
    found = find("/hold\n" * 10 * MAX_COMMANDS, bot="coordinator", known=KNOWN)
    assert [False] * MAX_COMMANDS + [True] == [one.beyond for one in found]
    assert {"hold"} == {one.verb for one in found}
    exactly = find("/hold\n" * MAX_COMMANDS, bot="coordinator", known=KNOWN)
    assert {False} == {one.beyond for one in exactly}


@pytest.mark.parametrize(
    ("before", "after"), [("`a\n", "b`"), ("a <!--\n", "-->"), ("[a\n", "](b)"), ("", "===")]
)
def test_what_is_read_of_a_very_long_comment_ends_between_blocks(before: str, after: str) -> None:
    """What would have closed the code, comment, link or heading is past the end of what is read."""
    rest = f"{before}/hold\n" + "x\n" * MAX_COMMENT + after
    assert ["/status"] == said(f"/status\n\n{rest}")
    assert [] == said(rest)


# -- hostile texts ---------------------------------------------------------------------------

PIECES = st.sampled_from(
    [
        *("/hold", "/status now", "@coordinator hold", "@coordinator", "/hodl", "/etc/passwd"),
        *("a", "b c", "", "   ", "    ", "\t", "- ", "1. ", "> ", "# ", "|", "|--|", "---", "==="),
        *("```", "~~~", "````", "`", "``", "<!--", "-->", "<details>", "</details>", "<b>", "</b>"),
        *("<pre>", "</pre>", "<a href='", "'>", "<?", "?>", "[a]", "[a](", ")", "![", "]:", "\\"),
        *("**", "~~", "&#47;", "<https://x", ">", "\ue0a0", "\ue0a1", "\ue0a00\ue0a1", "\0", "é"),
        *("\u2028", "\x0b", "\u200b", "\ufeff"),
    ]
)
ENDS = st.sampled_from(["\n", "\n\n", "\r\n", "\r", " ", ""])
TEXTS = st.lists(st.tuples(PIECES, ENDS), max_size=30).map(
    lambda parts: "".join(piece + end for piece, end in parts)
) | st.text(max_size=200)


@given(TEXTS)
def test_no_text_makes_it_raise_and_what_it_finds_stands_there(text: str) -> None:
    lines = re.split("\r\n|\r|\n", text)
    found = find(text, bot="coordinator", known=KNOWN)
    assert sorted({one.line for one in found}) == [one.line for one in found]
    for one in found:
        line = lines[one.line].lower()
        assert line.lstrip(" ").startswith(("/", "@coordinator"))
        assert len(line) - len(line.lstrip(" ")) <= 3
        assert one.verb in line
        assert one.words.lower() in line


def _runs(text: str, char: str) -> int:
    return max((len(run) for run in re.findall(re.escape(char) + "+", text)), default=0)


def _fenced(text: str, char: str) -> str:
    fence = char * max(3, _runs(text, char) + 1)
    return f"{fence}\n{text}\n{fence}"


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in re.split("\r\n|\r|\n", text))


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in re.split("\r\n|\r|\n", text))


def _commented(text: str) -> str:
    return f"<!--\n{text.replace('-->', '')}\n-->"


def _one_paragraph(text: str) -> str:
    """Without what would end a paragraph, or be more than a word in it."""
    words = re.sub(r"[^\w/@ \n]", "", re.sub("\r\n|\r", "\n", text))
    return "\n".join(line[:40] for line in words.split("\n") if line.strip()) or "a"


@given(TEXTS)
def test_no_text_gets_a_command_out_of_fences_quotes_and_comments(text: str) -> None:
    assert [] == said(_fenced(text, "`"))
    assert [] == said(_fenced(text, "~"))
    assert [] == said(_indented(text))
    assert [] == said(_quoted(text))
    assert [] == said(_quoted(_fenced(text, "`")))
    assert [] == said(_commented(text))


@given(TEXTS)
def test_no_text_gets_a_command_out_of_code_links_and_tags(text: str) -> None:
    words = _one_paragraph(text)
    assert [] == said(f"`{words}\na`")
    assert [] == said(f"[a\n{words}\nb](c)")
    assert [] == said(f"x <b>\n{words}\n</b>")
    assert [] == said(f"<details>\n\n{words}\n\n</details>")


@given(TEXTS)
def test_a_command_under_a_text_that_is_closed_is_found(text: str) -> None:
    assert ["/status now"] == said(f"{_quoted(text)}\n\n{_fenced(text, '`')}\n\n/status now")


HOSTILE = [
    *("/hold\n", "`", "` `` ", "[", "![", "[a](", "[a](<b", "*a_", "**a *", "~~a", "> ", "- "),
    *(
        "<!--",
        "<!-- a ",
        "<?",
        "<![CDATA[",
        "<!A",
        "<a ",
        "<b>",
        "</b>",
        "<b></b>",
        "<details>\n\n",
    ),
    *("a|b\n-|-\n", "|-\n", "[a]: b\n", "[a]: b '", "\\", "&", "- a\n", "> a\n", "<https:", "\n"),
    *("@a ", "@coordinator\n", "<b>\n\n</c>\n\n"),
]


def _calls(text: str) -> int:
    """How many functions are called to read a text: what its work is, on any machine."""
    count = 0

    def counted(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        said(text)
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.no_cover
@pytest.mark.parametrize("inside", ["", "x "], ids=["block", "inline"])
@pytest.mark.parametrize("unit", HOSTILE)
def test_twice_the_text_is_about_twice_the_work(unit: str, inside: str) -> None:
    half, whole = (f"/hold\n\n{inside}" + unit * (size // len(unit)) for size in (1_500, 3_000))
    assert _calls(whole) <= 2.5 * _calls(half) + 2_000


# -- what is declared ------------------------------------------------------------------------


async def _nothing(_call: Call, _desk: object) -> Outcome:
    return Outcome()


def test_commands_are_found_by_verb_in_any_case_and_hidden_ones_are_not_told_of() -> None:
    shown = command("hold [X]", does="A.", who=Right.WRITE, examples=["/hold"])(_nothing)
    commands = [shown.declaration]  # type: ignore[attr-defined]
    hidden = command("hole", does="B.", who=Right.ANYONE, examples=[], hidden=True)(_nothing)
    commands.append(hidden.declaration)  # type: ignore[attr-defined]
    known = Commands(commands)
    assert ["hold", "hole"] == [one.verb for one in known]
    assert ["hold"] == [one.verb for one in known.shown]
    assert commands[0] is known.get("HOLD")
    assert known.get("nothing") is None
    assert "hold" == known.nearest("HOLE")
    assert known.nearest("nothing") is None


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("hodl", "hold"),
        ("hol", "hold"),
        ("hxlx", None),
        ("estimat", "estimate"),
        ("estmiaet", "estimate"),
        ("esxmxtx", None),
        ("", None),
    ],
)
def test_the_nearest_word_is_within_two_edits_or_one_where_it_is_short(word, expected) -> None:
    assert expected == nearest(word, ["estimate", "hold"])


def _named(words: str) -> list[str]:
    call = Call(HERE, "blocked-by", words, "alice")
    return [one.seen_from(HERE) for one in issues_in(call, references)]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("#7", ["#7"]),
        ("#7 #8", ["#7", "#8"]),
        ("#7, #8 and #9", ["#7", "#8", "#9"]),
        ("#7,#8,", ["#7", "#8"]),
        ("#7 AND acme/moon#1", ["#7", "acme/moon#1"]),
        ("acme/moon!1", ["acme/moon#1"]),
        ("#7 #7", ["#7"]),
    ],
)
def test_issues_are_named_by_references(words: str, expected: list[str]) -> None:
    assert expected == _named(words)


@pytest.mark.parametrize("words", ["7", "#7 please", "#7;#8", "nonsense", "#7 -- #8"])
def test_another_word_than_a_reference_is_refused(words: str) -> None:
    with pytest.raises(UserError, match="names no issue; write `#12` or `owner/repo#12`"):
        _named(words)


@pytest.mark.parametrize("words", ["", "and", ","])
def test_no_issue_named_is_refused(words: str) -> None:
    with pytest.raises(UserError, match="say which issue"):
        _named(words)


def test_a_word_that_is_refused_is_shown_and_does_nothing_else() -> None:
    with pytest.raises(UserError) as caught:
        _named("`@alice<b>")
    assert str(caught.value).startswith("\\`@&#8203;alice\\<b> names no issue")


def test_the_words_of_a_call() -> None:
    call = Call(HERE, "hold", "for  the review", "alice")
    assert ("for", "the", "review") == call.words
