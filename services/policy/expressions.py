"""Conditions of rules: CEL, checked for types before it is compiled, over one flat context an item.

The library that evaluates (common-expression-language) compiles `score > 'a'` and unknown names, and compiles a regular
expression at every evaluation, some for 10 ms (measured). So a condition is first read here, with the grammar of CEL
less what could run for ever or fail in the middle: no comprehensions, maps, indices, `null`, and no `matches`.
A name that has no value for an item is left out of its context: what needs it does not match.
"""

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias

Type: TypeAlias = Literal[
    "bool", "int", "double", "string", "list(bool)", "list(int)", "list(double)", "list(string)"
]

MAX_CHARACTERS = 2_000
MAX_DEPTH = 30
METHODS = frozenset({"contains", "startsWith", "endsWith"})
ITEM: dict[str, Type] = {
    "item.kind": "string",
    "item.text": "string",
    "item.length": "int",
    "item.language": "string",
    "item.reach": "int",
    "item.links": "int",
    "item.media": "int",
    "item.source": "string",
    "author.id": "string",
    "author.age_days": "double",
}
_TOKEN = re.compile(
    r"(?P<space>(?:\s|//[^\n]*)+)|(?P<double>\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)|(?P<int>\d+(?![\w.]))"
    r"|(?P<string>'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\")|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<sign>&&|\|\||[<>=!]=|[-+*/%<>!?:.,()\[\]])"
)
_NUMBERS = frozenset({"int", "double"})


class Token(NamedTuple):
    kind: str
    text: str
    at: int  # characters from the beginning


class Checked(NamedTuple):
    """`flat` is what the library compiles; `names` maps its variables to what the condition calls them."""

    flat: str
    names: dict[str, str]


class InvalidCondition(ValueError):
    """No condition; `at` counts characters from the beginning."""

    def __init__(self, at: int, what: str) -> None:
        self.at, self.what = at, what
        super().__init__(what)


def check(text: str, known: Mapping[str, Type]) -> Checked:
    """The condition in `text` over `known` names. Raises InvalidCondition where it is none, or not a bool."""
    if len(text) > MAX_CHARACTERS:
        raise InvalidCondition(0, f"a condition has at most {MAX_CHARACTERS} characters, not {len(text)}")
    reader = _Reader(tokens(text), known, len(text))
    found = reader.ternary(0)
    if reader.token.kind != "end":
        raise InvalidCondition(reader.token.at, f"`{reader.token.text}` is not expected here")
    if found != "bool":
        raise InvalidCondition(
            0, f"a condition is true or false, this is of type {found}: compare it with something"
        )
    return Checked(" ".join(reader.flat), reader.names)


def flat_name(name: str) -> str:
    """As in `item_text` for `item.text`."""
    return name.replace(".", "_")


def tokens(text: str) -> list[Token]:
    """The words of a condition. Raises InvalidCondition where one is none."""
    words, at = [], 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise InvalidCondition(at, f"`{text[at : at + 10]}` is no CEL that a rule may use")
        if found.lastgroup != "space":
            words.append(Token(found.lastgroup, found[0], at))
        at = found.end()
    return words


