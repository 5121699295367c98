"""Settings: `bot.toml`, then `.env`, then the environment on top.

Four places, the later one wins: the defaults here, `bot.toml` (or the file `BOT_CONFIG` names),
the variables in the file `.env` of the current folder, the environment. Every setting of the file
can be set by a variable named `MOSAIC_` plus its path in upper case joined by two underscores:
`[ai] model` is `MOSAIC_AI__MODEL`. What differs per installation has the short names of
`SHORT_NAMES`; secrets come from the environment or `.env` only, or from a file that `NAME_FILE`
points to.

An unknown key, in the file or in a `MOSAIC_…` variable, is an error that names the nearest one; so
is a variable that is nearly one of these.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from rapidfuzz import process

from bot.envfile import ENV_FILE, read_env
from bot.errors import ConfigError
from bot.models import Agent, Difficulty
from bot.variables import PREFIX, meant, passwords, value_of

SHORT_NAMES: Mapping[str, tuple[str, ...]] = {
    "GITEA_URL": ("gitea", "url"),
    "GITEA_TOKEN": ("gitea", "token"),
    "GITEA_WEBHOOK_SECRET": ("gitea", "webhook_secret"),
    "ANTHROPIC_API_KEY": ("ai", "api_key"),
    "ANTHROPIC_BASE_URL": ("ai", "base_url"),
    "DATABASE_URL": ("database_url",),
    "LOG_LEVEL": ("log_level",),
    "HOST": ("server", "host"),
    "PORT": ("server", "port"),
}
"""The environment variables that have a name of their own, and the setting each one sets."""

NEEDED: Mapping[str, str] = {
    "GITEA_URL": "the address of your Gitea, such as https://git.example.org",
    "GITEA_TOKEN": "an access token of the bot user",
    "GITEA_WEBHOOK_SECRET": "the secret you gave the webhook; make one with `openssl rand -hex 32`",
}
"""The variables without which the bot cannot serve, and what each is."""

SECRETS = frozenset({("gitea", "token"), ("gitea", "webhook_secret"), ("ai", "api_key")})
FROM_FILES = SECRETS | {("database_url",)}
"""What may stand in a file that `NAME_FILE` names: an address may hold a password."""

CLOCKS_DIFFER = timedelta(days=2)  # at most, Gitea's and this machine's, whatever their time zones

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_EXAMPLE = '["a", "b"] or {"key": 1}'
_SIZES = {"": 1, "B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
_DATABASE = re.compile(
    r"sqlite:///(?!:memory:).+"
    r"|postgres(ql)?(\+psycopg)?://(.*@)?(\[[^\]]*\]|[^/?:@]*)(:\d+)?([/?].*)?"
)


def _duration(value: object) -> object:
    if isinstance(value, timedelta):
        return value
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)\s*", str(value))
    if not found:
        raise ValueError('a duration is written like "90s", "5m" or "1h"')
    seconds = float(found[1]) * _UNITS[found[2]]
    if seconds > _UNITS["d"] * 366:
        raise ValueError("must be at most a year")
    return timedelta(seconds=seconds)


def _size(value: object) -> object:
    found = re.fullmatch(r"\s*(\d+)\s*(B|KiB|MiB|GiB|)\s*", str(value))
    if not found:
        raise ValueError('a size is written like "8MiB" or "512KiB"')
    return int(found[1]) * _SIZES[found[2]]


def as_size(count: int) -> str:
    """A number of bytes, as one writes it in a setting."""
    return next(
        f"{count // size}{unit}" for unit, size in reversed(_SIZES.items()) if count % size == 0
    )


def as_duration(value: timedelta) -> str:
    """A length of time, as one writes it in a setting."""
    units = [(unit, timedelta(seconds=seconds)) for unit, seconds in reversed(_UNITS.items())]
    fitting = (f"{value // size}{unit}" for unit, size in units if not value % size)
    return next(fitting, f"{value / timedelta(milliseconds=1):g}ms")


def _positive(value: timedelta) -> timedelta:
    if value <= timedelta(0):
        raise ValueError("must be longer than nothing")
    return value


Duration = Annotated[timedelta, BeforeValidator(_duration), AfterValidator(_positive)]
Size = Annotated[int, BeforeValidator(_size), Field(ge=1024)]


class Section(BaseModel):
    """A table of `bot.toml`."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False
    )


