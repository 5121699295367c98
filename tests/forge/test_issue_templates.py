"""The issue template and the issue form, in a real Gitea: both are offered, and read when filled."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

import httpx
import pytest

from bot.issue_templates import FOLDER, NAMES, text_of
from tests.gitea_server import GiteaServer, _password
from tests.unit.test_issue_templates import FILLED, assert_filled, form, read, template

pytestmark = pytest.mark.gitea

REPOSITORY = "offered/rocket"
NEW = f"/{REPOSITORY}/issues/new"


@pytest.fixture(scope="module")
def api(gitea: GiteaServer) -> Iterator[httpx.Client]:
    """A repository with both on its default branch, and its owner's client."""
    token = gitea.create_user("offered")
    head = {"Authorization": f"token {token}"}
    with httpx.Client(base_url=f"{gitea.url}/api/v1", headers=head, trust_env=False) as client:
        client.post("/user/repos", json={"name": "rocket", "auto_init": True}).raise_for_status()
        for kind, name in NAMES.items():
            text = text_of(kind, assign="offered").encode()
            client.post(
                f"/repos/{REPOSITORY}/contents/{FOLDER}/{name}",
                json={"content": base64.b64encode(text).decode(), "message": f"Add {name}"},
            ).raise_for_status()
        yield client


@pytest.fixture(scope="module")
def web(gitea: GiteaServer, api: httpx.Client) -> Iterator[httpx.Client]:
    """The owner at the web page, signed in."""
    with httpx.Client(base_url=gitea.url, follow_redirects=True, trust_env=False) as client:
        page = client.get("/user/login").text
        done = client.post(
            "/user/login",
            data=token_of(page) | {"user_name": "offered", "password": _password("offered")},
        )
        done.raise_for_status()
        yield client


def token_of(page: str) -> dict[str, str]:
    """What earlier versions want with every form."""
    found = re.search(r'name="_csrf" value="([^"]+)"', page)
    return {"_csrf": found[1]} if found else {}


def test_both_are_offered_without_errors(api):
    """In the list that the page *New Issue* shows, too."""
    found = api.get(f"/repos/{REPOSITORY}/issue_templates").raise_for_status().json()
    assert set(NAMES.values()) == {one["file_name"].rpartition("/")[2] for one in found}
    assert all(["offered"] == one["assignees"] for one in found)
    valid = api.get(f"/repos/{REPOSITORY}/issue_config/validate").raise_for_status().json()
    assert {"valid": True, "message": ""} == valid


def test_the_page_offers_both(web):
    page = web.get(f"{NEW}/choose").raise_for_status().text
    assert "Work, as Markdown" in page
    assert "Work, as a form" in page


@pytest.mark.parametrize("values", [FILLED, {"Objective": "x"}], ids=["filled", "empty"])
def test_the_filled_form_is_read_as_it_is_meant(api, web, values):
    """The text that Gitea makes of it is the one that the unit tests take."""
    name = f"{FOLDER}/{NAMES['form']}"
    page = web.get(NEW, params={"template": name}).raise_for_status().text
    ids = {
        "Objective": "objective", "Estimated context": "context", "Files to modify": "files",
        "Difficulty": "difficulty", "Recommended agent": "agent", "Blocked by": "blocked-by",
        "Blocks": "blocks",
    }  # fmt: skip
    assert all(f"form-field-{one}" in page for one in ids.values())
    filled = {f"form-field-{ids[label]}": value for label, value in values.items()}
    if "Difficulty" in values:
        filled["form-field-difficulty"] = str(["easy", "medium", "hard"].index("hard"))
    title = f"Made of a form: {len(values)}"
    data = token_of(page) | filled | {"title": title, "template-file": name}
    web.post(NEW, data=data).raise_for_status()
    (made,) = [
        one for one in api.get(f"/repos/{REPOSITORY}/issues").json() if one["title"] == title
    ]
    assert form(values).strip() == made["body"].strip()
    if values == FILLED:
        assert_filled(read(made["body"]))


def test_the_template_is_what_an_issue_begins_with(web):
    """Without its head."""
    page = web.get(NEW, params={"template": f"{FOLDER}/{NAMES['issue']}"}).raise_for_status().text
    assert "- Blocked by: &lt;!-- what has to be closed first" in page
    assert template().count("<!--") == page.count("&lt;!--")
