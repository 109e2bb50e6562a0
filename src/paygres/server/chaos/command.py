"""`python -m paygres.server chaos`: arguments in, one report out, as text or as JSON."""

import argparse
import json
import random
import signal
import sys
from pathlib import Path
from typing import Any

from paygres.server.chaos.findings import HINTS, Finding
from paygres.server.chaos.objects import Shop
from paygres.server.chaos.run import Report, Wanted, run, scenarios_of
from paygres.server.db.throwaway import Throwaway, ThrowawayError, throwaway
from paygres.server.flows.listeners import Listeners

EXIT_PROBLEMS = 10
EXIT_UNREACHABLE = 12
EXIT_USAGE = 64
EXIT_INTERRUPTED = 130
_SHOWN_CHANGES = 8
_DEFAULT_PRICE, _DEFAULT_PLAN = ("price_1", 2500), ("price_plan", 900)


class Misused(Exception):
    """The arguments cannot be understood; the message says which."""


def chaos(asked: argparse.Namespace, server_url: str | None) -> int:
    """Returns 0 (clean), 10 (findings), 12 (no PostgreSQL), 64 (arguments, or SQL that does not run), 130 (stopped)."""
    import uvloop

    signal.signal(signal.SIGTERM, _as_ctrl_c)  # the databases must go, however this ends
    signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background of a script a shell has it ignored
    try:
        wanted = read_arguments(asked)
        if asked.scenarios == ["list"]:
            print("\n".join(one.name for one in scenarios_of(wanted.shop, ("purchase", "plan"))))
            return 0
        with throwaway(server_url) as place:
            try:
                report = uvloop.run(_run(place, wanted))
            finally:
                _stop_no_more()
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except Misused as error:
        return _say(EXIT_USAGE, str(error))
    except ThrowawayError as error:
        return _say(EXIT_USAGE if error.is_sql else EXIT_UNREACHABLE, str(error))
    _clear()
    errors = [finding for finding in report.findings if not finding.is_warning]
    print(json.dumps(_as_json(report), indent=2, ensure_ascii=False) if asked.json else _as_text(report))
    return EXIT_PROBLEMS if errors or (asked.strict and report.findings) else 0


def _as_ctrl_c(*_: object) -> None:
    """A loop cancels its task at the first Ctrl-C. An exception out of a signal's handler would end whatever it falls
    into, a connection that is just reading an answer for one."""
    signal.raise_signal(signal.SIGINT)


def _stop_no_more() -> None:
    """What follows drops the databases; a second Ctrl-C must not end that."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


async def _run(place: Throwaway, wanted: Wanted) -> Report:
    return await run(place, wanted, _watch)


def read_arguments(asked: argparse.Namespace) -> Wanted:
    """Raises Misused."""
    families = [name for name, given in (("purchase", asked.price), ("plan", asked.plan)) if given] or ["purchase"]
    price, amount = _priced(asked.price, "--price") or _DEFAULT_PRICE
    plan, plan_amount = _priced(asked.plan, "--plan") or _DEFAULT_PLAN
    metadata = dict(_pair(told, "=", "--metadata") for told in asked.metadata)
    reserved = next((name for name in metadata if name.startswith("insforge_")), None)
    if reserved:
        raise Misused(f"--metadata {reserved}: names that begin with insforge_ are the server's")
    subject = _pair(asked.subject, ":", "--subject") if asked.subject else None
    shop = Shop(metadata, subject, price, amount, asked.currency.lower(), plan, plan_amount, 1)
    if asked.scenarios != ["list"]:
        names = [one.name for one in scenarios_of(shop, families)]
        for name in asked.scenarios:
            if name not in names:
                raise Misused(f"--scenarios {name}: there is none here; there are {', '.join(names)}")
        if not asked.sql and not asked.listeners:
            raise Misused("nothing to look at: --sql FILE …, --listeners MODULE …, or both")
    seed = asked.seed if asked.seed is not None else random.randrange(10**6)
    return Wanted(
        [_script(path) for path in (*asked.sql, *asked.setup)],
        shop,
        families,
        asked.scenarios,
        asked.ignore,
        _listeners(asked.listeners),
        asked.runs,
        seed,
    )


def _listeners(modules: list[str]) -> Listeners:
    if not modules:
        return Listeners()
    from paygres.server.chaos.called import load_listeners

    sys.path.insert(0, "")  # as a program that is started in this folder would import them
    try:
        return load_listeners(modules)
    except (ImportError, LookupError, ValueError) as error:
        raise Misused(f"--listeners: {error}") from error


def _script(path: str) -> tuple[str, str]:
    try:
        return path, Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misused(f"{path} cannot be read: {error}") from error


def _pair(told: str, sign: str, option: str) -> tuple[str, str]:
    name, found, value = told.partition(sign)
    if not found or not name or not value:
        raise Misused(f"{option} {told}: write NAME{sign}VALUE")
    return name, value


def _priced(told: str | None, option: str) -> tuple[str, int] | None:
    if told is None:
        return None
    name, value = _pair(told, "=", option)
    if not value.isdecimal():
        raise Misused(f"{option} {told}: the amount is a whole number of minor units, such as 2500")
    return name, int(value)


def _as_json(report: Report) -> dict[str, Any]:
    return {
        "findings": [finding.as_json() for finding in report.findings],
        "scenarios": report.scenarios,
        "tables": report.tables,
        "histories": report.orders,
        "seconds": round(report.seconds, 1),
        "seed": report.seed,
    }


def _as_text(report: Report) -> str:
    lines = [line for finding in report.findings for line in (*_told(finding), "")]
    errors = sum(not finding.is_warning for finding in report.findings)
    warnings = len(report.findings) - errors
    looked_at = ", ".join(report.tables) or "no table of yours"
    verdict = f"Findings: {errors}, warnings: {warnings}" if report.findings else "Nothing found"
    lines.append(f"{verdict}. {report.orders} histories of {len(report.scenarios)} kinds, {report.seconds:.0f} s.")
    lines.append(f"Looked at {looked_at}. Seed {report.seed}.")
    return "\n".join(lines)


def _told(finding: Finding) -> list[str]:
    word = "warning" if finding.is_warning else "FOUND"
    more = f" (and {finding.others} more orders)" if finding.others else ""
    lines = [f"{word} {finding.kind} in {finding.scenario}{more}", f"  events: {' → '.join(finding.events)}"]
    lines += [f"  {failure.event_type} is not done: {failure.error}" for failure in finding.failures[:3]]
    if finding.changes:
        lines.append(f"  compared with {finding.compared_with}:")
    for change in finding.changes[:_SHOWN_CHANGES]:
        key = f" {', '.join(map(str, change.key))}" if change.key else ""
        column = f" {change.column}" if change.column else ""
        before, after = (
            "no row" if change.column is None and side is None else json.dumps(side, ensure_ascii=False)
            for side in (change.before, change.after)
        )
        lines.append(f"    {change.table}{key}{column}: {before} → {after}")
    if len(finding.changes) > _SHOWN_CHANGES:
        lines.append(f"    and {len(finding.changes) - _SHOWN_CHANGES} more")
    return [*lines, f"  {HINTS[finding.kind]}"]


def _watch(what: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{what}")
        sys.stderr.flush()


def _clear() -> None:
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")


def _say(code: int, sentence: str) -> int:
    _clear()
    print(sentence, file=sys.stderr, flush=True)
    return code
