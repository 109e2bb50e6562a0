"""Amounts, times, tables and option values as text."""

import os
import time
from collections.abc import Iterator

import pytest

from paygres.cli.failure import Misused
from paygres.cli.money import amount
from paygres.cli.payments.prices import recurring
from paygres.cli.table import boxed, clean, elided, plain, width
from paygres.cli.times import moment
from paygres.cli.values import boolean, identifier, integer, limit, metadata


@pytest.fixture
def in_kathmandu() -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = "Asia/Kathmandu"
    time.tzset()
    yield
    os.environ.pop("TZ") if before is None else os.environ.update(TZ=before)
    time.tzset()


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [
        (1999, "usd", "19.99 USD"),
        (5, "eur", "0.05 EUR"),
        (0, "usd", "0.00 USD"),
        (500, "jpy", "500 JPY"),
        (1250, "kwd", "1.250 KWD"),
        (-1999, "usd", "-19.99 USD"),
        (99999999999, "usd", "999999999.99 USD"),
        (None, "usd", "-"),
        (100, None, "-"),
    ],
)
def test_amounts_have_the_digits_of_their_currency(minor: int | None, currency: str | None, shown: str) -> None:
    assert amount(minor, currency) == shown


@pytest.mark.usefixtures("in_kathmandu")
def test_times_are_local_or_utc() -> None:
    assert moment("2026-03-01T14:02:12.345Z") == "2026-03-01 19:47:12"
    assert moment("2026-03-01T14:02:12.345Z", utc=True) == "2026-03-01 14:02:12Z"
    assert moment(None) == "-"


@pytest.mark.parametrize(("interval", "count", "shown"), [(None, None, "one-time"), ("month", 1, "month")])
def test_a_price_says_how_often(interval: str | None, count: int | None, shown: str) -> None:
    assert recurring(interval, count) == shown


def test_columns_line_up_whatever_the_script() -> None:
    lines = plain(("Name", "Id"), [("株式会社", "a"), ("Zoe\u0301", "b"), ("x", "c")])
    assert {width(line[: line.rindex(line.split()[-1])]) for line in lines} == {10}


def test_a_wide_table_loses_the_middle_of_its_ids_and_nothing_else() -> None:
    def same(text: str) -> str:
        return text

    row = ("cs_test_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0", "https://shop.example.com/a/long/path")
    narrow = boxed(("Session", "URL"), [row], columns=70, head=same, line=same, cell=same)
    assert "│ cs_test_a1B2…s9T0 │ https://shop.example.com/a/long/path │" in narrow
    whole = boxed(("Session", "URL"), [row], columns=120, head=same, line=same, cell=same)
    assert row[0] in whole[3]
    assert elided("prod_1") == "prod_1"


def test_a_name_cannot_steer_the_terminal() -> None:
    assert clean("\x1b]0;owned\x07Ada\u202e") == "\ufffd]0;owned\ufffdAda\ufffd"


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (boolean, "yes"),
        (boolean, "1"),
        (integer, "1.5"),
        (integer, "1e3"),
        (integer, "-1"),
        (integer, " 1"),
        (limit, "0"),
        (limit, "101"),
        (metadata, "[]"),
        (metadata, "{"),
        (metadata, '{"a":null}'),
        (identifier, ".."),
        (identifier, " "),
    ],
)
def test_a_value_that_may_be_a_typo_is_refused(read: object, text: str) -> None:
    assert callable(read)
    with pytest.raises(Misused):
        read(text)