class _Reader:
    """Recursive descent over the tokens; every method returns the type of what it read."""

    def __init__(self, tokens: list[Token], known: Mapping[str, Type], end: int) -> None:
        self._tokens = [*tokens, Token("end", "the end", end)]
        self._at = 0
        self._known = known
        self.flat: list[str] = []
        self.names: dict[str, str] = {}

    @property
    def token(self) -> Token:
        return self._tokens[self._at]

    def ternary(self, depth: int) -> Type:
        if depth > MAX_DEPTH:
            raise InvalidCondition(self.token.at, f"nested more than {MAX_DEPTH} deep")
        at = self.token.at
        condition = self._binary(0, depth)
        if not self._takes("?"):
            return condition
        self._want(
            condition == "bool",
            at,
            f"what stands before `?` must be true or false, it is of type {condition}",
        )
        yes = self.ternary(depth + 1)
        self._expect(":")
        at = self.token.at
        no = self.ternary(depth + 1)
        self._want(yes == no, at, f"both sides of `:` must be of one type, they are {yes} and {no}")
        return yes

    _LEVELS = ({"||"}, {"&&"}, {"<", ">", "<=", ">=", "==", "!=", "in"}, {"+", "-"}, {"*", "/", "%"})

    def _binary(self, level: int, depth: int) -> Type:
        if level == len(self._LEVELS):
            return self._unary(depth)
        left = self._binary(level + 1, depth)
        while self.token.text in self._LEVELS[level] and self.token.kind in ("sign", "name"):
            sign = self._take()
            right = self._binary(level + 1, depth)
            left = self._result(sign, left, right)
        return left

    def _result(self, sign: Token, left: Type, right: Type) -> Type:
        what = f"`{sign.text}` does not go with {left} and {right}"
        if sign.text in ("||", "&&"):
            self._want(left == right == "bool", sign.at, what)
            return "bool"
        numbers = left in _NUMBERS and right in _NUMBERS
        if sign.text == "in":
            self._want(right == f"list({left})", sign.at, what)
            return "bool"
        if sign.text in ("==", "!="):
            self._want(left == right or numbers, sign.at, what)
            return "bool"
        if sign.text in ("<", ">", "<=", ">="):
            self._want(numbers or left == right == "string", sign.at, what)
            return "bool"
        fits = left == right and left in ({"int"} if sign.text == "%" else _NUMBERS)
        hint = ": write double(…) around the int" if numbers else ""
        self._want(fits or (sign.text == "+" and left == right == "string"), sign.at, what + hint)
        return left

    def _unary(self, depth: int) -> Type:
        if self.token.text not in ("!", "-") or self.token.kind != "sign":
            return self._member(depth)
        if depth > MAX_DEPTH:
            raise InvalidCondition(self.token.at, f"nested more than {MAX_DEPTH} deep")
        sign = self._take()
        of = self._unary(depth + 1)
        self._want(
            of == "bool" if sign.text == "!" else of in _NUMBERS,
            sign.at,
            f"`{sign.text}` does not go with {of}",
        )
        return of

    def _member(self, depth: int) -> Type:
        of = self._primary(depth)
        while self.token.text == "." and self.token.kind == "sign":
            self._take()
            method = self._take()
            self._want(
                method.text in METHODS and of == "string",
                method.at,
                f"`.{method.text}` of {of} does not exist: strings have {', '.join(sorted(METHODS))}",
            )
            self._expect("(")
            at = self.token.at
            given = self.ternary(depth + 1)
            self._want(given == "string", at, f"`{method.text}` wants a string, not {given}")
            self._expect(")")
            of = "bool"
        return of

    def _primary(self, depth: int) -> Type:
        token = self.token
        if token.kind in ("int", "double", "string"):
            self._take()
            self._want(token.kind != "int" or int(token.text) < 2**63, token.at, "an int must be below 2^63")
            return token.kind  # type: ignore[return-value]
        if self._takes("("):
            of = self.ternary(depth + 1)
            self._expect(")")
            return of
        if self._takes("["):
            return self._list(depth)
        self._want(token.kind == "name", token.at, f"`{token.text}` is not expected here")
        if token.text in ("true", "false"):
            self._take()
            return "bool"
        if token.text in ("int", "double", "has") and self._tokens[self._at + 1].text == "(":
            return self._call(depth)
        return self._name()

    def _list(self, depth: int) -> Type:
        at = self.token.at
        of = self.ternary(depth + 1)
        self._want("(" not in of, at, "a list within a list")
        while self._takes(","):
            at = self.token.at
            more = self.ternary(depth + 1)
            self._want(more == of, at, f"a list holds one type: this is {more}, the first {of}")
        self._expect("]")
        return f"list({of})"  # type: ignore[return-value]

    def _call(self, depth: int) -> Type:
        function = self.token
        if function.text == "has":
            self._at += 2
            self._name("has_")
            self._want(self.token.text == ")", self.token.at, "`)` is missing")
            self._at += 1
            return "bool"
        self._take()
        self._expect("(")
        at = self.token.at
        given = self.ternary(depth + 1)
        self._want(given in _NUMBERS, at, f"`{function.text}` wants a number, not {given}")
        self._expect(")")
        return function.text  # type: ignore[return-value]

    def _name(self, prefix: str = "") -> Type:
        first = self.token
        parts = [first.text]
        self._at += 1
        if self.token.text == "." and self._tokens[self._at + 1].kind == "name":
            parts.append(self._tokens[self._at + 1].text)
            self._at += 2
            if (
                first.text == "counters"
                and self.token.text == "."
                and self._tokens[self._at + 1].kind == "name"
            ):
                parts.append(self._tokens[self._at + 1].text)
                self._at += 2
        name = ".".join(parts)
        found = self._known.get(name)
        if found is None:
            raise InvalidCondition(first.at, f"`{name}` does not exist: a rule may use {self._choice(name)}")
        flat = prefix + flat_name(name)
        self.names[flat] = name
        self.flat.append(flat)
        return found

    def _choice(self, name: str) -> str:
        """Names there are: counters for who wanted one, else all others."""
        counters = name.split(".")[0] == "counters"
        names = sorted(known for known in self._known if known.startswith("counters.") == counters)
        return ", ".join(names) + ("" if counters else ", counters (docs/policy.md lists them)")

    def _take(self) -> Token:
        token = self.token
        if token.kind == "end":
            raise InvalidCondition(token.at, "the condition ends in the middle")
        self._at += 1
        self.flat.append(token.text)
        return token

    def _takes(self, sign: str) -> bool:
        if self.token.text != sign or self.token.kind != "sign":
            return False
        self._take()
        return True

    def _expect(self, sign: str) -> None:
        at, text = self.token.at, self.token.text
        self._want(self._takes(sign), at, f"`{sign}` is missing before {text}")

    def _want(self, holds: bool, at: int, what: str) -> None:
        if not holds:
            raise InvalidCondition(at, what)
