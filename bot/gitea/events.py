"""A webhook delivery, read without any I/O: bytes in, `Event` or DeliveryError out."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import cached_property
from typing import Annotated, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
)
from pydantic_core import to_json

from bot.errors import DeliveryError
from bot.gitea.sansio import JSON, UNSUPPORTED, form_payload, header, media_type
from bot.models import MAX_ISSUE_NUMBER, IssueRef

FORGES = ("Gitea", "Forgejo", "GitHub", "Gogs")
MAX_DEPTH = 64
MAX_VALUES = 200_000  # what Gitea sends is far below; 8 MiB of `[],` hold millions


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


def _or_text(value: object) -> object:
    return "" if value is None else value


def _or_list(value: object) -> object:
    return () if value is None else value


class EventUser(_Part):
    """Somebody an event names."""

    id: StrictInt = 0
    login: StrictStr = ""


class EventComment(_Part):
    """The comment an event is about, as it was sent."""

    id: Annotated[StrictInt, Field(ge=0, lt=2**63)]
    body: StrictStr = ""
    updated_at: StrictStr = ""
    user: EventUser | None = None

    @property
    def author(self) -> str:
        """Login of who wrote it; empty where nobody is named."""
        return self.user.login if self.user else ""


class _From(_Part):
    before: StrictStr | None = Field(default=None, alias="from")


class Changes(_Part):
    """What an edit replaced."""

    title: _From | None = None
    body: _From | None = None

    @property
    def title_before(self) -> str | None:
        """The old title; None where it was not edited."""
        return self.title.before if self.title else None

    @property
    def body_before(self) -> str | None:
        """The old text; None where it was not edited."""
        return self.body.before if self.body else None


class _Pull(_Part):
    merged: StrictBool | None = None


class _Issue(_Part):
    number: Annotated[StrictInt, Field(ge=1, le=MAX_ISSUE_NUMBER)]
    created_at: Annotated[StrictStr, BeforeValidator(_or_text)] = ""
    body: Annotated[StrictStr, BeforeValidator(_or_text)] = ""
    user: EventUser | None = None
    assignee: EventUser | None = None
    assignees: Annotated[tuple[EventUser, ...], BeforeValidator(_or_list)] = ()
    pull_request: _Pull | None = None  # stands in an issue that is a pull request
    merged: StrictBool | None = None  # stands in a pull request


class _Repository(_Part):
    id: Annotated[StrictInt, Field(ge=0, lt=2**63)] = 0
    full_name: Annotated[StrictStr, Field(pattern=r"^[^\s/#!]{1,255}/[^\s/#!]{1,255}$")]


class _Payload(_Part):
    action: StrictStr = ""
    sender: EventUser | None = None
    repository: _Repository | None = None
    issue: _Issue | None = None
    pull_request: _Issue | None = None
    comment: EventComment | None = None
    changes: Changes | None = None
    is_pull: StrictBool | None = None


@dataclass(frozen=True)
class Event:
    """One delivery: what happened, to which issue, by whom.

    `delivery` is the forge's id of it, or `sha256:` and the hash of the body. `name` and `type`
    are Gitea's two headers: `issues` covers the types issues, issue_assign, issue_label and
    issue_milestone. `target` is where the hook stands: repository, organization, system or
    default. `data` is the whole payload.
    """

    delivery: str
    name: str
    type: str
    target: str
    data: dict[str, JSON]

    @classmethod
    def from_request(cls, headers: Mapping[str, str], body: bytes) -> Self:
        """The event of a request whose signature has been verified.

        Raises DeliveryError: 415 for neither JSON nor form, 422 for anything that is no payload
        of a Gitea.
        """
        name = _word(_from_forge(headers, "Event"))
        if name is None:
            raise DeliveryError(422, "not a Gitea delivery: no X-Gitea-Event header that is a word")
        event = cls(
            delivery=_delivery(_from_forge(headers, "Delivery")) or _digest(body),
            name=name,
            type=_word(_from_forge(headers, "Event-Type")) or name,
            target=_word(_from_forge(headers, "Hook-Installation-Target-Type")) or "",
            data=_parse(_json_of(headers, body)),
        )
        event.check()
        return event

    def check(self) -> None:
        """Raises DeliveryError where the payload is not as Gitea sends it."""
        try:
            payload = self._payload
        except ValidationError as problem:
            first = problem.errors(include_input=False, include_context=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise DeliveryError(422, f"not a Gitea payload: {where}: {first['msg']}") from None
        if (payload.issue or payload.pull_request) and payload.repository is None:
            raise DeliveryError(422, "not a Gitea payload: an issue without its repository")

    @cached_property
    def _payload(self) -> _Payload:
        return _Payload.model_validate(self.data)

    @property
    def action(self) -> str:
        """What was done: opened, assigned, created …; empty for events without one."""
        return self._payload.action

    @property
    def sender(self) -> str:
        """Login of who caused it; empty where nobody is named."""
        return self._payload.sender.login if self._payload.sender else ""

    @property
    def repository(self) -> str | None:
        """`owner/name`, where the event belongs to a repository."""
        return self._payload.repository.full_name if self._payload.repository else None

    @property
    def repository_id(self) -> int:
        """Gitea's id of the repository; 0 where there is none."""
        return self._payload.repository.id if self._payload.repository else 0

    @property
    def issue(self) -> IssueRef | None:
        """The issue or pull request it is about."""
        found, repository = self._subject, self.repository
        if found is None or repository is None:
            return None
        owner, _, name = repository.partition("/")
        return IssueRef(owner, name, found.number)

    @property
    def author(self) -> str:
        """Login of who opened the issue; empty where nobody is named."""
        found = self._subject
        return found.user.login if found and found.user else ""

    @property
    def issue_assignees(self) -> tuple[str, ...]:
        """Logins of the issue's assignees when the event was sent."""
        found = self._subject
        if found is None:
            return ()
        users = found.assignees or ((found.assignee,) if found.assignee else ())
        return tuple(user.login for user in users)

    @property
    def is_pull(self) -> bool:
        """Whether the issue is a pull request."""
        payload = self._payload
        inside = payload.issue is not None and payload.issue.pull_request is not None
        return bool(payload.is_pull) or payload.pull_request is not None or inside

    @property
    def body(self) -> str:
        """The issue's text, as it was sent."""
        return self._subject.body if self._subject else ""

    @property
    def sent_by_a_program(self) -> bool:
        """Whether the sender is one of Gitea's own users (id below 0), or is called a bot."""
        sender = self._payload.sender
        return sender is None or is_program(sender.id, sender.login)

    @property
    def merged(self) -> bool:
        """Whether the pull request is merged."""
        payload = self._payload
        inside = payload.issue.pull_request if payload.issue else None
        return any(
            pull is not None and bool(pull.merged) for pull in (payload.pull_request, inside)
        )

    @property
    def comment(self) -> EventComment | None:
        """The comment it is about."""
        return self._payload.comment

    @property
    def said_at(self) -> datetime | None:
        """When its comment was written or edited, or its issue opened; None for all else.

        An event may be delivered much later: Gitea sends an old one anew when somebody asks it to.
        """
        text = self.comment.updated_at if self.comment else ""
        if self.action == "opened" and self._subject:
            text = self._subject.created_at
        try:
            return datetime.fromisoformat(text).astimezone(UTC)
        except (ValueError, OverflowError):
            return None

    @property
    def changes(self) -> Changes:
        """What an edit replaced; without values for other actions."""
        return self._payload.changes or Changes()

    @property
    def _subject(self) -> _Issue | None:
        return self._payload.issue or self._payload.pull_request

    def dump(self) -> str:
        """The event as ASCII JSON, for the queue."""
        kept = {field.name: getattr(self, field.name) for field in fields(self)}
        return to_json(kept, ensure_ascii=True).decode("ascii")

    @classmethod
    def load(cls, text: str) -> Self:
        """An event that `dump` wrote."""
        return cls(**json.loads(text))


