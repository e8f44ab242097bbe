"""What a policy makes of an item: exactly one of an automatic decision and a question to people.

What people decided on a copy comes first (services.policy.precedents), then lists (services.policy.lists), then rules,
then what the scores say (`judge`).
What takes the decision away from the machine comes last: the switch, alarms, and caps. A category under alarm decides
nothing: neither that an item goes nor, since an automatic allow rests on every category's low score, that it stays. So
while an alarm is on, only items that another category removes, that a list or a rule that reads no score decides, or
that are copies of what people decided, are decided automatically (docs/decisions/0009-what-an-alarm-takes-away.md).
"""

from typing import Literal, Protocol, TypeAlias

import msgspec

from services.events.types import Circumstances, Precedent, ReviewBudget, Score, Selection
from services.policy.auditing import drawn, seen_likely
from services.policy.budget import has_say, likely, worth
from services.policy.facts import Alarms, Facts
from services.policy.lists import deciding, followed
from services.policy.model import CategoryRule, ListRule, Policy
from services.policy.precedents import inherits, words
from services.policy.queues import serving
from services.policy.rules import Rule

HARM = {"allow": 0, "limit": 1, "remove": 2}
UNKNOWN_SEVERITY = 1.0  # of a category that the policy does not know: more than harmless


class Scored(Protocol):
    """What of an item a policy looks at; content_classified.v1 has it."""

    @property
    def scores(self) -> tuple[Score, ...]:
        """What the model says."""

    @property
    def model_version(self) -> str | None:
        """Which model."""

    @property
    def source(self) -> str:
        """The platform, for rules, as the rest: see services.policy.rules.Item."""

    @property
    def item(self) -> msgspec.Raw:
        """What was published, as JSON."""

    @property
    def accepted_at(self) -> str | None:
        """When Kafka appended it."""


