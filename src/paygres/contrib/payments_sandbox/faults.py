"""The fault dials: what goes wrong on purpose."""

from typing import Any

from paygres.contrib.payments_sandbox.wire import Wire


class Faults:
    """Of the whole sandbox, not of one account."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def set(self, **dials: Any) -> dict[str, Any]:
        """Turns the dials that are named, such as `duplicate=0.5, shuffle=True, seed=7`; answers how all of them
        stand. The same seed gives the same faults. docs/sandbox.md lists them; a wrong one raises `SandboxError`."""
        return self._wire.post("/_sim/faults", **dials)

    def read(self) -> dict[str, Any]:
        """How all dials stand."""
        return self._wire.get("/_sim/faults")

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self._wire.delete("/_sim/faults")
