"""Logs: one JSON object per line on stdout, secrets and e-mails blacked out whatever wrote them."""

import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import orjson
import structlog

_SECRET = re.compile(
    r"\b(?:[rs]k_(?:test|live)_|whsec_|ik_|pr[at]_)\w+"
    r"|\$(?:argon2id?|2[aby])\$[\w$=,.+/]+"
    r"|\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*"
    r"|(?<=://)[^/@\s:]*:[^/@\s]*(?=@)"
)
_FRAMES = 12
_EMAIL = re.compile(r"[\w.+'-]+@[\w-]+(?:\.[\w-]+)+")


def configure(level: str, log_format: str) -> None:
    """Set up structlog for this process; `level` and `log_format` as in the settings."""
    numeric = logging.getLevelNamesMapping()[level.upper()]
    console = log_format == "console"
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
            place_of_exception,
            black_out,
            structlog.dev.ConsoleRenderer(colors=False)
            if console
            else structlog.processors.JSONRenderer(serializer=_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(numeric),
        logger_factory=structlog.PrintLoggerFactory(),
        cache_logger_on_first_use=True,
    )
    # Libraries log through logging; only what is wrong there is worth a line, and never a payload.
    logging.basicConfig(level=max(numeric, logging.WARNING), format="%(levelname)s %(name)s %(message)s")
    for noisy in ("uvicorn", "uvicorn.error", "stripe", "aiohttp"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL if noisy == "uvicorn.error" else logging.ERROR)


def place_of_exception(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: class, SQLSTATE, frames. Never the message: it may quote a payload or a row."""
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
        event["exception"] = type(error).__qualname__
        event["sqlstate"] = getattr(error, "sqlstate", None)
        event["cause"] = type(error.__cause__).__qualname__ if error.__cause__ is not None else None
        event["frames"] = [
            f"{frame.filename.rpartition('site-packages/')[2]}:{frame.lineno} {frame.name}" for frame in frames
        ]
    return event


def black_out(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: replaces keys, tokens, passwords in URLs and e-mail addresses in every text."""
    for name, value in event.items():
        event[name] = _clean(value)
    return event


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return _EMAIL.sub("<email>", _SECRET.sub("<secret>", value))
    if isinstance(value, dict):
        return {name: _clean(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(inner) for inner in value]
    return value


def _json(event: dict[str, Any], **_: Any) -> str:
    return orjson.dumps(event, default=str).decode()
