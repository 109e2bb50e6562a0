"""The published TypeScript SDK as Python objects: one Node process, asked line by line (drive.mjs)."""

import json
import re
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.judges import installed

HERE = Path(__file__).parent
REFERENCE = "@insforge/sdk/SDK-REFERENCE.md"
FENCED = re.compile(r"^```(?:javascript|typescript)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Node:
    """A context manager; every method waits for Node's answer."""

    def __init__(self) -> None:
        packages = installed.npm_packages()
        command = [installed.node(), str(HERE / "drive.mjs"), str(packages)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._made = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=10)

    def client(self, how: str = "createClient", **options: Any) -> "Client":
        """A client made by `createClient` or `createAdminClient` with exactly these options."""
        self._made += 1
        name = str(self._made)
        self.ask("make", client=name, how=how, options=options)
        return Client(self, name)

    def ask(self, verb: str, **asked: Any) -> Any:
        """The answer; what the SDK throws is an AssertionError with its stack."""
        said = self._line(verb, asked)
        assert "thrown" not in said, said["stack"]
        return said["answer"]

    def thrown(self, verb: str, **asked: Any) -> dict[str, Any]:
        """The error that must be thrown."""
        said = self._line(verb, asked)
        assert "thrown" in said, said
        return said["thrown"]

    def _line(self, verb: str, asked: dict[str, Any]) -> dict[str, Any]:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps({"verb": verb, **asked}) + "\n")
        stdin.flush()
        line = stdout.readline()
        assert line, f"Node ended with {self._process.wait(10)}"
        return json.loads(line)


class Client:
    """A client that lives in Node. `error` is the SDK's own, its properties as they are."""

    def __init__(self, node: Node, name: str) -> None:
        self.node = node
        self.name = name

    def call(self, path: str, *args: Any) -> Any:
        """`client.<path>(...args)`; `http.` is `client.getHttpClient()`. The answer as it comes."""
        return self.node.ask("call", client=self.name, path=path, args=args)

    def done(self, path: str, *args: Any) -> Any:
        """The `data` of `{data, error}`, which must have no error."""
        answer = self.call(path, *args)
        assert answer["error"] is None, answer
        return answer["data"]

    def fails(self, path: str, *args: Any) -> dict[str, Any]:
        """The `error` of `{data, error}`, which must have no data."""
        answer = self.call(path, *args)
        assert answer["data"] is None, answer
        return answer["error"]

    def checkout(self, body: dict[str, Any], environment: str = "test") -> dict[str, Any]:
        return self.done("payments.stripe.createCheckoutSession", environment, body)["checkoutSession"]

    def refused(self, body: dict[str, Any], environment: str = "test") -> dict[str, Any]:
        """The error of a checkout that must fail."""
        return self.fails("payments.stripe.createCheckoutSession", environment, body)

    def snippet(self, code: str, origin: str = "https://shop.example.com", **scope: Any) -> dict[str, Any]:
        """Runs published code with `insforge`, `window` and these names; what it did: visited, logged, thrown."""
        return self.node.ask("snippet", client=self.name, code=code, origin=origin, scope=scope)


def snippet(name: str, **prices: str) -> str:
    """A piece of code of the documentation, as it is but for the price's id, which an account makes anew."""
    return _priced((HERE / "snippets" / f"{name}.js").read_text(encoding="utf-8"), prices)


def reference_snippets(heading: str, **prices: str) -> list[str]:
    """The pieces of code under a heading of the reference that is in the npm package itself."""
    text = (installed.npm_packages() / REFERENCE).read_text(encoding="utf-8")
    _, found, rest = text.partition(f"### {heading}\n")
    assert found, f"the reference of the SDK has no {heading} any more"
    return [_priced(code, prices) for code in FENCED.findall(re.split(r"^###? ", rest, flags=re.MULTILINE)[0])]


def _priced(code: str, prices: dict[str, str]) -> str:
    for name, price in prices.items():
        assert f"'{name}'" in code or len(prices) > 1, f"{name} is not in the snippet any more"
        code = code.replace(f"'{name}'", f"'{price}'")
    return code
