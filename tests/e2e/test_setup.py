"""Setting the bot up, from the first look to the test delivery, on the embedded forge."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from pydantic import SecretStr

from bot.demo.records import Right
from bot.gitea.scopes import SCOPES
from bot.metrics import Metrics
from bot.setup import delivery
from bot.setup import run as running
from bot.setup.labels import AT_ONCE
from bot.webhook import Webhook
from tests.e2e.setting_up import LABELS, REPO, Stage, stage_in

pytestmark = pytest.mark.counted


@pytest.fixture
async def stage(tmp_path) -> AsyncIterator[Stage]:
    """A forge with one repository, and a folder without `.env`."""
    async with stage_in(tmp_path) as found:
        yield found


class TestFirstTime:
    async def test_everything_is_there_afterwards(self, stage):
        """The user, a token with the least scopes, the right, the hook, the labels, `.env`."""
        assert await stage.setup(REPO)
        forge, values = stage.forge, stage.values
        token = forge.state.tokens[values["GITEA_TOKEN"]]
        assert ("coordinator", set(SCOPES)) == (token.user.login, token.scopes)
        repo = forge.repository(REPO)
        assert Right.ADMIN == repo.collaborators[token.user.id]
        (hook,) = forge.state.hooks.values()
        assert (repo, True, "json") == (hook.repository, hook.active, hook.content_type)
        assert values["GITEA_WEBHOOK_SECRET"] == hook.secret
        assert 64 == len(hook.secret)
        assert f"http://127.0.0.1:{stage.port}/webhook/gitea" == hook.url
        assert {spec.name for spec in LABELS} == {one.name for one in repo.labels.values()}
        assert forge.url == values["GITEA_URL"]
        assert 0o600 == stat.S_IMODE(stage.env.stat().st_mode)

    async def test_each_step_says_what_it_did(self, stage):
        await stage.setup(REPO)
        steps = [(line.step, line.mark.value) for line in stage.lines]
        assert [
            ("Gitea", "same"),
            ("User", "done"),
            ("Token", "done"),
            ("Right", "done"),
            ("Webhook", "done"),
            ("Labels", "done"),
            ("Settings", "done"),
            ("Delivery", "same"),
        ] == steps

    async def test_no_secret_is_said(self, stage):
        await stage.setup(REPO)
        told = str(stage.lines)
        secrets = (stage.values["GITEA_TOKEN"], stage.values["GITEA_WEBHOOK_SECRET"])
        assert not any(one in told for one in (*secrets, stage.forge.admin_token))

    async def test_twice_changes_nothing(self, stage):
        await stage.setup(REPO)
        before = stage.snapshot()
        assert await stage.setup(REPO)
        assert before == stage.snapshot()
        assert {"same"} == set(stage.marks())

    async def test_a_dry_run_changes_nothing(self, stage):
        before = stage.snapshot()
        assert await stage.setup(REPO, dry=True)
        assert before == stage.snapshot()
        assert ["same", *["would"] * 6] == stage.marks()
        assert "would make the user coordinator" in stage.said("would")
        asked = {one.method for one in stage.forge.requests}
        assert {"GET"} == asked

    async def test_other_lines_of_the_file_stay(self, stage):
        stage.env.write_text("# mine\nANTHROPIC_API_KEY='a b'\nexport GITEA_URL=old\n")
        stage.env.chmod(0o644)
        assert await stage.setup(REPO)
        lines = stage.env.read_text().splitlines()
        assert [
            "# mine",
            "ANTHROPIC_API_KEY='a b'",
            f"export GITEA_URL={stage.forge.url}",
        ] == lines[:3]
        assert 0o600 == stat.S_IMODE(stage.env.stat().st_mode)

    async def test_a_file_that_others_may_read_is_closed(self, stage):
        await stage.setup(REPO)
        stage.env.chmod(0o644)
        assert await stage.setup(REPO)
        assert f"made {stage.env} readable by you only" == stage.said("done")
        assert 0o600 == stat.S_IMODE(stage.env.stat().st_mode)

    async def test_without_labels_none_are_made(self, stage):
        assert await stage.setup(REPO, specs=())
        assert not stage.forge.repository(REPO).labels

    async def test_with_a_name_and_a_password(self, stage):
        stage.forge.user("root").password = "of root"
        stage.secret = "of root"
        assert await stage.setup(REPO, login="root")


class TestWhatIsThere:
    async def test_a_right_that_is_less_becomes_more(self, stage):
        stage.forge.add_user("coordinator")
        stage.forge.grant(REPO, "coordinator", "write")
        assert await stage.setup(REPO)
        user = stage.forge.user("coordinator")
        assert Right.ADMIN == stage.forge.repository(REPO).collaborators[user.id]

    async def test_only_missing_labels_are_made(self, stage):
        alice = stage.forge.act_as("alice", REPO)
        alice.create_label("Status/Ready")
        assert await stage.setup(REPO)
        names = [one.name for one in stage.forge.repository(REPO).labels.values()]
        assert ("Status/Ready", len(LABELS)) == (names[0], len(names))

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"active": False}, "it was switched off"),
            ({"events": frozenset({"push"})}, "it did not send issue_assign, "),
            ({"branch_filter": "main"}, "it sent only some branches"),
        ],
        ids=["off", "events", "branches"],
    )
    async def test_a_hook_is_mended_in_place(self, stage, change, said):
        await stage.setup(REPO)
        (hook,) = stage.forge.state.hooks.values()
        events = hook.events
        for name, value in change.items():
            setattr(hook, name, value)
        assert await stage.setup(REPO)
        assert said in stage.said("done")
        assert [hook] == list(stage.forge.state.hooks.values())
        assert (True, events) == (hook.active, hook.events)
        await stage.setup(REPO)
        assert {"same"} == set(stage.marks())

    async def test_more_events_than_needed_are_left(self, stage):
        await stage.setup(REPO)
        (hook,) = stage.forge.state.hooks.values()
        hook.events |= {"release"}
        await stage.setup(REPO)
        assert "release" in hook.events

    async def test_more_events_than_needed_are_left_when_others_are_missing(self, stage):
        await stage.setup(REPO)
        (hook,) = stage.forge.state.hooks.values()
        before = hook.events
        hook.events = {*hook.events, "release"} - {"push"}
        await stage.setup(REPO)
        assert {*before, "release"} == set(hook.events)

    async def test_a_hook_to_the_former_address_is_mended(self, stage):
        await stage.setup(REPO)
        (hook,) = stage.forge.state.hooks.values()
        assert await stage.setup(REPO, address=f"http://localhost:{stage.port}")
        assert [f"http://localhost:{stage.port}/webhook/gitea"] == [
            one.url for one in stage.forge.state.hooks.values()
        ]
        assert hook.url.startswith("http://localhost")

    async def test_of_two_hooks_one_goes(self, stage):
        await stage.setup(REPO)
        (hook,) = stage.forge.state.hooks.values()
        stage.forge.add_hook(hook.url, secret="x", repository=REPO)
        assert await stage.setup(REPO)
        assert [hook] == list(stage.forge.state.hooks.values())

    async def test_a_lost_file_makes_secret_and_token_anew(self, stage):
        """What they replace goes, once the new ones stand in the file."""
        await stage.setup(REPO)
        old = stage.values
        stage.env.unlink()
        assert await stage.setup(REPO)
        new = stage.values
        assert old["GITEA_WEBHOOK_SECRET"] != new["GITEA_WEBHOOK_SECRET"]
        bot = stage.forge.user("coordinator")
        assert [new["GITEA_TOKEN"]] == list(stage.forge.state.tokens_of(bot))
        (hook,) = stage.forge.state.hooks.values()
        assert new["GITEA_WEBHOOK_SECRET"] == hook.secret

    async def test_tokens_of_other_machines_stay(self, stage):
        await stage.setup(REPO)
        bot, state = stage.forge.user("coordinator"), stage.forge.state
        other = state.new_token(bot, frozenset({"all"}), "mosaic-coordinator@elsewhere")
        stage.env.unlink()
        await stage.setup(REPO)
        assert {other, stage.values["GITEA_TOKEN"]} == set(state.tokens_of(bot))

    async def test_both_secrets_stay_while_rotating(self, stage):
        await stage.setup(REPO)
        both = stage.values["GITEA_WEBHOOK_SECRET"] + ",next"
        text = stage.env.read_text().replace("\nMOSAIC", ",next\nMOSAIC")
        stage.env.write_text(text)
        assert await stage.setup(REPO)
        assert both == stage.values["GITEA_WEBHOOK_SECRET"]

    @pytest.mark.parametrize("scopes", [("read:issue", "read:user"), None], ids=["scope", "holder"])
    async def test_a_token_that_will_not_do_is_replaced(self, stage, scopes):
        forge = stage.forge
        forge.add_user("coordinator")
        wrong = forge.add_token("coordinator", *scopes) if scopes else forge.add_token("alice")
        assert await stage.setup(REPO, token=wrong)
        assert wrong != stage.values["GITEA_TOKEN"]


class TestWithoutTheSite:
    """Who sets it up is an administrator of the repository only."""

    @pytest.fixture(autouse=True)
    def _as_alice(self, stage):
        stage.secret = stage.forge.add_token("alice")

    async def test_the_bot_has_a_token_already(self, stage):
        token = stage.forge.add_user("coordinator", scopes=SCOPES)
        assert await stage.setup(REPO, token=token)
        assert token == stage.values["GITEA_TOKEN"]

    async def test_it_is_asked_for(self, stage):
        stage.other = stage.forge.add_user("coordinator", scopes=SCOPES)
        assert await stage.setup(REPO)
        assert (["coordinator"], stage.other) == (stage.asked, stage.values["GITEA_TOKEN"])

    @pytest.mark.parametrize(
        ("other", "said"),
        [
            ("", "GITEA_TOKEN is not set, and alice may not make one for coordinator."),
            ("root", "The token is root's, not coordinator's, and alice may not make one"),
            ("nobody", "The token is not accepted, and alice may not make one"),
        ],
    )
    async def test_else_it_is_said_how_to_get_one(self, stage, other, said):
        stage.forge.add_user("coordinator")
        stage.other = stage.forge.add_token("root") if other == "root" else other
        before = stage.snapshot()
        assert not await stage.setup(REPO)
        assert said in stage.said("wrong")
        assert "Sign in as coordinator" in stage.said("wrong")
        assert before == stage.snapshot()

    async def test_there_is_no_user(self, stage):
        assert not await stage.setup(REPO)
        assert "There is no user coordinator, and alice may not make one." in stage.said("wrong")

    async def test_not_for_the_whole_site(self, stage):
        assert not await stage.setup("system")
        assert "alice is no administrator of the site." in stage.said("wrong")

    async def test_the_bot_itself_may_make_its_token(self, stage):
        stage.secret = stage.forge.add_user("coordinator")
        stage.forge.grant(REPO, "coordinator", "admin")
        assert await stage.setup(REPO)
        assert set(SCOPES) == stage.forge.state.tokens[stage.values["GITEA_TOKEN"]].scopes


class TestOrganization:
    async def test_a_team_gives_the_right_everywhere_there(self, stage):
        stage.forge.add_repository("acme/lander")
        assert await stage.setup("acme")
        bot = stage.forge.user("coordinator")
        right = stage.forge.state.right(bot, stage.forge.repository("acme/lander"))
        assert right >= Right.ADMIN
        (hook,) = stage.forge.state.hooks.values()
        assert stage.forge.user("acme") is hook.organization
        for repo in ("acme/lander", REPO):
            assert len(LABELS) == len(stage.forge.repository(repo).labels)

    async def test_twice_changes_nothing(self, stage):
        await stage.setup("acme")
        before = stage.snapshot()
        assert await stage.setup("acme")
        assert before == stage.snapshot()

    async def test_the_hook_for_the_test_is_gone(self, stage):
        await stage.setup("acme")
        assert "A test delivery arrived" in stage.said("same")
        assert 1 == len(stage.forge.state.hooks)

    @pytest.mark.parametrize("suitable", [True, False])
    async def test_a_team_of_that_name_is_taken_if_it_will_do(self, stage, suitable):
        body = {"name": "Coordinator", "permission": "admin", "includes_all_repositories": suitable}
        async with stage.client(SecretStr(stage.forge.admin_token)) as root:
            await root.post("/orgs/acme/teams", body)
        assert suitable == await stage.setup("acme")
        if not suitable:
            said = "The team Coordinator of acme is there, but is no administrator of every"
            assert said in stage.said("wrong")

    async def test_one_repository_that_fails_stops_no_other(self, stage):
        stage.forge.add_repository("acme/lander")
        stage.forge.faults.add("GET", r"/repos/acme/lander/labels", status=500, message="ouch")
        assert not await stage.setup("acme")
        assert "ouch" in stage.said("wrong")
        assert len(LABELS) == len(stage.forge.repository(REPO).labels)

    async def test_no_half_set_of_labels_is_left_in_one(self, stage):
        stage.forge.faults.add("POST", f"/repos/{REPO}/labels", status=500, after=True)
        stage.forge.add_repository("acme/lander")
        assert not await stage.setup("acme")
        assert not stage.forge.repository(REPO).labels
        assert len(LABELS) == len(stage.forge.repository("acme/lander").labels)

    async def test_many_at_once(self, stage):
        for number in range(2 * AT_ONCE + 1):
            stage.forge.add_repository(f"acme/number{number}")
        assert await stage.setup("acme", dry=True)
        assert f"would make the labels in {2 * AT_ONCE + 2} repositories" in stage.said("would")
        assert await stage.setup("acme")

    async def test_archived_ones_get_none(self, stage):
        stage.forge.act_as("root", REPO).archive_repository()
        assert await stage.setup("acme")
        assert not stage.forge.repository(REPO).labels
        assert "No delivery was tested" in stage.said("note")


class TestSystem:
    async def test_the_bot_becomes_an_administrator(self, stage):
        assert await stage.setup("system")
        assert stage.forge.user("coordinator").is_admin
        (hook,) = stage.forge.state.hooks.values()
        assert "system" == hook.target
        await stage.setup("system")
        assert {"same", "note"} == set(stage.marks())

    async def test_only_if_one_agrees(self, stage):
        stage.answer = False
        before = stage.snapshot()
        assert not await stage.setup("system")
        assert "Make coordinator an administrator of the site?" in stage.asked[0]
        assert before == stage.snapshot()


class TestNothingIsLeft:
    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("POST", "/admin/users"),
            ("POST", "/users/coordinator/tokens"),
            ("PUT", "/collaborators/"),
            ("POST", "/hooks$"),
            ("POST", "/labels"),
        ],
        ids=["user", "token", "right", "hook", "labels"],
    )
    @pytest.mark.parametrize("after", [False, True], ids=["refused", "unanswered"])
    async def test_of_a_set_up_that_fails(self, stage, method, path, after):
        """Also when Gitea did what was asked, and the answer was lost."""
        before = stage.snapshot()
        stage.forge.faults.add(
            method, path, close=after, after=after, status=None if after else 500
        )
        assert not await stage.setup(REPO)
        assert before == stage.snapshot()
        assert await stage.setup(REPO)

    @pytest.mark.parametrize(
        ("method", "path"), [("POST", "/teams$"), ("PUT", "/members/"), ("POST", "/hooks$")]
    )
    async def test_of_one_for_an_organisation(self, stage, method, path):
        before = stage.snapshot()
        stage.forge.faults.add(method, path, close=True, after=True)
        assert not await stage.setup("acme")
        assert before == stage.snapshot()

    async def test_where_the_file_cannot_be_written(self, stage, monkeypatch):
        def full(path, text):
            raise running.Stop("the disk is full")

        before = stage.snapshot()
        real = running.write_env
        monkeypatch.setattr(running, "write_env", lambda p, t: full(p, t) if t else real(p, t))
        assert not await stage.setup(REPO)
        assert before == stage.snapshot()
        assert "undone" in stage.marks()

    async def test_where_it_is_interrupted(self, stage):
        before = stage.snapshot()
        stage.forge.faults.add("POST", "/hooks$", delay=0.3)
        work = asyncio.create_task(stage.setup(REPO))
        while "Right" not in {line.step for line in stage.lines}:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        assert before == stage.snapshot()

    @pytest.mark.parametrize("place", [REPO, "acme"])
    async def test_where_it_is_interrupted_among_labels(self, stage, place):
        """Those it had just asked for, too."""
        for number in range(2 * AT_ONCE):
            stage.forge.add_repository(f"acme/number{number}")
        before = stage.snapshot()
        stage.forge.faults.add("POST", "/labels$", delay=0.3, times=1)
        work = asyncio.create_task(stage.setup(place))
        while not any(r.labels for r in stage.forge.state.repositories.values()):
            await asyncio.sleep(0.01)
            assert not work.done()
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        assert before == stage.snapshot()

    @pytest.mark.parametrize(
        ("method", "path", "place"),
        [
            ("POST", "/hooks$", REPO),
            ("POST", "/labels$", REPO),
            ("POST", "/teams$", "acme"),
        ],
    )
    async def test_what_others_made_meanwhile_stays(self, stage, method, path, place):
        """Gitea refuses to make it twice, and it is not the bot's to remove."""
        stage.forge.faults.add(method, path, status=422, message="is there", after=True)
        assert not await stage.setup(place)
        state = stage.forge.state
        assert {
            "/hooks$": len(state.hooks) == 1,
            "/labels$": len(stage.forge.repository(REPO).labels) == 1,
            "/teams$": "coordinator" in {t.name for t in state.teams.values()},
        }[path]

    async def test_what_cannot_be_taken_back_is_told(self, stage):
        stage.forge.faults.add("POST", "/hooks$", status=500)
        stage.forge.faults.add("DELETE", "/collaborators/", status=500)
        assert not await stage.setup(REPO)
        assert "could not be taken back" in stage.said("wrong")

    async def test_a_right_is_as_it_was(self, stage):
        stage.forge.add_user("coordinator")
        stage.forge.grant(REPO, "coordinator", "write")
        stage.forge.faults.add("POST", "/hooks$", status=500)
        before = stage.snapshot()
        assert not await stage.setup(REPO)
        assert before == stage.snapshot()


