"""Records as the JSON of Gitea's API: same keys, same order, same types as 1.26.3 answers."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from bot.demo.records import (
    Comment,
    Commit,
    Hook,
    Issue,
    Label,
    Milestone,
    Reaction,
    Repository,
    Right,
    Team,
    Token,
    User,
)
from bot.demo.state import State

Json = dict[str, object]

NEVER = "0001-01-01T00:00:00Z"
EPOCH = "1970-01-01T00:00:00Z"


def moment(time: datetime | None) -> str | None:
    """RFC 3339 with whole seconds, as Gitea writes it."""
    return None if time is None else time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def user(state: State, who: User, seen_by: User | None = None) -> Json:
    """A user; the address is hidden from nobody in particular, the rest from everybody else."""
    itself = seen_by is not None and (seen_by is who or seen_by.is_admin)
    hidden = "" if who.is_organization else f"{who.id}+{who.login.lower()}@noreply.localhost"
    face = hashlib.md5(who.login.lower().encode(), usedforsecurity=False).hexdigest()
    return {
        "id": who.id,
        "login": who.login,
        "login_name": who.login_name if itself else "",
        "source_id": 0,
        "full_name": who.full_name,
        "email": who.email if seen_by is not None else hidden,
        "avatar_url": f"{state.url}/avatars/{face}",
        "html_url": f"{state.url}/{who.login}",
        "language": "",
        "is_admin": who.is_admin and itself,
        "last_login": EPOCH if itself else NEVER,
        "created": moment(who.created),
        "restricted": False,
        "active": itself,
        "prohibit_login": who.switched_off and itself,
        "location": "",
        "website": "",
        "description": "",
        "visibility": "public",
        "followers_count": 0,
        "following_count": 0,
        "starred_repos_count": 0,
        "username": who.login,
    }


def token(one: Token, text: str, *, shown: bool = False) -> Json:
    """An access token; itself only when it is made."""
    return {
        "id": one.id,
        "name": one.name,
        "sha1": text if shown else "",
        "token_last_eight": text[-8:],
        "scopes": sorted(one.scopes),
    }


def team(state: State, one: Team, *, whole: bool = False) -> Json:
    """A team; `whole` with its organisation."""
    units = [
        "code",
        "issues",
        "pulls",
        "releases",
        "wiki",
        "ext_wiki",
        "ext_issues",
        "projects",
        "packages",
        "actions",
    ]
    return {
        "id": one.id,
        "name": one.name,
        "description": one.description,
        "organization": organization(state, one.organization) if whole else None,
        "includes_all_repositories": one.all_repositories,
        "permission": one.right.word,
        "units": [f"repo.{unit}" for unit in units],
        "can_create_org_repo": one.right is Right.OWNER,
    }


def organization(state: State, who: User) -> Json:
    """An organisation as `/orgs` shows it."""
    face = hashlib.md5(who.login.lower().encode(), usedforsecurity=False).hexdigest()
    return {
        "id": who.id,
        "name": who.login,
        "full_name": who.full_name,
        "email": who.email,
        "avatar_url": f"{state.url}/avatars/{face}",
        "description": "",
        "website": "",
        "location": "",
        "visibility": "public",
        "repo_admin_change_team_access": False,
        "username": who.login,
    }


def repository(state: State, repo: Repository, right: Right) -> Json:
    """A repository, with what somebody of that right may do in it."""
    return _identity(state, repo) | _numbers(repo, right) | _features(repo)


def _identity(state: State, repo: Repository) -> Json:
    page, api = f"{state.url}/{repo.full_name}", f"{state.url}/api/v1/repos/{repo.full_name}"
    return {
        "id": repo.id,
        "owner": user(state, repo.owner),
        "name": repo.name,
        "full_name": repo.full_name,
        "description": repo.description,
        "empty": not repo.branches,
        "private": repo.private,
        "fork": False,
        "template": False,
        "mirror": False,
        "size": 25,
        "language": "",
        "languages_url": f"{api}/languages",
        "html_url": page,
        "url": api,
        "link": "",
        "ssh_url": f"gitea@localhost:{repo.full_name}.git",
        "clone_url": f"{page}.git",
        "original_url": "",
        "website": "",
    }


def _numbers(repo: Repository, right: Right) -> Json:
    open_ones = [issue for issue in repo.issues.values() if issue.is_open]
    pulls = sum(issue.pull is not None for issue in open_ones)
    return {
        "stars_count": 0,
        "forks_count": 0,
        "watchers_count": 1,
        "branch_count": len(repo.branches),
        "open_issues_count": len(open_ones) - pulls,
        "open_pr_counter": pulls,
        "release_counter": 0,
        "default_branch": repo.default_branch,
        "archived": repo.archived,
        "created_at": moment(repo.created),
        "updated_at": moment(repo.updated),
        "archived_at": moment(repo.archived_at) or EPOCH,
        "permissions": {
            "admin": right >= Right.ADMIN,
            "push": right >= Right.WRITE,
            "pull": right >= Right.READ,
        },
    }


def _features(repo: Repository) -> Json:
    tracker = {
        "enable_time_tracker": True,
        "allow_only_contributors_to_track_time": True,
        "enable_issue_dependencies": repo.dependencies_on,
    }
    return {
        "has_code": True,
        "has_issues": repo.has_issues,
        **({"internal_tracker": tracker} if repo.has_issues else {}),
        "has_wiki": True,
        "has_pull_requests": True,
        "has_projects": True,
        "projects_mode": "all",
        "has_releases": True,
        "has_packages": True,
        "has_actions": False,
        "ignore_whitespace_conflicts": False,
        "allow_merge_commits": True,
        "allow_rebase": True,
        "allow_rebase_explicit": True,
        "allow_squash_merge": True,
        "allow_fast_forward_only_merge": True,
        "allow_rebase_update": True,
        "allow_manual_merge": False,
        "autodetect_manual_merge": False,
        "default_delete_branch_after_merge": False,
        "default_merge_style": "merge",
        "default_allow_maintainer_edit": True,
        "avatar_url": "",
        "internal": False,
        "mirror_interval": "",
        "object_format_name": "sha1",
        "mirror_updated": NEVER,
        "topics": [],
        "licenses": [],
    }


def label(state: State, repo: Repository, one: Label) -> Json:
    """A label of a repository."""
    return {
        "id": one.id,
        "name": one.name,
        "exclusive": one.exclusive,
        "is_archived": False,
        "color": one.color,
        "description": one.description,
        "url": f"{state.url}/api/v1/repos/{repo.full_name}/labels/{one.id}",
    }


def labels(state: State, issue: Issue) -> list[Json]:
    """The labels of an issue, by name."""
    ordered = sorted(issue.labels, key=lambda one: one.name)
    return [label(state, issue.repository, one) for one in ordered]


def milestone(repo: Repository, one: Milestone) -> Json:
    """A milestone, with how many of its issues are open and closed."""
    mine = [issue for issue in repo.issues.values() if issue.milestone is one]
    still_open = sum(issue.is_open for issue in mine)
    return {
        "id": one.id,
        "title": one.title,
        "description": one.description,
        "state": "open",
        "open_issues": still_open,
        "closed_issues": len(mine) - still_open,
        "created_at": moment(one.created),
        "updated_at": moment(one.created),
        "closed_at": None,
        "due_on": None,
    }


def html_url(state: State, issue: Issue) -> str:
    """Where an issue or a pull request is on the page."""
    kind = "issues" if issue.pull is None else "pulls"
    return f"{state.url}/{issue.repository.full_name}/{kind}/{issue.number}"


def issue(state: State, one: Issue, seen_by: User | None) -> Json:
    """An issue, or a pull request in the form of an issue."""
    repo = one.repository
    people = [user(state, who) for who in one.assignees]
    return {
        "id": one.id,
        "url": f"{state.url}/api/v1/repos/{repo.full_name}/issues/{one.number}",
        "html_url": html_url(state, one),
        "number": one.number,
        "user": user(state, one.poster, seen_by),
        "original_author": "",
        "original_author_id": 0,
        "title": one.title,
        "body": one.body,
        "ref": "",
        "assets": [],
        "labels": labels(state, one),
        "milestone": None if one.milestone is None else milestone(repo, one.milestone),
        "assignee": people[0] if people else None,
        "assignees": people or None,
        "state": "open" if one.is_open else "closed",
        "is_locked": one.locked,
        "comments": len(one.comments),
        "created_at": moment(one.created),
        "updated_at": moment(one.updated),
        "closed_at": moment(one.closed_at),
        "due_date": None,
        "time_estimate": 0,
        "pull_request": _pull_part(state, one),
        "repository": {
            "id": repo.id,
            "name": repo.name,
            "owner": repo.owner.login,
            "full_name": repo.full_name,
        },
        "pin_order": 0,
        "content_version": one.content_version,
    }


def _pull_part(state: State, one: Issue) -> Json | None:
    if one.pull is None:
        return None
    return {
        "merged": one.pull.merged_at is not None,
        "merged_at": moment(one.pull.merged_at),
        "draft": False,
        "html_url": html_url(state, one),
    }


def hidden_issue(state: State, *, from_reader: bool) -> Json:
    """What stands for a dependency in a repository the asker may not see.

    Gitea shows a writer a record of zeroes, and a reader one by a ghost called HIDDEN.
    """
    ghost = user(state, User(-1, "Ghost", datetime(1970, 1, 1, tzinfo=UTC)))
    ghost |= {"email": "", "avatar_url": f"{state.url}/assets/img/avatar_default.png"}
    when = EPOCH if from_reader else NEVER
    return {
        "id": 0,
        "url": "",
        "html_url": "",
        "number": 0,
        "user": ghost if from_reader else None,
        "original_author": "",
        "original_author_id": 0,
        "title": "HIDDEN" if from_reader else "",
        "body": "",
        "ref": "",
        "assets": [] if from_reader else None,
        "labels": None,
        "milestone": None,
        "assignee": None,
        "assignees": None,
        "state": "open" if from_reader else "",
        "is_locked": False,
        "comments": 0,
        "created_at": when,
        "updated_at": when,
        "closed_at": None,
        "due_date": None,
        "time_estimate": 0,
        "pull_request": None,
        "repository": None,
        "pin_order": 0,
        "content_version": 0,
    }


def pull(state: State, one: Issue, seen_by: User | None) -> Json:
    """A pull request as `/pulls` and its webhooks show it."""
    assert one.pull is not None
    as_issue = issue(state, one, seen_by)
    page = html_url(state, one)
    right = state.right(seen_by, one.repository)
    repo = repository(state, one.repository, right)
    kept = {key: as_issue[key] for key in ("number", "user", "title", "body", "labels")}
    later = {key: as_issue[key] for key in ("due_date", "created_at", "updated_at", "closed_at")}
    return {
        "id": one.pull.id,
        "url": page,
        **kept,
        "milestone": as_issue["milestone"],
        "assignee": as_issue["assignee"],
        "assignees": as_issue["assignees"] or [],
        "requested_reviewers": [],
        "requested_reviewers_teams": [],
        "state": as_issue["state"],
        "draft": False,
        "is_locked": one.locked,
        "comments": len(one.comments),
        "additions": 1,
        "deletions": 0,
        "changed_files": 1,
        "html_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "mergeable": True,
        "merged": one.pull.merged_at is not None,
        "merged_at": moment(one.pull.merged_at),
        "merge_commit_sha": one.pull.merge_sha,
        "merged_by": None if one.pull.merged_by is None else user(state, one.pull.merged_by),
        "allow_maintainer_edit": True,
        "base": _branch_part(one.pull.base, one.pull.base_sha, one.repository, repo),
        "head": _branch_part(one.pull.head, one.pull.head_sha, one.repository, repo),
        "merge_base": one.pull.base_sha,
        **later,
        "pin_order": 0,
        "content_version": one.content_version,
    }


def _branch_part(name: str, sha: str, repo: Repository, shown: Json) -> Json:
    return {"label": name, "ref": name, "sha": sha, "repo_id": repo.id, "repo": shown}


def comment(state: State, one: Comment) -> Json:
    """A comment; one of the two addresses is empty, by where it stands."""
    return {
        "id": one.id,
        **place_in_thread(state, one.issue, one.id),
        "user": user(state, one.poster),
        "original_author": "",
        "original_author_id": 0,
        "body": one.body,
        "assets": [],
        "created_at": moment(one.created),
        "updated_at": moment(one.updated),
    }


def place_in_thread(state: State, issue: Issue, number: int) -> Json:
    """Where a comment, or something else in an issue's thread, is found by its id."""
    page = html_url(state, issue)
    on_pull = issue.pull is not None
    return {
        "html_url": f"{page}#issuecomment-{number}",
        "pull_request_url": page if on_pull else "",
        "issue_url": "" if on_pull else page,
    }


