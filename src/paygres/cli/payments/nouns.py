"""The nouns of the command line, their modules and their other names. Light: `paygres --help` reads it."""

# Noun -> (module with NOUN, the line --help shows).
NOUNS = {
    "link": ("paygres.cli.link", "which server the commands below speak to, from this directory"),
    "status": ("paygres.cli.payments.status", "both Stripe connections: account, webhook endpoint, last sync"),
    "config": ("paygres.cli.payments.config", "set, remove, show: the Stripe key of an environment"),
    "webhooks": ("paygres.cli.payments.webhooks", "configure: the webhook endpoint at Stripe"),
    "sync": ("paygres.cli.payments.sync", "read the Stripe accounts anew"),
    "reconcile": ("paygres.cli.payments.reconcile", "compare the mirror with Stripe, row by row; --fix repairs it"),
    "invariants": ("paygres.cli.payments.invariants", "what must always be true of the rows, and what is not"),
    "events": ("paygres.cli.payments.events", "backfill what Stripe did not deliver; replay, by id or by a selection"),
    "explain": ("paygres.cli.payments.explain", "how it came to this: an order, subject, event or customer"),
    "catalog": ("paygres.cli.payments.catalog", "products and prices together"),
    "products": ("paygres.cli.payments.products", "list, get, create, update, delete"),
    "prices": ("paygres.cli.payments.prices", "list, get, create, update, archive"),
    "customers": ("paygres.cli.payments.customers", "who paid, how often, how much"),
    "subscriptions": ("paygres.cli.payments.subscriptions", "subscriptions, of one subject if you like"),
    "transactions": ("paygres.cli.payments.transactions", "payments, refunds and failures"),
    "fulfillments": (
        "paygres.cli.payments.fulfillments",
        "what was given for which payment; release a quarantined one",
    ),
    "destinations": ("paygres.cli.payments.destinations", "who is told of fulfillments, and what was sent"),
}
ALSO = {
    "webhook": "webhooks",
    "product": "products",
    "price": "prices",
    "event": "events",
    "customer": "customers",
    "subscription": "subscriptions",
    "transaction": "transactions",
    "fulfillment": "fulfillments",  # behind `payments stripe`; alone it is the recipes' command
    "destination": "destinations",
}


def is_ours(word: str) -> bool:
    """Whether a command line that begins with this word is an operator's command."""
    return word in NOUNS or word in ALSO or word == "payments" or word.startswith("-")


def usage() -> str:
    """The nouns as --help shows them."""
    return "\n".join(f"  {noun:<14} {line}" for noun, (_, line) in NOUNS.items())