class TestSaidBefore:
    """What stops it is told before anything is made."""

    async def stopped(self, stage: Stage, *places: str, **more: object) -> str:
        before = stage.snapshot()
        assert not await stage.setup(*(places or (REPO,)), **more)
        assert before == stage.snapshot()
        return stage.said("wrong")

    async def test_a_token_without_a_scope(self, stage):
        stage.secret = stage.forge.add_token("root", "write:repository", "write:user", "read:admin")
        assert "lacks the scope write:admin, write:issue." in await self.stopped(stage)

    async def test_a_token_that_cannot_read_its_user(self, stage):
        stage.secret = stage.forge.add_token("root", "write:admin")
        assert "The token lacks the scope read:user." in await self.stopped(stage)

    async def test_a_wrong_token(self, stage):
        stage.secret = "wrong"
        said = await self.stopped(stage)
        assert "Gitea does not accept the token, or the name and the password" in said
        assert "wrong" not in said.replace("wrong scope", "")

    async def test_an_unknown_repository(self, stage):
        said = await self.stopped(stage, "acme/nothing")
        assert "There is no repository acme/nothing, or root may not see it." in said

    async def test_an_unknown_organisation(self, stage):
        assert "There is no organisation nobody" in await self.stopped(stage, "nobody")

    async def test_a_repository_of_others(self, stage):
        stage.secret = stage.forge.add_user("bob")
        assert "bob is no administrator of acme/rocket." in await self.stopped(stage)

    async def test_an_archived_repository(self, stage):
        stage.forge.act_as("root", REPO).archive_repository()
        assert "acme/rocket is archived." in await self.stopped(stage)

    async def test_a_name_that_an_organisation_has(self, stage):
        assert "acme is an organisation" in await self.stopped(stage, bot="acme")

    async def test_a_user_who_is_switched_off(self, stage):
        stage.forge.add_user("coordinator")
        stage.forge.user("coordinator").switched_off = True
        assert "coordinator may not sign in" in await self.stopped(stage)

    async def test_a_file_that_is_read_only(self, stage):
        stage.env.write_text("")
        stage.env.chmod(0o400)
        assert "is read-only" in await self.stopped(stage)
        assert 0 == len(stage.forge.requests)

    async def test_a_secret_that_comes_from_a_file(self, stage):
        said = await self.stopped(stage, from_files=frozenset({"GITEA_TOKEN"}))
        assert "GITEA_TOKEN_FILE is set, so a new GITEA_TOKEN cannot stand in" in said

    async def test_what_is_no_gitea(self, stage):
        stage.forge.faults.add("GET", "/version", status=404)
        assert "That is no Gitea" in await self.stopped(stage)

    async def test_a_gitea_that_does_not_answer(self, stage):
        stage.forge.faults.add("GET", "/version", close=True)
        assert "Check the address, and that Gitea runs." in await self.stopped(stage)


