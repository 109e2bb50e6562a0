"""Tables as text: with lines for people, in plain aligned columns for pipes and agents."""

import re
import unicodedata
from collections.abc import Callable, Sequence

Paint = Callable[[str], str]

_ID = re.compile(r"[a-z]+_\w{13,}")


def clean(text: str) -> str:
    """Without what could steer a terminal: names in these tables were typed by strangers."""
    return "".join(c if c.isprintable() else "\ufffd" for c in text)


def width(text: str) -> int:
    """Columns on a terminal."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def elided(text: str) -> str:
    """An id without its middle: `cs_test_a1B2…9xYz`. Anything else as it is."""
    return f"{text[:12]}…{text[-4:]}" if _ID.fullmatch(text) and len(text) > 17 else text


def plain(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Aligned columns, two blanks between them, no line ends in blanks."""
    widths = _widths(headers, rows)
    return ["  ".join(_padded(cells, widths)).rstrip() for cells in (headers, *rows)]


def boxed(
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    columns: int,
    head: Paint,
    line: Paint,
    cell: Paint,
) -> list[str]:
    """With lines; ids lose their middle when the table is wider than `columns`. Paint adds color, not width."""
    widths = _widths(headers, rows)
    if sum(widths) + 3 * len(widths) + 1 > columns:
        rows = [[elided(text) for text in row] for row in rows]
        widths = _widths(headers, rows)
    bar = line("│")

    def rule(left: str, middle: str, right: str) -> str:
        return line(left + middle.join("─" * (size + 2) for size in widths) + right)

    def row_of(cells: Sequence[str], paint: Paint) -> str:
        inner = (
            f" {paint(text)}{' ' * (len(fill) - len(text))} "
            for text, fill in zip(cells, _padded(cells, widths), strict=True)
        )
        return f"{bar}{bar.join(inner)}{bar}"

    body = [row_of(row, cell) for row in rows]
    return [rule("┌", "┬", "┐"), row_of(headers, head), rule("├", "┼", "┤"), *body, rule("└", "┴", "┘")]


def _widths(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(width(cells[n]) for cells in (headers, *rows)) for n in range(len(headers))]


def _padded(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [text + " " * (size - width(text)) for text, size in zip(cells, widths, strict=True)]
