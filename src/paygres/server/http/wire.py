"""JSON out: one response class, the content type the reference sends, never stored by caches."""

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response


class Json(Response):
    """`content` as JSON; keys keep their order."""

    media_type = "application/json; charset=utf-8"

    def __init__(self, content: Any, status_code: int = 200, headers: Mapping[str, str] | None = None) -> None:
        self.status_code = status_code
        self.background = None
        self.body = orjson.dumps(content)
        self.raw_headers = [
            (b"content-type", b"application/json; charset=utf-8"),
            (b"content-length", str(len(self.body)).encode()),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
        ]
        if headers:
            self.raw_headers += [(name.encode("latin-1"), text.encode("latin-1")) for name, text in headers.items()]