async def test_a_variable_that_wins_over_the_file_is_told(stage):
    await stage.setup(REPO, environ={"GITEA_TOKEN": "other", "GITEA_URL": stage.forge.url})
    assert "GITEA_TOKEN is set in the environment to something else" in stage.said("note")
    assert "GITEA_URL" not in stage.said("note")


class TestMore:
    """--add, and several places."""

    async def test_more_repositories(self, stage):
        await stage.setup(REPO)
        stage.forge.add_repository("acme/lander")
        assert await stage.setup("acme/lander", adding=True)
        assert 2 == len(stage.forge.state.hooks)

    @pytest.mark.parametrize(
        ("token", "said"),
        [("", "GITEA_TOKEN is not set."), ("weak", "GITEA_TOKEN lacks write:issue")],
    )
    async def test_needs_a_bot(self, stage, token, said):
        if token:
            token = stage.forge.add_user("coordinator", scopes=SCOPES[1:])
        assert not await stage.setup(REPO, adding=True, token=token)
        assert said in stage.said("wrong")

    async def test_one_that_fails_stops_no_other(self, stage):
        assert not await stage.setup(REPO, "acme/nothing")
        assert "There is no repository acme/nothing" in stage.said("wrong")
        assert 1 == len(stage.forge.state.hooks)
        assert stage.values

    async def test_if_all_fail_nothing_is_left(self, stage):
        before = stage.snapshot()
        assert not await stage.setup("acme/nothing", "acme/neither")
        assert before == stage.snapshot()


