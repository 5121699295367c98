"""Every exception the bot raises on purpose, as one tree.

CoordinatorError
├── UserError            a person did something wrong; the message is shown to them as it is
├── ConfigError          a setting is missing, unknown or contradictory; ends with status 2
├── DeliveryError        a webhook request that cannot be accepted; carries its HTTP status
├── GiteaError           Gitea answered with an error, or not at all
│   ├── Retryable        may pass by itself: time-out, connection refused, 5xx, 429
│   └── Permanent        will not pass by itself: 4xx
│       ├── NotFound     404: does not exist, or the bot may not see it
│       ├── Forbidden    401, 403: the bot may not
│       └── Conflict     409, 412, 422: Gitea refuses in this state
├── AIError              Claude could not be asked, or gave no usable answer
└── StoreError           the bot's own database could not be read or written
"""

from __future__ import annotations


class CoordinatorError(Exception):
    """Base of everything the bot raises on purpose."""


class UserError(CoordinatorError):
    """Somebody did something wrong; `str(error)` says what, where and what to do instead."""


class ConfigError(CoordinatorError):
    """A setting is missing, unknown or contradictory; the message names it and the way out."""


class DeliveryError(CoordinatorError):
    """A webhook request that is refused.

    `status` is the HTTP status to answer with: 401, 408, 413, 415 or 422.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class GiteaError(CoordinatorError):
    """Gitea answered with an error, or not at all.

    `status` is the HTTP status, or None when there was no answer; `method` and `path` name the
    request. Never holds the token.
    """

    def __init__(
        self, message: str, *, status: int | None = None, method: str = "", path: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.method = method
        self.path = path

    def __str__(self) -> str:
        where = f"{self.method} {self.path}".strip()
        what = f"{self.status} {self.message}".strip() if self.status else self.message
        return f"{where}: {what}" if where else what


class Retryable(GiteaError):  # noqa: N818 - says what may be done about it
    """May pass by itself. `retry_after` is Gitea's own wish in seconds, where it gave one."""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        method: str = "",
        path: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, status=status, method=method, path=path)
        self.retry_after = retry_after


class Permanent(GiteaError):  # noqa: N818
    """Will not pass by itself; asking again is useless."""


class NotFound(Permanent):
    """404: it does not exist, or the bot may not see it (Gitea does not tell which)."""


class Forbidden(Permanent):
    """401 or 403: the bot's token or its right in the repository is not enough."""


class Conflict(Permanent):
    """409, 412 or 422: Gitea refuses this in the present state."""


class AIError(CoordinatorError):
    """Claude could not be asked, or gave no usable answer; `str(error)` is fit for the report."""


class StoreError(CoordinatorError):
    """The bot's own database could not be read or written."""
