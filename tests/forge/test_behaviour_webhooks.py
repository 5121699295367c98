"""What Gitea's webhooks do: held against the embedded forge and against a real Gitea.

Not here, as it is a setting and not a behaviour: `ALLOWED_HOST_LIST`, which by default keeps
webhooks from private addresses.
"""

from __future__ import annotations

import asyncio
import re

import pytest

from tests.forge.scenes import branch_and_pull, label, meant, opened, until_mergeable
from tests.forges import Api, ForgeServer, Receiver, hmac_sha256

ALL = ["issues", "pull_request", "push", "create", "repository"]


@pytest.fixture
async def repo(forge_server: ForgeServer, receiver: Receiver) -> str:
    """A repository that tells the receiver of everything."""
    full_name = await forge_server.repository()
    await forge_server.hook(f"/repos/{full_name}", receiver.url, ALL)
    return full_name


async def sentinel(api: Api, repo: str, receiver: Receiver) -> list[str]:
    """What was sent up to now: deliveries go out in order, so this waits for one more."""
    body = f"sentinel {len(receiver.received)}"
    await api.do("POST", f"/repos/{repo}/issues/1/comments", {"body": body})

    def came(all_: list[object]) -> bool:
        return any(body in one.payload_text for one in receiver.received)

    await receiver.until(came)  # type: ignore[arg-type]
    return receiver.names[:-1]


