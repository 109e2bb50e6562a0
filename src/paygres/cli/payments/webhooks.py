"""`webhooks configure`: the endpoint at Stripe that delivers to this server."""

from paygres.cli.call import Call, Command, Noun
from paygres.cli.confirm import confirm


def configure(call: Call) -> None:
    """Makes the managed endpoint anew; the replaced one's secret holds ten more minutes."""
    environment = call.environment
    confirm(call, f"make the Stripe {environment} webhook endpoint anew")
    body = call.backend.call("POST", call.path("webhook"))
    if call.screen.json:
        call.screen.answer(body)
        return
    connection = body["connection"]
    call.screen.rows(
        ("Env", "Webhook ID", "URL", "Configured At"),
        [
            (
                connection["environment"],
                connection["webhookEndpointId"],
                connection["webhookEndpointUrl"],
                call.when(connection["webhookConfiguredAt"]),
            )
        ],
    )
    call.screen.success(f"Stripe {environment} webhook configured.")


NOUN = Noun({"configure": Command("Make the webhook endpoint at Stripe anew", configure, seconds=120.0)})
