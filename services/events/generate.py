"""Writes types.py from schemas/events: `python -m services.events.generate [--check]`.

A generator of our own, because the contract needs what datamodel-code-generator does not give: frozen structs with
tuples, a `$` that also refuses a trailing newline, rules between two fields, and no dependencies.
"""

import subprocess
import sys
from pathlib import Path

from services.events.schemas import Schema, event_schemas, load_schemas, target

OUTPUT = Path(__file__).with_name("types.py")
WIDTH = 110

HEADER = '''"""Every event and what events are made of.

Written by `python -m services.events.generate` from schemas/events: change those instead.
Arrays are tuples, an absent array is empty, an absent nullable field is None, unknown fields are ignored.
"""

from typing import Annotated, Any, Literal

import msgspec
'''

PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
LIMITS = {
    "pattern": "pattern",
    "minLength": "min_length",
    "maxLength": "max_length",
    "minItems": "min_length",
    "maxItems": "max_length",
    "minimum": "ge",
    "maximum": "le",
    "exclusiveMinimum": "gt",
    "exclusiveMaximum": "lt",
}


class Generator:
    """Collects definitions in the order in which Python needs them."""

    def __init__(self, documents: dict[str, Schema]) -> None:
        self._documents = documents
        self._defined: dict[str, str] = {}

    def module(self) -> str:
        """The source of types.py, not yet formatted."""
        events = event_schemas(self._documents)
        names = [self._struct(schema["title"], schema) for schema in events.values()]
        union = f"Event = {' | '.join(names)}\n"
        table = "".join(f"    {name!r}: {title},\n" for name, title in zip(events, names, strict=True))
        closing = f"# By the name and version of the schema\nEVENTS: dict[str, type[Event]] = {{\n{table}}}\n"
        return HEADER + "\n" + "\n\n".join([*self._defined.values(), union, closing])

    def _annotation(self, schema: Schema) -> str:
        """The type of a field, alias or array element."""
        if "$ref" in schema:
            name = _camel(schema["$ref"].rpartition("/")[2])
            return self._named(name, target(schema["$ref"], self._documents))
        if "title" in schema:
            return self._named(schema["title"], schema)
        return self._anonymous(schema)

    def _anonymous(self, schema: Schema) -> str:
        if "anyOf" in schema:
            return " | ".join(self._annotation(branch) for branch in schema["anyOf"])
        if "const" in schema:
            return f"Literal[{schema['const']!r}]"
        if "enum" in schema:
            return f"Literal[{', '.join(map(repr, schema['enum']))}]"
        if schema.get("x-raw"):
            return "dict[str, Any]"
        if schema["type"] == "array":
            return _limited(f"tuple[{self._annotation(schema['items'])}, ...]", schema)
        return _limited(PLAIN[schema["type"]], schema)

    def _named(self, name: str, schema: Schema) -> str:
        if "properties" in schema:
            return self._struct(name, schema)
        if name not in self._defined:
            self._defined[name] = _commented(f"{name} = {self._anonymous(schema)}", schema, indent="")
        return name

    def _struct(self, name: str, schema: Schema) -> str:
        if name not in self._defined:
            required, terse = schema["required"], schema.get("x-terse", False)
            fields = [
                self._field(field, of, field in required, terse) for field, of in schema["properties"].items()
            ]
            options = "frozen=True, kw_only=True, gc=False" + (", omit_defaults=True" if terse else "")
            lines = [
                f"class {name}(msgspec.Struct, {options}):",
                f'    """{schema["description"]}."""\n',
                *fields,
                *_rule(schema),
            ]
            self._defined[name] = "\n".join(lines) + "\n"
        return name

    def _field(self, name: str, schema: Schema, required: bool, terse: bool) -> str:
        line = f"    {name}: {self._annotation(schema)}"
        if "const" in schema:
            value = repr(schema["const"])  # msgspec leaves out a value, but not what a function makes
            line += f" = msgspec.field(default_factory=lambda: {value})" if terse else f" = {value}"
        elif not required:
            line += f" = {() if schema['default'] == [] else schema['default']!r}"
        return _commented(line, schema, indent="    ")


def _limited(base: str, schema: Schema) -> str:
    limits = {LIMITS[key]: value for key, value in schema.items() if key in LIMITS}
    if not limits:
        return base
    written = {key: f'r"{_anchored(value)}"' if key == "pattern" else value for key, value in limits.items()}
    return f"Annotated[{base}, msgspec.Meta({', '.join(f'{key}={value}' for key, value in written.items())})]"


def _anchored(pattern: str) -> str:
    r"""The pattern for Python, where `$` lets a trailing newline pass and \d is any digit of Unicode."""
    if not (pattern.startswith("^") and pattern.endswith("$")) or "\\d" in pattern:
        raise ValueError(f"pattern {pattern!r}: write it as ^…$ and with [0-9] in place of \\d")
    return pattern[:-1] + r"\Z"


def _rule(schema: Schema) -> list[str]:
    """A method for `if`: flag is a constant, `then`/`else`: field is not null (`type`) or is null."""
    if "if" not in schema:
        return []
    ((flag, condition),) = schema["if"]["properties"].items()
    lines = ["", "    def __post_init__(self) -> None:"]
    for branch in ("then", "else"):
        if branch in schema:
            ((field, wanted),) = schema[branch]["properties"].items()
            value = condition["const"] if branch == "then" else not condition["const"]
            null = wanted == {"type": "null"}
            test = f"self.{flag} is {value} and self.{field} is {'not ' if null else ''}None"
            problem = f"`{field}` must {'' if null else 'not '}be null where `{flag}` is {str(value).lower()}"
            lines += [f"        if {test}:", f'            raise ValueError("{problem}")']
    return lines


def _commented(line: str, schema: Schema, indent: str) -> str:
    """The line with its description behind it, or above it where it would be too long."""
    if "description" not in schema or "const" in schema:
        return line
    comment = f"# {schema['description']}"
    together = f"{line}  {comment}"
    return together if len(together) <= WIDTH else f"{indent}{comment}\n{line}"


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def generated() -> str:
    """types.py as it must be, formatted."""
    source = Generator(load_schemas()).module()
    ruff = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", str(WIDTH), "-"]
    return subprocess.run(ruff, input=source, capture_output=True, text=True, check=True).stdout


def main(arguments: list[str]) -> int:
    """Writes types.py, or with --check only says whether it is what schemas/ say (exit code 1 where not)."""
    source = generated()
    if arguments == ["--check"]:
        if OUTPUT.read_text("utf-8") != source:
            print(
                "types.py is not what schemas/ say: run python -m services.events.generate", file=sys.stderr
            )
            return 1
        return 0
    OUTPUT.write_text(source, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