class TestDelivery:
    async def test_signatures_and_headers(
        self, forge_server: ForgeServer, receiver: Receiver, repo: str
    ) -> None:
        await opened(forge_server.api("bob"), repo, "Überwachung 🚀")
        (one,) = await receiver.count(1)
        signature = hmac_sha256(one.raw.decode())
        for name in ("X-Gitea-Signature", "X-Gogs-Signature"):
            assert signature == one.headers[name]
        assert f"sha256={signature}" == one.headers["X-Hub-Signature-256"]
        assert re.fullmatch(r"sha1=[0-9a-f]{40}", one.headers["X-Hub-Signature"])
        assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", one.uuid)
        for prefix in ("X-Gitea", "X-Gogs", "X-GitHub"):
            assert one.uuid == one.headers[f"{prefix}-Delivery"]
            assert "issues" == one.headers[f"{prefix}-Event"]
            assert "issues" == one.headers[f"{prefix}-Event-Type"]
        assert "repository" == one.headers["X-Gitea-Hook-Installation-Target-Type"]
        assert "Überwachung 🚀".encode() in one.raw

    async def test_a_form_is_signed_over_the_decoded_payload(
        self, forge_server: ForgeServer, receiver: Receiver
    ) -> None:
        repo = await forge_server.repository()
        await forge_server.hook(f"/repos/{repo}", receiver.url, ALL, "form")
        await opened(forge_server.api("bob"), repo, "one & two")
        (one,) = await receiver.count(1)
        assert "application/x-www-form-urlencoded" == one.headers["Content-Type"]
        assert one.raw.startswith(b"payload=%7B")
        assert hmac_sha256(one.payload_text) == one.headers["X-Gitea-Signature"]
        assert "one & two" == one.payload["issue"]["title"]

    async def test_each_hook_gets_its_own_uuid(
        self, forge_server: ForgeServer, receiver: Receiver
    ) -> None:
        """The same event comes from the repository, the organisation and the system."""
        repo = await forge_server.repository()
        owner = repo.partition("/")[0]
        for place in (f"/repos/{repo}", f"/orgs/{owner}"):
            await forge_server.hook(place, receiver.url, ALL)
        system = await forge_server.hook("/admin", receiver.url, ALL)
        try:
            await opened(forge_server.api("bob"), repo, "one")
            three = await receiver.count(3)
        finally:
            await forge_server.api().delete(system)
        assert 3 == len({one.uuid for one in three})
        assert 1 == len({one.raw for one in three})
        targets = [one.headers["X-Gitea-Hook-Installation-Target-Type"] for one in three]
        assert ["repository", "organization", "system"] == targets

    @pytest.mark.parametrize("status", [200, 401, 500, 503])
    async def test_once_whatever_the_answer(
        self, forge_server: ForgeServer, receiver: Receiver, repo: str, status: int
    ) -> None:
        receiver.status = status
        bob = forge_server.api("bob")
        await opened(bob, repo, "one")
        assert ["issues.opened"] == await sentinel(bob, repo, receiver)

    async def test_one_after_another_and_given_up_after_a_while(
        self, forge_server: ForgeServer, receiver: Receiver, repo: str
    ) -> None:
        """A receiver that does not answer delays all, and loses nothing but the answer."""
        receiver.hold = asyncio.Event()
        bob = forge_server.api("bob")
        await opened(bob, repo, "one", "two")
        await receiver.count(1)
        assert ["issues.opened"] == receiver.names, "the second waits"
        await receiver.count(2)
        receiver.hold.set()
        assert ["issues.opened", "issues.opened"] == await sentinel(bob, repo, receiver)

    async def test_never_two_at_a_time(
        self, forge_server: ForgeServer, receiver: Receiver, repo: str
    ) -> None:
        await opened(forge_server.api("bob"), repo, *(f"issue {n}" for n in range(8)))
        found = await receiver.count(8)
        assert [f"issue {n}" for n in range(8)] == [o.payload["issue"]["title"] for o in found]
        assert 0 == receiver.overlaps

    async def test_nobody_listening_harms_nothing(
        self, forge_server: ForgeServer, receiver: Receiver, repo: str
    ) -> None:
        await forge_server.hook(f"/repos/{repo}", "http://127.0.0.1:1/", ALL)
        bob = forge_server.api("bob")
        await opened(bob, repo, "one")
        assert ["issues.opened"] == await sentinel(bob, repo, receiver)

    async def test_a_test_delivery_is_a_push_not_a_ping(
        self, forge_server: ForgeServer, receiver: Receiver
    ) -> None:
        repo = await forge_server.repository()
        path = await forge_server.hook(f"/repos/{repo}", receiver.url, ALL)
        assert 204 == (await forge_server.api("alice").post(f"{path}/tests")).status_code
        (one,) = await receiver.count(1)
        assert ("push", "refs/heads/main") == (one.type, one.payload["ref"])

    async def test_an_inactive_hook_and_another_event_get_nothing(
        self, forge_server: ForgeServer, receiver: Receiver
    ) -> None:
        repo = await forge_server.repository()
        alice = forge_server.api("alice")
        asleep = await forge_server.hook(f"/repos/{repo}", receiver.url, ["issues"])
        await alice.do("PATCH", asleep, {"active": False, "events": ["issues"]})
        await forge_server.hook(f"/repos/{repo}", receiver.url, ["issue_comment"])
        await opened(alice, repo, "one")
        assert [] == await sentinel(alice, repo, receiver)

    async def test_a_hook_that_is_taken_away_hears_nothing_more(
        self, forge_server: ForgeServer, receiver: Receiver
    ) -> None:
        repo = await forge_server.repository()
        alice = forge_server.api("alice")
        first = await forge_server.hook(f"/repos/{repo}", receiver.url, ["issues"])
        await opened(alice, repo, "heard")
        await receiver.count(1)
        await forge_server.remove_hook(first)
        await opened(alice, repo, "missed")
        await forge_server.hook(f"/repos/{repo}", receiver.url, ["issues"])
        await opened(alice, repo, "heard again")
        found = await receiver.count(2)
        assert ["heard", "heard again"] == [one.payload["issue"]["title"] for one in found]

    async def test_three_megabytes_are_accepted_and_delivered(
        self, forge_server: ForgeServer, receiver: Receiver, repo: str
    ) -> None:
        body = "x" * 3_000_000
        await opened(forge_server.api("bob"), repo, "one", body=body)
        (one,) = await receiver.count(1)
        assert body == one.payload["issue"]["body"]
        assert hmac_sha256(one.raw.decode()) == one.headers["X-Gitea-Signature"]


