"""What must type-check under mypy --strict and pyright."""

import paygres
from paygres import Result


def guest(client: paygres.Client) -> str | None:
    answer = client.payments.stripe.create_checkout_session(
        "test",
        mode="payment",
        line_items=[{"price_id": "price_1Example", "quantity": 2}, paygres.LineItem(price_id="price_2Example")],
        success_url="https://shop.example.com/ok",
        cancel_url="https://shop.example.com/no",
        metadata={"order_id": "o1"},
        idempotency_key="order:o1",
    )
    return answer.checkout_session.url


def subscriber(client: paygres.Client) -> bool:
    made = client.with_token(lambda: None).payments.stripe.create_checkout_session(
        "live",
        mode="subscription",
        line_items=[{"price_id": "price_1Example"}],
        success_url="https://shop.example.com/ok",
        cancel_url="https://shop.example.com/no",
        subject={"type": "team", "id": "t1"},
    )
    read = client.payments.stripe.get_checkout_session("test", made.checkout_session.id, wait=10)
    access = client.payments.stripe.get_subject("test", subject=paygres.Subject(type="team", id="t1")).subject.access
    return bool(read.settled) and all(one.granted for one in access)


def values(client: paygres.Client) -> str:
    result: Result[paygres.CreateCustomerPortalSessionResponse]
    result = client.payments.stripe.with_result.create_customer_portal_session(
        "test", subject={"type": "team", "id": "t1"}
    )
    data, error = result
    if error is not None:
        return error.next_actions or error.message
    assert data is not None
    return data.customer_portal_session.url or ""


async def awaited(client: paygres.AsyncClient, environment: paygres.Environment) -> paygres.CheckoutSession | None:
    data, error = await client.payments.stripe.with_result.create_checkout_session(
        environment,
        mode="subscription",
        line_items=[{"price_id": "price_1Example"}],
        success_url="https://shop.example.com/ok",
        cancel_url="https://shop.example.com/no",
        subject=paygres.Subject(type="user", id="u1"),
    )
    if isinstance(error, paygres.RateLimitError) and error.retry_after:
        return None
    return data.checkout_session if data else None


def made() -> tuple[paygres.Client, paygres.AsyncClient]:
    return paygres.create_client("https://pay.example.com", "anon_1", timeout=5), paygres.create_async_client()
