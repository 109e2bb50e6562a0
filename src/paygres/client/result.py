"""`(data, error)` instead of an exception, for code that comes from TypeScript."""

from collections.abc import Awaitable, Callable
from typing import Generic, NamedTuple, TypeVar

from paygres.client.errors import PaygresError

T = TypeVar("T")


class Result(NamedTuple, Generic[T]):
    """Exactly one of the two is None."""

    data: T | None
    error: PaygresError | None


def caught(call: Callable[[], T]) -> Result[T]:
    """What `call` returned or raised."""
    try:
        return Result(call(), None)
    except PaygresError as error:
        return Result(None, error)


async def caught_later(call: Callable[[], Awaitable[T]]) -> Result[T]:
    """What `call` returned or raised, awaited."""
    try:
        return Result(await call(), None)
    except PaygresError as error:
        return Result(None, error)
