"""What must not type-check: the statement after each `# wrong:` is an error for both checkers, no other is."""

import paygres


def wrong(client: paygres.Client) -> None:
    pay = client.payments.stripe
    # wrong: a subscription without a subject
    pay.create_checkout_session("test", mode="subscription", line_items=[], success_url="u", cancel_url="u")
    # wrong: no such environment
    pay.create_checkout_session("prod", mode="payment", line_items=[], success_url="u", cancel_url="u")
    # wrong: a dict in TypeScript's spelling
    pay.create_checkout_session("test", mode="payment", line_items=[{"priceId": "p"}], success_url="u", cancel_url="u")
    # wrong: an argument in TypeScript's spelling
    pay.create_checkout_session("test", mode="payment", line_items=[], successUrl="u", cancel_url="u")
    # wrong: a mode that only Stripe knows
    pay.create_checkout_session("test", mode="setup", line_items=[], success_url="u", cancel_url="u")
    # wrong: the same with results
    pay.with_result.create_checkout_session("test", mode="subscription", line_items=[], success_url="u", cancel_url="u")
    # wrong: metadata is text to text
    pay.create_checkout_session(
        "test", mode="payment", line_items=[], success_url="u", cancel_url="u", metadata={"n": 1}
    )
    # wrong: a portal needs a subject
    pay.create_customer_portal_session("test")
    # wrong: answers are read only
    pay.get_checkout_session("test", "cs_1").checkout_session.url = "u"
    # wrong: an answer has no such field
    print(pay.get_checkout_session("test", "cs_1").checkoutSession)
    # wrong: an API key is not an option of this client
    paygres.create_client("https://pay.example.com", api_key="k")
    # wrong: the async client is not awaited into being
    print(paygres.create_async_client().payments.stripe.get_checkout_session("test", "cs_1").checkout_session)


async def unawaited(client: paygres.AsyncClient) -> None:
    # wrong: nothing awaited
    _, _error = client.payments.stripe.with_result.get_checkout_session("test", "cs_1")
