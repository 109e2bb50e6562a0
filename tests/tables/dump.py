"""The shape of a database in plain SQL: pg_dump's words without its noise, and without the functions that
`migrations/functions/` holds in their current form anyway."""

import re
import subprocess
from importlib import resources

from paygres.server.db.embedded_binaries import bin_dir

HEADER = """\
-- The current shape of the schemas payments, auth and system: what the migrations make of an empty database.
-- For reading and for reviewing changes, never executed; the functions are in functions/.
-- Written by `python -m tests.tables.write_schema`; a test compares it with the migrations.
"""
_ENTRY = re.compile(r"\n--\n-- Name: (?P<name>.+?); Type: (?P<type>.+?); Schema: .+?\n--\n\n")
_CREATED = re.compile(r"create or replace function (\w+\.\w+)\s*\(", re.IGNORECASE)


def dump(url: str) -> str:
    """Every table, index, constraint, trigger, policy and grant of our schemas, in pg_dump's order."""
    programs = bin_dir()
    assert programs is not None
    schemas = [f"--schema={name}" for name in ("payments", "auth", "system")]
    said = subprocess.run(
        [programs / "pg_dump", "--schema-only", "--no-owner", *schemas, url],
        capture_output=True,
        text=True,
        check=True,
    )
    return HEADER + "".join(_entries(said.stdout))


def _entries(text: str) -> list[str]:
    parts = _ENTRY.split(text)
    repeated = _functions_of_files()
    kept: list[str] = []
    for name, kind, body in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        if kind == "FUNCTION" and any(f"FUNCTION {known}(" in body for known in repeated):
            continue
        lines = body.split("\n--\n-- PostgreSQL database dump complete")[0].strip().splitlines()
        kept.append(f"\n-- {kind.lower()} {name}\n" + "\n".join(line for line in lines if line) + "\n")
    return kept


def _functions_of_files() -> set[str]:
    folder = resources.files("paygres.server") / "migrations" / "functions"
    texts = [file.read_text(encoding="utf-8") for file in folder.iterdir() if file.name.endswith(".sql")]
    return {name for text in texts for name in _CREATED.findall(text)}
