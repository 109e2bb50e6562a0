"""How the sandbox is served: uvicorn's settings, and those of Python's garbage collector."""

import gc

import uvicorn
from starlette.types import ASGIApp


def server_config(app: ASGIApp) -> uvicorn.Config:
    """Nothing that costs every request and serves nobody on one's own machine: no access log, no proxy's headers."""
    return uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        lifespan="on",
        ws="none",
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=65,  # uvicorn's 5 s end just when a client that waited for a buyer sends its next request
        timeout_graceful_shutdown=3,
    )


def spare_collections() -> None:
    """Called when all is loaded: what exists by now stays, and a request's objects are freed without the collector."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
