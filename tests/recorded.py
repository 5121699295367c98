"""What a real Gitea 1.26.3 sent and answered, byte for byte."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import SecretStr

DATA = Path(__file__).parent / "data" / "gitea"
SECRET = SecretStr("s3cr3t-of-the-hook")


@dataclass(frozen=True)
class Delivery:
    """A webhook request; `name` is its file's without the suffix, `00-open-1--issues.opened`."""

    name: str
    headers: dict[str, str]
    body: bytes

    @property
    def content_type(self) -> str:
        return self.headers["Content-Type"]


def _load(path: Path) -> Delivery:
    kept = json.loads(path.read_text("utf-8"))
    return Delivery(path.stem, kept["headers"], kept["body"].encode())


@cache
def deliveries() -> tuple[Delivery, ...]:
    """The JSON deliveries, in the order they were sent."""
    return tuple(_load(path) for path in sorted((DATA / "webhooks").glob("*.json")))


def delivery(number: int) -> Delivery:
    """The one whose file begins with that number."""
    return next(one for one in deliveries() if one.name.startswith(f"{number:02}-"))


def form_delivery() -> Delivery:
    """One of a hook that sends forms."""
    return _load(DATA / "form.json")


@cache
def _exchanges() -> list[dict[str, Any]]:
    return json.loads((DATA / "api.json").read_text("utf-8"))


def answers(method: str, path: str) -> Any:
    """What was last answered with success to that request."""
    return next(
        one["response"]
        for one in reversed(_exchanges())
        if (one["method"], one["path"]) == (method, path) and one["status"] < 300
    )


def exchanges() -> list[dict[str, Any]]:
    """The API exchanges in order: as, method, path, request, status, headers, response."""
    return list(_exchanges())
