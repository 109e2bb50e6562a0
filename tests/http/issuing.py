"""An issuer of access tokens that is not ours: its keys on a real HTTP server, which counts how often it is asked."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()


def public_jwk(key: Any, kid: str, **more: Any) -> dict[str, Any]:
    kinds = {rsa.RSAPrivateKey: jwt.algorithms.RSAAlgorithm, ec.EllipticCurvePrivateKey: jwt.algorithms.ECAlgorithm}
    algorithm = next((made for kind, made in kinds.items() if isinstance(key, kind)), jwt.algorithms.OKPAlgorithm)
    return {**algorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig", **more}


@dataclass
class Issuing:
    """`keys` are published; `status`, `pause` and `padding` spoil the answer."""

    url: str
    keys: list[dict[str, Any]] = field(default_factory=list)
    asked: int = 0
    status: int = 200
    pause: float = 0.0
    padding: int = 0

    @property
    def issuer(self) -> str:
        return "https://login.example.com/"

    def setting(self, **more: Any) -> str:
        """PAYGRES_JWT_ISSUERS with this issuer."""
        entry = {"name": "login", "issuer": self.issuer, "jwksUrl": f"{self.url}/keys", **more}
        return json.dumps([entry])

    def token(self, key: Any = RSA_KEY, kid: str | None = "one", algorithm: str = "RS256", **claims: Any) -> str:
        said = {"iss": self.issuer, "sub": "user_1", "exp": int(time.time()) + 600, **claims}
        said = {name: value for name, value in said.items() if value is not None}
        return jwt.encode(said, key, algorithm=algorithm, headers={} if kid is None else {"kid": kid})


@contextmanager
def issuing(*keys: dict[str, Any]) -> Iterator[Issuing]:
    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked += 1
            time.sleep(made.pause)
            body = json.dumps({"keys": made.keys}).encode() + b" " * made.padding
            self.send_response(made.status)
            self.send_header("content-length", str(len(body)))
            self.send_header("location", f"{made.url}/elsewhere")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    made = Issuing(f"http://127.0.0.1:{server.server_port}", list(keys))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
