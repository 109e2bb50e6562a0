"""Posts webhooks, over connections that are kept. What it posts with is a quarter of the sandbox's start, and many
sandboxes never post, so it is imported with the first post."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import aiohttp

USER_AGENT = "Stripe/1.0 (+https://stripe.com/docs/webhooks)"


class WebhookPosts:
    """`timeout`: how long an endpoint may take, in seconds."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._session: aiohttp.ClientSession | None = None

    async def post(self, url: str, payload: bytes, headers: Mapping[str, str]) -> tuple[int | None, str | None]:
        """(status, error) of one try: no status without an answer, no error with an answer of 2xx."""
        import aiohttp

        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=self._timeout),
                connector=aiohttp.TCPConnector(limit=0),
                headers={"User-Agent": USER_AGENT},
            )
        try:
            async with self._session.post(url, data=payload, headers=headers, allow_redirects=False) as answer:
                await answer.read()
                return answer.status, None if 200 <= answer.status < 300 else f"HTTP {answer.status}"
        except TimeoutError:
            return None, "timed out"
        except (aiohttp.ClientError, OSError, ValueError) as problem:
            return None, f"{type(problem).__name__}: {problem}"[:200]

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
