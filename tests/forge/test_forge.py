"""The conveniences of the embedded forge: acting as a person, waiting, replaying, the clock."""

from __future__ import annotations

import asyncio

import pytest

from bot.demo.forge import Forge, serve
from bot.demo.refusals import Refused
from tests.forges import SECRET, Clock, Receiver, client_of

REPO = "acme/rocket"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def forge(clock: Clock) -> Forge:
    forge = Forge(clock)
    for login in ("alice", "bob", "coordinator"):
        forge.add_user(login)
    forge.add_repository(REPO, files={"pump.py": 12_000, "README.md": "# rocket\n"})
    forge.grant(REPO, "alice", "admin")
    for login in ("bob", "coordinator"):
        forge.grant(REPO, login, "write")
    return forge


def test_a_person_opens_edits_closes_and_comments(forge: Forge) -> None:
    alice, bot = forge.act_as("alice", REPO), forge.act_as("coordinator", REPO)
    issue = alice.open("One", "text", assignees=["coordinator"])
    alice.edit(1, title="Uno", body="new")
    alice.close(1)
    assert ("Uno", "new", False) == (issue.title, issue.body, issue.is_open)
    assert alice.reopen(1).is_open
    comment = bot.comment(1, "hello")
    bot.edit_comment(comment.id, "bye")
    assert ["bye"] == [one.body for one in forge.comments(REPO, 1, by="coordinator")]
    bot.delete_comment(comment)
    assert [] == forge.comments(REPO, 1)
    alice.lock(1)
    alice.react(1)
    assert (True, ["+1"]) == (issue.locked, [one.content for one in issue.reactions])
    alice.delete(1)
    with pytest.raises(LookupError):
        forge.issue(REPO, 1)


def test_assigning_adds_and_unassigning_takes_away(forge: Forge) -> None:
    alice = forge.act_as("alice", REPO)
    alice.open("One")

    def now() -> list[str]:
        return [who.login for who in forge.issue(REPO, 1).assignees]

    alice.assign(1, "bob", "coordinator")
    alice.assign(1, "alice")
    assert ["bob", "coordinator", "alice"] == now()
    alice.unassign(1, "Coordinator")
    assert ["bob", "alice"] == now()
    alice.unassign(1)
    assert [] == now()


def test_labels_dependencies_and_milestones(forge: Forge) -> None:
    alice = forge.act_as("alice", REPO)
    alice.create_label("status/ready", exclusive=True)
    alice.create_label("status/blocked", exclusive=True)
    alice.open("One", labels=["status/ready"])
    two = alice.open("Two")
    alice.label(1, "status/blocked")
    assert ["status/blocked"] == forge.labels(REPO, 1)
    alice.unlabel(1, "status/blocked")
    assert [] == forge.labels(REPO, 1)
    alice.block(1, by=two)
    assert [two] == forge.issue(REPO, 1).blocked_by
    alice.unblock(1, by=2)
    assert [] == forge.issue(REPO, 1).blocked_by
    assert None is alice.plan(1, 0).milestone


def test_files_branches_and_pulls(forge: Forge) -> None:
    alice = forge.act_as("alice", REPO)
    alice.open("One")
    alice.write({"new.py": 10, "pump.py": None}, new_branch="pump", message="Work")
    pull = alice.open_pull("Pump", "pump", body="Closes #1")
    alice.merge(pull.number)
    assert not forge.issue(REPO, 1).is_open
    assert {"README.md": 9, "new.py": 10, "pump.py": 12_000} == {
        path: file.size for path, file in forge.repository(REPO).branches["main"].files.items()
    }


def test_a_deed_without_the_right_is_refused(forge: Forge) -> None:
    bob = forge.act_as("bob", REPO)
    bob.open("One")
    with pytest.raises(Refused) as refused:
        bob.delete(1)
    assert 403 == refused.value.status


def test_a_renamed_repository_is_found_by_its_new_name(forge: Forge) -> None:
    forge.act_as("alice", REPO).rename_repository("vessel")
    assert "acme/vessel" == forge.repository("acme/vessel").full_name
    forge.add_repository("acme/other")
    with pytest.raises(Refused):
        forge.act_as("alice", "acme/vessel").rename_repository("other")


def test_a_repository_is_archived_given_away_and_deleted(forge: Forge) -> None:
    alice, root = forge.act_as("alice", REPO), forge.act_as("root", REPO)
    alice.open("One")
    alice.archive_repository()
    with pytest.raises(Refused, match="is archived"):
        alice.open("Two")
    alice.archive_repository(archived=False)
    alice.open("Two")
    forge.add_organization("valves")
    with pytest.raises(Refused):
        alice.transfer_repository("valves")
    root.transfer_repository("valves")
    assert [1, 2] == list(forge.repository("valves/rocket").issues)
    root.delete_repository()
    with pytest.raises(LookupError):
        forge.repository("valves/rocket")


