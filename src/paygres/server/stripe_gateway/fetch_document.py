"""Read one small document over HTTP, for the public keys of token issuers: no redirects, 5 seconds, 256 kB."""

import asyncio
import importlib

from paygres.server import errors

_SECONDS = 5.0
_MOST_BYTES = 262_144


async def fetch_document(url: str) -> bytes:
    """The body of a 200; raises `Upstream` with the reason otherwise. Called without a database connection."""
    await asyncio.to_thread(importlib.import_module, "aiohttp")  # slow to load, so not on the loop
    import aiohttp

    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_SECONDS)) as session,
            session.get(url, headers={"Accept": "application/json"}, allow_redirects=False) as answer,
        ):
            if answer.status != 200:
                raise errors.Upstream(f"it answers {answer.status}")
            body = bytearray()
            async for chunk in answer.content.iter_chunked(16_384):
                body += chunk
                if len(body) > _MOST_BYTES:
                    raise errors.Upstream(f"it is larger than {_MOST_BYTES} bytes")
            return bytes(body)
    except TimeoutError:
        raise errors.Upstream(f"no answer within {_SECONDS:.0f} seconds") from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise errors.Upstream(f"it cannot be reached ({type(error).__name__})") from None
