"""Send one body to one address, no redirects, never to Stripe: probes, signed as Stripe signs its events, and the
messages we sign ourselves."""

import asyncio
import hashlib
import hmac
import importlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from paygres.server import errors

_SECONDS = 10.0  # as long as a checkout's redirect waits for an endpoint
_MOST_READ = 65_536


@dataclass(frozen=True, slots=True)
class Delivered:
    """What came back: the status, and the body when it is JSON."""

    status: int
    body: Any


async def deliver(url: str, payload: bytes, secret: str) -> Delivered:
    """POST `payload` signed with `secret`; raises `Upstream` with the reason when no answer came."""
    return await post(url, payload, {"Stripe-Signature": _signature(payload, secret)})


async def post(url: str, payload: bytes, headers: Mapping[str, str]) -> Delivered:
    """POST JSON and read what comes back, 10 seconds in all; raises `Upstream` with the reason when no answer came."""
    await asyncio.to_thread(importlib.import_module, "aiohttp")  # slow to load, so not on the loop
    import aiohttp

    sent = {"Content-Type": "application/json; charset=utf-8", **headers}
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_SECONDS)) as session,
            session.post(url, data=payload, headers=sent, allow_redirects=False) as answer,
        ):
            raw: bytes = await answer.content.read(_MOST_READ)
            return Delivered(answer.status, _json(raw))
    except TimeoutError:
        raise errors.Upstream(f"no answer within {_SECONDS:.0f} seconds") from None
    except aiohttp.ClientConnectorCertificateError:
        raise errors.Upstream("its TLS certificate is not trusted") from None
    except aiohttp.ClientConnectorDNSError as error:
        raise errors.Upstream(f"the name {error.host} cannot be resolved") from None
    except aiohttp.ClientConnectorError as error:
        raise errors.Upstream(f"cannot connect to {error.host}:{error.port}") from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise errors.Upstream(f"the connection broke ({type(error).__name__})") from None


def _signature(payload: bytes, secret: str) -> str:
    seconds = int(time.time())
    mac = hmac.new(secret.encode(), b"%d." % seconds + payload, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={mac}"


def _json(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
