"""What Gitea does with native dependencies: the embedded forge and a real Gitea alike."""

from __future__ import annotations

import pytest

from tests.forge.scenes import meant, opened
from tests.forges import ForgeServer


class TestDependencies:
    @pytest.fixture
    async def repo(self, forge_server: ForgeServer) -> str:
        repo = await forge_server.repository()
        await opened(forge_server.api("bob"), repo, "one", "two", "three")
        return repo

    async def test_are_seen_from_both_ends(self, forge_server: ForgeServer, repo: str) -> None:
        bob = forge_server.api("bob")
        answer = await bob.post(f"/repos/{repo}/issues/2/dependencies", meant(repo, 1))
        assert (201, 2) == (answer.status_code, answer.json()["number"])
        waits = await bob.get(f"/repos/{repo}/issues/2/dependencies")
        assert ([1], "1") == (
            [issue["number"] for issue in waits.json()],
            waits.headers["X-Total-Count"],
        )
        blocks = await bob.get(f"/repos/{repo}/issues/1/blocks")
        assert [2] == [issue["number"] for issue in blocks.json()]
        assert "X-Total-Count" not in blocks.headers

    async def test_can_be_made_from_the_other_end(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        bob = forge_server.api("bob")
        await bob.do("POST", f"/repos/{repo}/issues/1/blocks", meant(repo, 2))
        path = f"/repos/{repo}/issues/2/dependencies"
        assert [1] == [issue["number"] for issue in await bob.read(path)]
        assert (
            201 == (await bob.delete(f"/repos/{repo}/issues/1/blocks", meant(repo, 2))).status_code
        )
        assert [] == await bob.read(path)

    async def test_a_repeat_and_a_direct_cycle_are_500_with_nothing_said(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        bob = forge_server.api("bob")
        await bob.do("POST", f"/repos/{repo}/issues/2/dependencies", meant(repo, 1))
        for number, other in ((2, 1), (1, 2)):
            path = f"/repos/{repo}/issues/{number}/dependencies"
            answer = await bob.post(path, meant(repo, other))
            assert (500, "") == (answer.status_code, answer.json()["message"])

    async def test_removing_one_that_is_not_there_is_500(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        path = f"/repos/{repo}/issues/2/dependencies"
        answer = await forge_server.api("bob").delete(path, meant(repo, 1))
        assert (500, "") == (answer.status_code, answer.json()["message"])

    async def test_longer_cycles_and_oneself_are_accepted(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        bob = forge_server.api("bob")
        for number, other in ((1, 2), (2, 3), (3, 1), (3, 3)):
            path = f"/repos/{repo}/issues/{number}/dependencies"
            assert 201 == (await bob.post(path, meant(repo, other))).status_code

    @pytest.mark.parametrize(
        ("path", "body", "message"),
        [
            ("/2/dependencies", {"index": 99}, "IsErrIssueNotExist"),
            ("/99/dependencies", {}, "IsErrIssueNotExist"),
            ("/2/dependencies", {"repo": "nope"}, "IsErrRepoNotExist"),
        ],
        ids=["unknown blocker", "unknown issue", "unknown repository"],
    )
    async def test_what_does_not_exist_is_404(
        self, forge_server: ForgeServer, repo: str, path: str, body: dict[str, object], message: str
    ) -> None:
        answer = await forge_server.api("bob").post(
            f"/repos/{repo}/issues{path}", meant(repo, 1) | body
        )
        assert (404, message) == (answer.status_code, answer.json()["message"])
        assert 1 == len(answer.json()["errors"])

    async def test_what_one_may_not_write_or_see_is_404_too(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        path = f"/repos/{repo}/issues/2/dependencies"
        reader = await forge_server.api("mallory").post(path, meant(repo, 1))
        assert (404, "not found") == (reader.status_code, reader.json()["message"])
        hidden = await forge_server.repository(private=True, people={})
        await opened(forge_server.api(), hidden, "secret")
        blind = await forge_server.api("bob").post(path, meant(hidden, 1))
        assert (404, "not found") == (blind.status_code, blind.json()["message"])

    async def test_one_that_cannot_be_seen_is_listed_without_a_name(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        hidden = await forge_server.repository(private=True, people={})
        root = forge_server.api()
        await opened(root, hidden, "secret")
        path = f"/repos/{repo}/issues/2/dependencies"
        await root.do("POST", path, meant(hidden, 1))
        (for_writer,) = await forge_server.api("bob").read(path)
        assert (0, "", "", None) == tuple(
            for_writer[key] for key in ("number", "title", "state", "repository")
        )
        (for_reader,) = await forge_server.api("mallory").read(path)
        assert (0, "HIDDEN", "open", None) == tuple(
            for_reader[key] for key in ("number", "title", "state", "repository")
        )
        assert [] == await forge_server.api("bob").read(f"/repos/{repo}/issues/1/blocks")

    async def test_closing_what_still_waits_is_412(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        bob = forge_server.api("bob")
        await bob.do("POST", f"/repos/{repo}/issues/2/dependencies", meant(repo, 1))
        answer = await bob.patch(f"/repos/{repo}/issues/2", {"state": "closed"})
        assert 412 == answer.status_code
        assert answer.json()["message"].startswith("cannot close this issue")
        await bob.do("PATCH", f"/repos/{repo}/issues/1", {"state": "closed"})
        closed = await bob.do("PATCH", f"/repos/{repo}/issues/2", {"state": "closed"})
        assert "closed" == closed["state"]
