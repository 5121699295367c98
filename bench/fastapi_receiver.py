"""What this project began as: FastAPI and uvicorn; verifies, parses and logs, and keeps nothing.

For `ack.py`, which calls it with an interpreter of its own:

    python bench/fastapi_receiver.py PORT SECRET
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import sys
from typing import Annotated, Any

import uvicorn
from fastapi import FastAPI, Header, HTTPException, Request
from pydantic import BaseModel

logger = logging.getLogger("coordinator")


class Repository(BaseModel):
    """Where it happened."""

    id: int = 0
    full_name: str


class User(BaseModel):
    """Somebody."""

    id: int = 0
    login: str = ""


class Issue(BaseModel):
    """What it happened to."""

    id: int
    number: int
    title: str = ""
    body: str | None = None
    state: str = ""
    assignees: list[User] | None = None
    labels: list[dict[str, Any]] | None = None


class Payload(BaseModel):
    """What Gitea sends."""

    action: str = ""
    repository: Repository | None = None
    issue: Issue | None = None
    pull_request: Issue | None = None
    sender: User | None = None


class Answer(BaseModel):
    """What Gitea is told."""

    status: str
    message: str


def application(secret: str) -> FastAPI:
    """The receiver."""
    app = FastAPI()

    @app.post("/webhook/gitea")
    async def receive(
        request: Request,
        payload: Payload,
        x_gitea_signature: Annotated[str, Header()] = "",
        x_gitea_event: Annotated[str, Header()] = "",
    ) -> Answer:
        expected = hmac.new(secret.encode(), await request.body(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, x_gitea_signature):
            raise HTTPException(401, "Invalid signature")
        number = payload.issue.number if payload.issue else None
        logger.info("Received %s %s: #%s", x_gitea_event, payload.action, number)
        return Answer(status="success", message="recorded")

    return app


if __name__ == "__main__":
    logging.basicConfig(level="INFO", format="%(asctime)s %(name)s %(levelname)s %(message)s")
    app = application(sys.argv[2])  # which writes one line for each delivery, as the bot does
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=False)
