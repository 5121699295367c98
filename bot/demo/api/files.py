"""Trees and contents."""

from __future__ import annotations

import base64
import binascii
import hashlib

from aiohttp import web

from bot.demo import commits, shapes
from bot.demo.api.call import Call, answer, counted
from bot.demo.api.instance import Route
from bot.demo.api.repositories import HOME
from bot.demo.records import Commit, File, Repository
from bot.demo.refusals import Refused, not_found
from bot.demo.shapes import Json, moment

TREE_PAGE = 1000


def find_commit(repo: Repository, ref: str) -> Commit | None:
    """By branch, `HEAD` or the sha of a branch's latest commit."""
    name = repo.default_branch if ref in ("HEAD", "") else ref
    if name in repo.branches:
        return repo.branches[name]
    found = [commit for commit in repo.branches.values() if len(ref) > 6 and commit.sha == ref]
    return found[0] if found else None


async def tree(call: Call) -> web.Response:
    """Every path with its size, a thousand a page; directories are entries too."""
    repo, ref = call.repository, call.text("sha")
    commit = find_commit(repo, ref)
    if commit is None:
        raise Refused(400, f"sha not found [{ref}]")
    recursive = call.query("recursive").lower() in ("1", "t", "true", "on")
    entries = _entries(commit, recursive=recursive)
    size = min(_whole(call.query("per_page")) or TREE_PAGE, TREE_PAGE)
    page = max(_whole(call.query("page")), 1)
    first, last = (page - 1) * size, page * size
    url = f"{call.world.state.url}/api/v1/repos/{repo.full_name}/git"
    shown = [_entry(url, path, file) for path, file in entries[first:last]]
    return counted(
        {
            "sha": commit.sha,
            "url": f"{url}/trees/{commit.sha}",
            "tree": shown or None,
            "truncated": first < len(entries) and last < len(entries),
            "page": page,
            "total_count": len(entries),
        },
        len(entries),
    )


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0


def _entries(commit: Commit, *, recursive: bool) -> list[tuple[str, File | None]]:
    entries: dict[str, File | None] = dict(commit.files)
    for path in commit.files:
        parts = path.split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            entries["/".join(parts[:depth])] = None
    return sorted(
        ((path, file) for path, file in entries.items() if recursive or "/" not in path),
        key=lambda entry: entry[0].split("/"),
    )


def _entry(url: str, path: str, file: File | None) -> Json:
    if file is None:
        sha = hashlib.sha1(path.encode(), usedforsecurity=False).hexdigest()
        kind, mode, where = "tree", "040000", "trees"
    else:
        sha, kind, mode, where = file.sha, "blob", "100644", "blobs"
    return {
        "path": path,
        "mode": mode,
        "type": kind,
        "size": file.size if file else 0,
        "sha": sha,
        "url": f"{url}/{where}/{sha}",
    }


async def blob(call: Call) -> web.Response:
    """What a file holds, by its sha; of any branch."""
    sha = call.text("sha")
    files = (file for commit in call.repository.branches.values() for file in commit.files.values())
    found = next((file for file in files if file.sha == sha), None)
    if found is None:
        raise Refused(400, f"object does not exist [id: {sha}, rel_path: ]")
    url = f"{call.world.state.url}/api/v1/repos/{call.repository.full_name}/git/blobs/{sha}"
    content = base64.b64encode(found.data).decode()
    return answer(
        {"content": content, "encoding": "base64", "url": url, "sha": sha, "size": found.size}
    )


async def show_content(call: Call) -> web.Response:
    """A file with its content in base64, or what a directory holds."""
    repo, path = call.repository, call.text("path").strip("/")
    commit = find_commit(repo, call.query("ref"))
    if commit is not None and path in commit.files:
        return answer(_content(call, repo, commit, path))
    inside = [p for p in commit.files if p.startswith(f"{path}/")] if commit else []
    if commit is None or not inside:
        raise not_found("GetContentsOrList", f"object does not exist [id: , rel_path: {path}]")
    return answer([_content(call, repo, commit, p) for p in sorted(inside)])


async def raw(call: Call) -> web.Response:
    """A file's bytes."""
    commit = find_commit(call.repository, call.query("ref"))
    path = call.text("path")
    if commit is None or path not in commit.files:
        raise not_found()
    return web.Response(body=commit.files[path].data, content_type="text/plain")


