"""`python -m checks.sdk_types`: the SDK under mypy --strict, and samples of right and wrong use under both checkers."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

from checks.sources import ROOT

SDK = ["src/paygres/client", "src/paygres/__init__.py"]
SAMPLES = Path("checks/samples")
RIGHT, WRONG = SAMPLES / "right.py", SAMPLES / "wrong.py"
MARK = "# wrong:"


def main() -> int:
    """One line for each surprise, exit code 1 when there is any."""
    surprises = [
        *_mypy_output(*SDK, str(RIGHT)),
        *_compared("mypy", _lines(_mypy_output(str(WRONG)))),
        *_compared("pyright", _pyright_lines()),
    ]
    for line in surprises:
        print(line)
    return 1 if surprises else 0


def _mypy_output(*paths: str) -> list[str]:
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--hide-error-context", *paths]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return [line for line in (said.stdout + said.stderr).splitlines() if ": error:" in line or "Traceback" in line]


def _lines(output: list[str]) -> set[int]:
    return {int(found.group(1)) for line in output if (found := re.match(re.escape(str(WRONG)) + r":(\d+)", line))}


def _pyright_lines() -> set[int]:
    command = [sys.executable, "-m", "basedpyright", "--outputjson", "--pythonpath", sys.executable]
    command += ["--project", str(SAMPLES)]
    said = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout)
    errors = [one for one in said["generalDiagnostics"] if one["severity"] == "error"]
    in_right = [one for one in errors if Path(one["file"]).name == RIGHT.name]
    # Line 0 is marked nowhere: an error in the right sample is a surprise.
    return {one["range"]["start"]["line"] + 1 for one in errors if one not in in_right} | ({0} if in_right else set())


def _compared(checker: str, found: set[int]) -> list[str]:
    text = (ROOT / WRONG).read_text()
    starts = {number + 1 for number, line in enumerate(text.splitlines(), 1) if line.strip().startswith(MARK)}
    statements = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.stmt) and node.lineno in starts]
    marked = [range(one.lineno, (one.end_lineno or one.lineno) + 1) for one in statements]
    silent = [lines[0] for lines in marked if not found & set(lines)]
    surplus = sorted(line for line in found if not any(line in lines for lines in marked))
    return [
        *(f"{WRONG}:{line}: {checker} finds nothing wrong here" for line in silent),
        *(f"{WRONG}:{line}: {checker} finds an error that is not marked" for line in surplus),
    ]


if __name__ == "__main__":
    sys.exit(main())
