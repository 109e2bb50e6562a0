"""YAML with the line of every value."""

from typing import Any

import yaml
from yaml.constructor import SafeConstructor
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from paygres.sandbox.seed_file.text import Place, SeedError, Text, named

DEEPEST = 12


def parse(name: str, text: str) -> Text:
    """The file's mapping; raises `SeedError`."""
    loader = yaml.SafeLoader(text)
    lines: dict[Place, int] = {}
    try:
        node = loader.get_single_node()
        if node is None:
            return Text(name, {}, {})
        values = _Walk(name, loader, lines).value(node, ())
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark
        line = f":{mark.line + 1}" if mark else ""
        raise SeedError(f"{name}{line}: this is no YAML: {problem.problem or problem.context}") from None
    except yaml.YAMLError as problem:
        raise SeedError(f"{name}: this is no YAML: {problem}") from None
    finally:
        loader.dispose()
    if not isinstance(values, dict):
        raise SeedError(f"{name}:1: the file must be a mapping such as `products: …`")
    return Text(name, values, lines)


class _Walk:
    """From YAML's nodes to Python's values. A key that stands twice is a mistake, which YAML itself lets pass."""

    def __init__(self, name: str, construct: SafeConstructor, lines: dict[Place, int]) -> None:
        self._name = name
        self._construct = construct
        self._lines = lines

    def value(self, node: Node, place: Place) -> Any:
        self._lines[place] = node.start_mark.line + 1
        if len(place) > DEEPEST:
            raise self._wrong(node, place, "is nested too deeply")
        if isinstance(node, MappingNode):
            return self._mapping(node, place)
        if isinstance(node, SequenceNode):
            return [self.value(one, (*place, number)) for number, one in enumerate(node.value)]
        assert isinstance(node, ScalarNode)
        try:
            return self._construct.construct_object(node)
        except ValueError as problem:
            raise self._wrong(node, place, f"cannot be read: {problem}") from None

    def _mapping(self, node: MappingNode, place: Place) -> dict[str, Any]:
        own = [key.value for key, _ in node.value if isinstance(key, ScalarNode)]
        self._construct.flatten_mapping(node)  # `<<: *defaults`
        found: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                raise self._wrong(key, place, "has a key that is no text")
            if own.count(key.value) > 1 and key.value in found:
                raise self._wrong(key, (*place, key.value), "stands here twice")
            found[key.value] = self.value(value, (*place, key.value))
            self._lines[(*place, key.value)] = key.start_mark.line + 1
        return found

    def _wrong(self, node: Node, place: Place, what: str) -> SeedError:
        return SeedError(f"{self._name}:{node.start_mark.line + 1}: {named(place)}{what}")
