"""What is different between two tellings of an object, as an operator reads it."""

from typing import Any

import pytest

from paygres.server.projections.differences import ABSENT, differences


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": {"b": None}}, {"a": {"b": 2}}, [("a.b", None, 2)]),
        ({"a": 1}, {"b": 1}, [("a", 1, ABSENT), ("b", ABSENT, 1)]),
        ({"a": 1}, {"a": True}, [("a", 1, True)]),
        ({"a": [1, 2]}, {"a": [1, 3, 4]}, [("a[1]", 2, 3), ("a[2]", ABSENT, 4)]),
        (
            {"data": [{"id": "si_1", "n": 1}, {"id": "si_2", "n": 1}]},
            {"data": [{"id": "si_2", "n": 5}, {"id": "si_1", "n": 1}]},
            [("data[si_2].n", 1, 5)],
        ),
        ({"a": [1]}, {"a": {"0": 1}}, [("a", [1], {"0": 1})]),
        (1, 2, [("(root)", 1, 2)]),
    ],
)
def test_differences_are_told_by_path(before: Any, after: Any, expected: list[tuple[str, Any, Any]]) -> None:
    assert [(one.path, one.before, one.after) for one in differences(before, after)] == expected


def test_an_endlessly_deep_object_is_compared_as_a_whole_further_down() -> None:
    def deep(end: int) -> Any:
        found: Any = end
        for _ in range(500):
            found = {"a": found}
        return found

    (only,) = differences(deep(1), deep(2))
    assert only.path.count("a") == 32