async def create_file(call: Call) -> web.Response:
    """One new file; 422 when there is one already."""
    path = call.text("path")
    return _written(call, {path: _decoded(call.body.text("content") or "")}, path, new=True)


async def put_file(call: Call) -> web.Response:
    """A new file, or with its `sha` a new content."""
    path = call.text("path")
    content = _decoded(call.body.text("content") or "")
    return _written(call, {path: content}, path, new=not call.body.text("sha"))


async def change_files(call: Call) -> web.Response:
    """Several files in one commit."""
    changes: dict[str, File | None] = {}
    for item in call.body.items("files") or []:
        fields = item if isinstance(item, dict) else {}
        deleted = fields.get("operation") == "delete"
        content = None if deleted else _decoded(str(fields.get("content") or ""))
        changes[str(fields.get("path") or "")] = content
    return _written(call, changes, None, new=False)


def _written(
    call: Call, changes: dict[str, File | None], single: str | None, *, new: bool
) -> web.Response:
    repo = call.repository
    branch = call.body.text("branch") or repo.default_branch
    target = call.body.text("new_branch") or branch
    there = repo.branches[branch].files if branch in repo.branches else {}
    taken = [path for path in changes if new and path in there]
    if taken:
        raise Refused(422, f"repository file already exists [path: {taken[0]}]")
    commit = commits.write_files(
        call.world,
        call.user,
        repo,
        changes,
        branch=branch,
        new_branch=target,
        message=call.body.text("message") or "",
    )
    kept = [path for path, file in changes.items() if file is not None]
    shown = [_content(call, repo, commit, path) for path in kept]
    content: Json = {"content": shown[0]} if single else {"files": shown}
    details = {"commit": _commit(call, repo, commit), "verification": shapes.unsigned()}
    return answer({**content, **details}, 201)


def _decoded(text: str) -> File:
    try:
        return File.of(base64.b64decode(text, validate=True))
    except binascii.Error as error:
        raise Refused(422, str(error)) from None


def _content(call: Call, repo: Repository, commit: Commit, path: str) -> Json:
    file = commit.files[path]
    home, api = (f"{call.world.state.url}{p}/{repo.full_name}" for p in ("", "/api/v1/repos"))
    branch = next(name for name, one in repo.branches.items() if one is commit)
    here = f"{api}/contents/{path}?ref={branch}"
    page = f"{home}/src/branch/{branch}/{path}"
    blob = f"{api}/git/blobs/{file.sha}"
    return {
        "name": path.rpartition("/")[2],
        "path": path,
        "sha": file.sha,
        "last_commit_sha": commit.sha,
        "last_committer_date": moment(commit.date),
        "last_author_date": moment(commit.date),
        "type": "file",
        "size": file.size,
        "encoding": "base64",
        "content": base64.b64encode(file.data).decode(),
        "target": None,
        "url": here,
        "html_url": page,
        "git_url": blob,
        "download_url": f"{home}/raw/branch/{branch}/{path}",
        "submodule_git_url": None,
        "_links": {"self": here, "git": blob, "html": page},
    }


def _commit(call: Call, repo: Repository, commit: Commit) -> Json:
    api = f"{call.world.state.url}/api/v1/repos/{repo.full_name}/git"
    who = shapes.signature(commit.author, date=moment(commit.date))
    parents = [commit.parent] if commit.parent else []
    return {
        **_named(f"{api}/commits", commit.sha),
        "html_url": f"{call.world.state.url}/{repo.full_name}/commit/{commit.sha}",
        "author": who,
        "committer": who,
        "parents": [_named(f"{api}/commits", sha) for sha in parents],
        "message": f"{commit.message}\n",
        "tree": _named(f"{api}/trees", commit.sha),
    }


def _named(url: str, sha: str) -> Json:
    return {"url": f"{url}/{sha}", "sha": sha, "created": shapes.NEVER}


ROUTES: list[Route] = [
    ("GET", f"{HOME}/git/trees/{{sha}}", tree),
    ("GET", f"{HOME}/git/blobs/{{sha}}", blob),
    ("POST", f"{HOME}/contents", change_files),
    ("GET", f"{HOME}/contents/{{path:.+}}", show_content),
    ("POST", f"{HOME}/contents/{{path:.+}}", create_file),
    ("PUT", f"{HOME}/contents/{{path:.+}}", put_file),
    ("GET", f"{HOME}/raw/{{path:.+}}", raw),
]
