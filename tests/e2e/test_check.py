"""What `check` says of Gitea's side, on the embedded forge: all is well, then one thing is not."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from aiohttp import web
from pydantic import SecretStr

from bot.app import gitea_client, utc_now
from bot.check import gitea as checking
from bot.check.finding import Finding, Grade
from bot.check.forge import forge_findings
from bot.config import Settings, load
from bot.demo.forge import Forge, serve
from bot.demo.records import Hook
from bot.gitea.scopes import SCOPES
from bot.metrics import Metrics
from bot.webhook import Webhook
from tests.gitea_server import free_port

pytestmark = pytest.mark.counted

REPO, BOT, SECRET = "acme/rocket", "coordinator", "secret-of-the-hook"


@dataclass
class Scene:
    """A forge with a repository where the bot is at home, and what the bot has set."""

    forge: Forge
    environ: dict[str, str]
    hook: Hook

    @property
    def settings(self) -> Settings:
        return load(self.environ)

    async def found(self, *named: str, try_out: bool = True) -> list[Finding]:
        found = await forge_findings(
            self.settings, named, connect=gitea_client, now=utc_now(), try_out=try_out
        )
        assert all(one.why and one.what for one in found if one.grade is not Grade.GOOD)
        assert not any(secret in str(found) for secret in self.settings.hidden)
        return [*found]

    async def ids(self, *named: str) -> list[str]:
        return [one.id for one in await self.found(*named)]

    async def wrong(self, *named: str) -> dict[str, Grade]:
        found = await self.found(*named)
        return {one.id: one.grade for one in found if one.grade is not Grade.GOOD}

    def use(self, *scopes: str) -> None:
        self.environ["GITEA_TOKEN"] = self.forge.add_token(BOT, *scopes)


@pytest.fixture
async def scene(tmp_path, monkeypatch) -> AsyncIterator[Scene]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(checking, "WAIT", 0.5)
    monkeypatch.setattr(checking.delivery, "WAIT_FOR_OTHERS", 0.5)
    forge, port = Forge(), free_port()
    forge.add_user(BOT)
    forge.add_user("alice")
    forge.add_repository(REPO)
    forge.grant(REPO, "alice", "admin")
    forge.grant(REPO, BOT, "admin")
    forge.act_as("alice", REPO).open("One", "", assignees=[BOT])
    address = f"http://127.0.0.1:{port}"
    async with serve(forge) as url:
        environ = {
            "GITEA_URL": url,
            "GITEA_TOKEN": forge.add_token(BOT, *SCOPES),
            "GITEA_WEBHOOK_SECRET": SECRET,
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "MOSAIC_SERVER__URL": address,
        }
        forge.add_hook(f"{address}/webhook/gitea", secret=SECRET, repository=REPO)
        (hook,) = forge.state.hooks.values()
        yield Scene(forge, environ, hook)


@asynccontextmanager
async def bot_of(
    scene: Scene, *, secret: str = SECRET, shows_metrics: bool = True
) -> AsyncIterator[Metrics]:
    """What a bot that runs shows of itself."""
    metrics = Metrics()

    async def accept(_event: object) -> str:
        return "own"

    async def measured(_: web.Request) -> web.Response:
        return web.Response(body=metrics.page(), status=200 if shows_metrics else 403)

    async def health(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    webhook = Webhook(secrets=[SecretStr(secret)], max_body=2**20, accept=accept, observer=metrics)
    app = web.Application()
    app.router.add_post("/webhook/gitea", webhook.handle)
    app.router.add_get("/metrics", measured)
    app.router.add_get("/health", health)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", scene.settings.server.port).start()
    try:
        yield metrics
    finally:
        await runner.cleanup()


async def test_where_all_is_well_that_is_said(scene):
    """Nothing else is written than a label that is none."""
    await scene.forge.deliveries.settled()
    async with bot_of(scene):
        assert [
            "gitea.answers",
            "rights.administrator",
            "delivery.arrives",
        ] == await scene.ids()
    written = [(one.method, one.path) for one in scene.forge.requests if one.method != "GET"]
    assert (written[0]) == ("POST", f"/repos/{REPO}/issues/1/labels")
    assert [f"/repos/{REPO}/issues/1/dependencies"] == [path for _, path in written[1:]]


async def test_where_the_bot_does_not_run_check_receives_in_its_place(scene):
    found = await scene.found()
    assert "The bot does not run" in found[-1].what


class TestHook:
    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            ({"secret": "another"}, {"hook.secret": Grade.WRONG}),
            ({"active": False}, {"hook.off": Grade.WRONG}),
            ({"events": frozenset({"push", "issue_label"})}, {"hook.events": Grade.WRONG}),
            ({"url": "http://127.0.0.1:1/webhook/gitea"}, {"hook.elsewhere": Grade.WRONG}),
            ({"url": "http://127.0.0.1:1/other"}, {"hook.none": Grade.WRONG}),
            ({"branch_filter": "main"}, {"hook.branches": Grade.NOTE}),
            ({"content_type": "form"}, {}),
        ],
        ids=["secret", "off", "events", "elsewhere", "other", "branches", "form"],
    )
    async def test_what_is_wrong_with_it(self, scene, change, expected):
        for name, value in change.items():
            setattr(scene.hook, name, value)
        assert expected == await scene.wrong()

    async def test_without_the_event_that_is_tried_none_is(self, scene):
        scene.hook.events -= {"issue_label"}
        assert {"hook.events": Grade.NOTE} == await scene.wrong()

    async def test_a_second_one_to_the_same_address(self, scene):
        scene.forge.add_hook(scene.hook.url, secret=SECRET, repository=REPO)
        assert {"hook.twice": Grade.NOTE} == await scene.wrong()

    async def test_where_nothing_arrives_gitea_s_setting_is_named(self, scene):
        scene.hook.url = scene.environ["MOSAIC_SERVER__URL"] = "http://127.0.0.1:1"
        scene.hook.url += "/webhook/gitea"
        (one,) = [one for one in await scene.found() if one.grade is Grade.WRONG]
        assert "delivery.nothing" == one.id
        assert "    [webhook]\n    ALLOWED_HOST_LIST = external,127.0.0.1\n" in one.do

    async def test_one_of_the_organisation_will_do(self, scene):
        """It cannot be read, but what it sends arrives."""
        del scene.forge.state.hooks[scene.hook.id]
        scene.forge.add_hook(scene.hook.url, secret=SECRET, organization="acme")
        assert {} == await scene.wrong()

    async def test_where_it_cannot_be_tried_that_is_a_guess(self, scene):
        del scene.forge.state.hooks[scene.hook.id]
        scene.forge.add_repository("acme/empty")
        scene.forge.grant("acme/empty", BOT, "admin")
        expected = {"hook.none": Grade.NOTE, "delivery.untried": Grade.NOTE}
        assert expected == await scene.wrong("acme/empty")

    async def test_without_an_assigned_issue_any_will_do(self, scene):
        scene.forge.act_as("alice", REPO).assign(1)
        assert {} == await scene.wrong(REPO)

    async def test_without_an_address_any_hook_to_such_a_path_counts(self, scene):
        del scene.environ["MOSAIC_SERVER__URL"]
        assert {} == await scene.wrong()


class TestReceiver:
    async def test_a_bot_with_another_secret(self, scene):
        async with bot_of(scene, secret="another"):
            (one,) = [one for one in await scene.found() if one.grade is not Grade.GOOD]
        assert "hook.secret" == one.id
        assert one.do.startswith("Was .env changed since the bot was started?")

    async def test_what_it_refused_lately_is_told(self, scene):
        async with bot_of(scene) as metrics:
            metrics.delivery("unknown", "refused")
            assert {"delivery.refused_before": Grade.NOTE} == await scene.wrong()

    async def test_one_whose_metrics_cannot_be_read(self, scene):
        async with bot_of(scene, shows_metrics=False):
            assert {"delivery.unseen": Grade.NOTE} == await scene.wrong()

    async def test_a_port_that_another_program_has(self, scene):
        app = web.AppRunner(web.Application())
        await app.setup()
        await web.TCPSite(app, "127.0.0.1", scene.settings.server.port).start()
        try:
            assert {"delivery.unseen": Grade.NOTE} == await scene.wrong()
        finally:
            await app.cleanup()

    async def test_none_is_tried_where_that_is_not_asked_for(self, scene):
        found = await scene.found(try_out=False)
        assert ["gitea.answers", "rights.administrator"] == [one.id for one in found]

    async def test_without_a_secret_none_is_tried(self, scene):
        del scene.environ["GITEA_WEBHOOK_SECRET"]
        assert {"secret.unset": Grade.WRONG} == await scene.wrong()


class TestToken:
    @pytest.mark.parametrize(
        ("scopes", "expected"),
        [
            (("write:issue", "read:user"), {"token.scope": Grade.WRONG}),
            (("read:issue", "read:repository", "read:user"), {"token.scope": Grade.WRONG}),
            (("read:repository", "read:user"), {"token.scope": Grade.WRONG}),
            (("write:issue", "read:repository"), {"token.scope": Grade.WRONG}),
            (("all",), {"token.more": Grade.NOTE}),
            ((*SCOPES, "read:admin"), {"token.more": Grade.NOTE}),
            ((*SCOPES, "public-only"), {"token.public": Grade.NOTE}),
        ],
        ids=["repository", "reads", "issue", "user", "all", "more", "public"],
    )
    async def test_what_is_wrong_with_its_scopes(self, scene, scopes, expected):
        scene.use(*scopes)
        assert expected == await scene.wrong()

    async def test_of_several_that_it_lacks_one_finding_tells(self, scene):
        scene.use("read:issue", "read:user")
        [one] = [found for found in await scene.found() if found.id == "token.scope"]
        assert "The token lacks the scope write:issue, read:repository." == one.what

    async def test_where_tokens_are_not_listed_the_refusal_tells_the_scopes(self, scene):
        scene.forge.faults.add("GET", f"/users/{BOT}/tokens", status=404)
        scene.use(*SCOPES, "read:organization")
        found = {one.id: one.what for one in await scene.found()}
        assert "The token may more than it has to: read:organization." == found["token.more"]

    async def test_where_neither_tells_nothing_is_said(self, scene):
        scene.forge.faults.add("GET", f"/users/{BOT}/tokens", status=404)
        scene.forge.faults.add("GET", "/admin/hooks", status=404)
        assert {} == await scene.wrong()

    async def test_one_that_is_not_accepted(self, scene):
        scene.environ["GITEA_TOKEN"] = "0" * 40
        assert ["token.refused"] == await scene.ids()

    async def test_one_that_is_none(self, scene):
        scene.environ["GITEA_TOKEN"] = "strange tøken"
        assert ["gitea.setting"] == await scene.ids()

    async def test_a_user_who_is_switched_off(self, scene):
        scene.forge.user(BOT).switched_off = True
        assert ["user.disabled"] == await scene.ids()

    async def test_an_administrator_of_the_site(self, scene):
        scene.forge.user(BOT).is_admin = True
        assert {"user.administrator": Grade.NOTE} == await scene.wrong()


class TestRights:
    @pytest.mark.parametrize(
        ("right", "expected"),
        [("write", ["rights.write", "delivery.arrives"]), ("read", ["rights.none"])],
    )
    async def test_who_is_no_administrator(self, scene, right, expected):
        scene.forge.grant(REPO, BOT, right)
        assert ["gitea.answers", *expected] == await scene.ids(REPO)

    async def test_hundreds_of_repositories_are_told_together(self, scene):
        names = [REPO, *(f"acme/r{number:03}" for number in range(299))]
        for name in names[1:]:
            scene.forge.add_repository(name)
            scene.forge.grant(name, BOT, "admin")
        scene.forge.add_hook(scene.hook.url, secret=SECRET, organization="acme")
        found = await scene.found(*names)
        assert "300 repositories: the bot is an administrator." in [one.what for one in found]
        assert 6 > len(found)


class TestAddress:
    async def test_one_that_is_not_set(self, scene):
        del scene.environ["GITEA_URL"]
        assert ["address.unset"] == await scene.ids()

    async def test_a_token_that_is_not_set(self, scene):
        del scene.environ["GITEA_TOKEN"]
        assert ["token.unset"] == await scene.ids()

    @pytest.mark.parametrize(
        ("url", "expected"),
        [
            ("http://127.0.0.1:9", "address.refused"),
            ("{url}/git", "address.other"),
            ("https://{place}", "address.tls"),
        ],
    )
    async def test_one_that_is_wrong(self, scene, url, expected):
        place = scene.environ["GITEA_URL"].removeprefix("http://")
        scene.environ["GITEA_URL"] = url.format(url=scene.environ["GITEA_URL"], place=place)
        assert [expected] == await scene.ids()

    async def test_a_version_that_is_not_told(self, scene):
        message = "token does not have at least one of required scope(s): [read:misc]"
        scene.forge.faults.add("GET", "/version", status=403, message=message)
        found = await scene.found()
        assert "Gitea answers, and the bot is coordinator." == found[0].what

    async def test_a_gitea_that_fails_in_between(self, scene):
        scene.forge.faults.add("GET", f"/repos/{REPO}", status=404)
        assert ["gitea.answers", "repository.unseen"] == await scene.ids()


def test_a_finding_is_five_words_for_programs():
    assert ["id", "grade", "what", "why", "do"] == [one.name for one in dataclasses.fields(Finding)]
