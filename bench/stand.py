"""The stand a benchmark runs on: durable PostgreSQL, Stripe's stand-in, our server and the floor beside it."""

import asyncio
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import jwt
import orjson

from bench import events, floor
from bench.load import Outcome, post, send
from bench.processes import Running, clean_environment, cpu_seconds, family_cpu_seconds, parent, running
from bench.report import percentile
from paygres.server.db.embedded import EmbeddedPostgres, Urls
from paygres.server.db.migrate import migrate

CHECKOUT = "/api/payments/stripe/test/checkout-sessions"
JWT_SECRET = "1d0c8f5a7be94c32a6f7e8d9c0b1a293"
CONNECT_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Stand:
    """What is running: `postmaster` is PostgreSQL's first process, parent of all its others."""

    urls: Urls
    postmaster: int
    server: Running
    floor: Running


@dataclass(frozen=True, slots=True)
class Sample:
    """One measured series. Times in ms; CPU per request, PostgreSQL's over all its processes."""

    rate: float
    p50: float
    p99: float
    server_cpu: float
    postgres_cpu: float
