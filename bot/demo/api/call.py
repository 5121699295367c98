"""One API request: who asks, for which repository, with what body; and how to answer."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import parse_qsl, urlencode

from aiohttp import web

from bot.demo.records import Issue, Repository, Right, Token, User
from bot.demo.refusals import Refused, not_found
from bot.demo.shapes import Json
from bot.demo.world import World

PAGE = 30
MOST = 50
JSON_TYPE = "application/json;charset=utf-8"

T = TypeVar("T")
Handler = Callable[["Call"], Awaitable[web.StreamResponse]]


class Moved(Exception):  # noqa: N818 - an answer, not a failure
    """It has another name now: `location` is where to ask instead.

    `status` is 301 for a repository, and 307 where its owner is called something else.
    """

    def __init__(self, location: str, status: int = 301) -> None:
        super().__init__(location)
        self.location = location
        self.status = status


class Body:
    """The JSON of a request; a field of another type than asked for is a 422."""

    def __init__(self, fields: Json) -> None:
        self.fields = fields

    def text(self, name: str) -> str | None:
        """A string, or None where it is absent."""
        return self._of(name, str)

    def flag(self, name: str) -> bool | None:
        """A boolean, or None where it is absent."""
        return self._of(name, bool)

    def number(self, name: str) -> int | None:
        """An integer, or None where it is absent."""
        return self._of(name, int)

    def items(self, name: str) -> list[object] | None:
        """A list, or None where it is absent."""
        found: list[object] | None = self._of(name, list)
        return found

    def texts(self, name: str) -> list[str] | None:
        """A list of strings, or None where it is absent."""
        found = self.items(name)
        return None if found is None else [str(one) for one in found]

    def part(self, name: str) -> Body:
        """A nested object; empty where it is absent."""
        found: dict[str, object] | None = self._of(name, dict)
        return Body(found or {})

    def _of(self, name: str, kind: type[T]) -> T | None:
        found = self.fields.get(name)
        if found is None:
            return None
        if not isinstance(found, kind) or (kind is int and isinstance(found, bool)):
            raise Refused(422, f"[]: json: cannot unmarshal into field {name}")
        return found


class Call:
    """A request under way."""

    def __init__(self, request: web.Request, world: World, token: Token | None) -> None:
        self.request = request
        self.world = world
        self.token = token
        self.doer: User | None = None if token is None else token.user
        self.body = Body({})

    @property
    def user(self) -> User:
        """Who asks; raises the 401 where nobody is signed in."""
        if self.doer is None:
            raise Refused(401, "token is required")
        return self.doer

    def text(self, name: str) -> str:
        """A part of the path."""
        return self.request.match_info[name]

    def number(self, name: str) -> int:
        """A part of the path that is a number; anything else is not found."""
        text = self.text(name)
        if not text.isascii() or not text.isdigit():
            raise not_found()
        return int(text)

    def query(self, name: str) -> str:
        """A parameter; empty where it is absent."""
        return self.request.query.get(name, "")

    def moment(self, name: str) -> datetime | None:
        """A parameter that is an RFC 3339 time; parts of a second do not count."""
        text = self.query(name).strip()
        if not text:
            return None
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            raise self._no_time(text) from None
        if found.tzinfo is None:
            raise self._no_time(text)
        return found.astimezone(UTC).replace(microsecond=0)

    @staticmethod
    def _no_time(text: str) -> Refused:
        layout = "2006-01-02T15:04:05Z07:00"
        return Refused(422, f'parsing time "{text}" as "{layout}": cannot parse "{text}" as "2006"')

    @property
    def repository(self) -> Repository:
        """The repository of the path; 404 where the asker may not see it."""
        owner, name = self.text("owner"), self.text("repo")
        state = self.world.state
        if state.user(owner) is None:
            raise self.no_user(owner, "GetUserByName")
        found = state.repositories.get(f"{owner}/{name}".lower())
        moved = state.moved(owner, name)
        if found is None and moved is not None:
            raise Moved(self._elsewhere(f"/{owner}/{name}", f"/{moved.full_name}"))
        if found is None or state.right(self.doer, found) < Right.READ:
            raise not_found()
        return found

    def no_user(self, login: str, message: str = "not found") -> Moved | Refused:
        """What to raise where nobody has that name: the redirect to who had it, or the 404."""
        moved = self.world.state.moved_user(login)
        if moved is not None:
            return Moved(self._elsewhere(f"/{login}", f"/{moved.login}"), 307)
        return not_found(message, f"user redirect does not exist [name: {login}]")

    def _elsewhere(self, old: str, new: str) -> str:
        return str(self.request.rel_url).replace(old, new, 1)

    @property
    def right(self) -> Right:
        """What the asker may do in the repository of the path."""
        return self.world.state.right(self.doer, self.repository)

    @property
    def issue(self) -> Issue:
        """The issue of the path; raises the plain 404."""
        repository = self.repository
        found = repository.issues.get(self.number("index"))
        if found is None or found not in repository.shown_issues:
            raise not_found()
        return found

    def page(self, *, most: int = MOST) -> tuple[int, int]:
        """Page (from 1) and size asked for; never more than 50, and 30 where nothing is said."""
        size = _whole(self.query("limit")) or PAGE
        return max(_whole(self.query("page")), 1), min(size, most)


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0


async def read_body(request: web.Request) -> Body:
    """The JSON object of a request; an empty one where there is none."""
    raw = await request.read()
    if not raw:
        return Body({})
    try:
        fields = json.loads(raw)
    except ValueError as error:
        raise Refused(422, f"[]: {error}") from None
    if not isinstance(fields, dict):
        raise Refused(422, "[]: json: not an object")
    return Body(fields)


def answer(
    payload: object, status: int = 200, headers: dict[str, str] | None = None
) -> web.Response:
    """JSON as Gitea sends it."""
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    return web.Response(
        body=text.encode(), status=status, headers={"Content-Type": JSON_TYPE, **(headers or {})}
    )


def nothing(status: int = 204) -> web.Response:
    """An answer without a body."""
    return web.Response(status=status)


def counted(payload: object, total: int) -> web.Response:
    """A list with its total, not paged."""
    return answer(
        payload,
        headers={
            "X-Total-Count": str(total),
            "Access-Control-Expose-Headers": "X-Total-Count",
        },
    )


def paged(
    call: Call, items: Sequence[T], shape: Callable[[T], object], *, link: bool = False
) -> web.Response:
    """The page that was asked for, with the total and, with `link`, where the others are."""
    page, size = call.page()
    shown = [shape(item) for item in items[(page - 1) * size : page * size]]
    response = counted(shown, len(items))
    links = _links(call, len(items), page, size) if link else []
    if links:
        response.headers["Link"] = ",".join(links)
        response.headers["Access-Control-Expose-Headers"] = "Link, X-Total-Count"
    return response


def _links(call: Call, total: int, page: int, size: int) -> list[str]:
    last = max(1, -(-total // size))
    page = min(page, last)
    wanted = []
    if page < last:
        wanted += [("next", page + 1), ("last", last)]
    if page > 1:
        wanted += [("first", 1), ("prev", page - 1)]
    return [f'<{_page_url(call, number)}>; rel="{name}"' for name, number in wanted]


def _page_url(call: Call, page: int) -> str:
    query = dict(parse_qsl(call.request.query_string)) | {"page": str(page)}
    return f"{call.world.state.url}{call.request.path}?{urlencode(sorted(query.items()))}"
