"""Smaller PNG files of flat pages: at most 256 colors, each pixel one byte."""

import struct
import zlib
from collections import Counter

# So many of the most frequent colors stay as they are.
COLORS, EXACT = 256, 96
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def reduced(png: bytes) -> bytes:
    """The same picture with a palette; rare colors that hardly differ become one. Takes what
    Chromium writes: 8 bits a channel, no interlacing."""
    chunks = _chunks(png)
    width, height, _, kind = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    size = {2: 3, 6: 4}[kind]
    rows = _rows(zlib.decompress(chunks[b"IDAT"]), width * size, height, size)
    pixels = [row[at : at + 3] for row in rows for at in range(0, len(row), size)]
    counted = Counter(pixels)
    palette = [color for color, _ in counted.most_common(EXACT)]
    rough: dict[bytes, bytes] = {}
    for bits in range(8):
        rough = {color: bytes(_rounded(value, bits) for value in color) for color in counted.keys() - set(palette)}
        if len(set(rough.values())) <= COLORS - EXACT:
            break
    palette += sorted(set(rough.values()) - set(palette))
    numbers = {color: number for number, color in enumerate(palette)}
    place = numbers | {color: numbers[rounded] for color, rounded in rough.items()}
    indexes = bytes(place[pixel] for pixel in pixels)
    lines = b"".join(b"\0" + indexes[at : at + width] for at in range(0, len(indexes), width))
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = [(b"IHDR", head), (b"PLTE", b"".join(palette)), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b"")]
    return SIGNATURE + b"".join(map(_chunk, parts))


def _rounded(value: int, bits: int) -> int:
    step = 1 << bits
    return min(255, (value + step // 2) // step * step)


def _chunks(png: bytes) -> dict[bytes, bytes]:
    """By their names; the parts of IDAT together."""
    found: dict[bytes, bytes] = {}
    at = len(SIGNATURE)
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        name = png[at + 4 : at + 8]
        found[name] = found.get(name, b"") + png[at + 8 : at + 8 + length]
        at += 12 + length
    return found


def _chunk(part: tuple[bytes, bytes]) -> bytes:
    name, content = part
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _rows(packed: bytes, length: int, height: int, size: int) -> list[bytes]:
    """The rows with their filters undone."""
    above = bytes(length)
    rows: list[bytes] = []
    for number in range(height):
        start = number * (length + 1)
        kind, row = packed[start], bytearray(packed[start + 1 : start + 1 + length])
        for at in range(length) if kind else ():
            left = row[at - size] if at >= size else 0
            corner = above[at - size] if at >= size else 0
            row[at] = (row[at] + _guess(kind, left, above[at], corner)) & 255
        above = bytes(row)
        rows.append(above)
    return rows


def _guess(kind: int, left: int, up: int, corner: int) -> int:
    if kind == 1:
        return left
    if kind == 2:
        return up
    if kind == 3:
        return (left + up) // 2
    near = left + up - corner
    return min((left, up, corner), key=lambda one: abs(near - one))
