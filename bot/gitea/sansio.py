"""What goes to Gitea and comes back, as values: nothing here touches a socket or a clock.

URLs from templates, errors from answers, the walk over the pages of a list, the payload of a
webhook request. The facts were seen in Gitea 1.26.3.
"""

from __future__ import annotations

import json
import re
from binascii import a2b_qp
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from string import Formatter
from typing import TypeAlias
from urllib.parse import quote

from bot.errors import Conflict, Forbidden, GiteaError, NotFound, Permanent, Retryable

JSON: TypeAlias = "dict[str, JSON] | list[JSON] | str | int | float | bool | None"
Param: TypeAlias = str | int | bool | datetime | None

PAGE_SIZE = 50
MAX_NAME = 255
MAX_MESSAGE = 500
UNSUPPORTED = "set the hook's content type to application/json or application/x-www-form-urlencoded"

_BY_STATUS: Mapping[int, type[Permanent]] = {
    401: Forbidden,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: NotFound,
    412: Conflict,
    422: Conflict,
    423: Conflict,  # the repository is archived
}
_TRANSIENT = frozenset({408, 425, 429})


def header(headers: Mapping[str, str], name: str) -> str | None:
    """A header's value whatever case its name was sent in; None where it was not sent."""
    if name in headers:
        return headers[name]
    wanted = name.lower()
    return next((value for key, value in headers.items() if key.lower() == wanted), None)


def media_type(content_type: str | None) -> str:
    """`application/json` of `Application/JSON; charset=utf-8`; empty where there is none."""
    return (content_type or "").partition(";")[0].strip().lower()


def form_payload(body: bytes) -> bytes | None:
    """The decoded `payload` field of a form body, byte for byte; None where there is none.

    Quick for whatever anybody sends: it is needed before it is known who that was.
    """
    found = re.search(rb"(?:^|&)payload(?:=([^&]*))?(?:&|$)", body)
    value = found and (found[1] or b"")
    if value is None or re.search(rb"%(?![0-9A-Fa-f]{2})", value):
        return None
    printable = value.replace(b"+", b" ").replace(b"=", b"=3D").replace(b"%", b"=")
    return a2b_qp(printable)


def target(template: str, params: Mapping[str, Param]) -> tuple[str, dict[str, str]]:
    """The quoted path and the query of a route such as `/repos/{owner}/{repo}`.

    Parameters the template names go into the path, the others into the query; None is left out.
    Raises NotFound for a value that can be no part of a path, such as `..`.
    """
    names = [name for _, name, _, _ in Formatter().parse(template) if name]
    path = template.format(**{name: _segment(template, params[name]) for name in names})
    rest = {key: value for key, value in params.items() if key not in names}
    return path, {key: _text(value) for key, value in rest.items() if value is not None}


def _segment(route: str, value: Param) -> str:
    text = _text(value)
    if text in {"", ".", ".."} or len(text) > MAX_NAME:
        raise NotFound(f"nothing can be called {text[:40]!r}", status=404, path=route)
    try:
        return quote(text, safe="")
    except UnicodeEncodeError:
        raise NotFound("a name holds half a character", status=404, path=route) from None


def _text(value: Param) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return str(value)


def encode(data: JSON) -> bytes:
    """A request's JSON body; half characters, which Gitea answers with 422, become `?`."""
    return json.dumps(data, ensure_ascii=False).encode("utf-8", "replace")


def decode(body: bytes) -> JSON:
    """The value of an answer's JSON body, None for an empty one; ValueError for anything else."""
    if not body.strip():
        return None
    try:
        value: JSON = json.loads(body)
    except RecursionError:
        raise ValueError("too deeply nested") from None
    return value