class TestDelivery:
    async def test_a_hook_with_another_secret_is_made_anew(self, stage):
        await stage.setup(REPO)
        (hook,) = stage.forge.state.hooks.values()
        hook.secret = "another"
        assert await stage.setup(REPO)
        (new,) = stage.forge.state.hooks.values()
        assert new is not hook
        assert stage.values["GITEA_WEBHOOK_SECRET"] == new.secret

    async def test_nothing_arrives(self, stage, monkeypatch):
        """What was made stays: it is Gitea, or the address, that has to change."""
        monkeypatch.setattr(delivery, "WAIT", 0.3)
        assert not await stage.setup(REPO, address="http://127.0.0.1:1")
        assert "ALLOWED_HOST_LIST = external,127.0.0.1" in stage.said("wrong")
        assert 1 == len(stage.forge.state.hooks)
        assert stage.values

    async def test_another_program_has_the_port(self, stage):
        server = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", stage.port)
        async with server:
            assert not await stage.setup(REPO)
        assert "Another program is there" in stage.said("wrong")

    async def test_a_repository_without_a_commit(self, stage):
        async with stage.client(SecretStr(stage.forge.admin_token)) as root:
            await root.post("/orgs/acme/repos", {"name": "empty"})
        assert await stage.setup("acme/empty")
        assert "No delivery was tested" in stage.said("note")

    @pytest.mark.parametrize("knows", [True, False])
    async def test_of_a_bot_that_runs_the_metrics_tell(self, stage, knows):
        await stage.setup(REPO)
        before = stage.snapshot()
        secret = stage.values["GITEA_WEBHOOK_SECRET"] if knows else "another"
        metrics = Metrics()

        async def accept(_event: object) -> str:
            return "ignored"

        async def measured(_: web.Request) -> web.Response:
            return web.Response(body=metrics.page())

        webhook = Webhook(
            secrets=[SecretStr(secret)], max_body=2**20, accept=accept, observer=metrics
        )
        app = web.Application()
        app.router.add_post("/webhook/gitea", webhook.handle)
        app.router.add_get("/metrics", measured)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", stage.port).start()
        try:
            assert knows == await stage.setup(REPO)
        finally:
            await runner.cleanup()
        assert before == stage.snapshot()
        if not knows:
            assert "it knows another secret" in stage.said("wrong")


