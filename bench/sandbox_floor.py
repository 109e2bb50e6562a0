"""`python -m bench.sandbox_floor answers.json`: the least a sandbox can do, to measure beside ours: a bare ASGI
application on the sandbox's own server settings that reads a request and answers the bytes it was given for it."""

import asyncio
import json
import socket
import sys
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from paygres.sandbox.serving import server_config, spare_collections


def create_app(answers: dict[str, str]) -> ASGIApp:
    """`answers`: by the first of a request's path that fits ("/v1/customers/"), the body to answer."""
    bodies = [(start, body.encode()) for start, body in answers.items()]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        path = scope["path"]
        body = next(body for start, body in bodies if path.startswith(start))
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


async def serve(answers: dict[str, str]) -> None:
    listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
    config = server_config(create_app(answers))
    config.lifespan = "off"
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:  # noqa: ASYNC110 (uvicorn has no event for it)
        await asyncio.sleep(0.005)
    spare_collections()
    print(json.dumps({"url": f"http://127.0.0.1:{listening.getsockname()[1]}"}), flush=True)
    await running


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvicorn.Config("", loop="auto").get_loop_factory()) as runner:
        runner.run(serve(json.loads(Path(sys.argv[1]).read_text())))
