"""A document of text lines as PDF, written by hand: headings, and lines of a text with an amount at the right."""

from collections.abc import Iterable, Iterator

WIDTH, HEIGHT, MARGIN = 595, 842, 56  # A4, in points
LEADING = 20
# A digit in Courier is as wide as any other sign, so amounts can be aligned without tables of widths.
COURIER = 0.6
LINES = (HEIGHT - 2 * MARGIN - 60) // LEADING
LONGEST = 64
BAR = "TEST SIMULATOR – not Stripe. This is not a real document."


def document(title: str, lines: Iterable[tuple[str, str]]) -> bytes:
    """The whole file. A line without an amount is set in small bold letters; signs outside of Windows-1252 become
    question marks."""
    rows = list(lines)
    chunks = [rows[at : at + LINES] for at in range(0, max(1, len(rows)), LINES)]
    pages = [_page(title, chunk) for chunk in chunks]
    fonts = "<< /Font << /F1 5 0 R /F2 6 0 R /F3 7 0 R >> >>"
    objects: list[bytes] = [
        b"<< /Type /Catalog /Pages 2 0 R /Lang (en) /ViewerPreferences << /DisplayDocTitle true >> >>",
        f"<< /Type /Pages /Kids [{' '.join(f'{8 + 2 * n} 0 R' for n in range(len(pages)))}] /Count {len(pages)} "
        f"/MediaBox [0 0 {WIDTH} {HEIGHT}] /Resources 4 0 R >>".encode(),
        b"<< /Title (" + _escaped(title) + b") /Producer (Paygres Sandbox) >>",
        fonts.encode(),
        *(_font(name) for name in ("Helvetica", "Helvetica-Bold", "Courier")),
    ]
    for number, content in enumerate(pages):
        objects.append(f"<< /Type /Page /Parent 2 0 R /Contents {9 + 2 * number} 0 R >>".encode())
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content))
    return _file(objects)


def _page(title: str, rows: list[tuple[str, str]]) -> bytes:
    parts = [
        f"1 0.847 0.302 rg 0 {HEIGHT - 34} {WIDTH} 34 re f 0 g".encode(),
        _text("F2", 10, MARGIN, HEIGHT - 22, BAR),
        _text("F2", 18, MARGIN, HEIGHT - MARGIN - 24, title),
    ]
    y = HEIGHT - MARGIN - 60
    for text, amount in rows:
        if amount:
            parts.append(_text("F1", 11, MARGIN, y, text[:LONGEST]))
            parts.append(_text("F3", 11, WIDTH - MARGIN - round(len(amount) * 11 * COURIER), y, amount))
        elif text:
            parts.append(_text("F2", 9, MARGIN, y, text[:LONGEST]))
        y -= LEADING
    return b"\n".join(parts)


def _text(font: str, size: int, x: int, y: int, text: str) -> bytes:
    return f"BT /{font} {size} Tf {x} {y} Td (".encode() + _escaped(text) + b") Tj ET"


def _escaped(text: str) -> bytes:
    encoded = text.replace("−", "-").encode("cp1252", "replace")
    return encoded.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


def _font(name: str) -> bytes:
    return f"<< /Type /Font /Subtype /Type1 /BaseFont /{name} /Encoding /WinAnsiEncoding >>".encode()


def _file(objects: list[bytes]) -> bytes:
    """The objects, numbered from 1, and the table that says where each of them begins."""
    body = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    places: list[int] = []
    for number, content in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(body)
    body += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    body += b"".join(_entries(places))
    body += b"trailer\n<< /Size %d /Root 1 0 R /Info 3 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(body)


def _entries(places: list[int]) -> Iterator[bytes]:
    for place in places:
        yield b"%010d 00000 n \n" % place