class GiteaSettings(Section):
    """`[gitea]`: which Gitea, and how to talk to it."""

    url: str = Field("", description="Address of Gitea, as people open it (GITEA_URL).")
    token: SecretStr = Field(SecretStr(""), description="The bot user's token (GITEA_TOKEN).")
    webhook_secret: SecretStr = Field(
        SecretStr(""),
        description="The webhook's secret; two, comma-separated, while rotating "
        "(GITEA_WEBHOOK_SECRET).",
    )
    aliases: tuple[str, ...] = Field(
        (), description="Other addresses of the same Gitea that may stand in texts."
    )
    dependencies: Literal["off", "read", "both"] = Field(
        "both",
        description="Gitea's own dependencies: left alone, read only, or set as well, so that "
        "they show what texts and commands say.",
    )
    timeout: Duration = Field("10s", description="How long one request to Gitea may take.")  # type: ignore[assignment]
    connections: int = Field(20, ge=1, le=500, description="Connections to Gitea at once.")
    ca_file: Path | None = Field(None, description="Certificates to trust, for a private CA.")

    @field_validator("url")
    @classmethod
    def _plain_url(cls, value: str) -> str:
        if value and not re.match(r"https?://[^/\s]+", value):
            raise ValueError("must begin with http:// or https:// and name a host")
        return value.rstrip("/")

    @property
    def secrets(self) -> tuple[SecretStr, ...]:
        """The webhook secrets in force: one, or two while rotating."""
        parts = self.webhook_secret.get_secret_value().split(",")
        return tuple(SecretStr(part.strip()) for part in parts if part.strip())

    @property
    def hosts(self) -> frozenset[str]:
        """`host[:port][/path]` of every address under which this Gitea is known."""
        addresses = (self.url, *self.aliases)
        return frozenset(re.sub(r"^https?://", "", a).rstrip("/").lower() for a in addresses if a)


class ServerSettings(Section):
    """`[server]`: where the bot listens."""

    host: str = Field("0.0.0.0", description="Address to listen on (HOST).")  # noqa: S104
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on (PORT).")
    url: str = Field("", description="Address under which Gitea reaches the bot.")
    max_body: Size = Field("8MiB", description="Largest webhook body; more is answered 413.")  # type: ignore[assignment]
    shutdown: Duration = Field("20s", description="How long work may finish when stopped.")  # type: ignore[assignment]


class QueueSettings(Section):
    """`[queue]`: how work is done and tried again."""

    workers: int = Field(8, ge=1, le=200, description="Issues worked on at once.")
    poll: Duration = Field("50ms", description="How often the queue looks for work.")  # type: ignore[assignment]
    attempts: int = Field(12, ge=1, le=100, description="Tries before work is set aside.")
    first_wait: Duration = Field("1s", description="Wait before the second try; doubles.")  # type: ignore[assignment]
    longest_wait: Duration = Field("10m", description="Longest wait between two tries.")  # type: ignore[assignment]
    keep: Duration = Field("7d", description="How long finished work is remembered.")  # type: ignore[assignment]
    executor: str = Field("", description="Name of this replica; empty: the host's name.")
    dead_after: Duration = Field(  # type: ignore[assignment]
        "15s", description="A replica not heard of for so long is dead; others do its work."
    )


class KeepSettings(Section):
    """`[keep]`: after how long what is of no use any more is deleted, once a day."""

    commands: Duration = Field(  # type: ignore[assignment]
        "90d",
        description="Which commands were done, so that none is done twice; at least catch_up and "
        "two days.",
    )
    readings: Duration = Field("90d", description="What Claude answered, since it was used last.")  # type: ignore[assignment]
    failures: Duration = Field("90d", description="Work that was given up.")  # type: ignore[assignment]
    issues: Duration = Field(  # type: ignore[assignment]
        "180d",
        description="Closed and deleted issues, since they were looked at last, with what people "
        "set on them.",
    )
    spending: Duration = Field("366d", description="How many tokens Claude took on a day.")  # type: ignore[assignment]


