"""A Gitea and a store in dictionaries, and a look at what stands around one issue in them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from bot.errors import NotFound
from bot.gitea.models import Issue, IssueRepository, Permission, Repository
from bot.models import IssueRef, Source
from bot.repositories import Repositories
from bot.store.graph import Hidden
from bot.store.queries import Edge, Known
from bot.surroundings import Surroundings, Surveyor

WHEN = datetime(2026, 11, 22, tzinfo=UTC)
ME = IssueRef("acme", "rocket", 1)
SECRET = IssueRef("acme", "vault", 9)
OPEN = IssueRef("other", "open", 5)


def ref(number: int) -> IssueRef:
    return ME.sibling(number)


def issue(at: IssueRef, state: str = "open", *, merged: bool | None = None) -> Issue:
    return Issue(
        id=at.number,
        number=at.number,
        title=f"Title of {at}",
        state=state,
        created_at=WHEN,
        updated_at=WHEN,
        pull_request=None if merged is None else {"merged": merged},  # type: ignore[arg-type]
        repository=IssueRepository(id=1, name=at.repo, owner=at.owner, full_name=at.repository),
    )


class World:
    """Gitea and the store at once, in dictionaries."""

    def __init__(self) -> None:
        self.there: dict[IssueRef, Issue | Exception] = {}
        self.known: dict[IssueRef, Known] = {}
        self.edges: list[Edge] = []
        self.private = {"acme/vault"}
        self.absent: set[str] = set()
        self.about: dict[str, dict[str, Any]] = {}
        self.asked: list[IssueRef] = []
        self.queries = 0
        self.repositories_asked = 0
        self.rights_asked: list[str] = []
        self.readers: Collection[str] = ("alice",)
        self.refusal: Exception | None = None
        self.hidden: Hidden | None = None
        self.over: set[IssueRef] = set()
        self.ignored: set[tuple[IssueRef, IssueRef]] = set()

    def edge(self, waits: IssueRef, on: IssueRef, by: IssueRef | None = None, **more: Any) -> None:
        source = more.get("source", Source.DECLARED)
        self.edges.append(Edge(waits, on, by or waits, source))

    async def issue(self, at: IssueRef) -> Issue:
        self.asked.append(at)
        found = self.there.get(at, NotFound("no", status=404))
        if isinstance(found, Exception):
            raise found
        return found

    async def repository(self, owner: str, repo: str) -> Repository:
        self.repositories_asked += 1
        name = f"{owner}/{repo}"
        if name in self.absent:
            raise NotFound("no", status=404)
        values: dict[str, Any] = {"id": 1, "full_name": name, "owner": {"id": 1}}
        values |= self.about.get(name, {"permissions": {"admin": True}})
        return Repository.model_validate(values | {"private": name in self.private})

    async def permission(self, repo: str, user: str) -> Permission:
        self.rights_asked.append(f"{user} in {repo}")
        if self.refusal or repo in self.absent:
            raise self.refusal or NotFound("no", status=404)
        return Permission(permission="read" if user in self.readers else "none")

    async def tree(self, repo: str, ref: str = "HEAD") -> Any:
        raise NotImplementedError

    async def issues(self, refs: Collection[IssueRef]) -> dict[IssueRef, Known]:
        return {one: self.known[one] for one in refs if one in self.known}

    async def blockers(self, refs: Collection[IssueRef]) -> list[Edge]:
        self.queries += 1
        return [edge for edge in self.edges if edge.waits in refs]

    async def waiting(self, refs: Collection[IssueRef]) -> list[Edge]:
        self.queries += 1
        return [edge for edge in self.edges if edge.on in refs]

    async def cycle(
        self,
        at: IssueRef,
        *,
        hidden: Hidden | None = None,
        over: Collection[IssueRef] = (),
        ignored: Collection[tuple[IssueRef, IssueRef]] = (),
    ) -> tuple[IssueRef, ...]:
        self.hidden, self.over, self.ignored = hidden, set(over), set(ignored)
        return (at, ref(77), at)

    async def would_close(
        self,
        waits: IssueRef,
        on: IssueRef,
        *,
        at: IssueRef | None = None,
        hidden: Hidden | None = None,
        also: Collection[tuple[IssueRef, IssueRef]] = (),
    ) -> tuple[IssueRef, ...]:
        concealed = await hidden([SECRET, OPEN, ME]) if hidden else ()
        return (waits, on, *sorted(concealed), *(at or waits,))

    async def holds(self, cycle: Sequence[IssueRef]) -> bool:
        return len(cycle) == 3

    async def concerned(self, at: IssueRef) -> set[IssueRef]:
        return {at.sibling(78)}

    async def survey(
        self,
        *,
        native: Iterable[Issue] = (),
        named: Collection[IssueRef] = (),
        proposed: Collection[IssueRef] = (),
        most: int = 50,
        **more: Any,
    ) -> Surroundings:
        """Around an issue of alice's, who may read all there is."""
        given = {"authors": ["alice"], **more}
        return await self.surveyor.survey(
            ME, native=native, named=named, proposed=proposed, most=most, **given
        )

    @property
    def surveyor(self) -> Surveyor:
        """One that knows nothing yet."""
        return Surveyor(self, self, Repositories(self), self)


def everything(found: Surroundings) -> str:
    """All of it that can come into a report, to be searched."""
    return repr(found).lower()
