"""pytest's fixture `payments_sandbox`: a local Stripe for each test. Costs nothing until a test asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from paygres.contrib.payments_sandbox import Sandbox

MARKER = (
    "payments_sandbox(seed=None, clock=None, faults=None): how the fixture payments_sandbox begins for this test; "
    "`seed` is a YAML file beside the test or below the root, or a mapping."
)
TOLD_EVENTS = 40


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("payments_sandbox_seed", "seed file of the fixture payments_sandbox, from the root", default="")
    parser.addini("payments_sandbox_options", "more options of `paygres sandbox`", type="args", default=[])


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARKER)


@pytest.fixture(scope="session")
def payments_sandbox_process(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """The sandbox that the tests of this session use one after the other."""
    from paygres.contrib.payments_sandbox import Sandbox

    with Sandbox.start(options=request.config.getini("payments_sandbox_options")) as sandbox:
        yield sandbox


@pytest.fixture
def payments_sandbox(request: pytest.FixtureRequest, payments_sandbox_process: Sandbox) -> Iterator[Sandbox]:
    """A local Stripe with an account of this test's own, its clock at now, and nothing going wrong, unless the marker
    `payments_sandbox` or the ini option `payments_sandbox_seed` says more."""
    sandbox = payments_sandbox_process
    sandbox.reset(new_account=True, **_beginning(request))
    failed = request.session.testsfailed
    yield sandbox
    if request.session.testsfailed > failed:
        request.node.add_report_section("teardown", "payments sandbox", _told(sandbox))


def _beginning(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What the markers say, the nearest last, over the ini option."""
    begins: dict[str, Any] = {}
    config = request.config
    if named := config.getini("payments_sandbox_seed"):
        begins["seed"] = (config.rootpath / named).resolve()
    for marker in reversed(list(request.node.iter_markers("payments_sandbox"))):
        unknown = sorted(marker.kwargs.keys() - {"seed", "clock", "faults"})
        if marker.args:
            raise pytest.UsageError("The marker payments_sandbox takes its arguments by name: seed, clock, faults.")
        if unknown:
            raise pytest.UsageError(f"The marker is {MARKER.partition(':')[0]}; it does not know `{unknown[0]}`.")
        begins |= marker.kwargs
        if isinstance(marker.kwargs.get("seed"), str):
            beside = Path(request.path).parent / marker.kwargs["seed"]
            begins["seed"] = beside if beside.exists() else config.rootpath / marker.kwargs["seed"]
    return begins


def _told(sandbox: Sandbox) -> str:
    """What happened in the sandbox, for the report of a test that failed."""
    from paygres.contrib.payments_sandbox import SandboxError

    try:
        events = sandbox.events.list()[-TOLD_EVENTS:]
        deliveries = [one for one in sandbox.deliveries.list() if one.state != "delivered"]
    except SandboxError as problem:
        return str(problem)
    lines = [f"{event.created:%Y-%m-%d %H:%M:%S}  {event.type}  {event.object.get('id')}" for event in events]
    lines += [f"not delivered: {one.type} to {one.endpoint}: {one.error or one.state}" for one in deliveries]
    return "\n".join(lines) or "No events."
