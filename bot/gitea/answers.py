"""What Gitea answers, as values of a type."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from bot.errors import Permanent
from bot.gitea.sansio import JSON

T = TypeVar("T", bound=BaseModel)


def read(model: type[T], answer: JSON) -> T:
    """The answer as a `model`. Raises Permanent for one that is none."""
    try:
        return model.model_validate(answer)
    except ValidationError as problem:
        raise unread(model.__name__, problem) from None


def unread(what: str, problem: ValidationError) -> Permanent:
    """Names the fields, never their values: they may be private."""
    fields = ", ".join(
        ".".join(map(str, one["loc"])) or "all of it" for one in problem.errors()[:3]
    )
    return Permanent(f"the answer is no {what} as this bot knows it: {fields}")
