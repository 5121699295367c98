"""The page of the embedded forge, used as a browser uses it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from bot.demo.forge import Forge, serve
from tests.forges import SECRET, Clock, Receiver

REPO = "acme/rocket"
ISSUE = f"/{REPO}/issues/1"


@pytest.fixture
def forge() -> Forge:
    forge = Forge(Clock())
    for login in ("alice", "coordinator", "mallory"):
        forge.add_user(login)
    forge.add_repository(REPO)
    forge.add_repository("acme/secret", private=True)
    for login, right in (("alice", "admin"), ("coordinator", "write"), ("mallory", "read")):
        forge.grant(REPO, login, right)
    alice = forge.act_as("alice", REPO)
    alice.open("Retry <b>", "Blocked by: #2")
    alice.open("Two")
    return forge


class Browser:
    """Follows redirects and keeps cookies."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def get(self, path: str) -> str:
        answer = await self.client.get(path)
        assert 200 == answer.status_code, path
        return answer.text

    async def post(self, path: str, **form: str) -> httpx.Response:
        return await self.client.post(path, data=form)

    async def become(self, login: str) -> None:
        assert 200 == (await self.post("/-/who", login=login, back="/")).status_code


@pytest.fixture
async def browser(forge: Forge) -> AsyncIterator[Browser]:
    async with (
        serve(forge) as url,
        httpx.AsyncClient(base_url=url, follow_redirects=True, trust_env=False) as client,
    ):
        browser = Browser(client)
        await browser.become("alice")
        yield browser


