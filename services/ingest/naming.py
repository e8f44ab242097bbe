"""What categories are called in other APIs: categories.yaml, read once."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import msgspec
import yaml

TABLE = Path(__file__).with_name("categories.yaml")


class Names(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of one category; None: the API has nothing like it."""

    openai: str | None = None
    perspective: str | None = None


class Naming(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole table: names of our categories, languages they hold for, and what clients expect to find."""

    categories: dict[str, Names]
    languages: tuple[str, ...]
    openai: tuple[str, ...]
    perspective: tuple[str, ...]

    def in_openai(self, categories: Iterable[str]) -> dict[str, str]:
        """Which category of a model answers each name of OpenAI's shape; those without a name there keep their own."""
        return {self._of(category).openai or category: category for category in categories}

    def in_perspective(self, categories: Iterable[str]) -> dict[str, str]:
        """Which category of a model answers each attribute."""
        return {self._of(category).perspective or category.upper(): category for category in categories}

    def _of(self, category: str) -> Names:
        return self.categories.get(category, Names())


@cache
def naming() -> Naming:
    """The table. Raises msgspec.ValidationError where the file is no such table."""
    return msgspec.convert(yaml.safe_load(TABLE.read_text("utf-8")), Naming)