def test_dependencies_switched_off_come_back(forge: Forge) -> None:
    alice = forge.act_as("alice", REPO)
    one, two = alice.open("One"), alice.open("Two")
    alice.block(2, by=1)
    alice.switch_dependencies(on=False)
    with pytest.raises(Refused):
        alice.unblock(2, by=1)
    alice.close(2)
    alice.switch_dependencies(on=True)
    assert ([one], False) == (two.blocked_by, two.is_open)


def test_the_clock_is_the_only_source_of_time(forge: Forge, clock: Clock) -> None:
    clock.advance(90_000)
    issue = forge.act_as("alice", REPO).open("One")
    assert clock.time == issue.created


def test_the_same_things_give_the_same_tokens() -> None:
    assert Forge().add_user("alice") == Forge().add_user("alice")
    assert Forge().add_user("alice") != Forge().add_user("bob")


def test_an_existing_user_and_a_nameless_one_are_refused(forge: Forge) -> None:
    for login in ("Alice", ""):
        with pytest.raises(Refused):
            forge.add_user(login)


async def test_settled_waits_for_every_delivery(forge: Forge, receiver: Receiver) -> None:
    hook = forge.add_hook(receiver.url, secret=SECRET, repository=REPO)
    alice = forge.act_as("alice", REPO)
    alice.open("One")
    async with serve(forge):
        alice.open("Two")
        await forge.settled()
        assert ["issues.opened", "issues.opened"] == receiver.names
        assert [200, 200] == [one.status for one in forge.deliveries.log]
        alice.test_hook(hook)
        await forge.settled()
        assert "push" == receiver.names[-1]
    await forge.settled()


async def test_a_replay_has_another_uuid(forge: Forge, receiver: Receiver) -> None:
    forge.add_hook(receiver.url, secret=SECRET, organization="acme", content_type="form")
    async with serve(forge):
        forge.act_as("alice", REPO).open("One")
        forge.replay(forge.deliveries.log[0])
        await forge.settled()
    first, second = receiver.received
    assert (first.raw, first.type) == (second.raw, second.type)
    assert first.uuid != second.uuid


async def test_a_failed_delivery_says_why(forge: Forge, receiver: Receiver) -> None:
    gone = forge.add_hook("http://127.0.0.1:1/", events=["issues"])
    slow = forge.add_hook(receiver.url, events=["issues"])
    forge.deliveries.timeout = 0.2
    receiver.hold = asyncio.Event()
    async with serve(forge):
        forge.act_as("alice", REPO).open("One")
        await forge.settled()
    found = {one.hook: (one.status, one.error) for one in forge.deliveries.log}
    assert (0, True) == (found[gone][0], "127.0.0.1" in found[gone][1])
    assert (0, "TimeoutError") == found[slow]


async def test_a_hook_put_to_sleep_gets_nothing_that_still_waits(
    forge: Forge, receiver: Receiver
) -> None:
    hook = forge.add_hook(receiver.url, repository=REPO)
    forge.act_as("alice", REPO).open("One")
    hook.active = False
    async with serve(forge):
        await forge.settled()
    assert ([], [0]) == (receiver.names, [one.status for one in forge.deliveries.log])


async def test_without_a_secret_signatures_are_empty(forge: Forge, receiver: Receiver) -> None:
    hook = forge.add_hook(receiver.url, repository=REPO)
    hook.authorization = "Bearer x"
    async with serve(forge):
        forge.act_as("alice", REPO).open("One")
        await forge.settled()
    headers = receiver.received[0].headers
    assert ("", "sha256=", "Bearer x") == (
        headers["X-Gitea-Signature"],
        headers["X-Hub-Signature-256"],
        headers["Authorization"],
    )


async def test_the_log_of_deliveries_is_bounded(forge: Forge, receiver: Receiver) -> None:
    forge.add_hook(receiver.url, repository=REPO)
    alice = forge.act_as("alice", REPO)
    for n in range(1005):
        alice.open(f"issue {n}")
    assert 1000 == len(forge.deliveries.log)
    assert None is forge.deliveries.log[0].status


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])
async def test_it_is_for_this_machine_only(forge: Forge, host: str) -> None:
    with pytest.raises(ValueError, match="this machine only"):
        async with serve(forge, host=host):
            pass


async def test_two_forges_stand_side_by_side(forge: Forge) -> None:
    async with serve(forge) as one, serve(Forge(), host="localhost") as two:
        assert one != two
        async with client_of(two) as client:
            assert 404 == (await client.get(f"/repos/{REPO}")).status_code


async def test_500_says_why_to_an_administrator(forge: Forge) -> None:
    root = forge.act_as("root", REPO)
    root.open("One")
    root.open("Two")
    root.block(2, by=1)
    with pytest.raises(Refused) as refused:
        root.block(2, by=1)
    assert (500, True) == (refused.value.status, bool(refused.value.message))
