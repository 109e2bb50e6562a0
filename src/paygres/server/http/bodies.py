"""Reading a request's body: at most 1 MB, JSON or form fields, text PostgreSQL can store.
Another content type, or none, reads as `{}`, so that validation names the missing fields."""

from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request
from starlette.types import Receive

from paygres.server.errors import InvalidRequest, PayloadTooLarge

LIMIT = 1_000_000
_NEXT = "Please ensure your request body contains valid JSON"
_FORM_FIELDS = 1000


async def read_fields(request: Request) -> Any:
    """The body as JSON data: an object or an array; `{}` when there is none."""
    content_type = _content_type(request)
    if content_type not in ("application/json", "application/x-www-form-urlencoded"):
        return {}
    _refuse_encoding(request)
    body = await read_bytes(request)
    if not body:
        return {}
    fields = _json(body) if content_type == "application/json" else _form(body)
    # NUL arrives only escaped; look for the escape first, the walk is for the few bodies that have it.
    if b"\\u0000" in body or b"%00" in body or b"\x00" in body:
        _refuse_nul(fields)
    return fields


async def read_raw_json(request: Request) -> bytes:
    """A webhook's body, byte for byte (its signature covers the bytes); b'' unless sent as JSON."""
    if _content_type(request) != "application/json":
        return b""
    _refuse_encoding(request)
    return await read_bytes(request)


async def read_bytes(request: Request) -> bytes:
    """The whole body; PayloadTooLarge as soon as it is known to be over the limit."""
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared[:20]) > LIMIT:
        raise _too_large()
    return await _receive(request.receive)


async def _receive(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False) and len(body) <= LIMIT:
        return body
    chunks, size = [body], len(body)
    while message.get("more_body", False):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise InvalidRequest("The request ended before its body was complete")
        chunk: bytes = message.get("body", b"")
        chunks.append(chunk)
        size += len(chunk)
        if size > LIMIT:
            raise _too_large()
    if size > LIMIT:
        raise _too_large()
    return b"".join(chunks)


def _too_large() -> PayloadTooLarge:
    return PayloadTooLarge(f"The request body is larger than {LIMIT} bytes")


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _refuse_encoding(request: Request) -> None:
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise InvalidRequest("Compressed request bodies are not accepted", next_actions="Send the body as is")


def _json(body: bytes) -> Any:
    try:
        fields: Any = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(_json_complaint(str(error)), next_actions=_NEXT) from None
    if not isinstance(fields, dict | list):
        raise InvalidRequest("The JSON body must be an object, not a single value", next_actions=_NEXT)
    return fields


def _json_complaint(reason: str) -> str:
    if reason.startswith(("unexpected end of data", "input data is empty")):
        return "Unexpected end of JSON input"
    return f"The body is not valid JSON: {reason}"


def _form(body: bytes) -> dict[str, Any]:
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=_FORM_FIELDS)
    except ValueError:
        raise InvalidRequest("The form body is not valid: it must be UTF-8 with at most 1000 fields") from None
    fields: dict[str, Any] = {}
    for name, value in pairs:
        known = fields.get(name)
        if known is None:
            fields[name] = value
        else:
            fields[name] = [*known, value] if isinstance(known, list) else [known, value]
    return fields


def _refuse_nul(fields: Any) -> None:
    """PostgreSQL stores no NUL character in text or jsonb."""
    left: list[tuple[str, Any]] = [("", fields)]
    while left:
        path, value = left.pop()
        if isinstance(value, str):
            if "\x00" in value:
                raise InvalidRequest(f"{path or '(root)'}: String must not contain the NUL character")
        elif isinstance(value, dict):
            prefix = f"{path}." if path else ""
            for key, inner in value.items():
                if "\x00" in key:
                    raise InvalidRequest(f"{path or '(root)'}: Keys must not contain the NUL character")
                left.append((prefix + key, inner))
        elif isinstance(value, list):
            prefix = f"{path}." if path else ""
            left.extend((f"{prefix}{index}", inner) for index, inner in enumerate(value))