class TestIssues:
    async def test_opened_with_assignees_they_come_first(
        self, forge_server: ForgeServer, receiver: Receiver, repo: str
    ) -> None:
        people = ["coordinator", "bob"]
        await opened(forge_server.api("alice"), repo, "one", assignees=people)
        found = await receiver.count(3)
        assert ["issue_assign.assigned"] * 2 + ["issues.opened"] == receiver.names
        assert "1970-01-01T00:00:00Z" == found[0].payload["issue"]["created_at"]
        assert "1970-01-01T00:00:00Z" != found[2].payload["issue"]["created_at"]

    async def test_assignments_do_not_name_who_came_or_went(
        self, forge_server: ForgeServer, receiver: Receiver, repo: str
    ) -> None:
        alice = forge_server.api("alice")
        await opened(alice, repo, "one")
        for people in (["coordinator"], ["coordinator", "bob"], ["bob"], []):
            await alice.do("PATCH", f"/repos/{repo}/issues/1", {"assignees": people})
        _, *found = await receiver.count(5)
        assert [
            ("issue_assign.assigned", ["coordinator"]),
            ("issue_assign.assigned", ["coordinator", "bob"]),
            ("issue_assign.unassigned", ["bob"]),
            ("issue_assign.unassigned", []),
        ] == [
            (one.name, [who["login"] for who in one.payload["issue"]["assignees"] or []])
            for one in found
        ]
        assert None is found[-1].payload["issue"]["assignee"]
        for one in found:
            assert "issues" == one.headers["X-Gitea-Event"]
            assert {*("action", "number", "issue", "repository", "sender", "commit_id")} == set(
                one.payload
            )
            assert "alice" == one.payload["sender"]["login"]

    async def test_edits_carry_what_stood_there(
        self, forge_server: ForgeServer, receiver: Receiver, repo: str
    ) -> None:
        bob = forge_server.api("bob")
        await opened(bob, repo, "one", body="first")
        change = {"title": "uno", "body": "second", "state": "closed"}
        await bob.do("PATCH", f"/repos/{repo}/issues/1", change)
        _, title, body, closed = await receiver.count(4)
        assert ["issues.edited", "issues.edited", "issues.closed"] == receiver.names[1:]
        assert {"from": "one"} == title.payload["changes"]["title"]
        assert {"from": "first"} == body.payload["changes"]["body"]
        assert "second" == body.payload["issue"]["body"]
        assert "changes" not in closed.payload

    async def test_closing_and_reopening_twice_is_told_once(
        self, forge_server: ForgeServer, receiver: Receiver, repo: str
    ) -> None:
        bob = forge_server.api("bob")
        await opened(bob, repo, "one")
        for state in ("closed", "closed", "open", "open"):
            await bob.do("PATCH", f"/repos/{repo}/issues/1", {"state": state})
        assert ["issues.opened", "issues.closed", "issues.reopened"] == await sentinel(
            bob, repo, receiver
        )

    async def test_milestones_and_deletion(
        self, forge_server: ForgeServer, receiver: Receiver, repo: str
    ) -> None:
        alice = forge_server.api("alice")
        await opened(alice, repo, "one")
        made = await alice.do("POST", f"/repos/{repo}/milestones", {"title": "v1"})
        for number in (made["id"], made["id"], 0):
            await alice.do("PATCH", f"/repos/{repo}/issues/1", {"milestone": number})
        await alice.do("DELETE", f"/repos/{repo}/issues/1")
        await receiver.next("issues.deleted")
        assert [
            "issues.opened",
            "issue_milestone.milestoned",
            "issue_milestone.demilestoned",
            "issues.deleted",
        ] == receiver.names

    async def test_labels_are_told_of_even_when_nothing_changed(
        self, forge_server: ForgeServer, receiver: Receiver, repo: str
    ) -> None:
        """Replacing shows no labels at all, clearing those that were: read the issue afresh."""
        bob = forge_server.api("bob")
        await opened(bob, repo, "one")
        number = await label(bob, repo, "x")
        await label(bob, repo, "y")
        path = f"/repos/{repo}/issues/1/labels"
        for method, where, body in (
            ("POST", path, {"labels": ["x"]}),
            ("POST", path, {"labels": ["no-such-label"]}),
            ("PUT", path, {"labels": ["x", "y"]}),
            ("DELETE", f"{path}/{number}", None),
            ("DELETE", path, None),
            ("DELETE", path, None),
        ):
            await bob.do(method, where, body)
        await sentinel(bob, repo, receiver)
        shown = [
            (one.name, [each["name"] for each in one.payload["issue"]["labels"]])
            for one in receiver.received[1:-1]
        ]
        assert [
            ("issue_label.label_updated", ["x"]),
            ("issue_label.label_updated", ["x"]),
            ("issue_label.label_updated", []),
            ("issue_label.label_updated", ["y"]),
            ("issue_label.label_cleared", ["y"]),
            ("issue_label.label_cleared", []),
        ] == shown

    async def test_labels_given_while_opening_are_told_of_as_well(
        self, forge_server: ForgeServer, receiver: Receiver, repo: str
    ) -> None:
        bob = forge_server.api("bob")
        number = await label(bob, repo, "x")
        await opened(bob, repo, "one", labels=[number])
        found = await receiver.count(2)
        assert [("issues.opened", ["x"]), ("issue_label.label_updated", ["x"])] == [
            (one.name, [each["name"] for each in one.payload["issue"]["labels"]]) for one in found
        ]

    async def test_some_changes_nobody_is_told_of(
        self, forge_server: ForgeServer, receiver: Receiver, repo: str
    ) -> None:
        alice = forge_server.api("alice")
        await opened(alice, repo, "one", "two")
        base = f"/repos/{repo}"
        for method, path, body in (
            ("POST", f"{base}/issues/2/dependencies", meant(repo, 1)),
            ("DELETE", f"{base}/issues/2/dependencies", meant(repo, 1)),
            ("POST", f"{base}/issues/1/reactions", {"content": "eyes"}),
            ("DELETE", f"{base}/issues/1/reactions", {"content": "eyes"}),
            ("PUT", f"{base}/issues/1/lock", {}),
            ("DELETE", f"{base}/issues/1/lock", None),
            ("POST", f"{base}/labels", {"name": "x", "color": "#fff"}),
            ("PATCH", base, {"name": "vessel"}),
        ):
            assert (await alice.ask(method, path, body)).is_success, path
        new = repo.replace("/rocket", "/vessel")
        assert ["issues.opened", "issues.opened"] == await sentinel(alice, new, receiver)
        assert new == receiver.received[-1].payload["repository"]["full_name"]


