"""The web page of the forge: repositories, issues, and everything one does to them.

Plain HTML with forms; a small script looks every second whether the page has changed. There is no
log-in: whoever sees the page says who they are, which is why it is served on loopback only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from functools import cache
from operator import attrgetter
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bot.demo.api.call import Moved
from bot.demo.deeds import DEEDS
from bot.demo.dependencies import in_order
from bot.demo.markdown import render
from bot.demo.records import Label, Right
from bot.demo.refusals import Refused, not_found
from bot.demo.visit import COOKIE, Visit, address, named
from bot.demo.world import World

TEMPLATES = Path(__file__).resolve().parents[2] / "templates" / "demo"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
ASSETS = {"forge.css": "text/css", "forge.js": "text/javascript"}

Answer = Callable[[Visit], web.Response]


@cache
def _environment() -> Environment:
    """The templates of the page; one for all, since compiling them takes a while."""
    jinja = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    jinja.filters["ink"] = ink
    jinja.globals |= {"address": address, "named": named}
    return jinja


class Page:
    """The routes of the page."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._jinja = _environment()

    def add_routes(self, app: web.Application) -> None:
        """Put the page on an application, after the API."""
        home = "/{owner}/{repo}"
        for path, answer in (
            ("/", self._repositories),
            (home, self._to_issues),
            (home + "/issues", self._issues),
            (home + r"/{kind:issues|pulls}/{number:\d{1,9}}", self._issue),
        ):
            app.router.add_get(path, self._guarded(answer))
        app.router.add_get("/-/{name}", self._asset)
        app.router.add_post("/-/who", self._guarded(self._become))
        app.router.add_post(home + "/issues", self._guarded(self._open))
        app.router.add_post(
            home + r"/{kind:issues|pulls}/{number:\d{1,9}}/{deed}", self._guarded(self._do)
        )

    def _guarded(self, answer: Answer) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def guarded(request: web.Request) -> web.Response:
            if not from_here(request):
                return web.Response(status=403, text="This page is for this machine only.")
            fields = await request.post() if request.method == "POST" else {}
            form = {name: value for name, value in fields.items() if isinstance(value, str)}
            visit = Visit(request, self._world, form)
            try:
                return answer(visit)
            except Refused as refused:
                return self._refusal(visit, refused)
            except Moved as moved:
                return web.Response(status=301, headers={"Location": moved.location})

        return guarded

    def _show(self, visit: Visit, template: str, status: int = 200, **more: object) -> web.Response:
        text = self._jinja.get_template(template).render(visit=visit, Right=Right, **more)
        tag = f'"{hashlib.sha256(text.encode()).hexdigest()[:20]}"'
        headers = {"ETag": tag, "Cache-Control": "no-cache", "Content-Security-Policy": POLICY}
        if visit.request.headers.get("If-None-Match") == tag:
            return web.Response(status=304, headers=headers)
        return web.Response(text=text, content_type="text/html", status=status, headers=headers)

    def _refusal(self, visit: Visit, refused: Refused) -> web.Response:
        words = refused.message or "You may not do that here."
        back = visit.request.headers.get("Referer", "/")
        back = urlsplit(back).path or "/"
        return self._show(visit, "refused.html.j2", refused.status, words=words, back=back)

    async def _asset(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in ASSETS:
            return web.Response(status=404)
        text = (TEMPLATES / name).read_text(encoding="utf-8")
        return web.Response(text=text, content_type=ASSETS[name])

    def _become(self, visit: Visit) -> web.Response:
        response = _see(_local(visit.text("back")))
        response.set_cookie(COOKIE, visit.text("login"), httponly=True, samesite="Strict")
        return response

    def _repositories(self, visit: Visit) -> web.Response:
        found = sorted(self._world.state.visible(visit.user), key=lambda repo: repo.full_name)
        return self._show(visit, "repositories.html.j2", repositories=found)

    def _to_issues(self, visit: Visit) -> web.Response:
        return _see(f"/{visit.repository.full_name}/issues")

    def _issues(self, visit: Visit) -> web.Response:
        state = visit.request.query.get("state", "open")
        found = [
            issue
            for issue in reversed(visit.repository.issues.values())
            if state == "all" or issue.is_open == (state != "closed")
        ]
        return self._show(
            visit, "issues.html.j2", repository=visit.repository, issues=found, state=state
        )

    def _issue(self, visit: Visit) -> web.Response:
        issue = visit.issue
        right = visit.right(visit.repository)

        def markdown(text: str) -> Markup:
            return render(text, visit.locate)

        return self._show(
            visit,
            "issue.html.j2",
            repository=visit.repository,
            issue=issue,
            markdown=markdown,
            writer=right >= Right.WRITE,
            thread=sorted([*issue.comments, *issue.entries], key=attrgetter("id")),
            waits_for=in_order(visit.repository, issue.blocked_by),
            blocks=in_order(visit.repository, self._world.state.blocks(issue)),
            assignable=[
                who
                for who in visit.people
                if who not in issue.assignees
                and self._world.state.right(who, visit.repository) >= Right.READ
            ],
        )

    def _open(self, visit: Visit) -> web.Response:
        made = visit.actor.open(visit.text("title"), visit.text("body"))
        return _see(address(made))

    def _do(self, visit: Visit) -> web.Response:
        deed = DEEDS.get(visit.request.match_info["deed"])
        if deed is None:
            raise not_found("There is no such thing to do.")
        issue = visit.issue
        deed(visit, issue)
        return _see(address(issue))


def from_here(request: web.Request) -> bool:
    """Whether a request comes from a page of this server, opened by its address on this machine.

    Other sites open in the same browser can send forms here, or have their name point here.
    """
    if urlsplit(f"//{request.host}").hostname not in ("127.0.0.1", "localhost", "::1"):
        return False
    origin = request.headers.get("Origin")
    if request.method == "POST" and origin is not None:
        return urlsplit(origin).netloc == request.host
    return True


def ink(label: Label) -> str:
    """The CSS class of a label's writing: `dark` or `light`, by how bright its color is."""
    red, green, blue = (int(label.color[n : n + 2], 16) for n in (0, 2, 4))
    return "dark" if (red * 299 + green * 587 + blue * 114) / 1000 > 140 else "light"


def _see(location: str) -> web.Response:
    return web.Response(status=303, headers={"Location": location})


def _local(path: str) -> str:
    safe = path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if safe and path.isprintable() else "/"
