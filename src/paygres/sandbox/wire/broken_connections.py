"""Ends a connection as networks do: reset at once, reset in the middle of the answer, or closed in the middle."""

import os
import socket
import struct
from typing import Any

from starlette.types import Receive, Send

# SO_LINGER on, for no time: closing sends RST instead of FIN.
AT_ONCE = struct.pack("ii", 1, 0)


async def break_off(how: str, send: Send, receive: Receive, status: int, headers: Any, body: bytes) -> None:
    """`how`: "reset", "reset_in_body" or "truncate"; the last two send half of the body. Returns when the connection
    is gone."""
    # ASGI has no word for this: uvicorn's `send` belongs to the object that knows the connection.
    transport = send.__self__.transport  # type: ignore[attr-defined]
    if how != "reset":
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
    if how == "truncate":
        transport.close()
    else:
        connection = socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno()))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        connection.close()
        transport.abort()
    while (await receive())["type"] != "http.disconnect":
        continue
