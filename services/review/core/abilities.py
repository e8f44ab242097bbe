"""What a person must have to be given a task, and who has it.

What a task needs is text, as Redis keeps it beside the task: `skill,skill|language,language`, empty for nothing. All
skills are needed, and one of the languages.
"""

from collections.abc import Iterable

import msgspec


class Abilities(msgspec.Struct, frozen=True):
    """What an account says of a person."""

    skills: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()


NONE = Abilities()


def needs(skills: Iterable[str], languages: Iterable[str]) -> str:
    """As Redis keeps it."""
    named = ",".join(sorted(skills)), ",".join(sorted(languages))
    return "|".join(named) if any(named) else ""


def suffices(abilities: Abilities, needed: str) -> bool:
    """Whether a person may be given a task that needs this."""
    skills, _, languages = needed.partition("|")
    wanted = {name for name in skills.split(",") if name}
    read = {name for name in languages.split(",") if name}
    return wanted <= abilities.skills and (not read or bool(read & abilities.languages))


def in_words(needed: str) -> str:
    """As people are told."""
    skills, _, languages = needed.partition("|")
    told = [f"the skill {name}" for name in skills.split(",") if name]
    if languages:
        told.append(f"the language {' or '.join(languages.split(','))}")
    return ", ".join(told)
