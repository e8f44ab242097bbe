"""Copies of what people decided: whether an item inherits, and what."""

from collections.abc import Iterable

from services.events.types import Precedent
from services.policy.model import Policy


def inherits(policy: Policy, precedent: Precedent, in_question: Iterable[str]) -> bool:
    """Whether an item with these categories in question is decided as people decided on its copy.

    Not where the policy turns it off, as a whole or for a category: one of those that people named, or one in
    question for the item, so that what they allowed there is not inherited either.
    """
    return precedent.action != "hold" and follows(policy, (*precedent.categories, *in_question))


def follows(policy: Policy, categories: Iterable[str]) -> bool:
    """Whether the policy lets people's decisions in these categories reach copies."""
    rules = map(policy.categories.get, categories)
    return policy.copies and all(rule is None or rule.copies for rule in rules)


def words(precedent: Precedent) -> str:
    """Whose decision it is, as decisions say it in `rule`."""
    return f"copy of {precedent.decision}"
