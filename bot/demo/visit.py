"""One look at the page: who looks, at what, and what they send."""

from __future__ import annotations

from aiohttp import web

from bot.demo.actor import Actor
from bot.demo.api.call import Moved
from bot.demo.records import Issue, Repository, Right, User
from bot.demo.refusals import not_found
from bot.demo.world import World

COOKIE = "forge_user"

Form = dict[str, str]


class Visit:
    """One look at the page: who looks, and at what."""

    def __init__(self, request: web.Request, world: World, form: Form) -> None:
        self.request = request
        self.world = world
        self.form = form
        self.user = self._visitor()

    def _visitor(self) -> User:
        state = self.world.state
        chosen = state.user(self.request.cookies.get(COOKIE, ""))
        people = [who for who in state.users.values() if not who.is_organization]
        return chosen or next((who for who in people if not who.is_admin), people[0])

    @property
    def people(self) -> list[User]:
        """Everybody one can be."""
        found = [who for who in self.world.state.users.values() if not who.is_organization]
        return sorted(found, key=lambda who: who.login)

    @property
    def repository(self) -> Repository:
        """The repository of the path."""
        owner, name = (self.request.match_info[part] for part in ("owner", "repo"))
        found = self.world.state.repositories.get(f"{owner}/{name}".lower())
        moved = self.world.state.moved(owner, name)
        if found is None and moved is not None:
            raise Moved(self.request.path.replace(f"/{owner}/{name}", f"/{moved.full_name}", 1))
        if found is None or self.right(found) < Right.READ:
            raise not_found("There is no such repository, or you may not see it.")
        return found

    @property
    def issue(self) -> Issue:
        """The issue of the path."""
        found = self.repository.issues.get(int(self.request.match_info["number"]))
        if found is None:
            raise not_found("There is no such issue.")
        return found

    @property
    def actor(self) -> Actor:
        """The visitor at work."""
        return Actor(self.world, self.user, self.repository)

    def right(self, repository: Repository) -> Right:
        """What the visitor may do."""
        return self.world.state.right(self.user, repository)

    def text(self, name: str) -> str:
        """A field of the form, with the line ends of Unix."""
        return self.form.get(name, "").replace("\r\n", "\n")

    def find(self, where: str, number: int) -> Issue | None:
        """An issue the visitor may see; `where` is empty for this repository."""
        home = (where or self.repository.full_name).lower()
        repository = self.world.state.repositories.get(home)
        if repository is None or self.right(repository) < Right.READ:
            return None
        return repository.issues.get(number)

    def locate(self, where: str, number: int) -> str | None:
        """The address of an issue the visitor may see."""
        issue = self.find(where, number)
        return None if issue is None else address(issue)


def named(issue: Issue) -> str:
    """`owner/repo#number`."""
    return f"{issue.repository.full_name}#{issue.number}"


def address(issue: Issue) -> str:
    """Where an issue is, on this server."""
    kind = "issues" if issue.pull is None else "pulls"
    return f"/{issue.repository.full_name}/{kind}/{issue.number}"
