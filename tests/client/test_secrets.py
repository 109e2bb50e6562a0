"""No key and no token ever shows in an exception, a repr or a log."""

import logging
import traceback
from typing import Any

import pytest

import paygres
from tests.client.both import CHECKOUT, KINDS, Kind, call
from tests.client.scripted import RESET, Answer, scripted

CANARIES = {
    "anon": "anon_CANARY1",
    "token": "header.CANARY2.sig",
    "secret": "CANARY3-2f1c0a7b9d3e4f5061728394",
    "header": "CANARY4",
}


def assert_clean(text: str) -> None:
    assert not [name for name, value in CANARIES.items() if value in text], text


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "answer",
    [
        RESET,
        Answer(500, {"error": "INTERNAL_ERROR", "message": "m"}),
        Answer(201, b"junk"),
        Answer(401, {}),
        Answer(delay=0.4),
    ],
)
def test_failures_name_no_secret(
    kind: Kind, answer: Answer | str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    options = {"anon_key": CANARIES["anon"], "headers": {"x-shop": CANARIES["header"]}, "timeout": 0.2}
    with scripted(answer) as server, pytest.raises(paygres.PaygresError) as raised:
        call(
            kind,
            "create_checkout_session",
            "test",
            options={"base_url": server.url, **options},
            token=CANARIES["token"],
            **CHECKOUT,
        )
    error = raised.value
    shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=False).format())
    assert_clean(f"{error!r} {error} {shown} {vars(error)}")
    assert (error.__cause__, error.__suppress_context__ or error.__context__ is None) == (None, True)
    assert_clean(caplog.text + "".join(capsys.readouterr()))


def test_clients_and_arguments_name_no_secret() -> None:
    client = paygres.create_client(
        "https://pay.example.com", CANARIES["anon"], headers={"x-shop": CANARIES["header"]}
    ).with_token(CANARIES["token"])
    user = client.as_user("u1", jwt_secret=CANARIES["secret"])
    for one in (client, user, client.payments, client.payments.stripe, client.payments.stripe.with_result):
        assert_clean(repr(one) + str(one))
    assert_clean(repr(vars(client)) + repr(vars(client.payments.stripe)["_options"]))
    bad: dict[str, Any] = {"access_token": f"{CANARIES['token']}\n"}
    with pytest.raises(paygres.ValidationError) as raised:
        client.payments.stripe.create_checkout_session("test", **CHECKOUT, **bad)
    assert_clean(f"{raised.value!r} {vars(raised.value)}")
    client.close()
