"""The page on `.gitea/coordinator.toml`, written from the form of the file itself."""

from __future__ import annotations

from typing import Literal

from bot.policy_file import PolicyFile, Table

POLICY_EXAMPLE = """\
# Who may work here: only these of the agents that the bot knows.
agents = ["sonnet", "opus"]

# Gitea's own dependencies are read, and the bot sets none.
dependencies = "read"

# No text of this repository is sent to Claude.
ai = false

# The team has labels status/… of its own.
[labels]
status = "bot"

# A task may fill 40 % of an agent's context.
[limits]
share = 0.4

[commands]
off = ["split", "pause"]
"""
_POLICY_PAGE = f"""\
# Settings of one repository

A file `.gitea/coordinator.toml` changes for its repository what the bot does there. It is
[TOML](https://toml.io), all of it is optional, and without the file the bot's own settings hold:

```toml
{POLICY_EXAMPLE}```

**Where it counts:** on the default branch, and there alone. What stands on another branch or in
a pull request changes nothing until it is merged. So whoever may push to the default branch may
change it; protect the branch, or the file (*Protected file patterns*), where that should be
fewer.

**When it counts:** as soon as it is pushed; every issue of the repository is looked at again.
That needs *Push* among the webhook's events; without it, with the next look for what was missed
(`recheck_every`, 5 minutes). Delete the file, and all is as it was.

**Labels that are called otherwise:** those that the bot gave go, new ones come. Labels of the
old names that people set are left alone. Who has begun keeps that. `enabled = false` takes the
bot's off.

**Dependencies:** `read` or `off` takes away what the bot set among Gitea's own; `both` sets them
again. What people set there stays.

**Commands that are switched off** are answered *switched off in this repository*, their boxes
are not shown, and `/help` says which they are. `/help`, `/status` and `/resume` cannot be
switched off.

**An issue goes by the file of its own repository,** also where it waits for one in another.
"""
_POLICY_MISTAKES = """\
## A mistake in it

What is wrong counts as if it did not stand there, and what is right counts all the same: of a
list, too, the right items. A file that cannot be read (no TOML, not UTF-8, larger than 8 KiB,
more than 20 dots on a line, a directory or a link) counts as if there were none, except that no
text is sent to Claude, for the file may forbid that; so, too, where `ai` is neither `true` nor
`false`. Where the bot may not read a file that it read before (its token, *Code* switched off),
what was read last holds on; where it does not remember that, no text is sent to Claude.

It is told in the next report that is written in the repository, with the line, and in no other;
it stays there until the file is mended:

> `.gitea/coordinator.toml` is not right. What is wrong in it counts as if it did not stand
> there, the rest counts. This report alone tells of it, until it is mended: line 2: there is no
> setting "agnets"; did you mean agents?

Secrets have no place in the file: whoever can read the repository has them. Which agents there
are, what they cost, and everything else is [set for all repositories](settings.md).

This page is written by `python -m bot.reference`.
"""


def policy_page() -> str:
    """`docs/repository-settings.md`: every setting of `.gitea/coordinator.toml`, and an example."""
    tables = [_policy_table(name, table) for name, table in PolicyFile.tables()]
    return "\n".join([_POLICY_PAGE, *tables, _POLICY_MISTAKES])


def _policy_table(name: str, table: type[Table]) -> str:
    rows = [
        f"| `{key}` | {_KINDS[str(field.annotation)]} | {field.description} |"
        for key, field in table.model_fields.items()
        if field.description
    ]
    head = "| Setting | Holds | What it does |\n|---|---|---|"
    title = f"`[{name}]`" if name else "Top of the file"
    return "\n".join([f"## {title}\n", head, *rows]) + "\n"


_KINDS = {
    str(bool | None): "`true` or `false`",
    str(str | None): "text",
    str(float | None): "a number above 0, up to 1",
    str(list[str] | None): "a list of names",
    str(Literal["off", "read", "both"] | None): '`"off"`, `"read"` or `"both"`',
}