class TestComments:
    async def test_are_told_of_with_what_an_edit_replaced(
        self, forge_server: ForgeServer, receiver: Receiver, repo: str
    ) -> None:
        bob = forge_server.api("bob")
        await opened(bob, repo, "one")
        made = await bob.do("POST", f"/repos/{repo}/issues/1/comments", {"body": "first"})
        path = f"/repos/{repo}/issues/comments/{made['id']}"
        for body in ("first", "second"):
            await bob.do("PATCH", path, {"body": body})
        await bob.do("DELETE", path)
        await receiver.next("issue_comment.deleted")
        names = ["issues.opened"] + [f"issue_comment.{a}" for a in ("created", "edited", "deleted")]
        assert names == receiver.names, "the same text again is no edit"
        _, created, edited, deleted = receiver.received
        assert (False, 1) == (created.payload["is_pull"], created.payload["issue"]["comments"])
        assert "number" not in created.payload
        assert {"from": "first"} == edited.payload["changes"]["body"]
        assert "second" == edited.payload["comment"]["body"]
        assert (0, "second") == (
            deleted.payload["issue"]["comments"],
            deleted.payload["comment"]["body"],
        )

    async def test_a_writer_ticks_a_box_of_somebody_else(
        self, forge_server: ForgeServer, receiver: Receiver, repo: str
    ) -> None:
        bot = forge_server.api("coordinator")
        await opened(bot, repo, "one")
        body = "<!-- mark -->\n- [ ] Re-read <!-- box:reread -->\n"
        made = await bot.do("POST", f"/repos/{repo}/issues/1/comments", {"body": body})
        path = f"/repos/{repo}/issues/comments/{made['id']}"
        await forge_server.api("bob").do("PATCH", path, {"body": body.replace("[ ]", "[x]")})
        one = await receiver.next("issue_comment.edited")
        assert ("bob", "coordinator") == (
            one.payload["sender"]["login"],
            one.payload["comment"]["user"]["login"],
        )
        assert body == one.payload["changes"]["body"]["from"]
        assert body.replace("[ ]", "[x]") == one.payload["comment"]["body"]

    async def test_the_right_of_the_sender_is_shown(
        self, forge_server: ForgeServer, receiver: Receiver, repo: str
    ) -> None:
        await opened(forge_server.api("bob"), repo, "one")
        path = f"/repos/{repo}/issues/1/comments"
        for login in ("alice", "bob", "mallory"):
            await forge_server.api(login).do("POST", path, {"body": "x"})
        _, *found = await receiver.count(4)
        assert [(True, True), (False, True), (False, False)] == [
            (may["admin"], may["push"])
            for may in (one.payload["repository"]["permissions"] for one in found)
        ]


