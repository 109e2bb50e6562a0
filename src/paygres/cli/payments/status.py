"""`status`: what is connected, and what to do about what is not."""

from typing import Any

from paygres.cli.call import STRIPE, Call, Command, Noun

_ALLOWED = ("test", "live", "all")


def status(call: Call) -> None:
    """Both environments, or the one that --environment names."""
    wanted = call.environment_of("all", _ALLOWED) if call.options.environment else "all"
    body = call.backend.call("GET", f"{STRIPE}/status")
    connections: list[dict[str, Any]] = [c for c in body["connections"] if wanted in ("all", c["environment"])]
    if call.screen.json:
        call.screen.answer(body | {"connections": connections})
        return
    call.screen.rows(
        ("Env", "Status", "Key", "Account", "Webhook", "Last Sync", "Synced At"),
        [
            (
                c["environment"],
                c["status"],
                c["maskedKey"],
                c["accountId"],
                "Configured" if c["webhookEndpointId"] else None,
                c["lastSyncStatus"],
                call.when(c["lastSyncedAt"]),
            )
            for c in connections
        ],
    )
    for connection in connections:
        _advise(call, connection)


def _advise(call: Call, connection: dict[str, Any]) -> None:
    environment = connection["environment"]
    if connection["status"] == "unconfigured":
        call.screen.hint(f"{environment}: no key; paygres config set --environment {environment}")
        return
    if connection["lastSyncError"]:
        call.screen.warn(f"{environment}: {connection['lastSyncError']} Then: paygres sync -e {environment}")
    sweep = connection.get("eventSweep", {})
    if sweep.get("completeThrough"):
        until = call.when(sweep["completeThrough"])
        call.screen.hint(f"{environment}: every event that Stripe listed up to {until} is stored")
    if sweep.get("problem"):
        call.screen.warn(f"{environment}: events could not be compared with Stripe's list: {sweep['problem']}")
    if not connection["webhookEndpointId"]:
        call.screen.warn(f"{environment}: no webhook endpoint; paygres webhooks configure -e {environment}")


NOUN = Noun({"": Command("Both Stripe connections", status)})
