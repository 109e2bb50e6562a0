"""An update follows from the state it was made on and from no other that differs in what it changed."""

from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from paygres.sandbox.difference import difference
from paygres.server.projections.chain_gaps import follows
from paygres.server.projections.renderings import canonical

VALUES = st.one_of(st.none(), st.booleans(), st.integers(0, 3), st.sampled_from(["", "a", "b"]))
NESTED = st.dictionaries(st.sampled_from("xyz"), VALUES, max_size=3)
STATES = st.dictionaries(
    st.sampled_from(["status", "name", "metadata", "items"]),
    st.one_of(VALUES, NESTED, st.lists(st.one_of(VALUES, NESTED), max_size=2)),
    max_size=4,
)


@given(before=STATES, after=STATES)
def test_an_update_follows_from_the_state_it_changed(before: dict[str, Any], after: dict[str, Any]) -> None:
    previous = difference(before, after)
    assert follows(before, previous)
    assert follows(after, difference(after, after))  # nothing changed: it follows from anything


@given(before=STATES, after=STATES, other=STATES)
def test_it_does_not_follow_from_one_that_differs_there(
    before: dict[str, Any], after: dict[str, Any], other: dict[str, Any]
) -> None:
    previous = difference(before, after)
    told = {key: value for key, value in previous.items() if not isinstance(value, dict)}
    assume(any(canonical(other.get(key)) != canonical(value) for key, value in told.items()))
    assert not follows(other, previous)


@given(before=STATES, after=STATES, more=st.dictionaries(st.sampled_from(["plan", "url"]), VALUES))
def test_what_it_did_not_change_is_not_compared(
    before: dict[str, Any], after: dict[str, Any], more: dict[str, Any]
) -> None:
    assert follows({**before, **more}, difference(before, after))


def test_null_counts_as_absent() -> None:
    assert follows({"metadata": {}}, {"metadata": {"order": None}, "email": None})
    assert follows({"metadata": None}, {"metadata": {"order": None}})
    assert follows({"items": [{"id": "si_1", "plan": None}]}, {"items": [{"id": "si_1"}]})
    assert not follows({"metadata": {"order": "7"}}, {"metadata": {"order": None}})
