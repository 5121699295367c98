"""Access tokens of a user: only for who is signed in with a name."""

from __future__ import annotations

from aiohttp import web

from bot.demo import shapes
from bot.demo.api.call import Call, answer, nothing, paged
from bot.demo.api.instance import Route, find_user
from bot.demo.records import User
from bot.demo.refusals import Refused, forbidden, not_found


def _owner(call: Call) -> User:
    """Whose tokens the path means; raises the 403 or 401 of who may not see them."""
    who = find_user(call)
    if not call.user.is_admin and call.user is not who:
        raise forbidden("doer should be the site admin or be same as the contextUser")
    if not call.request.headers.get("Authorization", "").lower().startswith("basic "):
        raise Refused(401, "auth required")
    return who


async def list_tokens(call: Call) -> web.Response:
    """The tokens, without themselves."""
    found = call.world.state.tokens_of(_owner(call))
    return paged(call, list(found.items()), lambda one: shapes.token(one[1], one[0]))


async def create_token(call: Call) -> web.Response:
    """A new token; its name is taken once."""
    who, state = _owner(call), call.world.state
    name, scopes = call.body.text("name") or "", call.body.texts("scopes") or []
    if name in {one.name for one in state.tokens_of(who).values()}:
        raise Refused(400, "access token name has been used already")
    if not scopes:
        raise Refused(400, "access token must have a scope")
    text = state.new_token(who, frozenset(scopes), name)
    return answer(shapes.token(state.tokens[text], text, shown=True), 201)


async def delete_token(call: Call) -> web.Response:
    """Delete a token, by its name or id."""
    tokens, wanted = call.world.state.tokens_of(_owner(call)), call.text("token")
    for text, one in tokens.items():
        if wanted in (one.name, str(one.id)):
            del call.world.state.tokens[text]
            return nothing()
    raise not_found()


ROUTES: list[Route] = [
    ("GET", "/users/{login}/tokens", list_tokens),
    ("POST", "/users/{login}/tokens", create_token),
    ("DELETE", "/users/{login}/tokens/{token}", delete_token),
]