def error_of(
    status: int, headers: Mapping[str, str], body: bytes, *, method: str, path: str, now: datetime
) -> GiteaError:
    """The exception for an answer that is no success, with Gitea's own words, bounded.

    The message is empty where Gitea says nothing: it answers 500 that way to a dependency that
    is there already, would close a direct cycle, or is not there to remove.
    """
    message = _message(header(headers, "Content-Type"), body)
    if status >= 500 or status in _TRANSIENT:
        wait = retry_after(header(headers, "Retry-After"), now)
        return Retryable(message, status=status, method=method, path=path, retry_after=wait)
    return _BY_STATUS.get(status, Permanent)(message, status=status, method=method, path=path)


def _message(content_type: str | None, body: bytes) -> str:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        text = body.decode("utf-8", "replace") if media_type(content_type) == "text/plain" else ""
        return _one_line(text)
    if isinstance(told, str):  # as where dependencies may not cross repositories
        return _one_line(told)
    if not isinstance(told, dict):
        return ""
    errors = told.get("errors")
    parts = [told.get("message"), *(errors if isinstance(errors, list) else [])]
    return _one_line(": ".join(part for part in parts if isinstance(part, str) and part))


def _one_line(text: str) -> str:
    words = " ".join(re.sub(r"[\x00-\x1f\x7f]+", " ", text[: 4 * MAX_MESSAGE]).split())
    return words if len(words) <= MAX_MESSAGE else words[: MAX_MESSAGE - 1] + "…"


def retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds to wait by a `Retry-After` header, given as seconds or as an HTTP date."""
    if value is None:
        return None
    if re.fullmatch(r"\s*[0-9]{1,9}\s*", value):
        return float(value)
    when = http_date(value)
    return None if when is None else max(0.0, (when - now).total_seconds())


def http_date(value: str | None) -> datetime | None:
    """The time of a header such as `Date`; None where there is none, or it is no time."""
    try:
        when = parsedate_to_datetime(value or "")
        return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


class Pages:
    """The walk over the pages of a list that may change while it is read.

    Gitea counts pages, so what is added or removed meanwhile moves everything after it. What
    comes twice is dropped by `id`; when the total shrinks, the page before is read again,
    because something slid into it. Some routes send no total (`…/blocks`), and one sends the
    whole list whatever page is asked for (`…/issues/{n}/comments`).
    """

    def __init__(self, size: int = PAGE_SIZE) -> None:
        self.page: int | None = 1
        self._size = size
        self._total: int | None = None
        self._seen: set[int] = set()

    def take(
        self, items: Sequence[dict[str, JSON]], headers: Mapping[str, str]
    ) -> list[dict[str, JSON]]:
        """What is new on the page asked for; sets `page` to the next one, None at the end."""
        page = self.page or 1
        total, before = total_count(headers), self._total
        self._total = total
        if page == 1 and items:  # the server may give shorter pages than were asked for
            self._size = len(items) if total is not None else max(len(items), self._size)
        fresh = list(self._fresh(items))
        if page > 1 and total is not None and before is not None and total < before:
            self.page = page - 1
        else:
            more = self._more(page, len(items), total, headers, fresh=bool(fresh))
            self.page = page + 1 if more else None
        return fresh

    def _more(
        self, page: int, count: int, total: int | None, headers: Mapping[str, str], *, fresh: bool
    ) -> bool:
        if not count:
            return False
        if total is not None:
            return page * self._size < total
        if 'rel="next"' in (header(headers, "Link") or ""):
            return True
        return fresh and count == self._size

    def _fresh(self, items: Sequence[dict[str, JSON]]) -> Iterator[dict[str, JSON]]:
        for item in items:
            key = item.get("id")
            if not isinstance(key, int) or not key:  # 0: an issue the bot may not see
                yield item
            elif key not in self._seen:
                self._seen.add(key)
                yield item


def total_count(headers: Mapping[str, str]) -> int | None:
    """How many items a list has over all its pages, by `X-Total-Count`."""
    value = header(headers, "X-Total-Count") or ""
    return int(value) if re.fullmatch(r"[0-9]{1,9}", value) else None
