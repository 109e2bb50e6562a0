"""Client networks, remembered keys and tokens, and what logs never show."""

import asyncio
import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paygres.server.auth.keys import Keys, hash_key
from paygres.server.auth.tokens import Tokens
from paygres.server.errors import Authentication, InvalidRequest
from paygres.server.flows.requests.checkout_sessions import CheckoutRequest
from paygres.server.http.logs import black_out, place_of_exception
from paygres.server.http.network import client_network
from paygres.server.http.validation import parse
from tests.http.running import BODY, JWT_SECRET, token


@pytest.mark.parametrize(
    ("peer", "forwarded", "hops", "network"),
    [
        ("203.0.113.9", "", 0, "203.0.113.0/24"),
        ("203.0.113.9", "198.51.100.7", 0, "203.0.113.0/24"),
        ("10.0.0.1", "198.51.100.7", 1, "198.51.100.0/24"),
        ("10.0.0.1", "192.0.2.66, 198.51.100.7", 1, "198.51.100.0/24"),
        ("10.0.0.1", "192.0.2.66, 198.51.100.7", 2, "192.0.2.0/24"),
        ("10.0.0.1", "198.51.100.7", 5, "198.51.100.0/24"),
        ("10.0.0.1", "198.51.100.7:4711", 1, "198.51.100.0/24"),
        ("10.0.0.1", "[2001:db8:1:2:3::4]:443", 1, "2001:db8:1:2::/64"),
        ("2001:db8:1:2:3:4:5:6", "", 0, "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", "", 0, "203.0.113.0/24"),
        ("10.0.0.1", "unknown", 1, "10.0.0.0/24"),
        (None, "", 0, "0.0.0.0/24"),
    ],
)
def test_a_client_is_known_by_its_network(peer, forwarded: str, hops: int, network: str) -> None:
    assert client_network(peer, forwarded, hops) == network


@given(st.text(max_size=60), st.text(max_size=60), st.integers(0, 3))
def test_any_address_text_gives_some_network(peer: str, forwarded: str, hops: int) -> None:
    assert "/" in client_network(peer, forwarded, hops)


async def test_a_remembered_token_ends_with_its_exp_or_after_30_seconds() -> None:
    now = [1_800_000_000.0]
    tokens = Tokens(JWT_SECRET, clock=lambda: now[0])
    lasting, short = token(sub="a", exp=4_000_000_000), token(sub="b", exp=3_999_999_999)
    assert (await tokens.verify(lasting)).role == "authenticated"
    assert (await tokens.verify(short)).sub == "b"
    now[0] = 3_999_999_998.0
    assert (await tokens.verify(short)).sub == "b"
    now[0] = 3_999_999_999.5
    remembered = tokens._verified[short]
    assert now[0] >= remembered[1]


@dataclass
class Row:
    kind: str
    hash: str
    value: str | None = None
    expires_at: datetime | None = None


def test_unknown_keys_ask_the_database_at_most_once_a_second() -> None:
    now, asked, rows = [0.0], [0], [Row("api", hash_key("ik_one"))]

    async def load() -> list[Row]:
        asked[0] += 1
        return list(rows)

    async def scenario() -> None:
        keys = Keys(load, clock=lambda: now[0])
        for _ in range(50):
            with pytest.raises(Authentication):
                await keys.require_api_key("ik_two")
        assert asked[0] == 1
        rows.append(Row("api", hash_key("ik_two")))
        now[0] += 1.1
        await keys.require_api_key("ik_two")
        await keys.require_api_key("ik_one")
        assert asked[0] == 2
        rows.clear()
        now[0] += 10.1
        with pytest.raises(Authentication):
            await keys.require_api_key("ik_one")

    asyncio.run(scenario())


def test_an_expired_key_and_a_key_of_the_other_kind_are_refused() -> None:
    past = datetime.now(UTC) - timedelta(seconds=1)
    rows = [Row("api", hash_key("ik_old"), expires_at=past), Row("anon", hash_key("anon_a"), "anon_a")]

    async def load() -> list[Row]:
        return rows

    async def scenario() -> None:
        keys = Keys(load)
        for refused in ("ik_old", "anon_a", "ik_\udcff"):
            with pytest.raises(Authentication):
                await keys.require_api_key(refused)
        await keys.require_anon_key("anon_a")
        assert await keys.anon_key() == "anon_a"

    asyncio.run(scenario())


def test_logs_black_out_keys_tokens_passwords_and_emails() -> None:
    event = {
        "a": f"sk_test_abc123 whsec_abc ik_0123 {token(sub='x')} buyer@example.com",
        "b": ["postgresql://user:pass@host/db", {"c": "rk_live_9"}],
    }
    shown = str(black_out(None, "info", event))
    assert not any(part in shown for part in ("abc", "0123", "eyJ", "buyer", "pass@", "live_9"))


def test_logs_show_where_an_exception_was_raised_and_not_what_it_said() -> None:
    try:
        raise ValueError("buyer's payload")
    except ValueError as error:
        event = place_of_exception(None, "error", {"event": "x", "exc_info": error})
    assert event["exception"] == "ValueError"
    assert "test_small_parts.py" in event["frames"][0]
    assert "payload" not in str(event)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)


@given(JSON_VALUES, st.sampled_from([*BODY, "subject", "metadata", "customerEmail", "idempotencyKey", "other"]))
def test_any_json_is_either_a_request_or_a_named_fault(value: object, field: str) -> None:
    for fields in (value, {**BODY, field: value}):
        with contextlib.suppress(InvalidRequest):
            assert parse(CheckoutRequest, fields).line_items