class AISettings(Section):
    """`[ai]`: asking Claude for what a text does not declare."""

    api_key: SecretStr = Field(SecretStr(""), description="Key; without it: no AI.")
    base_url: str | None = Field(None, description="Another address of the API.")
    enabled: bool = Field(default=True, description="Ask Claude at all, where there is a key.")
    model: str = Field("claude-sonnet-5-5", description="Model that reads the texts.")
    price_in: float = Field(
        3.0, ge=0, description="Price of a million tokens that this model reads, for the metrics."
    )
    price_out: float = Field(15.0, ge=0, description="Price of a million tokens that it writes.")
    dependencies: Literal["propose", "accept", "ignore"] = Field(
        "propose", description="Dependencies Claude reads: proposals, edges at once, or nothing."
    )
    daily_tokens: int = Field(2_000_000, ge=0, description="Tokens per day (UTC), all issues.")
    timeout: Duration = Field("60s", description="How long one question may take.")  # type: ignore[assignment]
    max_text: int = Field(60_000, ge=1000, description="Characters of an issue Claude reads.")
    max_output_tokens: int = Field(2_000, ge=200, description="Tokens Claude may answer with.")


class CommandSettings(Section):
    """`[commands]`: talking with people."""

    per_hour: int = Field(60, ge=1, description="Commands per person and hour; more wait.")
    bots: tuple[str, ...] = Field((), description="Other bots whose commands are done.")


class LimitSettings(Section):
    """`[limits]`: the rule of 50 % and the size classes, in tokens."""

    share: float = Field(
        0.5, gt=0, le=1, description="Part of an agent's context a task may fill (the 50 % rule)."
    )
    small: int = Field(25_000, ge=1, description="Up to here: context/small.")
    medium: int = Field(50_000, ge=1, description="Up to here: context/medium.")
    large: int = Field(100_000, ge=1, description="Up to here: context/large; above: huge.")
    dependencies: int = Field(50, ge=1, le=500, description="Dependencies followed per issue.")

    @model_validator(mode="after")
    def _ascending(self) -> LimitSettings:
        if not self.small < self.medium < self.large:
            raise ValueError("small, medium and large must ascend")
        return self


class LabelSettings(Section):
    """`[labels]`: names of the labels' scopes, and whether labels are set at all."""

    enabled: bool = Field(default=True, description="Set labels.")
    status: str = Field("status", description="Scope of status/ready and so on.")
    context: str = Field("context", description="Scope of context/small and so on.")
    difficulty: str = Field("difficulty", description="Scope of difficulty/easy and so on.")
    priority: str = Field("priority", description="Scope of priority/p0 and so on.")
    agent: str = Field("agent", description="Scope of agent/NAME.")

    @model_validator(mode="after")
    def _distinct(self) -> LabelSettings:
        scopes = [self.status, self.context, self.difficulty, self.priority, self.agent]
        if len({scope.lower() for scope in scopes}) != len(scopes):
            raise ValueError("every scope needs a name of its own")
        if not all(map(self.is_scope, scopes)):
            raise ValueError("a scope is 1 to 30 characters that can be seen, without a comma")
        return self

    @staticmethod
    def is_scope(name: str) -> bool:
        """Whether labels can be called so before the slash."""
        right = re.fullmatch(r"[^/,][^,]{0,29}", name) is not None
        return right and name.isprintable() and name == name.strip()


class AgentSettings(Section):
    """`[agents.NAME]`: one AI coding agent."""

    context_limit: int = Field(ge=1000, le=100_000_000, description="Context, in tokens.")
    price_in: float = Field(ge=0, description="Price of a million tokens read.")
    price_out: float = Field(ge=0, description="Price of a million tokens written.")
    difficulties: frozenset[Difficulty] = Field(
        frozenset(Difficulty), min_length=1, description="What it takes."
    )
    at_once: int = Field(3, ge=1, le=10_000, description="Issues in progress at once.")