def text_of(page: str) -> str:
    """What one reads: no tags, single spaces."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


async def test_one_chooses_who_one_is(browser: Browser) -> None:
    assert "<option selected>alice</option>" in await browser.get("/")
    await browser.become("mallory")
    page = await browser.get("/")
    assert "<option selected>mallory</option>" in page
    assert "<option>root</option>" in page
    assert "<option>acme</option>" not in page, "nobody is an organisation"


async def test_without_a_choice_one_is_the_first_who_is_no_administrator(forge: Forge) -> None:
    async with serve(forge) as url, httpx.AsyncClient(trust_env=False) as client:
        assert "<option selected>alice</option>" in (await client.get(url)).text


async def test_a_forge_with_only_an_administrator_has_a_page() -> None:
    async with serve(Forge()) as url, httpx.AsyncClient(trust_env=False) as client:
        assert "<option selected>root</option>" in (await client.get(url)).text


async def test_only_repositories_one_may_see_are_listed(browser: Browser) -> None:
    page = await browser.get("/")
    assert f"{REPO} 2 open issues" in text_of(page)
    assert "secret" not in page
    assert 404 == (await browser.client.get("/acme/secret/issues")).status_code
    await browser.become("root")
    assert "acme/secret private 0 open issues" in text_of(await browser.get("/"))


async def test_issues_are_listed_by_state(browser: Browser, forge: Forge) -> None:
    alice = forge.act_as("alice", REPO)
    alice.close(2)
    alice.create_label("status/ready", "#00ff00")
    alice.label(1, "status/ready")
    page = await browser.get(f"/{REPO}")
    assert "Retry &lt;b&gt;" in page
    assert "status/ready" in page
    assert ">Two<" not in page
    assert ">Two<" in await browser.get(f"/{REPO}/issues?state=closed")
    both = await browser.get(f"/{REPO}/issues?state=all")
    assert both.index(">Two<") < both.index("Retry &lt;b&gt;"), "the newest comes first"


async def test_an_issue_shows_its_thread_labels_and_neighbours(
    browser: Browser, forge: Forge
) -> None:
    alice = forge.act_as("alice", REPO)
    alice.block(1, by=2)
    forge.act_as("coordinator", REPO).comment(1, "<!-- mark -->\n**Ready**")
    alice.comment(1, "thanks")
    alice.lock(1)
    page = await browser.get(ISSUE)
    assert "<strong>Ready</strong>" in page
    assert 'Blocked by: <a href="/acme/rocket/issues/2">#2</a>' in page
    assert "Depends on Open #2 Two" in text_of(page)
    assert "alice made this depend on #2" in text_of(page)
    assert "locked" in page
    other = text_of(await browser.get(f"/{REPO}/issues/2"))
    assert "Depends on None" in other
    assert "Blocks Open #1 Retry" in other
    assert "alice made #1 depend on this" in other


async def test_a_neighbour_one_may_not_see_has_no_name(browser: Browser, forge: Forge) -> None:
    hidden = forge.act_as("root", "acme/secret").open("Secret title")
    forge.act_as("root", REPO).block(1, by=hidden)
    page = await browser.get(ISSUE)
    assert "Depends on an issue you may not see" in text_of(page)
    assert "root made this depend on an issue you may not see" in text_of(page)
    assert "Secret title" not in page
    assert "undepend" not in page
    forge.act_as("alice", REPO).edit(1, body="acme/secret#1, acme/nope#1 and #99")
    assert "secret/issues" not in await browser.get(ISSUE)


async def test_a_writer_does_everything(browser: Browser, forge: Forge) -> None:
    made = await browser.post(f"/{REPO}/issues", title="Three", body="a\r\nb")
    assert f"/{REPO}/issues/3" == made.url.path
    issue = forge.issue(REPO, 3)
    assert ("Three", "a\nb", "alice") == (issue.title, issue.body, issue.poster.login)
    path = f"/{REPO}/issues/3"
    await browser.post(f"{path}/edit", title="Drei", body="c")
    await browser.post(f"{path}/assign", login="coordinator")
    await browser.post(f"{path}/label", name="size/small")
    await browser.post(f"{path}/label", name="size/large")
    await browser.post(f"{path}/comment", body="/help")
    await browser.post(f"{path}/close")
    assert ("Drei", "c", False) == (issue.title, issue.body, issue.is_open)
    assert ["coordinator"] == [who.login for who in issue.assignees]
    assert ["size/large"] == forge.labels(REPO, 3), "a name with a slash is exclusive"
    (comment,) = issue.comments
    await browser.post(f"{path}/edit-comment", comment=str(comment.id), body="/status")
    assert "/status" == comment.body
    await browser.post(f"{path}/delete-comment", comment=str(comment.id))
    await browser.post(f"{path}/unassign", login="coordinator")
    await browser.post(f"{path}/unlabel", name="size/large")
    await browser.post(f"{path}/reopen")
    assert ([], [], [], True) == (
        issue.comments,
        issue.assignees,
        issue.labels,
        issue.is_open,
    )


@pytest.mark.parametrize("word", ["2", "#2", " acme/rocket#2 ", "Acme/Rocket#2"])
async def test_a_dependency_is_added_by_number_and_removed(
    browser: Browser, forge: Forge, word: str
) -> None:
    first, second = forge.issue(REPO, 1), forge.issue(REPO, 2)
    await browser.post(f"{ISSUE}/depend", issue=word)
    assert [second] == first.blocked_by
    await browser.post(f"{ISSUE}/undepend", issue=word)
    assert [] == first.blocked_by
    assert "alice let this no longer depend on #2" in text_of(await browser.get(ISSUE))


async def test_a_dependency_is_removed_from_its_other_end_too(
    browser: Browser, forge: Forge
) -> None:
    forge.add_repository("acme/valves")
    forge.grant("acme/valves", "alice", "write")
    waiting = forge.act_as("alice", "acme/valves").open("Valve")
    forge.act_as("alice", "acme/valves").block(1, by=forge.issue(REPO, 1))
    page = text_of(await browser.get(ISSUE))
    assert "Blocks Open acme/valves#1 Valve" in page
    assert "alice made acme/valves#1 depend on this" in page
    await browser.post(f"{ISSUE}/unblock", issue="acme/valves#1")
    assert [] == waiting.blocked_by
    assert "Blocks" not in text_of(await browser.get(ISSUE))


async def test_where_dependencies_are_switched_off_none_are_shown(
    browser: Browser, forge: Forge
) -> None:
    alice = forge.act_as("alice", REPO)
    alice.block(1, by=2)
    alice.switch_dependencies(on=False)
    assert "Depends on" not in text_of(await browser.get(ISSUE))
    alice.switch_dependencies(on=True)
    assert "Depends on Open #2 Two" in text_of(await browser.get(ISSUE))


@pytest.mark.parametrize(
    ("number", "deed", "word", "status", "words"),
    [
        (1, "depend", "1", 422, "An issue cannot depend on itself."),
        (1, "depend", "2", 422, "It depends on acme/rocket#2 already."),
        (2, "depend", "1", 422, "each would wait for the other"),
        (1, "depend", "the pump", 422, "Name the issue by its number"),
        (1, "depend", "99", 404, "There is no such issue"),
        (1, "depend", "acme/secret#1", 404, "There is no such issue"),
        (2, "undepend", "1", 422, "acme/rocket#2 does not depend on acme/rocket#1."),
        (1, "unblock", "2", 422, "acme/rocket#2 does not depend on acme/rocket#1."),
    ],
)
async def test_a_dependency_that_makes_no_sense_is_refused_in_words(
    browser: Browser, forge: Forge, number: int, deed: str, word: str, status: int, words: str
) -> None:
    forge.act_as("root", "acme/secret").open("Secret title")
    forge.act_as("alice", REPO).block(1, by=2)
    answer = await browser.post(f"/{REPO}/issues/{number}/{deed}", issue=word)
    assert status == answer.status_code
    assert words in answer.text


async def test_what_did_not_change_is_not_edited(
    browser: Browser, forge: Forge, receiver: Receiver
) -> None:
    forge.add_hook(receiver.url, secret=SECRET)
    await browser.post(f"{ISSUE}/edit", title="Retry <b>", body="Blocked by: #2")
    await browser.post(f"{ISSUE}/edit", title="Retry <b>", body="new")
    await forge.settled()
    assert ["issues.edited"] == receiver.names


async def test_ticking_a_box_of_the_bot_edits_its_comment(
    browser: Browser, forge: Forge, receiver: Receiver
) -> None:
    forge.add_hook(receiver.url, secret=SECRET)
    comment = forge.act_as("coordinator", REPO).comment(1, "- [ ] a\n- [ ] b\n")
    page = await browser.get(ISSUE)
    assert f'data-tick="{ISSUE}/tick" data-comment="{comment.id}"' in page
    await browser.post(f"{ISSUE}/tick", comment=str(comment.id), box="1", on="1")
    assert "- [ ] a\n- [x] b\n" == comment.body
    await browser.post(f"{ISSUE}/tick", comment=str(comment.id), box="1", on="")
    assert "- [ ] a\n- [ ] b\n" == comment.body
    await forge.settled()
    assert ["issue_comment.created"] + ["issue_comment.edited"] * 2 == receiver.names
    assert "alice" == receiver.received[1].payload["sender"]["login"]


async def test_a_reader_sees_no_forms_for_what_is_refused(browser: Browser, forge: Forge) -> None:
    comment = forge.act_as("coordinator", REPO).comment(1, "- [ ] a")
    await browser.become("mallory")
    page = await browser.get(ISSUE)
    for deed in ("edit", "assign", "label", "tick", "close", "edit-comment", "depend"):
        assert f"{ISSUE}/{deed}" not in page
    for deed, form in (
        ("edit", {"title": "x"}),
        ("close", {}),
        ("label", {"name": "x"}),
        ("tick", {"comment": str(comment.id), "box": "0", "on": "1"}),
    ):
        answer = await browser.post(f"{ISSUE}/{deed}", **form)
        assert 403 == answer.status_code, deed
        assert "That was refused" in answer.text
    assert 200 == (await browser.post(f"{ISSUE}/comment", body="may I?")).status_code
    own = await browser.get(ISSUE)
    assert 1 == own.count("edit-comment"), "but one's own comment"


@pytest.mark.parametrize(
    ("path", "form", "status"),
    [
        ("/issues", {"title": ""}, 422),
        ("/issues/1/comment", {"body": ""}, 422),
        ("/issues/1/label", {"name": " "}, 422),
        ("/issues/1/tick", {"comment": "x", "box": "0"}, 422),
        ("/issues/1/tick", {"comment": "1", "box": "7"}, 404),
        ("/issues/1/bogus", {}, 404),
        ("/issues/99/close", {}, 404),
        ("/issues/1/edit-comment", {"comment": "99", "body": "x"}, 404),
    ],
)
async def test_what_makes_no_sense_is_refused_in_words(
    browser: Browser, forge: Forge, path: str, form: dict[str, str], status: int
) -> None:
    forge.act_as("coordinator", REPO).comment(1, "- [ ] a")
    answer = await browser.post(f"/{REPO}{path}", **form)
    assert status == answer.status_code
    assert "That was refused" in answer.text


async def test_closing_a_blocked_issue_says_why_not(browser: Browser, forge: Forge) -> None:
    forge.act_as("alice", REPO).block(1, by=2)
    answer = await browser.client.post(
        f"{ISSUE}/close", headers={"Referer": f"{str(browser.client.base_url).rstrip('/')}{ISSUE}"}
    )
    assert 412 == answer.status_code
    assert "it still has open dependencies" in answer.text
    assert f'<a href="{ISSUE}">Back</a>' in answer.text


async def test_a_pull_request_has_its_own_address(browser: Browser, forge: Forge) -> None:
    alice = forge.act_as("alice", REPO)
    alice.write({"a": 1}, new_branch="pump")
    pull = alice.open_pull("Pump", "pump")
    alice.merge(pull.number)
    page = await browser.get(f"/{REPO}/pulls/{pull.number}")
    assert "Merged" in page
    assert "data-state" not in page, "what is merged cannot be reopened"
    assert "pull request" in await browser.get(f"/{REPO}/issues?state=all")


async def test_a_renamed_repository_redirects(browser: Browser, forge: Forge) -> None:
    forge.act_as("alice", REPO).rename_repository("vessel")
    answer = await browser.client.get(ISSUE)
    assert (200, "/acme/vessel/issues/1") == (answer.status_code, answer.url.path)


async def test_a_page_is_sent_again_only_when_it_changed(browser: Browser, forge: Forge) -> None:
    first = await browser.client.get(ISSUE)
    known = {"If-None-Match": first.headers["ETag"]}
    assert 304 == (await browser.client.get(ISSUE, headers=known)).status_code
    forge.act_as("coordinator", REPO).comment(1, "news")
    assert 200 == (await browser.client.get(ISSUE, headers=known)).status_code


async def test_style_and_script_come_from_the_forge_itself(browser: Browser) -> None:
    answer = await browser.client.get(ISSUE)
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "style=" not in answer.text
    assert set() == set(re.findall(r'(?:src|href)="(?:https?:)?//[^"]*"', answer.text))
    for name, kind in (("forge.css", "text/css"), ("forge.js", "text/javascript")):
        asset = await browser.client.get(f"/-/{name}")
        assert asset.headers["Content-Type"].startswith(kind)
    assert 404 == (await browser.client.get("/-/layout.html.j2")).status_code


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "evil.example"}, 403),
        ({}, 200),
    ],
    ids=["form of another site", "no origin", "name of another site", "own"],
)
async def test_other_sites_cannot_use_the_page(
    browser: Browser, forge: Forge, headers: dict[str, str], status: int
) -> None:
    answer = await browser.client.post(f"{ISSUE}/close", headers=headers)
    assert status == answer.status_code
    assert (status != 200) == forge.issue(REPO, 1).is_open


async def test_a_form_of_the_page_itself_is_accepted(browser: Browser, forge: Forge) -> None:
    origin = {"Origin": str(browser.client.base_url).rstrip("/")}
    assert 200 == (await browser.client.post(f"{ISSUE}/close", headers=origin)).status_code
    assert not forge.issue(REPO, 1).is_open


@pytest.mark.parametrize("back", ["//evil.example", "/\\evil.example", "http://evil", "", "/a\nb"])
async def test_one_is_sent_back_only_to_the_forge(browser: Browser, back: str) -> None:
    answer = await browser.client.post(
        "/-/who", data={"login": "alice", "back": back}, follow_redirects=False
    )
    assert (303, "/") == (answer.status_code, answer.headers["Location"])
