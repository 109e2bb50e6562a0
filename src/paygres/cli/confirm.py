"""Asking before something is done: yes or no in test, the account's own name in live."""

import os
import re
import shlex
import sys
from typing import Any

from paygres.cli import exit_codes
from paygres.cli.call import Call
from paygres.cli.failure import Failure
from paygres.cli.table import clean

_SECRET = re.compile(r"\b([rs]k_(?:test|live)_)\w*(\w{4})\b")
_STATUS = "/api/payments/stripe/status"


def confirm(call: Call, change: str, *, ask: bool = False, key: str | None = None) -> None:
    """Returns when `change` (a phrase with a verb) may be done, raises Failure (exit 6) when not.

    In live the account has to be named, always; `key` is the Stripe key being set, which stands for the
    account as long as none is connected. In test only what destroys something (`ask`) is asked about.
    """
    if call.environment == "live":
        _live(call, change, key)
    elif ask and not call.options.yes:
        _yes_or_no(call, change)


def _yes_or_no(call: Call, change: str) -> None:
    if not call.screen.asks:
        raise _needed(call, f"This would {change}, so it needs --yes.", "--yes")
    if _typed(f"This will {change}. Go on? [y/N] ").lower() not in ("y", "yes"):
        raise _declined()


def _live(call: Call, change: str, key: str | None) -> None:
    if os.environ.get("PAYGRES_READ_ONLY", "").strip().lower() in ("1", "true", "yes", "on"):
        raise Failure(
            f"PAYGRES_READ_ONLY is set: nothing in live is changed (this would {change}).",
            exit_code=exit_codes.PERMISSION,
            code="READ_ONLY",
            next_actions="A person may unset PAYGRES_READ_ONLY and run it again.",
        )
    if call.options.environment != "live":
        raise _needed(call, f"This would {change} in live. Say so yourself:", "--environment", "live")
    connections: list[dict[str, Any]] = call.backend.call("GET", _STATUS)["connections"]
    live = next(c for c in connections if c["environment"] == "live")
    account = live["accountId"] if live["status"] != "unconfigured" else None
    expected = account or (masked(key) if key else None)
    if expected is None:
        return  # nothing is connected, and the server will say so
    confirmed = call.options.confirm_live
    if confirmed is not None and confirmed != expected:
        what = "connected account" if account else "key being set"
        raise _needed(call, f"--confirm-live {confirmed} is not the {what}.", *_flags(expected))
    if confirmed and call.options.yes:
        return
    if not call.screen.asks:
        raise _needed(call, f"This would {change} in LIVE, account {account or '(none yet)'}.", *_flags(expected))
    short = _short_name(live) if account else expected[-4:]
    call.screen.note(_panel(call, live, account, expected, change))
    if _typed(f"Type {short} to go on: ") not in (short, expected):
        raise _declined()


def _panel(call: Call, live: dict[str, Any], account: str | None, expected: str, change: str) -> str:
    named = f"account  {account}  {live['accountEmail'] or ''}" if account else f"key      {expected}"
    lines = [f"LIVE     real money, on {call.link.url}", named, f"change   {change}"]
    bar = call.screen.red("┃")
    return "\n".join(f"{bar} {clean(line)}" for line in lines)


def _short_name(connection: dict[str, Any]) -> str:
    """The name before the @ of the account's e-mail address, else the last six characters of its id."""
    return str(connection["accountEmail"] or "").partition("@")[0] or str(connection["accountId"])[-6:]


def _flags(expected: str) -> tuple[str, ...]:
    return ("--yes", "--confirm-live", expected)


def _typed(prompt: str) -> str:
    sys.stderr.write(clean(prompt))
    sys.stderr.flush()
    return sys.stdin.readline().strip()


def _needed(call: Call, message: str, *flags: str) -> Failure:
    """What was asked for, again, with the flags it lacked."""
    words = redacted(_without_answers(call.words))
    return Failure(
        message,
        exit_code=exit_codes.CONFIRMATION,
        code="CONFIRMATION_REQUIRED",
        next_actions=f"Run: {shlex.join(['paygres', *words, *flags])}",
    )


def _declined() -> Failure:
    return Failure("Not confirmed; nothing was changed.", exit_code=exit_codes.CONFIRMATION, code="DECLINED")


def _without_answers(words: list[str]) -> list[str]:
    kept: list[str] = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word == "--confirm-live":
            skip = True
        elif word not in ("-y", "--yes") and not word.startswith("--confirm-live="):
            kept.append(word)
    return kept


def redacted(words: list[str]) -> list[str]:
    """The command line without its secrets: keys keep their last four characters, an API key nothing."""
    shown = [_SECRET.sub(r"\1****\2", word) for word in words]
    for n, word in enumerate(shown):
        if word.startswith("--api-key="):
            shown[n] = "--api-key=…"
        elif n and shown[n - 1] == "--api-key":
            shown[n] = "…"
    return shown


def masked(key: str) -> str:
    """The Stripe key as the server shows it: `sk_live_****1234`."""
    return f"{key[:8]}****{key[-4:]}" if len(key) > 12 else "****"
