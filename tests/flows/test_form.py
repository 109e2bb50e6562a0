"""What the gateway sends is what the official library would send, and a parser reads it back."""

from typing import Any
from urllib.parse import parse_qsl, urlencode

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stripe._encode import _api_encode

from paygres.server.stripe_gateway.form import form

TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
SCALARS = TEXT | st.integers()
NAMES = st.text("abcz_019", min_size=1, max_size=8)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=8
)
PARAMS = st.dictionaries(NAMES, VALUES | st.booleans() | st.none(), max_size=5)


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(PARAMS)
def test_it_is_what_the_official_library_sends(params: dict[str, Any]) -> None:
    library = urlencode(list(_api_encode(params)))
    assert parse_qsl(form(params), keep_blank_values=True) == parse_qsl(library, keep_blank_values=True)


def test_booleans_and_nothing_inside_lists_are_written_as_outside() -> None:
    # The library writes `True` and `None` there.
    assert form({"a": [True, None, {"b": False, "c": None}], "d": ""}) == "a[0]=true&a[2][b]=false&d="


def test_brackets_stay_readable_and_everything_else_that_separates_is_escaped() -> None:
    assert form({"created[gte]": 5, "x": {"k&=": "a&b=c+d %#"}}) == "created[gte]=5&x[k%26%3D]=a%26b%3Dc%2Bd+%25%23"
