"""What a Gitea says of one file on the default branch; held against the embedded one, and a real."""

from __future__ import annotations

import base64
import hashlib

import httpx
import pytest
from pydantic import SecretStr

from bot.errors import Permanent
from bot.gitea.api import GiteaAPI
from bot.gitea.client import Gitea
from bot.models import POLICY_DIRECTORY, POLICY_FILE
from tests.forges import ForgeServer

TEXT = b"[limits]\nshare = 0.4\n"
SHA = hashlib.sha1(b"blob %d\0" % len(TEXT) + TEXT, usedforsecurity=False).hexdigest()


def api(server: ForgeServer) -> Gitea:
    token = server.limited_token("coordinator", "write:issue", "read:repository", "read:user")
    return Gitea(server.url, SecretStr(token))


async def test_it_is_named_alike_by_the_tree_and_by_itself(forge_server: ForgeServer) -> None:
    repo = await forge_server.repository(files={POLICY_FILE: TEXT})
    async with api(forge_server) as client:
        gitea = GiteaAPI(client)
        entry = (await gitea.tree(repo)).policy
        assert entry is not None
        assert (SHA, True, len(TEXT)) == (entry.sha, entry.is_file, entry.size)
        assert SHA == await gitea.policy_sha(repo)
        assert TEXT == await gitea.blob(repo, SHA)


async def test_where_there_is_none_it_has_no_name(forge_server: ForgeServer) -> None:
    repo = await forge_server.repository()
    owner = repo.partition("/")[0]
    await forge_server.api().do("POST", f"/orgs/{owner}/repos", {"name": "empty"})
    async with api(forge_server) as client:
        gitea = GiteaAPI(client)
        for name in (repo, f"{owner}/empty"):
            assert "" == await gitea.policy_sha(name)
            assert (await gitea.tree(name)).policy is None


async def test_a_directory_is_none(forge_server: ForgeServer) -> None:
    repo = await forge_server.repository(files={f"{POLICY_FILE}/x": b"x"})
    async with api(forge_server) as client:
        gitea = GiteaAPI(client)
        entry = (await gitea.tree(repo)).policy
        assert entry is not None
        assert ("tree", False) == (entry.type, entry.is_file)
        assert POLICY_DIRECTORY == await gitea.policy_sha(repo)


async def test_a_file_of_another_repository_is_not_given_out(forge_server: ForgeServer) -> None:
    """By its name alone: it has to be there."""
    await forge_server.repository(files={POLICY_FILE: TEXT})
    repo = await forge_server.repository()
    async with api(forge_server) as client:
        with pytest.raises(Permanent):
            await GiteaAPI(client).blob(repo, SHA)


async def test_another_default_branch_has_its_own(forge_server: ForgeServer) -> None:
    repo = await forge_server.repository(files={POLICY_FILE: TEXT})
    body = {
        "branch": "main",
        "new_branch": "other",
        "sha": SHA,
        "content": base64.b64encode(b"ai = false\n").decode(),
        "message": "Change it",
    }
    bob = forge_server.api("bob")
    await bob.do("PUT", f"/repos/{repo}/contents/{POLICY_FILE}", body)
    async with api(forge_server) as client:
        gitea = GiteaAPI(client)
        assert SHA == await gitea.policy_sha(repo)
        await forge_server.make_default(repo, "other")
        there = await gitea.policy_sha(repo)
        assert SHA != there
        entry = (await gitea.tree(repo)).policy
        assert entry is not None
        assert there == entry.sha
        assert b"ai = false\n" == await gitea.blob(repo, there)


async def test_who_may_not_push_cannot_change_it(forge_server: ForgeServer) -> None:
    repo = await forge_server.repository()
    body = {"content": base64.b64encode(TEXT).decode(), "message": "Mine"}
    mallory = forge_server.api("mallory")
    answer: httpx.Response = await mallory.post(f"/repos/{repo}/contents/{POLICY_FILE}", body)
    assert 403 == answer.status_code