class Decided(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The machine decides. `categories` are those that suffice for the action; `audited`: people look at it too,
    for this reason and with this probability.
    """

    action: Literal["allow", "limit", "remove"]
    categories: tuple[str, ...]
    rule: str
    basis: Literal["automated", "rule", "duplicate", "fallback"] = "automated"
    audited: Selection | None = None
    worth: float | None = None  # of the question that people had no time for


class Asked(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """People decide. `categories` are those in question, the most severe first."""

    queue: str
    categories: tuple[str, ...]
    reason: str
    severity: float
    probability: float = 1.0  # of being asked, given the item
    worth: float | None = None  # where the policy has a budget that has a say


Outcome: TypeAlias = Decided | Asked
HARMLESS = Decided(action="allow", categories=(), rule="every category at or below its allow threshold")


def route(item: Scored, policy: Policy, facts: Facts) -> Outcome:
    """The outcome for a scored item."""
    outcome = _outcome(item, policy, facts)
    if not policy.stand_ins or not isinstance(outcome, Asked):
        return outcome
    return msgspec.structs.replace(outcome, queue=serving(policy, outcome.queue, item.item))


def _outcome(item: Scored, policy: Policy, facts: Facts) -> Outcome:
    """The outcome, with the queue as the policy names it."""
    ruled = _ruled(item, policy, facts)
    outcome = judge(item, policy) if ruled is None else by_rule(ruled, policy)
    copied = False
    if facts.precedent is not None and inherits(policy, facts.precedent, outcome.categories):
        outcome, copied = by_copy(facts.precedent), True
    if isinstance(outcome, Asked):
        return _afforded(item, outcome, policy, facts)
    if not policy.automation:
        return _ask(item, policy, "automation_off")
    if (
        facts.alarms
        and not copied  # people decided: no model had a say
        and (ruled is None or ruled.reads_scores)
        and (under := alarmed(item, policy, facts.alarms))
    ):
        sure = tuple(name for name in outcome.categories if name not in under)
        worst = max(HARM[policy.categories[name].action] for name in under)
        if not sure or HARM[outcome.action] < worst:  # the alarmed category would, or might, have had a say
            return _ask(item, policy, "alarm", under)
        outcome = msgspec.structs.replace(outcome, categories=sure)
    if outcome.action in facts.capped:
        return _ask(item, policy, "capped")
    return _drawn(item, outcome, policy, facts)


def _ruled(item: Scored, policy: Policy, facts: Facts) -> ListRule | Rule | None:
    """The list, or else the first rule, that decides before scores do."""
    if facts.listed and (found := deciding(policy, facts.listed, item.item)) is not None:
        return found
    return policy.tried.first(item, facts.counters) if policy.tried is not None else None


def _afforded(item: Scored, asked: Asked, policy: Policy, facts: Facts) -> Outcome:
    """The question where people have time for it, else the fallback: unless that is capped, then they are asked."""
    if policy.budget is None or not has_say(policy, facts, bool(alarmed(item, policy, facts.alarms))):
        return asked
    value = worth(item, asked)
    probability = likely(value, facts.budget)
    if probability == 1.0 or (facts.budget_draw is not None and facts.budget_draw < probability):
        capped = policy.fallback in facts.capped  # then people are asked in any case
        seen = 1.0 if capped else seen_likely(item.scores, policy.audit, probability)
        return msgspec.structs.replace(asked, probability=seen, worth=value)
    if policy.fallback in facts.capped:
        return msgspec.structs.replace(asked, reason="capped", worth=value)
    outcome = Decided(
        action=policy.fallback,
        categories=asked.categories if policy.fallback == "remove" else (),
        rule=f"people have no time for a value of {value:.4g}: {policy.fallback}",
        basis="fallback",
        worth=value,
    )
    return _drawn(item, outcome, policy, facts, probability)


def _drawn(item: Scored, outcome: Decided, policy: Policy, facts: Facts, asked: float = 0.0) -> Decided:
    """The decision, with its audit where it is drawn for one; people might have been `asked` with that probability."""
    if (selection := drawn(item.scores, policy.audit, facts.draw, asked)) is not None:
        return msgspec.structs.replace(outcome, audited=selection)
    return outcome


def circumstances(item: Scored, policy: Policy, facts: Facts, outcome: Outcome) -> Circumstances:
    """What the outcome was decided with, as the events that carry it record it."""
    return Circumstances(
        automation=policy.automation,
        alarms=tuple(sorted(alarmed(item, policy, facts.alarms))) if facts.alarms else (),
        capped=isinstance(outcome, Asked) and outcome.reason == "capped",
        draw=facts.draw,
        counters=facts.counters,
        precedent=facts.precedent,
        listed=followed(policy, facts.listed) if facts.listed else (),
        budget=None if outcome.worth is None else _budget(outcome.worth, facts),
    )


def _budget(value: float, facts: Facts) -> ReviewBudget:
    budget = facts.budget
    return ReviewBudget(
        value=value,
        threshold=budget.threshold if budget else 0.0,
        margin=budget.margin if budget else 0.0,
        probability=budget.probability if budget else 1.0,
        draw=facts.budget_draw,
    )


def by_rule(rule: ListRule | Rule, policy: Policy) -> Outcome:
    """What a rule that holds, or a list that has the text, says, with neither switch nor alarms."""
    if rule.effect != "review":
        return Decided(action=rule.effect, categories=rule.categories, rule=rule.words, basis="rule")
    return Asked(
        queue=rule.queue or policy.queue, categories=rule.categories, reason="rule", severity=rule.severity
    )


def by_copy(precedent: Precedent) -> Decided:
    """What people decided on a copy, for this item. Needs an action that is final."""
    assert precedent.action != "hold"
    return Decided(
        action=precedent.action, categories=precedent.categories, rule=words(precedent), basis="duplicate"
    )


def judge(item: Scored, policy: Policy) -> Outcome:
    """What the scores and thresholds say, with neither switch nor alarms."""
    over: list[tuple[CategoryRule, float]] = []
    between: list[CategoryRule] = []
    categories = policy.categories
    known = 0
    blind = False  # a score without thresholds, or thresholds without a score
    for score in item.scores:
        rule = categories.get(score.category)
        if rule is None:
            blind = True
            continue
        known += 1
        probability, remove, allow = score.probability, rule.remove, rule.allow
        if remove is not None and probability >= remove:
            over.append((rule, probability))
        elif allow is None:
            if rule.risks is not None and remove is None:
                blind = True  # a risk for which this model has no thresholds
            else:
                between.append(rule)
        elif probability > allow:
            between.append(rule)
    blind = blind or known < len(categories)
    if over:
        removing = [each for each in over if each[0].action == "remove"]
        if removing or (not blind and all(rule.action != "remove" for rule in between)):
            return _by_threshold(removing or over)
        return _ask(item, policy, "no_thresholds" if blind else "uncertain")
    if blind:
        return _ask(item, policy, "no_thresholds")
    return _ask(item, policy, "uncertain") if between else HARMLESS


def _by_threshold(over: list[tuple[CategoryRule, float]]) -> Decided:
    """Decided by categories that do the same, the first of which says why."""
    first, probability = over[0]
    return Decided(
        action=first.action,
        categories=tuple([rule.name for rule, _ in over]),
        rule=f"{first.name} {probability:.4g} >= {first.remove:g}",
    )


def alarmed(item: Scored, policy: Policy, alarms: Alarms) -> frozenset[str]:
    """Which of the policy's categories are under an alarm for the model that scored the item."""
    return frozenset(
        name
        for name in policy.categories
        if any(category in (name, None) and model in (item.model_version, None) for category, model in alarms)
    )


def _ask(item: Scored, policy: Policy, reason: str, under: frozenset[str] = frozenset()) -> Asked:
    """A question to the queue of the most severe category in question: above its allow threshold, or under alarm.

    Where none is, the queue is the policy's own and the severity 0.
    """
    asked = sorted(
        (found for score in item.scores if (found := _in_question(score, policy, under)) is not None),
        key=lambda found: (-found[0], -found[1], found[2]),
    )
    first = policy.categories.get(asked[0][2]) if asked else None
    return Asked(
        queue=first.queue if first else policy.queue,
        categories=tuple(name for _, _, name in asked),
        reason=reason,
        severity=asked[0][0] if asked else UNKNOWN_SEVERITY if reason == "no_thresholds" else 0.0,
    )


def _in_question(score: Score, policy: Policy, under: frozenset[str]) -> tuple[float, float, str] | None:
    """(severity, probability, category) of a score that people should look at; None where it is harmless."""
    rule = policy.categories.get(score.category)
    if rule is None:
        return UNKNOWN_SEVERITY, score.probability, score.category
    if score.category in under or rule.allow is None or score.probability > rule.allow:
        return rule.severity, score.probability, score.category
    return None