def is_program(user_id: int, login: str) -> bool:
    """Whether a user is one of Gitea's own (id below 0), or is called a bot."""
    found = re.search(r"(?:^|[-_.\[])bot\]?$|^(?:dependa|renovate)bot$", login.lower())
    return user_id < 0 or found is not None


def _from_forge(headers: Mapping[str, str], what: str) -> str | None:
    values = (header(headers, f"X-{forge}-{what}") for forge in FORGES)
    return next((value for value in values if value), None)


def _word(value: str | None) -> str | None:
    return value if value and re.fullmatch(r"[a-z][a-z0-9_]{0,63}", value) else None


def _delivery(value: str | None) -> str | None:
    return value if value and re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z._-]{7,63}", value) else None


def _digest(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def _json_of(headers: Mapping[str, str], body: bytes) -> bytes:
    match media_type(header(headers, "Content-Type")):
        case "application/json":
            return body
        case "application/x-www-form-urlencoded":
            payload = form_payload(body)
            if payload is None:
                raise DeliveryError(422, "not a Gitea payload: the form has no field `payload`")
            return payload
        case _:
            raise DeliveryError(415, UNSUPPORTED)


def _parse(body: bytes) -> dict[str, JSON]:
    try:
        data: JSON = _DECODER.decode(body.decode("utf-8"))
    except UnicodeDecodeError:
        raise DeliveryError(422, "not a Gitea payload: not UTF-8") from None
    except ValueError:
        raise DeliveryError(422, "not a Gitea payload: not JSON") from None
    except RecursionError:
        raise _too_deep() from None
    if not isinstance(data, dict):
        raise DeliveryError(422, "not a Gitea payload: not an object")
    return data if _sound(body) else _Sound().mapping(data, 1)


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _finite(number: str) -> float:
    if math.isinf(value := float(number)):
        raise DeliveryError(422, "not a Gitea payload: a number without end")
    return value


_DECODER = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite)


