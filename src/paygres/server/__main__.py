"""`python -m paygres.server`: serve, worker, migrate, rebuild, chaos, postgres. Exit codes: 0 asked to stop,
12 a port or PostgreSQL is in the way, 64 wrong arguments or settings; one sentence each, no traceback."""

import argparse
import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
from collections.abc import Coroutine, Sequence
from typing import Any, NoReturn

from paygres.server.chaos.arguments import add_arguments
from paygres.server.settings import Settings, SettingsError, load, load_auth, load_database_url

EXIT_USAGE = 64
EXIT_UNREACHABLE = 12
_SHUTDOWN_SECONDS = 20


class _Arguments(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(EXIT_USAGE, f"{self.prog}: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    asked = _parser().parse_args(arguments)
    try:
        match asked.command:
            case "migrate":
                return _migrate()
            case "postgres":
                from paygres.server.db.embedded import run

                return run(asked.data_dir)
            case "rebuild":
                return _rebuild(asked)
            case "chaos":
                from paygres.server.chaos.command import chaos

                return chaos(asked, load_database_url() if asked.on_server else None)
            case "worker":
                return _until_stopped(_work(load()))
            case _:
                settings = load()
                host, port = asked.host or settings.host, settings.port if asked.port is None else asked.port
                return _serve(settings, host, port, worker=not asked.no_worker)
    except SettingsError as error:
        return _say(EXIT_USAGE, *error.problems)


def _parser() -> argparse.ArgumentParser:
    parser = _Arguments(prog="python -m paygres.server")
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Arguments)
    serve = commands.add_parser("serve", help="the API, with its worker")
    serve.add_argument("--host")
    serve.add_argument("--port", type=int)
    serve.add_argument("--no-worker", action="store_true")
    commands.add_parser("worker", help="the worker alone")
    commands.add_parser("migrate", help="bring the database to the current schema")
    rebuild = commands.add_parser("rebuild", help="the mirrored tables anew from the ledger")
    rebuild.add_argument("-e", "--environment", choices=("test", "live"), help="only this one")
    rebuild.add_argument("--dry-run", action="store_true", help="tell which rows would differ, change nothing")
    rebuild.add_argument("--remove-extra", action="store_true", help="remove rows the ledger has never heard of")
    rebuild.add_argument("--reason", help="for the audit log")
    add_arguments(commands.add_parser("chaos", help="your triggers and listeners against disturbed histories"))
    postgres = commands.add_parser("postgres", help="an embedded PostgreSQL")
    postgres.add_argument("--data-dir", required=True)
    return parser


def _say(code: int, *sentences: str) -> int:
    for sentence in sentences:
        print(sentence, file=sys.stderr, flush=True)
    return code


def _migrate() -> int:
    url, auth = load_database_url(), load_auth()
    from paygres.server.db.migrate import MigrationError, migrate

    try:
        applied = asyncio.run(migrate(url, server_role=os.environ.get("PAYGRES_SERVER_ROLE") or None, auth=auth))
    except MigrationError as error:
        return _say(EXIT_UNREACHABLE, str(error))
    except Exception as error:  # asyncpg's tree is not ours to import here
        return _say(EXIT_UNREACHABLE, f"The database cannot be migrated: {type(error).__name__}: {error}")
    print("\n".join(applied) if applied else "The database is up to date.")
    return 0


def _rebuild(asked: argparse.Namespace) -> int:
    from paygres.server.flows.rebuild_projections import Wanted
    from paygres.server.rebuild_command import rebuild

    environments = (asked.environment,) if asked.environment else ("test", "live")
    return rebuild(load().database_url, environments, Wanted(asked.dry_run, asked.remove_extra), asked.reason)


def _until_stopped(main_task: Coroutine[Any, Any, int]) -> int:
    import uvloop

    # uvicorn hands a caught signal on when it is done; the process then ends by itself, with exit code 0.
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.signal(signal.SIGINT, lambda *_: None)
    return uvloop.run(main_task)


def _serve(settings: Settings, host: str, port: int, *, worker: bool) -> int:
    try:
        listener = _listen(host, port)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return _say(EXIT_UNREACHABLE, f"Cannot listen on {host}:{port}: {reason}. Set PORT or pass --port.")
    with listener:
        settings = load(port=listener.getsockname()[1])
        return _until_stopped(_answer_requests(settings, listener, worker=worker))


def _listen(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except BaseException:
        listener.close()
        raise
    return listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def _answer_requests(settings: Settings, listener: socket.socket, *, worker: bool) -> int:
    import structlog
    import uvicorn

    from paygres import __version__
    from paygres.server.app import StartError, create_app
    from paygres.server.http.logs import configure

    configure(settings.log_level, settings.log_format)
    app = create_app(settings, worker=worker)
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # TRUST_PROXY is ours; uvicorn's default believes local peers
        timeout_keep_alive=65,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                gc.collect()
                gc.freeze()  # what start-up made stays; collections need not walk it again
                gc.set_threshold(20_000, 20, 20)
                log.info("listening", url=_url(listener), version=__version__, worker=worker)

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            if self.started:
                app.state.parts.streams.close()  # or the answers without an end would use up the whole grace
                app.state.parts.waiters.close()
            await super().shutdown(sockets)

    log = structlog.get_logger("paygres.app")
    server = Server(config)
    with contextlib.suppress(SystemExit):  # uvicorn's answer to a failed start; ours follows
        await server.serve(sockets=[listener])
    problem = getattr(app.state, "start_error", None)
    if isinstance(problem, StartError):
        return _say(problem.exit_code, str(problem))
    return 0 if server.started else _say(EXIT_UNREACHABLE, "The server could not start; see the log above.")


async def _work(settings: Settings) -> int:
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGTERM, signal.SIGINT):  # before anything that takes time
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    from paygres.server.app import StartError, keep_working, running
    from paygres.server.http.logs import configure

    configure(settings.log_level, settings.log_format)
    try:
        async with running(settings) as parts:
            await keep_working(parts)
    except asyncio.CancelledError:
        return 0
    except StartError as error:
        return _say(error.exit_code, str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
