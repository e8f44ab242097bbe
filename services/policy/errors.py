"""What can be wrong with a policy.

PolicyError
└── InvalidPolicy   the document is no policy: every problem with its line and column, and what to do
"""

from typing import NamedTuple


class Problem(NamedTuple):
    """One thing that is wrong; `line` and `column` count from 1."""

    line: int
    column: int
    what: str

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.what}"


class PolicyError(Exception):
    """Anything wrong with a policy."""


class InvalidPolicy(PolicyError):
    """The document is no policy; `problems` in the order of the document."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))
