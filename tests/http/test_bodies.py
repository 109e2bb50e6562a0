"""Bodies before validation: size, JSON, encodings, content types."""

import gzip
import json
from collections.abc import Iterator

import pytest

from tests.http.running import API_KEY, BODY, CHECKOUT, Server, admin, user

CONFIG = "/api/payments/stripe/test/config"
JSON = {"content-type": "application/json"}
VALID_JSON = "Please ensure your request body contains valid JSON"
MILLION = 1_000_000


def post(server: Server, content: bytes | Iterator[bytes], **headers: str):
    return server.client.post(CHECKOUT, headers={**user(), **JSON, **headers}, content=content)


def chunks(size: int) -> Iterator[bytes]:
    yield b'{"mode":"'
    for _ in range(size // 10_000):
        yield b"x" * 10_000
    yield b'"}'


@pytest.mark.parametrize("content", [b'"' + b"x" * MILLION + b'"', chunks(MILLION)], ids=["length", "chunked"])
def test_a_body_over_one_megabyte_is_413(server: Server, content) -> None:
    answer = post(server, content)
    assert (answer.status_code, answer.json()["error"]) == (413, "PAYLOAD_TOO_LARGE")
    assert answer.json()["message"] == "The request body is larger than 1000000 bytes"
    assert server.client.get("/api/health").status_code == 200


def test_a_body_of_almost_one_megabyte_is_read(server: Server) -> None:
    body = json.dumps({**BODY, "successUrl": "https://shop.example.com/?" + "x" * 990_000}).encode()
    assert post(server, body).json()["error"] == "PAYMENT_CONFIG_INVALID"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"mode":', "Unexpected end of JSON input"),
        (b"  ", "Unexpected end of JSON input"),
        (b"null", "The JSON body must be an object, not a single value"),
        (b"7", "The JSON body must be an object, not a single value"),
        (b"{mode: 1}", "The body is not valid JSON: "),
        (b'{"a": NaN}', "The body is not valid JSON: "),
        (b'{"a": 1e999}', "The body is not valid JSON: "),
        (b'{"a": ' + b"9" * 400 + b"}", "The body is not valid JSON: "),
        (b'{"a": "\xff\xfe"}', "The body is not valid JSON: "),
        (b'{"a": "\\ud800"}', "The body is not valid JSON: "),
        (b'{"a": "\x00"}', "The body is not valid JSON: "),
        (b"[" * 5000, "The body is not valid JSON: "),
        (b'{"mode": "payment"}\x00', "The body is not valid JSON: "),
        ('{"mode": "payment"}'.encode("utf-16"), "The body is not valid JSON: "),
    ],
    ids=str,
)
def test_malformed_json_is_400_with_what_to_do(server: Server, content: bytes, message: str) -> None:
    answer = post(server, content)
    refusal = answer.json()
    assert (answer.status_code, refusal["error"], refusal["nextActions"]) == (
        400,
        "INVALID_INPUT",
        VALID_JSON,
    )
    assert refusal["message"].startswith(message)


def test_an_array_is_no_object(server: Server) -> None:
    for path, send in ((CHECKOUT, server.client.post), (CONFIG, server.client.put)):
        answer = send(path, headers={**admin()}, json=[])
        assert answer.status_code == 400
        assert answer.json()["message"] == "(root): Expected object, received array"


def test_form_fields_are_read_like_json(server: Server) -> None:
    answer = server.client.put(CONFIG, headers=admin(), data={"secretKey": "pk_test_1"})
    assert (answer.status_code, answer.json()["error"]) == (400, "PAYMENT_CONFIG_INVALID")
    answer = server.client.put(CONFIG, headers=admin(), data={"secretKey": ["a", "b"]})
    assert answer.json()["message"] == "secretKey: Expected string, received array"


@pytest.mark.parametrize("content", [b"secretKey=%ff", b"secretKey=\xff", b"a=&" * 1001])
def test_a_form_that_is_no_utf8_or_too_long_is_400(server: Server, content: bytes) -> None:
    headers = {**admin(), "content-type": "application/x-www-form-urlencoded"}
    answer = server.client.put(CONFIG, headers=headers, content=content)
    assert (answer.status_code, answer.json()["error"]) == (400, "INVALID_INPUT")


@pytest.mark.parametrize("content", [b"secretKey=a%00b", b"secretKey=a\x00b"])
def test_a_nul_in_a_form_is_named(server: Server, content: bytes) -> None:
    headers = {**admin(), "content-type": "application/x-www-form-urlencoded"}
    answer = server.client.put(CONFIG, headers=headers, content=content)
    assert answer.json()["message"] == "secretKey: String must not contain the NUL character"


def test_another_content_type_counts_as_no_body(server: Server) -> None:
    headers = {**admin(), "content-type": "text/plain"}
    answer = server.client.put(CONFIG, headers=headers, content=b'{"secretKey":"sk_test_a"}')
    assert (answer.status_code, answer.json()["message"]) == (400, "secretKey: Required")


def test_a_compressed_body_is_refused(server: Server) -> None:
    answer = post(server, gzip.compress(json.dumps(BODY).encode()), **{"content-encoding": "gzip"})
    assert (answer.status_code, answer.json()["message"]) == (
        400,
        "Compressed request bodies are not accepted",
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "secretKey: Required"),
        ({"secretKey": ""}, "secretKey: Stripe secret key is required"),
        ({"secretKey": "   "}, "secretKey: Stripe secret key is required"),
        ({"secretKey": 5}, "secretKey: Expected string, received number"),
        ({"secretKey": "sk_test_a", "extra": 1}, "(root): Unrecognized key(s) in object: 'extra'"),
    ],
)
def test_a_wrong_key_body_is_named(server: Server, body: object, message: str) -> None:
    answer = server.client.put(CONFIG, headers={"x-api-key": API_KEY}, json=body)
    assert (answer.status_code, answer.json()["error"], answer.json()["message"]) == (
        400,
        "INVALID_INPUT",
        message,
    )
