"""Several things at once; of several failures, the one that says most."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, TypeVar

from bot.errors import Retryable

A = TypeVar("A")
B = TypeVar("B")


async def side_by_side(
    first: Coroutine[Any, Any, A], second: Coroutine[Any, Any, B]
) -> tuple[A, B]:
    """What both give. Where one fails the other is broken off; raises as `worst` says."""
    try:
        async with asyncio.TaskGroup() as group:
            one, two = group.create_task(first), group.create_task(second)
    except ExceptionGroup as errors:
        raise worst(errors.exceptions) from None
    return one.result(), two.result()


async def all_of(asked: Iterable[Coroutine[Any, Any, A]], *, at_once: int) -> list[A]:
    """What all of them give, in their order; so many at once, and failing as `side_by_side`."""
    gate = asyncio.Semaphore(at_once)

    async def one(coroutine: Coroutine[Any, Any, A]) -> A:
        async with gate:
            return await coroutine

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(coroutine)) for coroutine in asked]
    except ExceptionGroup as errors:
        raise worst(errors.exceptions) from None
    return [task.result() for task in tasks]


def worst(errors: Sequence[BaseException]) -> BaseException:
    """Of several failures side by side, the first that will not pass, else the first."""
    flat = [e for error in errors for e in _flat(error)]
    return min(flat, key=lambda error: isinstance(error, Retryable))


def _flat(error: BaseException) -> Iterable[BaseException]:
    return (
        (e for one in error.exceptions for e in _flat(one))
        if isinstance(error, BaseExceptionGroup)
        else (error,)
    )
