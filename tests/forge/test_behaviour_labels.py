"""What Gitea does with labels: the embedded forge and a real Gitea alike."""

from __future__ import annotations

import pytest

from tests.forge.scenes import label, opened
from tests.forges import Api, ForgeServer


class TestLabels:
    @pytest.fixture
    async def repo(self, forge_server: ForgeServer) -> str:
        repo = await forge_server.repository()
        await opened(forge_server.api("bob"), repo, "one")
        return repo

    async def names(self, api: Api, repo: str) -> list[str]:
        return [one["name"] for one in await api.read(f"/repos/{repo}/issues/1/labels")]

    async def test_an_unknown_name_or_id_is_ignored(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        bob = forge_server.api("bob")
        for unknown in ("no-such-label", 999_999):
            path = f"/repos/{repo}/issues/1/labels"
            answer = await bob.post(path, {"labels": [unknown]})
            assert (200, []) == (answer.status_code, answer.json())

    async def test_a_name_may_exist_twice(self, forge_server: ForgeServer, repo: str) -> None:
        bob = forge_server.api("bob")
        first, second = await label(bob, repo, "twin"), await label(bob, repo, "twin")
        assert first != second
        assert 2 == len(await bob.read(f"/repos/{repo}/labels"))

    async def test_an_exclusive_one_replaces_those_of_its_scope(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        bob = forge_server.api("bob")
        for name in ("status/ready", "status/blocked", "size/small"):
            await label(bob, repo, name, exclusive=True)
        await label(bob, repo, "plain")
        path = f"/repos/{repo}/issues/1/labels"
        await bob.do("POST", path, {"labels": ["status/ready", "size/small", "plain"]})
        await bob.do("POST", path, {"labels": ["status/blocked"]})
        assert ["plain", "size/small", "status/blocked"] == await self.names(bob, repo)

    async def test_are_replaced_removed_and_cleared(
        self, forge_server: ForgeServer, repo: str
    ) -> None:
        bob = forge_server.api("bob")
        ids = {name: await label(bob, repo, name) for name in ("a", "b", "c")}
        path = f"/repos/{repo}/issues/1/labels"
        await bob.do("POST", path, {"labels": [ids["a"], ids["b"]]})
        assert ["a", "b"] == await self.names(bob, repo)
        await bob.do("PUT", path, {"labels": [ids["b"], ids["c"]]})
        assert ["b", "c"] == await self.names(bob, repo)
        assert 204 == (await bob.delete(f"{path}/{ids['b']}")).status_code
        assert 204 == (await bob.delete(f"{path}/{ids['b']}")).status_code, "again is no error"
        assert ["c"] == await self.names(bob, repo)
        assert 204 == (await bob.delete(path)).status_code
        assert [] == await self.names(bob, repo)
        assert 422 == (await bob.delete(f"{path}/999999")).status_code

    async def test_change_and_vanish(self, forge_server: ForgeServer, repo: str) -> None:
        bob = forge_server.api("bob")
        number = await label(bob, repo, "a", description="old")
        change = {"name": "z", "color": "#123456", "description": "new"}
        changed = await bob.do("PATCH", f"/repos/{repo}/labels/{number}", change)
        assert ("z", "123456", "new") == tuple(changed[k] for k in ("name", "color", "description"))
        await bob.do("POST", f"/repos/{repo}/issues/1/labels", {"labels": ["z"]})
        for _ in range(2):
            assert 204 == (await bob.delete(f"/repos/{repo}/labels/{number}")).status_code
        assert [] == await self.names(bob, repo)
        assert 404 == (await bob.get(f"/repos/{repo}/labels/{number}")).status_code

    @pytest.mark.parametrize(
        ("body", "status", "message"),
        [
            ({"name": "x", "color": "red"}, 422, "invalid color: #red"),
            ({"name": "", "color": "#fff"}, 422, "[Name]: Required"),
        ],
    )
    async def test_a_bad_one_is_422(
        self,
        forge_server: ForgeServer,
        repo: str,
        body: dict[str, str],
        status: int,
        message: str,
    ) -> None:
        answer = await forge_server.api("bob").post(f"/repos/{repo}/labels", body)
        assert (status, message) == (answer.status_code, answer.json()["message"])

    async def test_a_short_color_is_written_out(self, forge_server: ForgeServer, repo: str) -> None:
        made = await forge_server.api("bob").do(
            "POST", f"/repos/{repo}/labels", {"name": "x", "color": "ABC"}
        )
        assert "aabbcc" == made["color"]

    @pytest.mark.parametrize(
        "labels", [[1, "x"], [True]], ids=["ids and names", "neither id nor name"]
    )
    async def test_a_mixture_is_400(
        self, forge_server: ForgeServer, repo: str, labels: list[object]
    ) -> None:
        path = f"/repos/{repo}/issues/1/labels"
        assert 400 == (await forge_server.api("bob").post(path, {"labels": labels})).status_code

    async def test_a_reader_may_not(self, forge_server: ForgeServer, repo: str) -> None:
        mallory = forge_server.api("mallory")
        number = await label(forge_server.api("bob"), repo, "x")
        made = await mallory.post(f"/repos/{repo}/labels", {"name": "y", "color": "#fff"})
        assert (403, "user should have a permission to write to a repo") == (
            made.status_code,
            made.json()["message"],
        )
        path = f"/repos/{repo}/issues/1/labels"
        added = await mallory.post(path, {"labels": ["x"]})
        assert (403, "write permission is required") == (
            added.status_code,
            added.json()["message"],
        )
        for target in (path, f"{path}/{number}"):
            answer = await mallory.delete(target)
            assert (403, b"") == (answer.status_code, answer.content)