class TestPulls:
    async def test_have_their_own_types(
        self, forge_server: ForgeServer, receiver: Receiver, repo: str
    ) -> None:
        alice = forge_server.api("alice")
        await opened(alice, repo, "one")
        await label(alice, repo, "x")
        number = await branch_and_pull(alice, repo)
        path = f"/repos/{repo}/issues/{number}"
        await alice.do("PATCH", path, {"assignees": ["coordinator"]})
        await alice.do("POST", f"{path}/labels", {"labels": ["x"]})
        await alice.do("POST", f"{path}/comments", {"body": "x"})
        await alice.do("PATCH", path, {"body": "new"})
        await alice.do("PATCH", path, {"state": "closed"})
        await sentinel(alice, repo, receiver)
        found = [one for one in receiver.received if one.type.startswith("pull_request")]
        assert [
            ("pull_request.opened", "pull_request"),
            ("pull_request_assign.assigned", "pull_request"),
            ("pull_request_label.label_updated", "pull_request"),
            ("pull_request_comment.created", "issue_comment"),
            ("pull_request.edited", "pull_request"),
            ("pull_request.closed", "pull_request"),
        ] == [(one.name, one.headers["X-Gitea-Event"]) for one in found]
        comment = found[3].payload
        assert comment["is_pull"]
        assert number == comment["issue"]["number"] == comment["pull_request"]["number"]
        assert "issue" not in found[0].payload
        assert not found[-1].payload["pull_request"]["merged"]

    async def test_a_branch_is_created_and_pushed(
        self, forge_server: ForgeServer, receiver: Receiver, repo: str
    ) -> None:
        bob = forge_server.api("bob")
        file = {"content": "MQ==", "new_branch": "pump", "message": "Add pump"}
        await bob.do("POST", f"/repos/{repo}/contents/pump.py", file)
        create, push = await receiver.count(2)
        assert ("create", "pump", "branch") == (
            create.type,
            create.payload["ref"],
            create.payload["ref_type"],
        )
        assert ("push", "refs/heads/pump", "0" * 40) == (
            push.type,
            push.payload["ref"],
            push.payload["before"],
        )
        (commit,) = push.payload["commits"]
        assert (["pump.py"], "Add pump") == (commit["added"], commit["message"].strip())

    async def test_a_merge_closes_and_says_with_which_commit(
        self, forge_server: ForgeServer, receiver: Receiver, repo: str
    ) -> None:
        bob = forge_server.api("bob")
        await opened(bob, repo, "one")
        number = await branch_and_pull(bob, repo, "fixes #1")
        path = f"/repos/{repo}/pulls/{number}"
        await until_mergeable(bob, path)
        await bob.do("POST", f"{path}/merge", {"Do": "merge"})
        closed = await receiver.next("pull_request.closed")
        issue = await receiver.next("issues.closed")
        assert closed.payload["pull_request"]["merged"]
        assert "bob" == closed.payload["pull_request"]["merged_by"]["login"]
        sha = closed.payload["pull_request"]["merge_commit_sha"]
        assert sha == issue.payload["commit_id"]


class TestRepositories:
    async def test_creation_and_deletion_are_told_to_the_organisation(
        self, forge_server: ForgeServer, receiver: Receiver
    ) -> None:
        owner = await forge_server.organization()
        await forge_server.hook(f"/orgs/{owner}", receiver.url, ["repository"])
        root = forge_server.api()
        await root.do("POST", f"/orgs/{owner}/repos", {"name": "rocket"})
        await root.do("DELETE", f"/repos/{owner}/rocket")
        await receiver.next("repository.deleted")
        assert ["repository.created", "repository.deleted"] == receiver.names
        assert owner == receiver.received[0].payload["organization"]["login"]
