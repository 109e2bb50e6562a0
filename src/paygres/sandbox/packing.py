"""Bodies are stored deflated against the first body of their sort, which lies in the state as the dictionary: API
objects of one kind differ little, so a body of 2-5 kB takes a few hundred bytes and 30 microseconds."""

import sqlite3
import zlib
from collections.abc import Callable

WINDOW = -13
MEMORY = 6
LEVEL = 1
DICTIONARY_LENGTH = 7_900


class Packing:
    """Packs and unpacks inside the connection's transactions; `forget` after one was rolled back."""

    def __init__(self, run: Callable[..., sqlite3.Cursor]) -> None:
        self._run = run
        self._numbers: dict[str, int] = {}
        self._dictionaries: dict[int, bytes] = {}

    def forget(self) -> None:
        self._numbers.clear()
        self._dictionaries.clear()

    def pack(self, sort: str, body: bytes) -> bytes:
        """Two bytes that number the dictionary, then the deflated body."""
        number = self._numbers.get(sort) or self._number(sort, body)
        deflate = zlib.compressobj(LEVEL, zlib.DEFLATED, WINDOW, MEMORY, zdict=self._dictionary(number))
        return number.to_bytes(2) + deflate.compress(body) + deflate.flush()

    def unpack(self, packed: bytes) -> bytes:
        inflate = zlib.decompressobj(WINDOW, zdict=self._dictionary(int.from_bytes(packed[:2])))
        return inflate.decompress(packed[2:])

    def _number(self, sort: str, body: bytes) -> int:
        row = self._run("SELECT number FROM dictionaries WHERE sort = ?", (sort,)).fetchone()
        if row is None:
            # One statement that answers the row that it wrote.
            insert = "INSERT INTO dictionaries (sort, body) VALUES (?, ?) RETURNING number"
            [row] = self._run(insert, (sort, body[-DICTIONARY_LENGTH:])).fetchall()
        number: int = row[0]
        self._numbers[sort] = number
        return number

    def _dictionary(self, number: int) -> bytes:
        known = self._dictionaries.get(number)
        if known is None:
            [known] = self._run("SELECT body FROM dictionaries WHERE number = ?", (number,)).fetchone()
            self._dictionaries[number] = known
        return known
