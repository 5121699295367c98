"""The calls the bot makes, each named for what it does and typed by what comes back.

Facts about the routes were seen in Gitea 1.26.3. Every method raises a `GiteaError`: NotFound
also stands for what the bot may not see. A repository is `owner/name`; a renamed one is found
under its old name by what reads, not by what writes, so write to `Issue.ref`.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import TypedDict

from pydantic import TypeAdapter, ValidationError

from bot.errors import Conflict, NotFound, Permanent, Retryable
from bot.gitea.answers import read, unread
from bot.gitea.client import Gitea
from bot.gitea.models import (
    Blob,
    Comment,
    Content,
    Issue,
    Label,
    NativeDependencies,
    Permission,
    Repository,
    ServerSettings,
    TimelineEntry,
    Tree,
    TreeEntry,
    TreePage,
    User,
    Version,
)
from bot.gitea.sansio import JSON
from bot.models import POLICY_DIRECTORY, POLICY_FILE, IssueRef

REPO = "/repos/{owner}/{repo}"
ISSUE = REPO + "/issues/{number}"
COMMENT = REPO + "/issues/comments/{id}"
SEARCH = "/repos/issues/search"
MAX_TREE_PAGES = 50
MAX_TIMELINE = 20

_labels = TypeAdapter(list[Label])
_entries = TypeAdapter(list[TimelineEntry])


class GiteaAPI:
    """Gitea as the bot sees it, over a client that carries the bot's token."""

    def __init__(self, client: Gitea) -> None:
        self.client = client

    def time(self, ours: datetime) -> datetime | None:
        """What Gitea's clock shows when this machine's shows `ours`; None when it has not said.

        Never later than it really is, and about a second earlier at most.
        """
        ahead = self.client.ahead
        return None if ahead is None else ours + ahead

    @property
    def page_size(self) -> int:
        """How many items a page of a list holds."""
        return self.client.page_size

    async def me(self) -> User:
        """GET /user: the bot itself."""
        return read(User, await self.client.getitem("/user"))

    async def version(self) -> str:
        """GET /version, such as `1.26.3`."""
        return read(Version, await self.client.getitem("/version")).version

    async def settle(self) -> None:
        """GET /settings/api: ask for pages no larger than this server gives."""
        found = read(ServerSettings, await self.client.getitem("/settings/api"))
        self.client.page_size = min(self.client.page_size, found.max_response_items)

    async def repository(self, owner: str, repo: str) -> Repository:
        """GET /repos/{owner}/{repo}."""
        return read(Repository, await self.client.getitem(REPO, owner=owner, repo=repo))

    async def repository_by_id(self, forge_id: int) -> Repository:
        """GET /repositories/{id}: the repository of that id, whatever it is called now."""
        return read(Repository, await self.client.getitem("/repositories/{id}", id=forge_id))

    async def permission(self, repo: str, user: str) -> Permission:
        """GET /repos/{owner}/{repo}/collaborators/{user}/permission.

        Forbidden when the bot is no administrator of the repository; NotFound for an unknown
        user.
        """
        route = REPO + "/collaborators/{user}/permission"
        return read(Permission, await self.client.getitem(route, **within(repo), user=user))

    async def blob(self, repo: str, sha: str) -> bytes:
        """GET /repos/{owner}/{repo}/git/blobs/{sha}: what a file holds, by Git's name of it.

        Permanent (400) for one that is not there.
        """
        route = REPO + "/git/blobs/{sha}"
        found = read(Blob, await self.client.getitem(route, **within(repo), sha=sha))
        try:
            return base64.b64decode(found.content, validate=True)
        except ValueError:
            raise Permanent("a file came in no base64", method="GET", path=route) from None

    async def policy_sha(self, repo: str) -> str:
        """GET /repos/{owner}/{repo}/contents/.gitea/coordinator.toml, on the default branch.

        Git's name of it; empty where there is none, `directory` for one. Some versions answer an
        empty list for a repository without commits; Git keeps no empty directory. Of a file of many
        megabytes Gitea sends them all, which raises Permanent.
        """
        route = f"{REPO}/contents/{POLICY_FILE}"
        try:
            found = await self.client.getitem(route, **within(repo))
        except NotFound:
            return ""
        if isinstance(found, list):
            return POLICY_DIRECTORY if found else ""
        return read(Content, found).sha

    async def tree(self, repo: str, ref: str = "HEAD") -> Tree:
        """GET /repos/{owner}/{repo}/git/trees/{ref}?recursive=true, all pages.

        `ref` is a branch, a tag, a commit or HEAD. Empty for a repository without commits and
        for an unknown `ref`: Gitea answers 400 to both (409 in some versions).
        """
        sizes: dict[str, int] = {}
        policy: TreeEntry | None = None
        for page in range(1, MAX_TREE_PAGES + 1):
            try:
                found = await self._tree_page(repo, ref, page)
            except Permanent as error:
                if page == 1 and error.status in {400, 409}:
                    return Tree({})
                raise
            sizes |= {entry.path: entry.size for entry in found.tree if entry.type == "blob"}
            policy = next((one for one in found.tree if one.path == POLICY_FILE), policy)
            if not found.tree or not found.truncated:
                return Tree(sizes, policy=policy)
        return Tree(sizes, truncated=True, policy=policy)

    async def _tree_page(self, repo: str, ref: str, page: int) -> TreePage:
        route = REPO + "/git/trees/{ref}"
        answer = await self.client.getitem(
            route, **within(repo), ref=ref, recursive=True, page=page, per_page=1000
        )
        return read(TreePage, answer)

    async def issue(self, ref: IssueRef) -> Issue:
        """GET /repos/{owner}/{repo}/issues/{number}: an issue or a pull request."""
        return read(Issue, await self.client.getitem(ISSUE, **_at(ref)))

    async def create_issue(self, repo: str, title: str, body: str) -> Issue:
        """POST /repos/{owner}/{repo}/issues. Conflict for an empty title."""
        data: JSON = {"title": title, "body": _clean(body)}
        return read(Issue, await self.client.post(REPO + "/issues", data, **within(repo)))

    async def issues_since(self, repo: str, since: datetime) -> AsyncIterator[Issue]:
        """GET /repos/{owner}/{repo}/issues?state=all&since=: changed since then, both kinds.

        `updated_at` moves with a native dependency, labels, assignment and new comments; not
        with a comment's edit or a reaction. The newest issues come first, whatever changed.
        """
        route = REPO + "/issues"
        async for item in self.client.getiter(route, **within(repo), state="all", since=since):
            yield read(Issue, item)

    async def open_issues(self, repo: str) -> AsyncIterator[Issue]:
        """GET /repos/{owner}/{repo}/issues?state=open: what is open, both kinds."""
        async for item in self.client.getiter(REPO + "/issues", **within(repo), state="open"):
            yield read(Issue, item)

    async def count_open(self, repo: str) -> int | None:
        """How many issues and pull requests are open there; None where Gitea does not tell."""
        return await self.client.count(REPO + "/issues", **within(repo), state="open")

    async def assigned_issues(self, since: datetime | None = None) -> AsyncIterator[Issue]:
        """GET /repos/issues/search?assigned=true: open, assigned to the bot, everywhere.

        With `since`, only those that changed since then.
        """
        async for item in self.client.getiter(SEARCH, assigned=True, state="open", since=since):
            yield read(Issue, item)

    async def count_assigned(self, since: datetime) -> int | None:
        """How many `assigned_issues` there are; None where Gitea does not tell."""
        return await self.client.count(SEARCH, assigned=True, state="open", since=since)

    async def native_dependencies(self, ref: IssueRef) -> NativeDependencies:
        """GET …/issues/{number}/dependencies: what Gitea says it waits for.

        `off` where the repository has dependencies switched off: Gitea answers 404.
        """
        try:
            return await self._natives(ISSUE + "/dependencies", ref)
        except NotFound:
            return NativeDependencies(off=True)

    async def native_blockers(self, ref: IssueRef) -> list[Issue]:
        """GET …/issues/{number}/dependencies, only those the bot may see."""
        return list((await self.native_dependencies(ref)).issues)

    async def native_blocking(self, ref: IssueRef) -> NativeDependencies:
        """GET …/issues/{number}/blocks: what waits for it."""
        try:
            return await self._natives(ISSUE + "/blocks", ref)
        except NotFound:
            return NativeDependencies(off=True)

    async def _natives(self, route: str, ref: IssueRef) -> NativeDependencies:
        found = [read(Issue, item) async for item in self.client.getiter(route, **_at(ref))]
        seen = tuple(issue for issue in found if issue.visible)
        return NativeDependencies(seen, len(found) - len(seen))

    async def timeline(self, ref: IssueRef) -> AsyncIterator[TimelineEntry]:
        """GET …/issues/{number}/timeline, oldest first; at most `MAX_TIMELINE` pages.

        The total that Gitea tells is that of the page, and an empty page is `null`.
        """
        for page in range(1, MAX_TIMELINE + 1):
            size = self.client.page_size
            answer = await self.client.getitem(
                ISSUE + "/timeline", **_at(ref), page=page, limit=size
            )
            found = _entries.validate_python(answer or [])
            for entry in found:
                yield entry
            if len(found) < size:
                return

    async def add_dependency(self, ref: IssueRef, blocker: IssueRef) -> None:
        """POST …/issues/{number}/dependencies.

        Gitea answers 500 without a word when it is there already or would close a direct
        cycle: that is raised as Conflict. Longer cycles are accepted.
        """
        try:
            await self.client.post(ISSUE + "/dependencies", _meta(blocker), **_at(ref))
        except Retryable as error:
            raise _wordless(error, "is there already, or closes a cycle") from None

    async def remove_dependency(self, ref: IssueRef, blocker: IssueRef) -> None:
        """DELETE …/issues/{number}/dependencies; Conflict (a wordless 500) when not there."""
        try:
            await self.client.delete(ISSUE + "/dependencies", _meta(blocker), **_at(ref))
        except Retryable as error:
            raise _wordless(error, "is not there") from None

    async def comments(
        self, ref: IssueRef, *, since: datetime | None = None
    ) -> AsyncIterator[Comment]:
        """GET …/issues/{number}/comments, oldest first. Gitea sends all of them in one page.

        `since`: only those written or edited since then.
        """
        async for item in self.client.getiter(ISSUE + "/comments", **_at(ref), since=since):
            yield read(Comment, item)

    async def comments_since(self, repo: str, since: datetime) -> AsyncIterator[Comment]:
        """GET /repos/{owner}/{repo}/issues/comments?since=: written or edited since then."""
        route = REPO + "/issues/comments"
        async for item in self.client.getiter(route, **within(repo), since=since):
            yield read(Comment, item)

    async def comment(self, repo: str, comment_id: int) -> Comment:
        """GET /repos/{owner}/{repo}/issues/comments/{id}."""
        return read(Comment, await self.client.getitem(COMMENT, **within(repo), id=comment_id))

    async def create_comment(self, ref: IssueRef, body: str) -> Comment:
        """POST …/issues/{number}/comments. Conflict for an empty body."""
        answer = await self.client.post(ISSUE + "/comments", {"body": _clean(body)}, **_at(ref))
        return read(Comment, answer)

    async def edit_comment(self, repo: str, comment_id: int, body: str) -> Comment:
        """PATCH /repos/{owner}/{repo}/issues/comments/{id}; NotFound when it was deleted."""
        answer = await self.client.patch(
            COMMENT, {"body": _clean(body)}, **within(repo), id=comment_id
        )
        return read(Comment, answer)

    async def delete_comment(self, repo: str, comment_id: int) -> None:
        """DELETE /repos/{owner}/{repo}/issues/comments/{id}; no matter if it is gone already."""
        try:
            await self.client.delete(COMMENT, **within(repo), id=comment_id)
        except NotFound:
            return

    async def react(self, ref: IssueRef, content: str) -> None:
        """POST …/issues/{number}/reactions; twice is once. Forbidden for an unknown name."""
        await self.client.post(ISSUE + "/reactions", {"content": content}, **_at(ref))

    async def react_to_comment(self, repo: str, comment_id: int, content: str) -> None:
        """POST /repos/{owner}/{repo}/issues/comments/{id}/reactions; twice is once."""
        await self.client.post(
            COMMENT + "/reactions", {"content": content}, **within(repo), id=comment_id
        )

    async def labels(self, repo: str) -> list[Label]:
        """GET /repos/{owner}/{repo}/labels: the repository's own, not the organisation's."""
        route = REPO + "/labels"
        return [read(Label, item) async for item in self.client.getiter(route, **within(repo))]

    async def create_label(
        self, repo: str, name: str, color: str, description: str, *, exclusive: bool = True
    ) -> Label:
        """POST /repos/{owner}/{repo}/labels; `color` as `#rrggbb`.

        Look first: a name that exists is made a second time.
        """
        data: JSON = {
            "name": name,
            "color": color,
            "description": description,
            "exclusive": exclusive,
        }
        return read(Label, await self.client.post(REPO + "/labels", data, **within(repo)))

    async def delete_label(self, repo: str, label_id: int) -> None:
        """DELETE /repos/{owner}/{repo}/labels/{id}."""
        await self.client.delete(REPO + "/labels/{id}", **within(repo), id=label_id)

    async def add_labels(self, ref: IssueRef, ids: Sequence[int]) -> list[Label]:
        """POST …/issues/{number}/labels: all labels the issue has afterwards.

        An exclusive `scope/name` replaces the others of its scope. An id that does not exist is
        passed over without a word, so look at what comes back.
        """
        answer = await self.client.post(ISSUE + "/labels", {"labels": list(ids)}, **_at(ref))
        return _read_labels(answer)

    async def remove_label(self, ref: IssueRef, label_id: int) -> None:
        """DELETE …/issues/{number}/labels/{id}; no matter if the issue does not have it.

        Conflict when there is no such label at all any more.
        """
        await self.client.delete(ISSUE + "/labels/{id}", **_at(ref), id=label_id)


class _Repo(TypedDict):
    owner: str
    repo: str


class _Issue(_Repo):
    number: int


def _at(ref: IssueRef) -> _Issue:
    return {"owner": ref.owner, "repo": ref.repo, "number": ref.number}


def within(repo: str) -> _Repo:
    """What a route of a repository, `owner/name`, is filled with."""
    owner, _, name = repo.partition("/")
    return {"owner": owner, "repo": name}


def _meta(ref: IssueRef) -> dict[str, JSON]:
    return {"owner": ref.owner, "repo": ref.repo, "index": ref.number}


def _clean(body: str) -> str:
    """Without NUL, which PostgreSQL behind Gitea cannot hold."""
    return body.replace("\x00", "")


def _wordless(error: Retryable, meaning: str) -> Retryable | Conflict:
    if error.status != 500 or error.message:
        return error
    what = f"the dependency {meaning}"
    return Conflict(what, status=500, method=error.method, path=error.path)


def _read_labels(answer: JSON) -> list[Label]:
    try:
        return _labels.validate_python(answer or [])
    except ValidationError as problem:
        raise unread("list of labels", problem) from None
