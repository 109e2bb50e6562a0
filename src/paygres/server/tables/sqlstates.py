"""PostgreSQL's errors in our own words, once, at the border (contract 1.2)."""

import asyncpg

from paygres.server.errors import InvalidRequest, NotConfigured, PermissionDenied, Unavailable


class Contended(Unavailable):
    """Another transaction was in the way (deadlock, lock timeout); the whole transaction may be tried again."""


class TooLong(Unavailable):
    """A statement reached its time limit."""


BUSY = "The database is busy with the same objects; try again shortly"


_CONTENDED = ("40P01", "55P03", "40001")


class translated:
    """Raise Contended, TooLong or one of errors.py instead of asyncpg's exceptions. No generator: it is around every
    statement."""

    __slots__ = ()

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if error is None:
            return
        if isinstance(error, asyncpg.PostgresError):
            raise _translation(error) from error
        if isinstance(error, OSError | asyncpg.InterfaceError):
            raise Unavailable("The database connection was lost; try again shortly", retry_after=2) from error


def _translation(error: asyncpg.PostgresError) -> Exception:
    state: str = getattr(error, "sqlstate", None) or ""
    if state in _CONTENDED:
        return Contended(BUSY)
    if state == "57014":
        return TooLong(BUSY)
    if state == "42501":
        return PermissionDenied(str(error), code="FORBIDDEN")
    if state == "PG400":
        return NotConfigured("not configured")
    if state == "P0001":  # RAISE EXCEPTION in a developer's trigger or policy: meant for the caller
        return InvalidRequest(f"The database refused this: {error}")
    if state[:2] in ("22", "23"):
        return InvalidRequest("The database refused a value of this request", code="DATABASE_VALIDATION_ERROR")
    if state[:2] in ("08", "57", "53"):
        return Unavailable("The database is not available; try again shortly", retry_after=5)
    return error