_EASY, _MEDIUM, _HARD = Difficulty
_AGENTS: Mapping[str, AgentSettings] = {
    "glm": AgentSettings(
        context_limit=128_000,
        price_in=0.6,
        price_out=2.2,
        difficulties=frozenset({_EASY}),
        at_once=5,
    ),
    "haiku": AgentSettings(
        context_limit=200_000,
        price_in=1.0,
        price_out=5.0,
        difficulties=frozenset({_EASY, _MEDIUM}),
        at_once=5,
    ),
    "sonnet": AgentSettings(
        context_limit=200_000,
        price_in=3.0,
        price_out=15.0,
        difficulties=frozenset({_EASY, _MEDIUM, _HARD}),
        at_once=3,
    ),
    "opus": AgentSettings(
        context_limit=200_000,
        price_in=5.0,
        price_out=25.0,
        difficulties=frozenset({_MEDIUM, _HARD}),
        at_once=2,
    ),
}


class Settings(BaseSettings):
    """Everything that can be set. Frozen; read once at start."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", validate_default=True)

    recheck_every: Duration = Field("5m", description="How often the bot looks for what it missed.")  # type: ignore[assignment]
    catch_up: Duration = Field(  # type: ignore[assignment]
        "7d", description="Commands that were missed, and are older, are not done."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least level of log lines (LOG_LEVEL)."
    )
    log_format: Literal["auto", "text", "json"] = Field(
        "auto", description="Log lines as text or JSON; auto: text on a terminal."
    )
    database_url: str = Field(
        "sqlite:///data/coordinator.db",
        description="SQLite file, or postgresql://… (DATABASE_URL).",
    )
    gitea: GiteaSettings = GiteaSettings()
    server: ServerSettings = ServerSettings()
    queue: QueueSettings = QueueSettings()
    keep: KeepSettings = KeepSettings()
    ai: AISettings = AISettings()
    commands: CommandSettings = CommandSettings()
    limits: LimitSettings = LimitSettings()
    labels: LabelSettings = LabelSettings()
    agents: dict[str, AgentSettings] = Field(
        default_factory=lambda: dict(_AGENTS), min_length=1, description="The agents there are."
    )

    @field_validator("log_level", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if not _DATABASE.fullmatch(value):
            raise ValueError("must be sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME")
        return value

    @field_validator("agents")
    @classmethod
    def _agent_names(cls, value: dict[str, AgentSettings]) -> dict[str, AgentSettings]:
        for name in value:
            if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,39}", name):
                raise ValueError(f"agent {name!r}: a name is lower case letters, digits, . _ -")
        return value

    @property
    def commands_kept(self) -> timedelta:
        """How long it is remembered which commands were done.

        Longer than they are caught up with: what is forgotten and found by asking is done again.
        Both are counted by clocks that may differ.
        """
        return max(self.keep.commands, self.catch_up + CLOCKS_DIFFER)

    @property
    def roster(self) -> tuple[Agent, ...]:
        """The agents as the judgement takes them."""
        return tuple(
            Agent(name=name, **agent.model_dump()) for name, agent in sorted(self.agents.items())
        )

    @property
    def hidden(self) -> frozenset[str]:
        """Every secret among the settings: none of them is ever shown."""
        gitea = self.gitea
        secrets = (gitea.token, *gitea.secrets, self.ai.api_key)
        return passwords(self.database_url) | {one.get_secret_value() for one in secrets} - {""}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - ours is passed in
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment over the file; `load` hands both in."""
        handed = init_settings()
        environ = handed.get("environ", {})
        return (
            InitSettingsSource(settings_cls, handed.get("short", {})),
            _Environment(settings_cls, environ),
            InitSettingsSource(settings_cls, handed.get("file", {})),
        )


