"""What was asked of the forge, and what is to go wrong."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Asked:
    """One API request: `path` without `/api/v1` and the query, `user` a login or empty.

    `status` is 0 where the connection was closed without an answer; `seconds` is how long it took.
    """

    method: str
    path: str
    query: str
    status: int
    user: str
    seconds: float


class RequestLog:
    """The latest ten thousand API requests, oldest first."""

    def __init__(self) -> None:
        self._asked: deque[Asked] = deque(maxlen=KEPT)

    def add(self, asked: Asked) -> None:
        """Note a request that has been answered."""
        self._asked.append(asked)

    def clear(self) -> None:
        """Forget all; what comes next is counted from here."""
        self._asked.clear()

    def __iter__(self) -> Iterator[Asked]:
        return iter(self._asked)

    def __len__(self) -> int:
        return len(self._asked)

    def matching(self, method: str = "", path: str = "", user: str = "") -> list[Asked]:
        """Those of a method, a path (regular expression, searched) and a login; empty is any."""
        return [
            asked
            for asked in self._asked
            if (not method or asked.method == method)
            and re.search(path, asked.path)
            and (not user or asked.user == user)
        ]

    def count(self, method: str = "", path: str = "", user: str = "") -> int:
        """How many there are of those."""
        return len(self.matching(method, path, user))


@dataclass(slots=True)
class Fault:
    """What happens to the next `times` requests of `method` whose path matches.

    They wait `delay` seconds; then, where `status` is set, they are answered with it (and
    `message` and `headers`), or, with `close`, not answered at all, or, with `half` as well, not to
    the end. With `after`, the request is carried out all the same before that: the asker just does
    not learn of it.
    """

    method: str
    path: re.Pattern[str]
    status: int | None = None
    delay: float = 0.0
    close: bool = False
    half: bool = False
    after: bool = False
    times: int = 1
    message: str = ""
    headers: tuple[tuple[str, str], ...] = ()


class Faults:
    """The faults still to come, in the order they were asked for."""

    def __init__(self) -> None:
        self._coming: list[Fault] = []

    def add(
        self,
        method: str,
        path: str,
        *,
        status: int | None = None,
        delay: float = 0.0,
        close: bool = False,
        half: bool = False,
        after: bool = False,
        times: int = 1,
        message: str = "",
        headers: dict[str, str] | None = None,
    ) -> Fault:
        """Plan a fault; `method` empty is any, `path` a regular expression to search for."""
        fault = Fault(
            method,
            re.compile(path),
            status,
            delay,
            close,
            half,
            after,
            times,
            message,
            tuple((headers or {}).items()),
        )
        self._coming.append(fault)
        return fault

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self._coming.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The first fault that fits, used once."""
        for fault in self._coming:
            if fault.times > 0 and fault.method in ("", method) and fault.path.search(path):
                fault.times -= 1
                return fault
        return None
