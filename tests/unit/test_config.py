"""Settings: where they come from, and what is said when one is wrong."""

from __future__ import annotations

import itertools
import re
import tomllib
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import reference
from bot.config import FROM_FILES, SECRETS, SHORT_NAMES, Section, Settings, load, setting_paths
from bot.errors import ConfigError
from bot.models import Difficulty
from bot.policy_page import policy_page

ROOT = Path(__file__).resolve().parents[2]
FILES = [name for name, path in SHORT_NAMES.items() if path in FROM_FILES]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """In an empty folder: the checkout's own bot.toml is not meant."""
    monkeypatch.chdir(tmp_path)


def written(text: str) -> Settings:
    """The settings that a bot.toml of this text gives."""
    Path("bot.toml").write_text(text, encoding="utf-8")
    return load({})


def wrong(text: str = "", **environ: str) -> str:
    """What is said of a bot.toml and an environment that will not do."""
    Path("bot.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(environ)
    return str(caught.value)


class TestPlaces:
    def test_without_file_and_environment_there_are_the_defaults(self):
        """Nothing needs to be set to look at a text."""
        settings = load({})
        assert timedelta(minutes=5) == settings.recheck_every
        assert 8 * 1024**2 == settings.server.max_body
        assert ("0.0.0.0", 8000) == (settings.server.host, settings.server.port)
        assert "sqlite:///data/coordinator.db" == settings.database_url
        assert ["glm", "haiku", "opus", "sonnet"] == [agent.name for agent in settings.roster]

    def test_the_file_beats_the_defaults(self):
        """Only what stands in it."""
        settings = written('recheck_every = "90s"\n[ai]\nmodel = "other"\n')
        assert timedelta(seconds=90) == settings.recheck_every
        assert "other" == settings.ai.model
        assert load({}).ai.daily_tokens == settings.ai.daily_tokens

    def test_a_byte_order_mark_is_no_part_of_the_file(self):
        """Some editors write one."""
        Path("bot.toml").write_text("[server]\nport = 1234\n", encoding="utf-8-sig")
        assert 1234 == load({}).server.port

    def test_a_table_may_be_empty(self):
        """As it is when everything in it is commented out."""
        assert load({}) == written("[gitea]\n[ai]\n# model = 1\n[labels]\n")

    def test_the_environment_beats_the_file(self):
        """By the long name; of the same table the rest stays as in the file."""
        Path("bot.toml").write_text('[ai]\nmodel = "file"\nmax_text = 5000\n', encoding="utf-8")
        settings = load({"MOSAIC_AI__MODEL": "environment"})
        assert ("environment", 5000) == (settings.ai.model, settings.ai.max_text)

    def test_the_short_name_beats_the_long_one(self):
        """LOG_LEVEL is what people set by hand."""
        settings = load({"MOSAIC_LOG_LEVEL": "error", "LOG_LEVEL": "debug"})
        assert "debug" == settings.log_level

    def test_bot_config_names_another_file(self):
        """And bot.toml is not read then."""
        Path("bot.toml").write_text("nonsense = 1", encoding="utf-8")
        Path("other.toml").write_text("[server]\nport = 1234\n", encoding="utf-8")
        assert 1234 == load({"BOT_CONFIG": "other.toml"}).server.port
        assert 1234 == load({}, Path("other.toml")).server.port

    def test_the_environment_of_the_process_is_the_usual_one(self, monkeypatch):
        """Where none is handed in."""
        monkeypatch.setenv("PORT", "4321")
        assert 4321 == load().server.port

    def test_no_variable_of_the_process_comes_in_where_another_environment_is_given(
        self, monkeypatch
    ):
        """The demo shows the defaults, whatever is set around it."""
        monkeypatch.setenv("MOSAIC_AI__MODEL", "around")
        monkeypatch.setenv("PORT", "1")
        settings = load({})
        assert load({}, None).ai.model == settings.ai.model != "around"
        assert 8000 == settings.server.port

    @pytest.mark.parametrize(
        ("name", "value", "expected"),
        [
            ("GITEA_URL", "https://git.example.org/", "https://git.example.org"),
            ("GITEA_TOKEN", "t0ken", "t0ken"),
            ("GITEA_WEBHOOK_SECRET", "one,two", "one,two"),
            ("ANTHROPIC_API_KEY", "key", "key"),
            ("ANTHROPIC_BASE_URL", "http://proxy", "http://proxy"),
            ("DATABASE_URL", "sqlite:////data/x.db", "sqlite:////data/x.db"),
            ("LOG_LEVEL", "WARNING", "warning"),
            ("HOST", "127.0.0.1", "127.0.0.1"),
            ("PORT", "80", 80),
        ],
        ids=lambda value: value if isinstance(value, str) and value.isupper() else "",
    )
    def test_every_short_name_sets_its_setting(self, name, value, expected):
        """And an empty one sets nothing: compose files hand on what is not set as empty."""
        found = at(load({name: value}), SHORT_NAMES[name])
        assert expected == (
            found.get_secret_value() if hasattr(found, "get_secret_value") else found
        )
        assert at(load({}), SHORT_NAMES[name]) == at(load({name: ""}), SHORT_NAMES[name])

    def test_an_empty_variable_is_not_set(self):
        """Long names too."""
        assert load({}) == load({"MOSAIC_GITEA__CA_FILE": "", "MOSAIC_QUEUE__WORKERS": ""})

    def test_every_setting_has_a_long_name(self):
        """`MOSAIC_` and its path: each is taken, with its own default as the value."""
        for path in setting_paths():
            default = default_of(path)
            if default is None or isinstance(default, dict):
                continue
            name = "MOSAIC_" + "__".join(path).upper()
            value = default if isinstance(default, str) else reference._toml(default)
            assert at(load({}), path) == at(load({name: value}), path)

    @pytest.mark.parametrize(
        "url",
        [
            "sqlite:///x.db",
            "sqlite:////data/x.db",
            "postgres://u:p@h/x",
            "postgresql://u:p@h:5432/x?sslmode=require",
            "postgresql+psycopg://u:p@h/x",
        ],
    )
    def test_the_database_may_be_either(self, url):
        """PostgreSQL also as other programs write it."""
        assert url == load({"DATABASE_URL": url}).database_url

    def test_a_secret_may_stand_in_a_file(self, tmp_path):
        """As container platforms hand them in; the line's end is not part of it."""
        (tmp_path / "token").write_text("t0ken\n", encoding="utf-8")
        settings = load({"GITEA_TOKEN_FILE": str(tmp_path / "token"), "GITEA_TOKEN": ""})
        assert "t0ken" == settings.gitea.token.get_secret_value()

    def test_a_file_for_what_is_no_secret_is_not_asked_for(self):
        """PORT_FILE means nothing."""
        assert 8000 == load({"PORT_FILE": "/there/is/none"}).server.port

    @pytest.mark.parametrize("name", sorted(set(FILES)))
    def test_every_secret_may(self, tmp_path, name):
        """The database's address too: it holds a password."""
        (tmp_path / "secret").write_bytes(b"\xef\xbb\xbfpostgresql://u:s3cret@h/x\r\n")
        found = at(load({f"{name}_FILE": str(tmp_path / "secret")}), SHORT_NAMES[name])
        found = found if isinstance(found, str) else found.get_secret_value()
        assert "postgresql://u:s3cret@h/x" == found

    @pytest.mark.parametrize(
        ("content", "expected"),
        [
            (None, "cannot be read: No such file or directory"),
            (b"\xff\xfe\xfa", "cannot be read: it is no text"),
            (b"", "is empty"),
            (b" \n", "is empty"),
            (b"x" * 70_000, "is too large for a secret"),
        ],
        ids=["absent", "no text", "empty", "blank", "large"],
    )
    def test_a_secret_file_that_will_not_do_is_named(self, tmp_path, content, expected):
        """With the variable that names it, and nothing of what stands in it."""
        if content is not None:
            (tmp_path / "token").write_bytes(content)
        said = wrong(GITEA_TOKEN_FILE=str(tmp_path / "token"))
        assert f"GITEA_TOKEN_FILE: {tmp_path / 'token'} {expected}" == said

    @pytest.mark.parametrize(
        ("path", "expected"),
        [("/", "/ cannot be read: Is a directory"), ("a\0b", "cannot be read: that is no file's name")],
    )  # fmt: skip
    def test_what_is_no_file_is_told(self, path, expected):
        assert expected in wrong(GITEA_TOKEN_FILE=path)

    def test_a_variable_and_its_file_are_too_much(self, tmp_path):
        """Nobody can tell which is meant. All that is wrong is told at once."""
        said = wrong(
            "qqqqqqqqqqqq = 1", GITEA_TOKEN="x", GITEA_TOKEN_FILE="y", ANTHROPIC_API_KEY_FILE="/no"
        )
        assert [
            "bot.toml: there is no setting qqqqqqqqqqqq",
            "GITEA_TOKEN and GITEA_TOKEN_FILE are both set; unset one of them",
            "ANTHROPIC_API_KEY_FILE: /no cannot be read: No such file or directory",
        ] == said.splitlines()


def at(settings: object, path: tuple[str, ...]) -> object:
    for name in path:
        settings = getattr(settings, name)
    return settings


def default_of(path: tuple[str, ...]) -> object:
    """As it is written in the code."""
    found = at(load({}), path)
    if path in SECRETS:
        return "s3cret" if found is None else found.get_secret_value()
    kind = type(at(load({}), path[:-1]))
    default = kind.model_fields[path[-1]].default
    return found if isinstance(found, dict) else default


class TestWrongSettings:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("recheck_evry = 1", "bot.toml: there is no setting recheck_evry; did you mean recheck_every?"),
            ("[ai]\nmodell = 1", "bot.toml: there is no setting ai.modell; did you mean ai.model?"),
            ("[limit]\nsmall = 1", "bot.toml: there is no setting limit.small; did you mean limits.small?"),
            ("gitea = 1", "did you mean gitea."),
            ("qqqqqqqqqqqq = 1", "bot.toml: there is no setting qqqqqqqqqqqq"),
            ('[gitea]\ntoken = "x"', "bot.toml: gitea.token is a secret: set it in the environment instead"),
            ("[ai]\napi_key = 1", "bot.toml: ai.api_key is a secret"),
            ("recheck_every = 300", 'recheck_every: a duration is written like "90s", "5m" or "1h"'),
            ('recheck_every = "5 minutes"', "recheck_every: a duration is written like"),
            ('recheck_every = "0s"', "recheck_every: must be longer than nothing"),
            ('recheck_every = "99999999999d"', "recheck_every: must be at most a year"),
            ('recheck_every = "367d"', "recheck_every: must be at most a year"),
            ('[server]\nmax_body = "8MB"', 'server.max_body: a size is written like "8MiB" or "512KiB"'),
            ('[server]\nmax_body = "1KiB"\nport = 65536', "server.port"),
            ('[server]\nmax_body = "512"', "server.max_body"),
            ("[limits]\nsmall = 60000", "limits: small, medium and large must ascend"),
            ("[limits]\nshare = 0", "limits.share"),
            ("[limits]\nshare = nan", "limits.share"),
            ('[labels]\nstatus = "Context"', "labels: every scope needs a name of its own"),
            ('[labels]\nstatus = "a,b"', "labels: a scope is 1 to 30 characters that can be seen, without a comma"),
            ('[labels]\nstatus = ""', "labels: a scope is 1 to 30 characters that can be seen, without a comma"),
            ('[gitea]\nurl = "git.example.org"', "gitea.url: must begin with http:// or https:// and name a host"),
            ('log_level = "loud"', "log_level: Input should be 'debug', 'info', 'warning' or 'error'"),
            ("log_level = 7", "log_level: Input should be"),
            ('database_url = "mysql://x/y"', "database_url: must be sqlite:///PATH or postgresql://"),
            ('database_url = "postgresql://h:port/x"', "database_url: must be sqlite:///PATH or postgresql://"),
            ('database_url = "sqlite:///:memory:"', "database_url: must be sqlite:///PATH or postgresql://"),
            ('database_url = "sqlite://"', "database_url: must be sqlite:///PATH or postgresql://"),
            ('database_url = "postgresql+asyncpg://h/x"', "database_url: must be sqlite:///PATH or postgresql://"),
            ('[agents."Big One"]\ncontext_limit = 5000\nprice_in = 1\nprice_out = 1', "agents: agent 'Big One': a name is lower case letters, digits, . _ -"),
            ("agents = {}", "agents: Dictionary should have at least 1 item"),
            ("[agents.x]\ncontext_limit = 5000\nprice_in = 1\nprice_out = 1\ndifficulties = []", "agents.x.difficulties"),
            ("[agents.x]\nprice_in = -1\nprice_out = 1", "agents.x.price_in"),
            ("[agents.x]\ncontext_limit = 5000\nprice_in = inf\nprice_out = 1", "agents.x.price_in"),
            ("[agents]\nx = 1", "agents.x"),
            ("[agents.x]\ncontext_limt = 1", "bot.toml: there is no setting agents.x.context_limt; did you mean agents.x.context_limit?"),
            ("a = [", "bot.toml: "),
        ],
    )  # fmt: skip
    def test_a_wrong_line_of_the_file_is_told(self, text, expected):
        """Where it stands, what is wrong, and the nearest name for an unknown one."""
        assert expected in wrong(text)

    @pytest.mark.parametrize(
        ("name", "value", "expected"),
        [
            ("MOSAIC_AI__MODELL", "x", "environment: there is no setting MOSAIC_AI__MODELL; did you mean MOSAIC_AI__MODEL?"),
            ("MOSAIC_AI", "{}", "environment: there is no setting MOSAIC_AI"),
            ("MOSAIC_AGENTS__GLM__ATONCE", "1", "environment: there is no setting MOSAIC_AGENTS__GLM__ATONCE; did you mean MOSAIC_AGENTS__GLM__AT_ONCE?"),
            ("MOSAIC_SERVER__PORT", "many", "server.port: Input should be a valid integer"),
            ("PORT", "many", "server.port"),
            ("PORT", "65536", "server.port (PORT): "),
            ("MOSAIC_GITEA__ALIASES", "http://x", "environment: MOSAIC_GITEA__ALIASES is not JSON"),
            ("MOSAIC_AGENTS", "{oops", "environment: MOSAIC_AGENTS is not JSON"),
            ("MOSAIC_AGENTS__BIG", "{oops", "environment: MOSAIC_AGENTS__BIG is not JSON"),
            ("LOG_LEVEL", "loud", "log_level"),
            ("BOT_CONFIG", "/there/is/none.toml", "/there/is/none.toml: there is no such file"),
            ("BOT_CONFIG", "/", "/: "),
        ],
    )  # fmt: skip
    def test_a_wrong_variable_is_told(self, name, value, expected):
        """By its name."""
        assert expected in wrong(**{name: value})

    def test_the_file_is_told_by_its_own_name(self):
        """BOT_CONFIG may name another one."""
        Path("other.toml").write_text('a1 = 1\n[gitea]\ntoken = "x"', encoding="utf-8")
        said = wrong(BOT_CONFIG="other.toml").splitlines()
        assert ["other.toml", "other.toml"] == [line.partition(":")[0] for line in said]

    def test_everything_that_is_wrong_is_told_at_once(self):
        """Nobody mends one line after the other."""
        assert 3 == len(wrong("a1 = 1\nb2 = 2\n[ai]\nc3 = 3").splitlines())
        assert 2 == len(wrong("[server]\nport = -1\n[queue]\nworkers = 0").splitlines())

    def test_what_was_written_is_not_repeated(self):
        """It may be a secret that was put in the wrong place."""
        assert "hunter2" not in wrong('[server]\nport = "hunter2"\n[ai]\nenabled = "hunter2"')
        assert "hunter2" not in wrong(GITEA_URL="hunter2", DATABASE_URL="hunter2", PORT="hunter2")

    def test_a_file_that_is_no_text_is_told(self):
        """Not in a traceback."""
        Path("bot.toml").write_bytes(b"\xff\xfe")
        with pytest.raises(ConfigError, match=r"bot\.toml: "):
            load({})

    def test_every_secret_is_known_as_one(self):
        """To be kept out of logs: the database's password too, however it is written."""
        settings = load({
            "GITEA_TOKEN": "t", "GITEA_WEBHOOK_SECRET": "one, two", "ANTHROPIC_API_KEY": "k",
            "DATABASE_URL": "postgresql://u:p%40ss@h/x",
        })  # fmt: skip
        assert {"t", "one", "two", "k", "p%40ss", "p@ss"} == settings.hidden
        assert frozenset() == load({}).hidden

    def test_secrets_do_not_show(self):
        """Not even where the settings are printed."""
        settings = load({"GITEA_TOKEN": "hunter2", "GITEA_WEBHOOK_SECRET": "hunter2", "ANTHROPIC_API_KEY": "hunter2"})  # fmt: skip
        assert "hunter2" not in repr(settings) + str(settings) + settings.model_dump_json()