def reaction(state: State, one: Reaction, seen_by: User | None) -> Json:
    """One person's reaction."""
    return {
        "user": user(state, one.user, seen_by),
        "content": one.content,
        "created_at": moment(one.created),
    }


def hook(one: Hook) -> Json:
    """A webhook; its secret is never shown."""
    return {
        "id": one.id,
        "name": one.name,
        "type": "gitea",
        "branch_filter": one.branch_filter,
        "config": {"content_type": one.content_type, "url": one.url},
        "events": sorted(one.events),
        "authorization_header": one.authorization,
        "active": one.active,
        "updated_at": moment(one.updated),
        "created_at": moment(one.created),
    }


def signature(who: User, **more: object) -> Json:
    """The author or committer of a commit."""
    return {"name": who.login, "email": who.email, **more}


def push_commit(
    state: State, repo: Repository, one: Commit, changed: dict[str, list[str]] | None
) -> Json:
    """A commit as `/branches` and the push webhook show it."""
    files: Json = {**changed} if changed else {"added": None, "removed": None, "modified": None}
    return {
        "id": one.sha,
        "message": f"{one.message}\n",
        "url": f"{state.url}/{repo.full_name}/commit/{one.sha}",
        "author": signature(one.author, username=one.author.login),
        "committer": signature(one.author, username=one.author.login),
        "verification": None if changed else unsigned(),
        "timestamp": moment(one.date),
        **files,
    }


def unsigned() -> Json:
    """How an unsigned commit is verified."""
    return {
        "verified": False,
        "reason": "gpg.error.not_signed_commit",
        "signature": "",
        "signer": None,
        "payload": "",
    }


def branch(state: State, repo: Repository, name: str, right: Right) -> Json:
    """A branch and its latest commit."""
    return {
        "name": name,
        "commit": push_commit(state, repo, repo.branches[name], None),
        "protected": False,
        "required_approvals": 0,
        "enable_status_check": False,
        "status_check_contexts": [],
        "user_can_push": right >= Right.WRITE,
        "user_can_merge": right >= Right.WRITE,
        "effective_branch_protection_name": "",
    }
