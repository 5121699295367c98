"""Only somebody who knows the hook's secret is listened to."""

from __future__ import annotations

import hmac
import json
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from bot import security
from bot.errors import DeliveryError
from bot.security import sign, verify
from tests.recorded import SECRET, Delivery, deliveries, delivery, form_delivery

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
BODY = b'{"action": "opened"}'
RIGHT = sign(SECRET, BODY)
WRONG = "0" * 64


def refused(headers, *, body=BODY, content_type=JSON, secrets=(SECRET,)) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        verify(secrets, body, content_type, headers)
    return caught.value


@pytest.mark.parametrize("one", [*deliveries(), form_delivery()], ids=lambda one: one.name)
def test_every_recorded_delivery_carries_a_right_signature(one: Delivery) -> None:
    verify([SECRET], one.body, one.content_type, one.headers)


@pytest.mark.parametrize("one", [delivery(0), form_delivery()], ids=["json", "form"])
def test_github_s_header_alone_is_enough_for_both_content_types(one: Delivery) -> None:
    headers = {"X-Hub-Signature-256": one.headers["X-Hub-Signature-256"]}
    verify([SECRET], one.body, one.content_type, headers)


@pytest.mark.parametrize("one", [delivery(0), form_delivery()], ids=["json", "form"])
def test_a_changed_byte_is_refused(one: Delivery) -> None:
    body = one.body.replace(b"opened", b"closed", 1)
    assert body != one.body
    error = refused(one.headers, body=body, content_type=one.content_type)
    assert 401 == error.status


ACCEPTED = {
    "Gitea": {"X-Gitea-Signature": RIGHT},
    "Forgejo": {"X-Forgejo-Signature": RIGHT},
    "GitHub": {"X-Hub-Signature-256": f"sha256={RIGHT}"},
    "name in lower case": {"x-gitea-signature": RIGHT},
    "digest in upper case": {"X-Gitea-Signature": RIGHT.upper()},
    "blanks around it": {"X-Gitea-Signature": f" {RIGHT} "},
    "Gitea's right, others wrong": {"X-Gitea-Signature": RIGHT, "X-Hub-Signature-256": WRONG},
    "first without digest": {"X-Gitea-Signature": "", "X-Forgejo-Signature": RIGHT},
}


@pytest.mark.parametrize("headers", ACCEPTED.values(), ids=ACCEPTED)
def test_accepted(headers: dict[str, str]) -> None:
    verify([SECRET], BODY, JSON, headers)


REFUSED = {
    "none": ({}, "no X-Gitea-Signature"),
    "empty, of a hook without secret": (
        {"X-Gitea-Signature": "", "X-Hub-Signature-256": "sha256="},
        "no X-Gitea-Signature",
    ),
    "SHA-1 only": ({"X-Hub-Signature": "sha1=" + "0" * 40}, "no X-Gitea-Signature"),
    "wrong": ({"X-Gitea-Signature": WRONG}, "X-Gitea-Signature does not match"),
    "wrong, Forgejo": ({"X-Forgejo-Signature": WRONG}, "X-Forgejo-Signature does not match"),
    "wrong, GitHub": ({"X-Hub-Signature-256": WRONG}, "X-Hub-Signature-256 does not match"),
    "Gitea's wrong, GitHub's right": (
        {"X-Gitea-Signature": WRONG, "X-Hub-Signature-256": f"sha256={RIGHT}"},
        "X-Gitea-Signature does not match",
    ),
    "cut short": ({"X-Gitea-Signature": RIGHT[:-1]}, "does not match"),
    "followed by more": ({"X-Gitea-Signature": RIGHT + "0"}, "does not match"),
    "not ASCII": ({"X-Gitea-Signature": "ä" * 64}, "does not match"),
    "undecodable": ({"X-Gitea-Signature": "\udcff" * 64}, "does not match"),
}


@pytest.mark.parametrize(("headers", "says"), REFUSED.values(), ids=REFUSED)
def test_refused(headers: dict[str, str], says: str) -> None:
    error = refused(headers)
    assert 401 == error.status
    assert says in str(error)
    assert "GITEA_WEBHOOK_SECRET" in str(error)


@pytest.mark.parametrize("headers", [h for h, _ in REFUSED.values() if h], ids=str)
def test_a_refusal_repeats_neither_signature_nor_secret(headers: dict[str, str]) -> None:
    said = str(refused(headers))
    assert RIGHT not in said
    assert SECRET.get_secret_value() not in said
    assert not any(value and value in said for value in headers.values())


@pytest.mark.parametrize("order", [0, 1], ids=["first", "second"])
def test_either_of_two_secrets_will_do_while_rotating(order: int) -> None:
    secrets = [SecretStr("another")]
    secrets.insert(order, SECRET)
    verify(secrets, BODY, JSON, {"X-Gitea-Signature": RIGHT})


def test_every_secret_is_tried_even_after_one_matched(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append(one)
        return hmac.compare_digest(one, other)

    monkeypatch.setattr(security, "hmac", _Hmac(compare))
    verify([SECRET, SecretStr("another")], BODY, JSON, {"X-Gitea-Signature": RIGHT})
    assert 2 == len(compared)


class _Hmac:
    def __init__(self, compare) -> None:
        self.compare_digest = compare
        self.new = hmac.new


@pytest.mark.parametrize("secrets", [[], [SecretStr("")]], ids=["none", "empty"])
def test_without_a_secret_nobody_is_listened_to(secrets: list[SecretStr]) -> None:
    headers = {"X-Gitea-Signature": sign(SecretStr(""), BODY)}
    assert 401 == refused(headers, secrets=secrets).status


@pytest.mark.parametrize("kind", ["", "text/plain", "application/jsonp", "multipart/form-data"])
def test_a_content_type_that_is_neither_json_nor_form_is_415(kind: str) -> None:
    error = refused({"X-Gitea-Signature": RIGHT}, content_type=kind)
    assert 415 == error.status
    assert JSON in str(error)


@pytest.mark.parametrize(
    "kind", [JSON, "application/json; charset=utf-8", "Application/JSON;charset=UTF-8"]
)
def test_a_charset_changes_nothing(kind: str) -> None:
    verify([SECRET], BODY, kind, {"X-Gitea-Signature": RIGHT})


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_a_form_is_signed_over_its_decoded_payload(text: str) -> None:
    payload = json.dumps({"body": text}, ensure_ascii=False)
    body = f"other=1&payload={quote_plus(payload)}&more=x".encode()
    verify([SECRET], body, FORM, {"X-Gitea-Signature": sign(SECRET, payload.encode())})


def test_a_form_without_payload_is_signed_by_nobody() -> None:
    assert 401 == refused({"X-Gitea-Signature": RIGHT}, body=b"a=b", content_type=FORM).status


def test_nothing_is_parsed_before_the_signature_is_known() -> None:
    """A body no parser accepts, rightly signed, passes here: judging it comes later."""
    body = b"\xff{[" * 1000
    verify([SECRET], body, JSON, {"X-Gitea-Signature": sign(SECRET, body)})
