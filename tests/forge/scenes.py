"""Scenes that several tests of a forge begin with, over its API."""

from __future__ import annotations

import asyncio

from tests.forges import Api


async def opened(api: Api, repo: str, *titles: str, **more: object) -> list[int]:
    """The numbers of new issues."""
    made = [await api.do("POST", f"/repos/{repo}/issues", {"title": t, **more}) for t in titles]
    return [issue["number"] for issue in made]


def meant(repo: str, number: int) -> dict[str, object]:
    """The body that names an issue on the dependency routes."""
    owner, _, name = repo.partition("/")
    return {"owner": owner, "repo": name, "index": number}


async def label(api: Api, repo: str, name: str, **more: object) -> int:
    """The id of a new label."""
    body = {"name": name, "color": "#00aabb", **more}
    made = await api.do("POST", f"/repos/{repo}/labels", body)
    return int(made["id"])


async def branch_and_pull(api: Api, repo: str, body: str = "", title: str = "Pull") -> int:
    """The number of a new pull request from a new branch."""
    branch = f"branch-{title.lower()}"
    file = {"content": "MQ==", "new_branch": branch, "message": "Add a file"}
    await api.do("POST", f"/repos/{repo}/contents/{branch}.py", file)
    wish = {"title": title, "head": branch, "base": "main", "body": body}
    return int((await api.do("POST", f"/repos/{repo}/pulls", wish))["number"])


async def until_mergeable(api: Api, path: str) -> None:
    """Return when a pull request can be merged; Gitea finds that out in the background."""
    async with asyncio.timeout(20):
        while not (await api.read(path))["mergeable"]:  # only asking tells
            await asyncio.sleep(0.05)
