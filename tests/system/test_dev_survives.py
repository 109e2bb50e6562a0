"""Stopping, killing and starting again: no orphan, no lost row, the next start just works."""

import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.system.processes import end, gone, private_folder, wait_until
from tests.system.running_dev import Dev


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with private_folder("a home with spaces") as path:
        yield path


def test_sigterm_stops_every_process_and_the_next_start_keeps_rows_and_keys(folder: Path) -> None:
    with Dev(folder) as first:
        pass
    assert first.process.returncode == 0
    assert gone(first.family)
    with Dev(folder, "--no-demo") as second:
        paid = second.value("select status from public.orders where id::text = $1", first.ready["orderId"])
        assert paid == "paid"
        assert (second.ready["apiKey"], second.ready["orderId"]) == (first.ready["apiKey"], None)
        assert second.process.poll() is None
        end(second.process, signal.SIGINT)
    assert second.process.returncode == 0


PARTS = {"API": ("paygres.server", "serve"), "sandbox": ("paygres.sandbox",), "PostgreSQL": ("-D",)}


@pytest.mark.parametrize("part", PARTS)
def test_kill_9_of_a_part_is_told_and_stops_the_rest(folder: Path, part: str) -> None:
    with Dev(folder) as running:
        running.child(*PARTS[part]).kill()
        rest, said = running.process.communicate(timeout=30)
    assert (running.process.returncode, rest) == (12, "")
    assert f"paygres dev: {part} " in said
    wait_until(lambda: gone(running.family), "no orphan")


def test_kill_9_of_dev_itself_leaves_no_orphan_and_the_next_start_pays_again(folder: Path) -> None:
    with Dev(folder) as killed:
        end(killed.process, signal.SIGKILL)
    with Dev(folder) as running:
        assert gone(killed.family)
        paid = running.value("select count(*) from public.orders where status = 'paid'")
        assert paid == 1 + len(PARTS) + 2  # each run above with a demo, this one included


def test_the_tree_of_a_stopped_installation_is_empty(folder: Path) -> None:
    words = [p.info["cmdline"] or [] for p in psutil.process_iter(["cmdline"])]
    assert [line for line in words if any(str(folder) in word for word in line)] == []
