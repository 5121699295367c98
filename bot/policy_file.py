"""The form of `.gitea/coordinator.toml`: which settings there are, and where each one stands."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

PolicyPath: TypeAlias = tuple[str, ...]
Line: TypeAlias = int | None

MOST_LINES = 50  # of one value; what stands below a longer one is told without a line
MOST_DEPTH = 8  # of tables in tables; no setting is as deep
MOST_DOTS = 20  # on a line; what reads TOML takes time and memory by the square of a key's parts
MOST_TOLD = 40  # characters of a name that somebody made up


class Unread(Exception):  # noqa: N818 - what is wrong is the file's, and told as it is
    """The file as a whole cannot be read: why, and on which line."""

    def __init__(self, says: str, line: Line = None) -> None:
        super().__init__(says)
        self.says = says
        self.line = line


class Table(BaseModel):
    """A table of the file; what is not set stays as the bot's own settings say."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class LabelNames(Table):
    """`[labels]`: what the labels are called here, and whether any are set."""

    enabled: bool | None = Field(None, description="Set labels.")
    status: str | None = Field(None, description="Scope of `status/ready` and so on.")
    context: str | None = Field(None, description="Scope of `context/small` and so on.")
    difficulty: str | None = Field(None, description="Scope of `difficulty/easy` and so on.")
    priority: str | None = Field(None, description="Scope of `priority/p0` and so on.")
    agent: str | None = Field(None, description="Scope of `agent/NAME`.")


class Limits(Table):
    """`[limits]`: the rule of 50 %."""

    share: float | None = Field(
        None,
        gt=0,
        le=1,
        description="Part of an agent's context that a task may fill, such as `0.4`; more or less "
        "than elsewhere.",
    )


class Switched(Table):
    """`[commands]`: which commands are not done here."""

    off: list[str] | None = Field(
        None,
        description='Verbs, such as `["split", "pause"]`. Not `help`, `status` and `resume`.',
    )


class PolicyFile(Table):
    """The whole file."""

    agents: list[str] | None = Field(
        None, description="Names of the agents that may work here; of those that the bot knows."
    )
    dependencies: Literal["off", "read", "both"] | None = Field(
        None,
        description="Gitea's own dependencies: left alone, read only, or set as well; no further "
        "than the bot's own setting goes.",
    )
    ai: bool | None = Field(
        None, description="`false`: no text of this repository is sent to Claude."
    )
    labels: LabelNames = LabelNames()
    limits: Limits = Limits()
    commands: Switched = Switched()

    @classmethod
    def paths(cls) -> Iterator[PolicyPath]:
        """The path of every setting, such as `("labels", "status")`."""
        for name, table in cls.tables():
            plain = (one for one, f in table.model_fields.items() if not _is_table(f.annotation))
            yield from (((name, one) if name else (one,)) for one in plain)

    @classmethod
    def tables(cls) -> Iterator[tuple[str, type[Table]]]:
        """The top of the file (the empty name), and its tables."""
        yield "", cls
        for name, field in cls.model_fields.items():
            if isinstance(field.annotation, type) and issubclass(field.annotation, Table):
                yield name, field.annotation

    @classmethod
    def read(cls, table: dict[str, Any]) -> tuple[PolicyFile, list[tuple[PolicyPath, str]]]:
        """What is right in it, and what is not: where, and what it must be instead."""
        try:
            return cls.model_validate(table), []
        except ValidationError as error:
            found = error.errors(include_url=False, include_input=False)
            wrong = {_path(one["loc"]): _must(one["type"], one.get("ctx", {})) for one in found}
        for one in reversed(found):  # the last item of a list first, so that the others stay put
            _take(table, one["loc"])
        return cls.model_validate(table), list(wrong.items())


def _is_table(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Table)


def _path(loc: tuple[int | str, ...]) -> PolicyPath:
    """Of a setting; not of an item of a list."""
    return tuple(part for part in loc if isinstance(part, str))


def _take(table: dict[str, Any], loc: tuple[int | str, ...]) -> None:
    """Take out a setting, or an item of a list; the list goes with its last one."""
    path = _path(loc)
    *above, last = path
    for key in above:
        table = table[key]
    if len(path) < len(loc) and len(table[last]) > 1:
        del table[last][loc[-1]]
    else:
        del table[last]