async def test_an_organisation_takes_what_its_test_delivery_takes(stage):
    """It goes through a webhook of a repository; that is known before anything is made."""
    scopes = ("write:user", "write:organization", "read:repository", "write:issue", "write:admin")
    stage.secret = stage.forge.add_token("root", *scopes)
    before = stage.snapshot()
    assert not await stage.setup("acme")
    assert "root's token lacks the scope write:repository." in stage.said("wrong")
    assert before == stage.snapshot()


class TestRemoval:
    @pytest.mark.parametrize("places", [(REPO,), ("acme",), ("system",), (REPO, "acme", "system")])
    async def test_nothing_is_left(self, stage, places):
        before = stage.snapshot()
        await stage.setup(*places)
        assert await stage.remove(labels=True, user=True)
        assert before == stage.snapshot()

    async def test_a_dry_run_changes_nothing(self, stage):
        await stage.setup(REPO)
        before = stage.snapshot()
        assert await stage.remove(dry=True, labels=True, user=True)
        assert before == stage.snapshot()
        assert stage.said("would").startswith("would remove the webhook of acme/rocket to http")

    async def test_only_if_one_agrees(self, stage):
        await stage.setup(REPO)
        before, stage.answer = stage.snapshot(), False
        assert not await stage.remove()
        assert [
            "Take coordinator away from acme/rocket? Its token is deleted, and its settings go from .env."
        ] == stage.asked
        assert before == stage.snapshot()

    async def test_the_question_says_all_that_goes(self, stage):
        await stage.setup(REPO, "system")
        stage.answer = False
        await stage.remove(labels=True, user=True)
        assert (
            "Take coordinator away from acme/rocket, the whole Gitea? Its labels are removed from "
            "every issue there. It is no administrator of the site any more. Its token is deleted, "
            "and its settings go from .env. Its user is deleted."
        ) == stage.asked[-1]

    async def test_the_token_goes_also_where_the_machine_has_another_name(self, stage):
        """As a container has each time it is made."""
        await stage.setup(REPO)
        token = stage.values["GITEA_TOKEN"]
        assert await stage.remove(host="elsewhere")
        assert token not in stage.forge.state.tokens

    async def test_from_one_place_only(self, stage):
        stage.forge.add_repository("acme/lander")
        await stage.setup(REPO, "acme/lander")
        assert await stage.remove("acme/lander")
        (hook,) = stage.forge.state.hooks.values()
        assert REPO == hook.repository.full_name
        assert stage.values["GITEA_TOKEN"] in stage.forge.state.tokens

    async def test_labels_of_people_stay(self, stage):
        alice = stage.forge.act_as("alice", REPO)
        alice.create_label("status/ready")
        await stage.setup(REPO)
        assert await stage.remove(labels=True)
        assert ["status/ready"] == [
            one.name for one in stage.forge.repository(REPO).labels.values()
        ]

    async def test_labels_and_the_user_stay_unless_said(self, stage):
        await stage.setup(REPO)
        assert await stage.remove()
        assert len(LABELS) == len(stage.forge.repository(REPO).labels)
        assert "The user coordinator is left" in stage.said("note")

    async def test_of_the_organisation_all_repositories_lose_them(self, stage):
        await stage.setup("acme")
        assert await stage.remove("acme", labels=True)
        assert not stage.forge.repository(REPO).labels

    async def test_other_lines_of_the_file_stay(self, stage):
        stage.env.write_text("OTHER=1\n")
        await stage.setup(REPO)
        await stage.remove()
        assert "OTHER=1\n" == stage.env.read_text()

    async def test_what_cannot_be_taken_away_keeps_the_token(self, stage):
        await stage.setup(REPO)
        stage.forge.faults.add("DELETE", "/hooks/", status=500, message="ouch")
        assert not await stage.remove()
        assert "ouch" in stage.said("wrong")
        assert stage.values["GITEA_TOKEN"] in stage.forge.state.tokens
        assert not stage.forge.repository(REPO).collaborators.keys() - {
            stage.forge.user("alice").id
        }

    async def test_without_the_site_the_token_stays(self, stage):
        stage.secret = stage.forge.add_token("alice")
        token = stage.forge.add_user("coordinator", scopes=SCOPES)
        await stage.setup(REPO, token=token)
        assert await stage.remove()
        assert "the webhooks of acme may not be seen" in stage.said("note")
        assert stage.values["GITEA_WEBHOOK_SECRET"]
        assert token in stage.forge.state.tokens

    async def test_of_a_team_that_has_others_only_the_bot_goes(self, stage):
        await stage.setup("acme")
        team = next(t for t in stage.forge.state.teams.values() if t.name == "coordinator")
        team.members.append(stage.forge.user("alice"))
        assert await stage.remove()
        assert ["alice"] == [one.login for one in team.members]

    async def test_nothing_is_there(self, stage):
        assert await stage.remove()
        assert ["same"] == stage.marks()

    async def test_a_token_that_is_void_still_lets_it_be_found(self, stage):
        await stage.setup(REPO)
        del stage.forge.state.tokens[stage.values["GITEA_TOKEN"]]
        assert await stage.remove()
        assert not stage.forge.state.hooks

    @pytest.mark.parametrize("path", ["/hooks", "/user/repos", "/users/coordinator"])
    async def test_what_cannot_be_looked_at_is_not_taken_for_nothing(self, stage, path):
        await stage.setup(REPO)
        before = stage.snapshot()
        stage.forge.faults.add("GET", path, status=503, message="ouch")
        assert not await stage.remove()
        assert "ouch" in stage.said("wrong")
        assert before == stage.snapshot()

    async def test_a_place_that_may_not_be_seen_keeps_the_token(self, stage):
        await stage.setup(REPO)
        stage.forge.faults.add("GET", f"/repos/{REPO}/hooks", status=403, message="not you")
        before = stage.snapshot()
        assert await stage.remove()
        assert "the webhooks of acme/rocket may not be seen" in stage.said("note")
        assert before == stage.snapshot()
