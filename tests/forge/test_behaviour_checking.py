"""What `check` rests on, with the bot's own token: the embedded forge and a real Gitea alike."""

from __future__ import annotations

import re

import pytest

from tests.forge.scenes import label, opened
from tests.forges import PEOPLE, Api, ForgeServer, Receiver

LEAST = ("write:issue", "read:repository", "read:user")
ALL = ["issues", "pull_request", "push", "repository"]


@pytest.fixture
async def repo(forge_server: ForgeServer, receiver: Receiver) -> str:
    """A repository that tells the receiver of everything, and whose administrator the bot is."""
    full_name = await forge_server.repository(people={**PEOPLE, "coordinator": "admin"})
    await forge_server.hook(f"/repos/{full_name}", receiver.url, ALL)
    return full_name


@pytest.fixture
def bot(forge_server: ForgeServer) -> Api:
    return forge_server.api_with(forge_server.limited_token("coordinator", *LEAST))


class TestDelivery:
    async def test_labels_that_are_none_are_told_and_change_nothing(
        self, forge_server: ForgeServer, receiver: Receiver, repo: str, bot: Api
    ) -> None:
        """Not the issue, nor its history; nobody is notified."""
        alice = forge_server.api("alice")
        await label(alice, repo, "status/ready", exclusive=True)
        await opened(alice, repo, "One", labels=[])
        await alice.do("POST", f"/repos/{repo}/issues/1/labels", {"labels": ["status/ready"]})
        await receiver.next("issue_label.label_updated")
        before = await self._state(alice, repo)
        came = len(receiver.received)
        answer = await bot.do("POST", f"/repos/{repo}/issues/1/labels", {"labels": []})
        assert ["status/ready"] == [one["name"] for one in answer]
        one = (await receiver.count(came + 1))[came]
        assert ("issue_label.label_updated", "coordinator") == (
            one.name,
            one.payload["sender"]["login"],
        )
        assert ["status/ready"] == [found["name"] for found in one.payload["issue"]["labels"]]
        assert before == await self._state(alice, repo)

    async def _state(self, api: Api, repo: str) -> object:
        issue = await api.read(f"/repos/{repo}/issues/1")
        timeline = await api.read(f"/repos/{repo}/issues/1/timeline")
        return issue["updated_at"], len(timeline or [])

    async def test_a_comment_s_own_words_again_are_not_told(
        self, receiver: Receiver, repo: str, bot: Api
    ) -> None:
        """From 1.24 on; 1.22 tells them."""
        version = (await bot.read("/version"))["version"]
        if version.startswith("1.22."):
            pytest.skip(f"Gitea {version} tells them")
        await opened(bot, repo, "One")
        made = await bot.do("POST", f"/repos/{repo}/issues/1/comments", {"body": "as it is"})
        await receiver.next("issue_comment.created")
        path = f"/repos/{repo}/issues/comments/{made['id']}"
        await bot.do("PATCH", path, {"body": "as it is"})
        await bot.do("POST", f"/repos/{repo}/issues/1/labels", {"labels": []})
        await receiver.next("issue_label.label_updated")
        assert "issue_comment.edited" not in receiver.names

    async def test_it_takes_a_writer(self, forge_server: ForgeServer, repo: str, bot: Api) -> None:
        await opened(bot, repo, "One")
        path = f"/repos/{repo}/issues/1/labels"
        refused = await forge_server.api("mallory").post(path, {"labels": []})
        assert 403 == refused.status_code


class TestWebhooks:
    async def test_an_administrator_of_the_repository_reads_its_own(
        self, receiver: Receiver, repo: str, bot: Api
    ) -> None:
        (hook,) = await bot.read(f"/repos/{repo}/hooks")
        assert (receiver.url, True) == (hook["config"]["url"], hook["active"])

    async def test_those_of_the_organisation_and_the_site_need_other_scopes(
        self, repo: str, bot: Api
    ) -> None:
        owner = repo.partition("/")[0]
        for path, scope in ((f"/orgs/{owner}/hooks", "organization"), ("/admin/hooks", "admin")):
            answer = await bot.get(path)
            assert 403 == answer.status_code
            assert f"read:{scope}" in answer.json()["message"]

    async def test_a_writer_may_not(self, forge_server: ForgeServer, repo: str) -> None:
        token = forge_server.limited_token("bob", *LEAST)
        answer = await forge_server.api_with(token).get(f"/repos/{repo}/hooks")
        assert 403 == answer.status_code


class TestToken:
    async def test_the_version_is_told_to_the_least_scopes(self, bot: Api) -> None:
        assert re.match(r"\d+\.\d+", (await bot.read("/version"))["version"])

    @pytest.mark.parametrize(
        ("path", "scopes", "lacking"),
        [
            ("/user", ("write:issue", "read:repository"), "read:user"),
            ("/repos/issues/search", ("read:repository", "read:user"), "read:issue"),
            ("/repos/{repo}", ("write:issue", "read:user"), "read:repository"),
        ],
    )
    async def test_a_scope_that_is_lacking_is_named(
        self, forge_server: ForgeServer, repo: str, path: str, scopes: tuple[str], lacking: str
    ) -> None:
        api = forge_server.api_with(forge_server.limited_token("coordinator", *scopes))
        answer = await api.get(path.format(repo=repo))
        assert 403 == answer.status_code
        assert "required scope(s)" in answer.json()["message"]
        assert f"[{lacking}]" in answer.json()["message"]

    async def test_whoever_is_switched_off_is_told_so(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        login = f"off-{repo.partition('/')[0]}"
        api = forge_server.api_with(forge_server.limited_token(login, *LEAST))
        body = {"prohibit_login": True, "login_name": login, "source_id": 0}
        await forge_server.api().do("PATCH", f"/admin/users/{login}", body)
        for path in ("/version", "/user"):
            answer = await api.get(path)
            assert 403 == answer.status_code
            assert "prohibited from signing in" in answer.json()["message"]
