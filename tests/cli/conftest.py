"""A canned backend and a real shop for the command line, one of each; no terminal, agent or link of the outer shell."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from paygres.server.db.embedded import Urls
from tests.cli.canned_backend import CannedBackend
from tests.cli.running import COLORS, FOREIGN, Line
from tests.flows.checkouts import Shop, shop


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty current directory and a clean environment."""
    for name in os.environ:
        if name.startswith((*FOREIGN, *COLORS)):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def one_backend() -> Iterator[CannedBackend]:
    with CannedBackend() as backend:
        yield backend


@pytest.fixture
def backend(one_backend: CannedBackend) -> CannedBackend:
    one_backend.forget()
    return one_backend


@pytest.fixture
def line(backend: CannedBackend, capsys: pytest.CaptureFixture[str]) -> Line:
    """Speaks to the canned backend."""
    return Line(backend.url, capsys)


@pytest.fixture(scope="module")
def real_shop(postgres: Urls) -> Iterator[Shop]:
    """PostgreSQL, sandbox and API server, connected in test."""
    with shop(postgres, PAYGRES_POOL_SIZE="4") as opened:
        yield opened
