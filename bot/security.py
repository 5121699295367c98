"""Whether a webhook request was made by somebody who knows the hook's secret.

Gitea signs the raw body of a JSON delivery, and of a form delivery the decoded value of its
`payload` field, with HMAC-SHA256. It sends the same digest as `X-Gitea-Signature` and, as GitHub
writes it, `X-Hub-Signature-256`; Forgejo adds `X-Forgejo-Signature`.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence

from pydantic import SecretStr

from bot.errors import DeliveryError
from bot.gitea.sansio import UNSUPPORTED, form_payload, header, media_type

SIGNATURES = ("X-Gitea-Signature", "X-Forgejo-Signature", "X-Hub-Signature-256")


def sign(secret: SecretStr, body: bytes) -> str:
    """The hex HMAC-SHA256 that Gitea sends as `X-Gitea-Signature` for these bytes."""
    return hmac.new(secret.get_secret_value().encode(), body, hashlib.sha256).hexdigest()


def verify(
    secrets: Sequence[SecretStr], body: bytes, content_type: str, headers: Mapping[str, str]
) -> None:
    """Return if the request carries the right signature by one of the secrets.

    Only the first of X-Gitea-Signature, X-Forgejo-Signature and X-Hub-Signature-256 that was
    sent is judged: all three would be made with the same secret over the same bytes, so a later
    one can add nothing, and must not help a wrong one. The body is not parsed, and every secret
    is tried in the same time.

    Raises DeliveryError: 415 for neither JSON nor form, 401 for no signature or a wrong one.
    """
    signed = _signed_bytes(body, content_type)
    name, given = _given(headers)
    expected = [sign(secret, signed) for secret in secrets if secret.get_secret_value()]
    matches = [hmac.compare_digest(one.encode(), given) for one in expected]
    if not any(matches):
        raise DeliveryError(
            401, f"{name} does not match; is the hook's secret the one in GITEA_WEBHOOK_SECRET?"
        )


def _signed_bytes(body: bytes, content_type: str) -> bytes:
    match media_type(content_type):
        case "application/json":
            return body
        case "application/x-www-form-urlencoded":
            return form_payload(body) or b""
        case _:
            raise DeliveryError(415, UNSUPPORTED)


def _given(headers: Mapping[str, str]) -> tuple[str, bytes]:
    for name in SIGNATURES:
        digest = (header(headers, name) or "").strip().removeprefix("sha256=").lower()
        if digest:  # a hook without a secret sends the headers without a digest
            return name, digest.encode("utf-8", "replace")
    raise DeliveryError(
        401, f"no {SIGNATURES[0]}; give the hook the secret that is in GITEA_WEBHOOK_SECRET"
    )