_MUST = {
    "list_type": 'must be a list, such as ["one", "two"]',
    "string_type": 'must hold text, such as "one"',
    "bool_type": "must be true or false",
    "literal_error": "must be {expected}",
    "greater_than": "must be more than {gt:g}",
    "less_than_equal": "must be at most {le:g}",
    "float_type": "must be a number",
    "finite_number": "must be a number",
    "model_type": "must be a table",
}
"""What a value must be, by what pydantic calls that it is not."""


def _must(kind: str, limits: Mapping[str, Any]) -> str:
    return _MUST[kind].format(**limits).replace("'", '"')


def table_of(data: bytes) -> tuple[str, dict[str, Any]]:
    """The file as text and as TOML. Raises Unread."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unread("it is not UTF-8", data.count(b"\n", 0, error.start) + 1) from None
    _not_dotted(text)
    try:
        return text, tomllib.loads(text)
    except ValueError as error:  # also a number of thousands of digits
        raise _no_toml(str(error), text) from None
    except (RecursionError, MemoryError):
        raise Unread("it is nested too deeply") from None


def _not_dotted(text: str) -> None:
    """Refuse a key of very many parts before it is read; a key stands on one line."""
    may_hide = '"""' in text or "'''" in text  # a key may follow a text that looks like a comment
    for number, line in enumerate(text.split("\n"), 1):
        is_comment = line.lstrip().startswith("#") and not may_hide
        if line.count(".") > MOST_DOTS and not is_comment:
            raise Unread(f"there are more than {MOST_DOTS} dots on it", number)


def _no_toml(message: str, text: str) -> Unread:
    found = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", message)
    if not found:
        return Unread("it is no TOML: a number is too long")
    line = int(found[1]) if found[1] else max(1, text.rstrip("\n").count("\n") + 1)
    said = message[: found.start()]
    return Unread(f"it is no TOML: {said[:1].lower()}{said[1:]}", line)


def lines_of(text: str) -> dict[PolicyPath, int]:
    """The line on which each setting and each table of a good file begins.

    TOML's own reader does not tell. But a statement of a good file can be read by itself, so it
    ends where what began it can be read for the first time.
    """
    found: dict[PolicyPath, int] = {}
    above: PolicyPath = ()
    lines = text.replace("\r\n", "\n").split("\n")
    at = 0
    while at < len(lines):
        statement = _statement(lines, at)
        if statement is None:
            break
        table, length = statement
        is_header = lines[at].lstrip().startswith("[")
        for path in _paths(table, () if is_header else above):
            found.setdefault(path, at + 1)
        if is_header:
            above = max(_paths(table, ()), key=len)
        at += length
    return found


def _statement(lines: list[str], at: int) -> tuple[dict[str, Any], int] | None:
    """What begins on a line, and how many lines it takes; None where it is too long."""
    for length in range(1, min(MOST_LINES, len(lines) - at) + 1):
        try:
            return tomllib.loads("\n".join(lines[at : at + length])), length
        except tomllib.TOMLDecodeError:
            continue
        except RecursionError:  # read before, where less was on the stack
            break
    return None


def _paths(table: Mapping[str, Any], above: PolicyPath) -> Iterator[PolicyPath]:
    for key, value in table.items():
        path = (*above, key)
        yield path
        inside = value[0] if isinstance(value, list) and value else value
        if isinstance(inside, dict) and len(path) < MOST_DEPTH:
            yield from _paths(inside, path)


def leaves(
    table: Mapping[str, Any], known: Collection[PolicyPath], above: PolicyPath = ()
) -> Iterator[tuple[PolicyPath, Any]]:
    """The settings in a table, by their paths; one of `known` is a setting whatever it holds."""
    for key, value in table.items():
        path = (*above, key)
        is_table = isinstance(value, dict) and path not in known and len(path) < MOST_DEPTH
        if is_table and (value or _leads_to(known, path)):
            yield from leaves(value, known, path)
        else:
            yield path, value


def _leads_to(known: Collection[PolicyPath], path: PolicyPath) -> bool:
    return any(one[: len(path)] == path for one in known)


def told(name: str) -> str:
    """A name as it is told of: in quotes, and not too long."""
    short = name if len(name) <= MOST_TOLD else f"{name[: MOST_TOLD - 1]}…"
    return f'"{short}"'