class _Environment(EnvSettingsSource):
    """The `MOSAIC_…` variables of a given environment, not of the process."""

    def __init__(self, settings_cls: type[BaseSettings], environ: Mapping[str, str]) -> None:
        ours = {name: value for name, value in environ.items() if name.startswith(PREFIX)}
        self._environ = {name.lower(): value for name, value in ours.items() if value}
        super().__init__(settings_cls, env_prefix=PREFIX, env_nested_delimiter="__")

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return self._environ

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:  # noqa: ANN401
        """As inherited; but says which variable it is that holds no JSON."""
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError:
            ours = {n.upper() for n, v in self._environ.items() if v == value}
            raise ConfigError(f"environment: {min(ours)} is not JSON, such as {_EXAMPLE}") from None


def load(environ: Mapping[str, str] | None = None, path: Path | None = None) -> Settings:
    """The settings in force.

    `path` defaults to what `BOT_CONFIG` names, else `bot.toml`, which may be absent. Raises
    ConfigError, whose message names every wrong setting and, for an unknown one, the nearest.
    """
    return settings_of(given(environ, path))


@dataclass(frozen=True, slots=True)
class Given:
    """What stands in the places: variables, and the `table` of a `file`, which may be absent.

    `from_env_file` names the variables that stand in `.env`.
    """

    environ: Mapping[str, str]
    file: Path
    table: Mapping[str, Any]
    from_env_file: frozenset[str] = frozenset()

    def place(self, variable: str) -> str:
        """Where a variable stands."""
        return str(ENV_FILE) if variable in self.from_env_file else "environment"


def given(environ: Mapping[str, str] | None = None, path: Path | None = None) -> Given:
    """Read the places; arguments as of `load`. Raises ConfigError for a file that is none.

    Where an environment is handed in, `.env` is not read.
    """
    beside = beside_of(os.environ) if environ is None else {}
    environ = {**(os.environ if environ is None else environ), **beside}
    return Given(environ, *file_of(environ, path), frozenset(beside))


def beside_of(environ: Mapping[str, str]) -> dict[str, str]:
    """What `.env` sets and the environment does not, by whatever name."""
    beside = read_env(environ)
    known = variables_of({**beside, **environ})
    there = {known.get(name, name) for name, value in environ.items() if value}
    return {
        name: value
        for name, value in beside.items()
        if known.get(name, name) not in there and not environ.get(name)
    }


def settings_of(given: Given) -> Settings:
    """The settings that come of these places. Raises ConfigError."""
    environ, file, table = given.environ, given.file, given.table
    short, unread = short_of(environ)
    if wrong := [*mistakes_in_file(file, table), *mistaken_variables(given), *unread]:
        raise ConfigError("\n".join(wrong))
    try:
        return Settings(file=table, environ=environ, short=short)  # type: ignore[call-arg]
    except ValidationError as error:
        raise ConfigError(explain(error, given)) from None


def lacking(settings: Settings, *, receiving: bool = True) -> Iterator[str]:
    """Those of `NEEDED` that are not set; `receiving` webhooks, too."""
    gitea = settings.gitea
    there = (gitea.url, gitea.token.get_secret_value(), gitea.secrets or not receiving)
    yield from (name for name, value in zip(NEEDED, there, strict=True) if not value)


def setting_paths() -> Iterator[tuple[str, ...]]:
    """The path of every setting, such as `("ai", "model")`; agents by their table only."""
    for name, field in Settings.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            yield from ((name, inner) for inner in kind.model_fields)
        else:
            yield (name,)


def field_of(path: tuple[str, ...]) -> FieldInfo:
    """What is declared of a setting, one of `setting_paths`."""
    *section, name = path
    kind = Settings.model_fields[section[0]].annotation if section else Settings
    assert isinstance(kind, type)
    assert issubclass(kind, BaseModel)
    return kind.model_fields[name]


