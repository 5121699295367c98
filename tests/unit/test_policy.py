"""`.gitea/coordinator.toml`: what it changes, and what is told of what is wrong in it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.config import load
from bot.labels import Scopes
from bot.models import Mode
from bot.policy import MOST_BYTES, NEVER_OFF, Policy, Site, read_policy
from bot.policy_file import PolicyFile
from bot.policy_page import POLICY_EXAMPLE, policy_page

VERBS = ["help", "hold", "pause", "resume", "split", "status", "unhold"]
SITE = Site.of(load({}), VERBS)
DOTS = "line 2: there are more than 20 dots on it"
ALL = ("glm", "haiku", "opus", "sonnet")


def read(text: str | bytes, site: Site = SITE) -> tuple[Policy, list[str]]:
    """What holds, and each mistake in words."""
    policy, mistakes = read_policy(text.encode() if isinstance(text, str) else text, site)
    return policy, [str(one) for one in mistakes]


def names(policy: Policy) -> tuple[str, ...]:
    return tuple(agent.name for agent in policy.agents)


def test_without_a_word_the_bot_s_own_settings_hold() -> None:
    expected = Policy(agents=load({}).roster)
    for text in ("", "# nothing\n", "\ufeff", "[labels]\n", "\r\n[limits]\r\n"):
        assert (expected, []) == read(text), text


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("[limits]\nshare = 0.4", {"share": 0.4}),
        ("limits.share = 1", {"share": 1.0}),
        ("limits = {share = 0.75}", {"share": 0.75}),
        ('dependencies = "read"', {"mode": Mode.READ}),
        ('dependencies = "off"', {"mode": Mode.OFF}),
        ('dependencies = "both"', {}),
        ("ai = false", {"ai": False}),
        ("ai = true", {}),
        ('[labels]\nstatus = "state"', {"scopes": Scopes(status="state")}),
        (
            '[labels]\nstatus = "priority"\npriority = "status"',
            {"scopes": Scopes(status="priority", priority="status")},
        ),
        ("[labels]\nenabled = false", {"labels": False}),
        ('[commands]\noff = ["/Split", "pause"]', {"off": frozenset({"split", "pause"})}),
        ("[commands]\noff = []", {}),
    ],
)
def test_each_thing_it_may_change(text: str, changed: dict[str, Any]) -> None:
    assert (replace(SITE.policy, **changed), []) == read(text)


def test_agents_are_some_of_those_that_the_bot_knows() -> None:
    policy, mistakes = read('agents = ["Sonnet", "opus"]')
    assert (("opus", "sonnet"), ("glm", "haiku"), []) == (
        names(policy),
        tuple(one.name for one in policy.barred),
        mistakes,
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('agnets = ["opus"]', 'line 1: there is no setting "agnets"; did you mean agents?'),
        (
            "# a\n\n[limits]\nshaer = 0.4",
            'line 4: there is no setting "limits.shaer"; did you mean limits.share?',
        ),
        ("[label]\nstatus = 1", 'line 2: there is no setting "label.status"; did you mean labels.'),
        ("zzz = 1", 'line 1: there is no setting "zzz"'),
        ("a.b.c.d.e.f.g.h.i.j = 1", 'line 1: there is no setting "a.b.c.d.e.f.g.h"'),
        ("[nothing]", 'line 1: there is no setting "nothing"'),
        ("x" * 100 + " = 1", f'line 1: there is no setting "{"x" * 39}…"'),
        ("labels = 3", 'line 1: "labels" must be a table, [labels]'),
        ("[[labels]]\nenabled = true", 'line 1: "labels" must be a table, [labels]'),
        ("\n[limits]\nshare = 'half'", 'line 3: "limits.share" must be a number'),
        ("limits.share = true", 'line 1: "limits.share" must be a number'),
        ("limits.share = nan", 'line 1: "limits.share" must be a number'),
        ("limits.share = 0", 'line 1: "limits.share" must be more than 0'),
        ("limits.share = 1.1", 'line 1: "limits.share" must be at most 1'),
        ("limits.small = 3", 'line 1: "limits.small" is set for all repositories, not here'),
        ("recheck_every = '1s'", 'line 1: "recheck_every" is set for all repositories, not here'),
        (
            "[gitea]\ntoken = 'gto_x'",
            'line 2: "gitea.token" is a secret; take it out, and make a new one, for who can',
        ),
        ("api_key = 'sk'", 'line 1: "api_key" is a secret; take it out'),
        ("[agents.opus]\nat_once = 1", 'line 1: "agents" must be a list, such as ["one", "two"]'),
        ("agents = 'opus'", 'line 1: "agents" must be a list, such as ["one", "two"]'),
        ("agents = [\n  3,\n  4,\n]", 'line 1: "agents" must hold text, such as "one"'),
        ("\nagents = []", 'line 2: "agents" names nobody; take it out, or name one'),
        ('agents = ["opsu"]', 'line 1: there is no agent "opsu"; did you mean opus?'),
        ('agents = ["x"]', 'line 1: there is no agent "x"; there are glm, haiku, opus, sonnet'),
        ("dependencies = 'all'", 'line 1: "dependencies" must be "off", "read" or "both"'),
        ("labels.enabled = 1", 'line 1: "labels.enabled" must be true or false'),
        (
            "labels.agent = ''",
            'line 1: "labels.agent" must be 1 to 30 characters that can be seen, without a comma',
        ),
        ('labels.agent = "a\\u0007"', 'line 1: "labels.agent" must be 1 to 30 characters'),
        ('labels.agent = "a\\u202eb"', 'line 1: "labels.agent" must be 1 to 30 characters'),
        ("labels.agent = 'a '", 'line 1: "labels.agent" must be 1 to 30 characters'),
        (
            "labels.agent = 'Status'",
            'line 1: "labels.agent" is the name of another scope, too; every one needs its own',
        ),
        ("commands.off = ['splt']", 'line 1: there is no command "splt"; did you mean split?'),
        ("commands.off = ['/resume']", 'line 1: "resume" cannot be switched off'),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_counts_as_if_it_were_not_there(
    text: str, expected: str
) -> None:
    policy, [mistake] = read(text)
    assert mistake.startswith(expected)
    assert SITE.policy == policy


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ai = false\nx =", "line 2: it is no TOML: invalid value"),
        ("a = 1\na = 2\n", "line 2: it is no TOML: cannot overwrite a value"),
        ("ai = [\n\n", "line 1: it is no TOML: invalid value"),
        (b"ai = false\n# \xff", "line 2: it is not UTF-8"),
        ("x = " + "[" * 4000, "it is nested too deeply"),
        ("x = " + "9" * 8000, "it is no TOML: a number is too long"),
        ("#" * (MOST_BYTES + 1), "it is larger than 8 KiB"),
        ("ai = false\n" + "a." * 21 + "a = 1", DOTS),
        ("ai = false\n[" + "a." * 21 + "a]", DOTS),
        ("ai = false\nx = {" + "a . " * 21 + "a = 1}", DOTS),
        ("x = {a = '''\n# ''', " + "a." * 21 + "a = 1}", DOTS),
        ("#\n" + ".".join("a" * (MOST_BYTES // 2 - 4)) + "=1", DOTS),
    ],
    ids=[
        "value",
        "twice",
        "end",
        "bytes",
        "deep",
        "digits",
        "large",
        "key",
        "header",
        "inline",
        "hidden",
        "worst",
    ],
)
def test_what_cannot_be_read_counts_as_if_there_were_no_file_but_no_text_is_sent(
    text: str | bytes, expected: str
) -> None:
    data = text.encode() if isinstance(text, str) else text
    policy, [mistake] = read_policy(data, SITE)
    assert expected == str(mistake)
    assert mistake.whole
    assert replace(SITE.policy, ai=False) == policy


@pytest.mark.parametrize("value", ["'false'", "0", "[]", "{x = true}"])
def test_no_text_is_sent_where_what_is_said_of_that_is_wrong(value: str) -> None:
    policy, mistakes = read(f"ai = {value}")
    assert ['line 1: "ai" must be true or false'] == mistakes
    assert replace(SITE.policy, ai=False) == policy


def test_what_is_right_counts_beside_what_is_wrong() -> None:
    policy, mistakes = read(
        'agents = ["opsu", "opus"]\n[commands]\noff = ["help", "split"]\n'
        '[labels]\nstatus = "a,b"\ncontext = "size"\n[limits]\nshare = 2\n'
    )
    assert ("opus",) == names(policy)
    assert frozenset({"split"}) == policy.off
    assert Scopes(context="size") == policy.scopes
    assert ["1", "3", "5", "8"] == [one.split(":")[0].removeprefix("line ") for one in mistakes]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('agents = [1, "sonnet", 3, "opus"]', ("agents", (ALL[2], ALL[3]))),
        ('agents = ["sonnet", {x = 1}]', ("agents", (ALL[3],))),
        ('commands.off = ["split", 3, "hold"]', ("off", frozenset({"split", "hold"}))),
    ],
)
def test_an_item_of_a_wrong_kind_takes_no_other_with_it(
    text: str, expected: tuple[str, object]
) -> None:
    policy, mistakes = read(text)
    name, value = expected
    assert value == (names(policy) if name == "agents" else policy.off)
    assert 1 == len(mistakes)
    assert mistakes[0].endswith('must hold text, such as "one"')


@pytest.mark.parametrize(
    ("site", "wish", "expected"),
    [("read", "both", Mode.READ), ("off", "read", Mode.OFF), ("read", "off", Mode.OFF)],
)
def test_dependencies_go_no_further_than_the_bot_s_own_setting(
    site: str, wish: str, expected: Mode
) -> None:
    there = Site.of(load({"MOSAIC_GITEA__DEPENDENCIES": site}), VERBS)
    policy, mistakes = read(f'dependencies = "{wish}"', there)
    assert expected is policy.mode
    refused = (
        f'line 1: "dependencies" goes no further than "{site}", as the bot\'s own settings say'
    )
    assert ([] if wish == "off" else [refused]) == mistakes


def test_claude_is_not_asked_where_the_bot_s_own_settings_say_so() -> None:
    there = Site.of(load({"MOSAIC_AI__ENABLED": "false"}), VERBS)
    policy, mistakes = read("ai = true", there)
    assert (False, []) == (policy.ai, mistakes)


def test_a_command_that_administrators_need_cannot_be_switched_off() -> None:
    policy, mistakes = read(f"commands.off = {sorted(NEVER_OFF)}")
    assert frozenset() == policy.off
    assert len(NEVER_OFF) == len(mistakes)


def test_what_is_below_a_value_of_very_many_lines_is_told_without_a_line() -> None:
    many = "agents = [\n" + '"opus",\n' * 100 + "]\nx = 1"
    assert ['there is no setting "x"'] == read(many)[1]


def test_the_worst_file_is_read_in_a_moment() -> None:
    """Many statements, each of as many lines as are tried."""
    one = "a{} = [\n" + "1,\n" * 48 + "]\n"
    worst = "".join(one.format(n) for n in range(MOST_BYTES // 160))
    _, mistakes = read(worst)
    assert MOST_BYTES // 160 == len(mistakes)


def test_keys_of_as_many_parts_as_are_allowed_are_read() -> None:
    """On every line there is room for; a comment may have as many dots as it likes."""
    part = "a" + "." * 1 + "a." * 19
    lines = "".join(f"{part}b{n} = 1\n" for n in range((MOST_BYTES - 200) // 52))
    policy, mistakes = read("ai = false\n# " + "." * 100 + "\n" + lines)
    assert not policy.ai
    assert mistakes


def test_every_setting_has_a_word_on_it() -> None:
    tables = dict(PolicyFile.tables())
    for *above, name in PolicyFile.paths():
        assert tables[above[0] if above else ""].model_fields[name].description, name


def test_the_example_of_the_documents_is_right_and_uses_every_table() -> None:
    policy, mistakes = read(POLICY_EXAMPLE)
    assert [] == mistakes
    assert (("opus", "sonnet"), 0.4, "bot") == (names(policy), policy.share, policy.scopes.status)
    assert all(f"[{name}]" in POLICY_EXAMPLE for name, _ in PolicyFile.tables() if name)
    assert all(f"| `{path[-1]}` |" in policy_page() for path in PolicyFile.paths())
