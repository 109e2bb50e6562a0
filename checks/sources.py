"""The Python files a rule looks at, parsed once."""

import ast
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Source:
    """One module: its path, its text's length and its syntax tree."""

    path: Path
    lines: int
    tree: ast.Module

    def at(self, node: ast.AST | None, text: str) -> str:
        """`path:line: text`, as editors and terminals link it."""
        return f"{self.path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}: {text}"


def read(folder: str) -> list[Source]:
    """Every module below `folder`, in the order of their paths."""
    found: list[Source] = []
    for path in sorted((ROOT / folder).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        found.append(Source(path, text.count("\n"), ast.parse(text, str(path))))
    return found


def dotted(node: ast.expr) -> list[str]:
    """The names of `a.b.c` (calls and subscripts in between are looked through): ["a", "b", "c"]."""
    if isinstance(node, ast.Attribute):
        return [*dotted(node.value), node.attr]
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Call):
        return dotted(node.func)
    if isinstance(node, ast.Subscript):
        return dotted(node.value)
    return []