@given(st.text(max_size=30))
def test_a_duration_is_read_or_refused(text):
    """Whatever is written there."""
    try:
        settings = load({"MOSAIC_RECHECK_EVERY": text})
    except ConfigError as error:
        assert str(error).startswith(("recheck_every", "MOSAIC_RECHECK_EVERY"))  # noqa: PT017
    else:
        assert settings.recheck_every > timedelta(0)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("50ms", 0.05), ("90s", 90), ("5m", 300), ("1.5h", 5400), ("7d", 604800), (" 2 s ", 2)],
)
def test_durations(text, seconds):
    """A number and a unit."""
    assert timedelta(seconds=seconds) == load({"MOSAIC_RECHECK_EVERY": text}).recheck_every


@pytest.mark.parametrize(
    ("text", "size"),
    [("2048", 2048), ("2048B", 2048), ("2KiB", 2048), ("8MiB", 8 * 2**20), ("1 GiB", 2**30)],
)
def test_sizes(text, size):
    """Bytes, or a number and a unit of 1024."""
    assert size == load({"MOSAIC_SERVER__MAX_BODY": text}).server.max_body


class TestAgents:
    ONE = "context_limit = 50000\nprice_in = 1.5\nprice_out = 2.0\n"

    def test_naming_one_in_the_file_replaces_all_defaults(self):
        """The roster is what stands there."""
        settings = written(f'[agents.local]\n{self.ONE}difficulties = ["easy"]\nat_once = 1')
        (agent,) = settings.roster
        assert ("local", 50_000, 1.5, 2.0, 1) == (
            agent.name, agent.context_limit, agent.price_in, agent.price_out, agent.at_once,
        )  # fmt: skip
        assert frozenset({Difficulty.EASY}) == agent.difficulties

    def test_one_that_says_no_more_takes_everything(self):
        """All difficulties, three at once."""
        (agent,) = written(f"[agents.local]\n{self.ONE}").roster
        assert (frozenset(Difficulty), 3) == (agent.difficulties, agent.at_once)

    def test_one_may_be_a_variable(self):
        """As JSON."""
        value = '{"context_limit": 50000, "price_in": 1, "price_out": 2, "difficulties": ["hard"]}'
        (agent,) = load({"MOSAIC_AGENTS__BIG": value}).roster
        assert ("big", frozenset({Difficulty.HARD})) == (agent.name, agent.difficulties)

    def test_all_may_be_a_variable(self):
        """As JSON; so names with a dot or a dash can be set."""
        value = '{"gpt-5.1": {"context_limit": 50000, "price_in": 1, "price_out": 2}}'
        assert ["gpt-5.1"] == [agent.name for agent in load({"MOSAIC_AGENTS": value}).roster]

    def test_a_variable_changes_one_value_of_one_in_the_file(self):
        """The rest stays."""
        Path("bot.toml").write_text(f"[agents.local]\n{self.ONE}", encoding="utf-8")
        (agent,) = load({"MOSAIC_AGENTS__LOCAL__AT_ONCE": "7"}).roster
        assert (7, 50_000) == (agent.at_once, agent.context_limit)

    def test_a_variable_does_not_thin_out_the_defaults(self):
        """One value of an agent that stands nowhere is an error that names the others."""
        assert "agents.glm.context_limit: Field required" in wrong(MOSAIC_AGENTS__GLM__AT_ONCE="7")


