"""Where the bot is set up: a repository, an organisation, or the whole Gitea."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from bot.errors import UserError

_NAME = r"[A-Za-z0-9._-]{1,100}"


class Kind(StrEnum):
    """The kinds of places at which a webhook can stand."""

    REPOSITORY = "repository"
    ORGANIZATION = "organisation"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Place:
    """`name` is `owner/repo`, an organisation, or empty for the whole Gitea."""

    kind: Kind
    name: str = ""

    def __str__(self) -> str:
        return self.name or "the whole Gitea"

    @property
    def route(self) -> str:
        """Below which its webhooks stand in the API."""
        match self.kind:
            case Kind.REPOSITORY:
                return f"/repos/{self.name}"
            case Kind.ORGANIZATION:
                return f"/orgs/{self.name}"
            case Kind.SYSTEM:
                return "/admin"


SYSTEM = Place(Kind.SYSTEM)


def place_of(text: str) -> Place:
    """The place of `owner/repo` or `organisation`. Raises UserError."""
    text = text.strip().strip("/")
    if re.fullmatch(f"{_NAME}/{_NAME}", text) and not re.search(r"(^|/)\.{1,2}(/|$)", text):
        return Place(Kind.REPOSITORY, text)
    if re.fullmatch(_NAME, text) and text.strip("."):
        return Place(Kind.ORGANIZATION, text)
    raise UserError(f"{text or 'nothing'} is no place; write owner/repo, or an organisation's name")


def places_of(texts: Iterable[str]) -> tuple[Place, ...]:
    """The same for several, each once whatever its case."""
    found = {place.name.lower(): place for place in map(place_of, texts)}
    return tuple(found.values())
