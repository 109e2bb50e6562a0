"""A reader who does what a page of the documentation says: saves its files, types its commands into one shell, and pays
what it is asked to pay."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import httpx2

from tests.judges import installed
from tests.sandbox.running import FORM
from tests.test_docs import FENCED, ROOT

PAYMENT_PAGE = re.compile(r"http://\S+/c/pay/\S+")
NAMED = re.compile(r"^(?:#|//) (\w+\.\w+)\n")
DONE = "this block is done:"
# Before Node 22.18 types have to be taken off; the packages are those that were installed for the tests.
NODE = """#!/bin/sh
set -e
{bundler} "$1" --bundle --packages=external --platform=node --format=esm --outfile=.run.mjs --log-level=error
exec {node} .run.mjs
"""
NPM = """#!/bin/sh
if [ "$1" = install ]; then exec ln -s {packages} node_modules; fi
exec {npm} "$@"
"""


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: `name` when it is a file."""

    language: str
    name: str | None
    text: str


def blocks(page: str, *languages: str) -> list[Block]:
    """The blocks of these languages, in the order of the page."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    found: list[Block] = []
    for language, body in FENCED.findall(text):
        if language in languages:
            named = NAMED.match(body)
            found.append(Block(language, named.group(1) if named else None, body))
    return found


def pay(page: str) -> None:
    """As a buyer on the hosted page."""
    paid = httpx2.post(page, data=FORM, timeout=30)
    assert paid.status_code == 303, paid.text


class Reader:
    """A context manager: one shell in `folder`. `files` is where files are saved, relative to it."""

    def __init__(self, folder: Path, files: str = ".") -> None:
        self._files = folder / files
        self._tools = folder / "tools"
        path = f"{self._tools}:{os.environ['PATH']}"
        self._shell = subprocess.Popen(
            ["bash"],
            cwd=folder,
            env={"PATH": path, "HOME": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._shell.communicate(timeout=20)

    def with_node(self) -> Self:
        """`node` runs TypeScript, `npm install` gives what the tests have."""
        self._tools.mkdir(exist_ok=True)
        places = {
            "packages": installed.npm_packages(),
            "bundler": " ".join(installed.bundler()),
            "node": installed.node(),
            "npm": shutil.which("npm"),
        }
        for name, text in (("node", NODE), ("npm", NPM)):
            tool = self._tools / name
            tool.write_text(text.format(**places))
            tool.chmod(0o755)
        return self

    def follow(self, page: str, *languages: str) -> list[list[str]]:
        """Saves the files and runs the `sh` blocks as they come; what each of these printed, without payment pages."""
        printed: list[list[str]] = []
        for block in blocks(page, "sh", *languages):
            if block.language == "sh":
                printed.append(self.run(block.text))
            else:
                assert block.name, f"a block of {page} does not say its file's name"
                (self._files / block.name).write_text(block.text, encoding="utf-8")
        return printed

    def run(self, text: str, code: int = 0) -> list[str]:
        """Types commands, the last of which ends with this code; what they print."""
        stdin, stdout = self._shell.stdin, self._shell.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(f"{text}\necho '{DONE}' $?\n")
        stdin.flush()
        printed: list[str] = []
        for line in stdout:
            if line.startswith(DONE):
                assert line.split()[-1] == str(code), "\n".join(printed)
                return printed
            printed.append(line.rstrip("\n"))
            if asked := PAYMENT_PAGE.search(line):
                pay(asked.group())
        raise AssertionError("the shell ended: " + "\n".join(printed))


def wanted_versions(page: str) -> dict[str, str]:
    """package: version, of the page's `npm install`."""
    (line,) = [line for block in blocks(page, "sh") for line in block.text.splitlines() if "npm install" in line]
    return dict(word.rsplit("@", 1) for word in line.split() if "@" in word)  # pyright: ignore[reportReturnType]


def installed_versions(names: list[str]) -> dict[str, str]:
    packages = installed.npm_packages()
    return {name: json.loads((packages / name / "package.json").read_text())["version"] for name in names}