class TestGitea:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [("", []), ("one", ["one"]), ("one, two", ["one", "two"]), (",one,,", ["one"])],
    )
    def test_there_may_be_two_secrets(self, text, expected):
        """While one is replaced by the other."""
        secrets = load({"GITEA_WEBHOOK_SECRET": text}).gitea.secrets
        assert expected == [secret.get_secret_value() for secret in secrets]

    def test_it_is_known_under_all_its_addresses(self):
        """Without scheme, in lower case."""
        settings = load(
            {
                "GITEA_URL": "https://Git.Example.org/gitea/",
                "MOSAIC_GITEA__ALIASES": '["http://10.0.0.1:3000/"]',
            }
        )
        assert frozenset({"git.example.org/gitea", "10.0.0.1:3000"}) == settings.gitea.hosts


class TestReference:
    def test_the_file_that_is_shipped_sets_every_setting_to_its_default(self):
        """So one can see all of them, and it changes nothing."""
        text = (ROOT / "bot.toml").read_text(encoding="utf-8")
        assert load({}) == load({}, ROOT / "bot.toml")
        in_file = tomllib.loads(text)
        commented = set(re.findall(r"^# (\w+)(?: = |: set )", text, re.MULTILINE))
        for path in setting_paths():
            table = in_file
            for name in path[:-1]:
                table = table[name]
            assert path[-1] in table or path[-1] in commented, ".".join(path)
        assert {path[-1] for path in SECRETS} | {"ca_file", "base_url"} == commented

    def test_every_line_of_the_file_is_explained(self):
        """The line above says what it does; agents' values are explained by their page."""
        text = (ROOT / "bot.toml").read_text(encoding="utf-8").partition("[agents.")[0]
        lines = text.splitlines()
        for before, line in itertools.pairwise(lines):
            if " = " in line:
                assert re.fullmatch(r"# .+\.", before), line

    def test_both_are_current(self):
        """Else `python -m bot.reference` was forgotten."""
        page = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
        assert reference.settings_page() == page
        assert reference.settings_file() == (ROOT / "bot.toml").read_text(encoding="utf-8")
        page = (ROOT / "docs/repository-settings.md").read_text(encoding="utf-8")
        assert policy_page() == page

    def test_the_page_has_a_row_for_every_setting_with_its_variable(self):
        """Those that the code takes."""
        page = reference.settings_page()
        short = {path: name for name, path in SHORT_NAMES.items()}
        for path in setting_paths():
            if path == ("agents",):
                continue
            variable = short.get(path, "MOSAIC_" + "__".join(path).upper())
            assert re.search(
                rf"^\| `{'.'.join(path)}` \| .+ \| `{variable}` \| .+\.\S* \|$", page, re.MULTILINE
            )

    def test_every_setting_is_described(self):
        """In a sentence."""
        kinds = [Settings, *Section.__subclasses__()]
        for kind in kinds:
            for name, field in kind.model_fields.items():
                if not isinstance(field.default, Section):
                    assert (field.description or "").endswith("."), f"{kind.__name__}.{name}"

    def test_they_are_written_where_one_is(self):
        """`python -m bot.reference`."""
        Path("docs").mkdir()
        reference.main()
        assert reference.settings_file() == Path("bot.toml").read_text(encoding="utf-8")
        assert reference.settings_page() == Path("docs/settings.md").read_text(encoding="utf-8")

    def test_the_example_environment_knows_the_same_names(self):
        """Every short name, and no other but those of the compose file and BOT_CONFIG."""
        text = (ROOT / ".env.example").read_text(encoding="utf-8")
        names = set(re.findall(r"^#?([A-Z_]+)=", text, re.MULTILINE))
        assert set(SHORT_NAMES) | {"BOT_CONFIG", "POSTGRES_PASSWORD"} == names
