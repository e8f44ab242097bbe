"""A YAML document as plain values that remember where they were written.

Aliases, deep nesting, repeated keys and tags of other types are refused before anything is built: a few lines of
YAML can otherwise stand for gigabytes.
"""

from dataclasses import dataclass, field
from math import isfinite
from typing import Any, NoReturn, TypeAlias

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from services.policy.errors import InvalidPolicy, Problem

MAX_DEPTH = 20
MAX_CHARACTERS = 200_000  # what policy.released carries

Path: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True)
class Document:
    """`value` is what the YAML says; `places` holds (line, column) of every value and, in `keys`, of every key."""

    value: Any
    places: dict[Path, tuple[int, int]] = field(default_factory=dict)
    keys: dict[Path, tuple[int, int]] = field(default_factory=dict)
    source: str = ""

    def within(self, path: Path, at: int, what: str) -> Problem:
        """A problem `at` so many characters into a plain or quoted scalar; in others the character is said."""
        line, column = self.places[path]
        text = self.source.split("\n")[line - 1][column - 1 :]
        value = str(self._at(path))
        skipped = text[:1] in ("'", '"')
        if text[skipped : skipped + len(value)] == value:
            return Problem(line, column + skipped + at, what)
        shown = value[:at].count("\n") + 1
        return Problem(line, column, f"{what} (line {shown}, character {at} of the condition)")

    def _at(self, path: Path) -> Any:
        value = self.value
        for key in path:
            value = value[key]
        return value

    def problem(self, path: Path, what: str, key: bool = False) -> Problem:
        """A problem at `path`, or at the nearest thing around it that was written."""
        while path and path not in self.places:
            path = path[:-1]
        line, column = (self.keys if key else self.places).get(path, self.places[()])
        return Problem(line, column, what)


def read(text: str) -> Document:
    """The document in `text`. Raises InvalidPolicy with line and column where it is no plain YAML."""
    if len(text) > MAX_CHARACTERS:
        _refuse(1, 1, f"the document has {len(text)} characters, a policy at most {MAX_CHARACTERS}")
    try:
        _check_events(text)
        loader = yaml.SafeLoader(text)
        try:
            root = loader.get_single_node()
            if root is None:
                _refuse(1, 1, "the document is empty: infra/starter has one that works")
            document = Document(None)
            return Document(_value(loader, root, (), document), document.places, document.keys, text)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        place = _place(error.problem_mark or error.context_mark)
        _refuse(*place, f"not YAML: {error.problem or error.context}")
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        column = error.position - (text.rfind("\n", 0, error.position) + 1) + 1
        _refuse(line, column, f"not YAML: {error.reason}")


def _check_events(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            _refuse(*_place(event.start_mark), f"alias *{event.anchor}: write the value out instead")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                _refuse(*_place(event.start_mark), f"nested more than {MAX_DEPTH} deep")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _place(mark: Any) -> tuple[int, int]:
    """Line and column from 1 of a mark of PyYAML's; its beginning where there is none."""
    return (1, 1) if mark is None else (mark.line + 1, mark.column + 1)


def _value(loader: yaml.SafeLoader, node: Node, path: Path, document: Document) -> Any:
    line, column = _place(node.start_mark)
    document.places[path] = (line, column)
    if isinstance(node, MappingNode):
        return _mapping(loader, node, path, document)
    if isinstance(node, SequenceNode):
        return [_value(loader, of, (*path, index), document) for index, of in enumerate(node.value)]
    assert isinstance(node, ScalarNode)
    try:
        value = loader.construct_object(node)
    except (ValueError, OverflowError) as error:  # as in the date 2026-02-30
        _refuse(line, column, f"not a value: {error}")
    if isinstance(value, float) and not isfinite(value):
        _refuse(line, column, f"{node.value} is no number that a policy can compare with")
    return value


def _mapping(loader: yaml.SafeLoader, node: MappingNode, path: Path, document: Document) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, of in node.value:
        line, column = _place(key.start_mark)
        if not isinstance(key, ScalarNode):
            _refuse(line, column, "a key must be a word")
        if key.value in values:
            _refuse(line, column, f"`{key.value}` is here twice: keep one")
        values[key.value] = _value(loader, of, (*path, key.value), document)
        document.keys[(*path, key.value)] = (line, column)
    return values


def _refuse(line: int, column: int, what: str) -> NoReturn:
    raise InvalidPolicy([Problem(line, column, what)])