def _sound(body: bytes) -> bool:
    """Whether the bytes alone say that `_Sound` would find nothing, as they mostly do.

    A NUL or half a character can only stand there escaped; nothing is deeper than brackets are
    opened, and what is not behind a comma is the first in a bracket, with its key before it.
    """
    opened = body.count(b"{") + body.count(b"[")
    few = opened <= MAX_DEPTH and 2 * (opened + body.count(b",")) <= MAX_VALUES
    return few and not re.search(rb"\\u(?:0000|[dD][89a-fA-F])", body)


def _too_deep() -> DeliveryError:
    return DeliveryError(422, f"not a Gitea payload: nested more than {MAX_DEPTH} deep")


class _Sound:
    """A payload with every text fit to be stored, shown and sent on; bounded, as it takes time."""

    def __init__(self) -> None:
        self._left = MAX_VALUES

    def mapping(self, values: dict[str, JSON], depth: int) -> dict[str, JSON]:
        self._count(len(values))
        return {_sound_text(key): self.value(one, depth) for key, one in values.items()}

    def value(self, value: JSON, depth: int) -> JSON:
        if depth > MAX_DEPTH:
            raise _too_deep()
        match value:
            case str():
                return _sound_text(value)
            case dict():
                return self.mapping(value, depth + 1)
            case list():
                self._count(len(value))
                return [self.value(one, depth + 1) for one in value]
            case _:
                return value

    def _count(self, values: int) -> None:
        self._left -= values
        if self._left < 0:
            raise DeliveryError(422, f"not a Gitea payload: more than {MAX_VALUES:,} values")


def _sound_text(text: str) -> str:
    """Half a character and NUL, which no database and no page holds, become U+FFFD."""
    return re.sub("[\x00\ud800-\udfff]", "\ufffd", text)
