"""What `check` makes of what Gitea answers, as values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from pydantic import SecretStr

from bot.check import delivery, token, version
from bot.check.address import unanswered
from bot.check.among import NAMES, told
from bot.check.finding import Finding, Grade
from bot.check.webhooks import judge
from bot.errors import Forbidden, GiteaError, NotFound, Permanent, Retryable
from bot.gitea.client import Gitea, NoAnswer, Silence
from bot.gitea.hooks import EVENTS, Hook, as_listed
from bot.receiving import Refused, Verdict

URL = "http://git.example.test"
TARGET = "http://bot.example.test:8000/webhook/gitea"
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def silent(why: Silence) -> GiteaError:
    error = NoAnswer("Gitea cannot be reached")
    error.why = why
    return error


@pytest.mark.parametrize(
    ("expected", "error"),
    [
        ("address.name", silent(Silence.NAME)),
        ("address.refused", silent(Silence.REFUSED)),
        ("address.certificate", silent(Silence.CERTIFICATE)),
        ("address.tls", silent(Silence.TLS)),
        ("address.time", silent(Silence.TIME)),
        ("address.broken", silent(Silence.BROKEN)),
        ("gitea.failing", Retryable("bad gateway", status=502)),
        ("address.other", NotFound("", status=404, path="/version")),
        ("address.other", Permanent("answered with text/html that is not JSON", status=200)),
        ("address.other", Permanent("no Version as this bot knows it")),
    ],
)
def test_what_an_address_is_that_does_not_answer_as_gitea(expected: str, error: GiteaError) -> None:
    found = unanswered(error, URL)
    assert (expected, Grade.WRONG) == (found.id, found.grade)
    assert URL in found.what or "502 bad gateway" in found.what
    assert found.why
    assert found.do


async def answered(answer: httpx.Response | Exception, url: str = URL) -> GiteaError:
    def server(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    transport = httpx.MockTransport(server)
    async with Gitea(url, SecretStr("t"), attempts=1, transport=transport) as client:
        with pytest.raises(GiteaError) as caught:
            await client.getitem("/version")
    return caught.value


@pytest.mark.parametrize(
    ("location", "there"),
    [
        ("https://git.example.test/api/v1/version", "https://git.example.test"),
        ("https://example.test/git/api/v1/version", "https://example.test/git"),
        ("https://u:p@login.example.test/sign-in?x=1", "https://login.example.test"),
    ],
)
async def test_where_it_redirects_to_is_told(location: str, there: str) -> None:
    error = await answered(httpx.Response(301, headers={"Location": location}))
    found = unanswered(error, URL)
    assert ("address.redirects", True) == (found.id, found.do.endswith(f"GITEA_URL={there}"))


async def test_a_time_out_is_told_as_one() -> None:
    error = await answered(httpx.ConnectTimeout("slow"))
    assert isinstance(error, NoAnswer)
    assert Silence.TIME is error.why


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        ([], "1.22.0"),
        ([], "1.26.3"),
        ([], "8.0.2+gitea-1.22.0"),
        ([], "1.27.0+dev-123"),
        ([], ""),
        (["version.old"], "1.21.11"),
        (["version.old"], "7.0.5+gitea-1.21.11"),
        (["version.unknown"], "main"),
    ],
)
def test_what_is_said_of_a_version(expected: list[str], said: str) -> None:
    assert expected == [one.id for one in version.of_version(said)]


SCOPE = "token does not have at least one of required scope(s)"


@pytest.mark.parametrize(
    ("expected", "status", "message"),
    [
        ("token.refused", 401, "invalid username, password or token"),
        ("user.disabled", 403, "This account is prohibited from signing in, please contact …"),
        ("user.password", 403, "You must change your password. Change it at: …"),
        ("token.scope", 403, f"{SCOPE}, required=[read:user], token scope=write:issue"),
        ("token.scope", 403, f"{SCOPE}: [read:user]"),
        ("gitea.forbids", 403, "blocked by the firewall"),
    ],
)
def test_what_a_refusal_says(expected: str, status: int, message: str) -> None:
    found = token.refused(Forbidden(message, status=status))
    assert (expected, Grade.WRONG) == (found.id, found.grade)
    assert found.do


@pytest.mark.parametrize(
    ("expected", "message"),
    [
        (["read:user"], f"{SCOPE}, required=[read:user], token scope=write:issue"),
        (["read:issue", "read:repository"], f"{SCOPE}: [read:issue read:repository]"),
        ([], "no"),
    ],
)
def test_the_scopes_a_refusal_names(expected: list[str], message: str) -> None:
    assert expected == [*token.required_by(Forbidden(message, status=403))]


def test_a_scope_that_is_not_named_is_told_without_a_name() -> None:
    assert "The token lacks a scope that it needs." == token.lacking([]).what
    assert "The bot cannot do its work." == token.lacking([]).why


def hook(**more: object) -> Hook:
    values = {
        "id": 1,
        "type": "gitea",
        "active": True,
        "events": sorted(as_listed(EVENTS)),
        "config": {"url": TARGET, "content_type": "json"},
    }
    return Hook.model_validate({**values, **more})


def test_a_hook_that_is_right_is_not_spoken_of() -> None:
    judged = judge([hook()], TARGET, "5m")
    assert ((), TARGET, False) == (tuple(judged.always), judged.url, judged.silent)
    assert not judged.unless


@pytest.mark.parametrize(
    ("expected", "more"),
    [
        (["hook.type"], {"type": "slack"}),
        (["hook.branches"], {"branch_filter": "main"}),
        (["hook.events"], {"events": ["issues", "issue_assign", "issue_comment"]}),
    ],
)
def test_what_is_wrong_with_a_hook_is_told(expected: list[str], more: dict[str, object]) -> None:
    assert expected == [one.id for one in judge([hook(**more)], TARGET, "5m").always]


def test_events_are_called_as_gitea_s_page_calls_them() -> None:
    (found,) = judge([hook(events=["push"])], TARGET, "5m").always
    assert "does not send: Issue Assigned, Issue Comment, Issue Labeled, " in found.what


@pytest.mark.parametrize(
    ("expected", "url"),
    [
        ([], "https://other.example.test/coord/webhook/gitea"),
        (["hook.none"], "https://other.example.test/hook"),
        ([], "http://bot.example.test:8000/wrong"),
    ],
)
def test_which_hooks_are_the_bot_s(expected: list[str], url: str) -> None:
    judged = judge([hook(config={"url": url})], TARGET, "5m")
    assert expected == [one.id for one in judged.unless if one.id == "hook.none"]


def test_where_hooks_may_not_be_read_nothing_is_said_of_them() -> None:
    judged = judge(None, TARGET, "5m")
    assert not [*judged.always, *judged.unless]


@pytest.mark.parametrize(
    ("expected", "host"),
    [
        (True, "127.0.0.1"),
        (True, "192.168.1.7"),
        (True, "::1"),
        (True, "coordinator"),
        (True, "bot.lan"),
        (False, "bot.example.org"),
        (False, "93.184.216.34"),
    ],
)
def test_hosts_that_gitea_does_not_send_to_by_itself(expected: bool, host: str) -> None:
    assert expected is delivery.is_inside(host)


@pytest.mark.parametrize(
    ("first", "url"),
    [
        ("Let Gitea send there", "http://coordinator:8000/webhook/gitea"),
        ("Let Gitea's machine reach", "https://bot.example.org/webhook/gitea"),
        ("Let Gitea send there", ""),
    ],
)
def test_what_is_likelier_is_said_first(first: str, url: str) -> None:
    found = delivery.of_verdict(Verdict.NOTHING, "acme/rocket", url, running=True, shared=True)
    assert found.do.startswith(first)
    assert "ALLOWED_HOST_LIST = external," in found.do
    assert "another replica" in found.why


@pytest.mark.parametrize(
    ("expected", "refused"),
    [
        (0, Refused()),
        (1, Refused(1, NOW - timedelta(hours=1))),
        (1, Refused(3, NOW)),
        (0, Refused(3, NOW - timedelta(days=2))),
    ],
)
def test_only_what_was_refused_lately_is_told(expected: int, refused: Refused) -> None:
    assert expected == len(delivery.refused_before(refused, NOW))


GOOD = Finding("x.good", Grade.GOOD, f"{NAMES}: good.")
WRONG = Finding("x.wrong", Grade.WRONG, f"{NAMES}: wrong.", "It matters.", f"setup {NAMES}")


@pytest.mark.parametrize(
    ("expected", "goods", "wrongs"),
    [
        (["a/r0: good.", "a/r0: wrong."], 1, 1),
        (["20 repositories: good."], 20, 0),
        (["12 repositories: good.", "a/r0: wrong."], 12, 1),
        (["a/r0, a/r1: good.", "a/r0, a/r1, a/r2 and 9 more: wrong."], 2, 12),
    ],
)
def test_of_many_repositories_what_is_the_same_is_told_once(
    expected: list[str], goods: int, wrongs: int
) -> None:
    found = [(f"a/r{n}", GOOD) for n in range(goods)] + [(f"a/r{n}", WRONG) for n in range(wrongs)]
    assert expected == [one.what for one in told(found, repositories=max(goods, wrongs))]


def test_what_to_do_names_the_first_of_many() -> None:
    found = told([(f"a/r{n}", WRONG) for n in range(12)], repositories=12)
    assert "setup a/r0 a/r1 a/r2 …" == found[0].do