def file_of(environ: Mapping[str, str], path: Path | None) -> tuple[Path, dict[str, Any]]:
    """The file of settings, which may be absent, and its table. Raises ConfigError."""
    named = path or (Path(environ["BOT_CONFIG"]) if environ.get("BOT_CONFIG") else None)
    path = named or Path("bot.toml")
    try:
        return path, tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        if named:
            raise ConfigError(f"{path}: there is no such file") from None
        return path, {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from None


def mistakes_in_file(file: Path, table: Mapping[str, Any]) -> Iterator[str]:
    """Every key of the file that is none, and every secret in it."""
    agents = table.get("agents")
    known = {*setting_paths(), *agent_paths(agents if isinstance(agents, dict) else ())}
    for path in leaves_of(table, known):
        if path in SECRETS:
            yield f"{file}: {'.'.join(path)} is a secret: set it in the environment instead"
        elif path not in known:
            yield _unknown(file, ".".join(path), (".".join(one) for one in known))


def mistaken_variables(given: Given) -> Iterator[str]:
    """Every variable that is none of ours and was meant to be."""
    environ, table = given.environ, given.table
    known = variables_of(environ)
    there = {path for name, path in known.items() if environ.get(name)}
    there |= {path for path in setting_paths() if _changed(table, path)}
    for name, value in environ.items():
        if name in known:
            continue
        if name.startswith(PREFIX):
            ours = (one for one in known if one.startswith(PREFIX))
            yield _unknown(given.place(name), name, ours)
        elif value and (near := meant(name, known)) and known[near] not in there:
            yield (
                f"{given.place(name)}: there is no setting {name}; did you mean {near}? "
                f"If {name} is for another program, set {near} as well"
            )


def _changed(table: Mapping[str, Any], path: tuple[str, ...]) -> bool:
    """Whether the file sets this to something else than the default: ours names every setting."""
    value: Any = table
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value not in (None, "", field_of(path).default)


def variables_of(environ: Mapping[str, str]) -> Mapping[str, tuple[str, ...]]:
    """Every variable there may be, and the setting it sets."""
    ours = [name.removeprefix(PREFIX) for name in environ if name.startswith(PREFIX)]
    agents = {name.split("__")[1] for name in ours if name.startswith("AGENTS__")}
    paths = (*setting_paths(), *(("agents", agent) for agent in agents), *agent_paths(agents))
    return {
        **{PREFIX + "__".join(path).upper(): path for path in paths},
        **SHORT_NAMES,
        **{f"{name}_FILE": path for name, path in SHORT_NAMES.items() if path in FROM_FILES},
        "BOT_CONFIG": ("bot_config",),
    }


def agent_paths(names: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """The paths of the settings of these agents."""
    return (("agents", name, field) for name in names for field in AgentSettings.model_fields)


def leaves_of(
    table: Mapping[str, Any], known: set[tuple[str, ...]], above: tuple[str, ...] = ()
) -> Iterator[tuple[str, ...]]:
    """The paths of what is set in a table."""
    for key, value in table.items():
        path = (*above, key)
        is_table = any(one[: len(path)] == path and one != path for one in known)
        if isinstance(value, dict) and (is_table or (value and not above)):
            yield from leaves_of(value, known, path)
        else:
            yield path


def _unknown(where: Path | str, name: str, known: Iterable[str]) -> str:
    near = process.extractOne(name, sorted(known), score_cutoff=60)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"{where}: there is no setting {name}{hint}"


def short_of(environ: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """What the variables with names of their own set, as nested tables; and what is wrong."""
    values: dict[str, Any] = {}
    wrong = []
    for name, path in SHORT_NAMES.items():
        try:
            value = value_of(name, environ) if path in FROM_FILES else environ.get(name)
        except ConfigError as error:
            wrong.append(str(error))
            continue
        if value:
            table = values
            for key in path[:-1]:
                table = table.setdefault(key, {})
            table[path[-1]] = value
    return values, wrong


def explain(error: ValidationError, given: Given) -> str:
    """Pydantic's findings, one line each, without the values: one may be a secret.

    A short name is told where it is what set the value.
    """
    lines = []
    short = {path: name for name, path in SHORT_NAMES.items()}
    for found in error.errors(include_input=False, include_url=False):
        path = tuple(str(part) for part in found["loc"])
        name = short.get(path, "")
        where = ".".join(path) + (f" ({name})" if given.environ.get(name) else "")
        if name in given.from_env_file:
            where = f"{ENV_FILE}: {where}"
        lines.append(f"{where}: {found['msg'].removeprefix('Value error, ')}")
    return "\n".join(lines)
