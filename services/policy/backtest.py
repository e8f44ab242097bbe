"""Recorded items decided again by another policy, or by the one that decided them, which must change nothing.

What is the world's is taken from the record: alarms, the switch where it was thrown, what people had decided on a
copy, counters, draws. What a policy's own decisions bring about is counted again: caps and the review budget, by shard
and minute of append time, with the functions that the router counts with
(docs/decisions/0057-what-a-backtest-takes-and-what-it-counts.md).
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeAlias

import msgspec
from msgspec.structs import replace

from services.events.types import Listed, ReviewBudget
from services.policy.allowances import NONE, Did, ShardState, allowed, counted, keeps
from services.policy.budget import NOBODY
from services.policy.certified import Certified, certified
from services.policy.draw import draw
from services.policy.facts import Alarms, Budget, Facts
from services.policy.model import Policy
from services.policy.recorded import Came, Inherited, Recorded, came
from services.policy.route import HARM, Asked, Outcome, route

STAND_IN = b"backtest"  # salt of draws that are not recorded
EVERY = frozenset(HARM)
NO_ALARMS: Alarms = frozenset()
BUDGET_MINUTES = 180  # after which what came before a history has no say in a budget any more

Points: TypeAlias = Callable[[tuple[str | None, ...]], Iterable[Certified]]
"""What is certified for models, the one that counts more first."""


class Replayed(NamedTuple):
    """What the policy makes of an item."""

    came: Came
    outcome: Outcome
    policy: Policy


class Trial:
    """A candidate: it decides everything, with the thresholds certified for the models that scored each item."""

    def __init__(self, policy: Policy, points: Points) -> None:
        self.policy, self._points = policy, points
        self._stated = any(rule.risks is not None for rule in policy.categories.values())
        self._held: dict[tuple[bool, str | None, str | None], Policy] = {}

    def of(self, seen: Recorded | Inherited) -> Policy | None:
        """The candidate as it holds for an item: where the switch was thrown, nothing is automatic."""
        now = seen.circumstances
        key = (now.automation, seen.model_version, now.fast_model_version)
        found = self._held.get(key)
        if found is None:
            found = certified(self.policy, self._points(key[1:])) if self._stated else self.policy
            if not now.automation:
                found = replace(found, automation=False)
            self._held[key] = found
        return found


class Lived:
    """Each item by the policy that decided it; None where its document is not to be had."""

    def __init__(self, document: Callable[[str], Policy | None], points: Points) -> None:
        self._document, self._points = document, points
        self._trials: dict[str | None, Trial | None] = {None: None}

    def of(self, seen: Recorded | Inherited) -> Policy | None:
        """The policy that was live."""
        version = seen.policy_version
        if version is not None and version not in self._trials:
            policy = self._document(version)
            self._trials[version] = None if policy is None else Trial(policy, self._points)
        trial = self._trials[version]
        return None if trial is None else trial.of(seen)


class _Tally:
    """What a shard has done under the policy."""

    def __init__(self, shard: int, began: int, known: bool) -> None:
        self.shard, self.began = shard, began  # began: the minute in which the history does
        self.state = ShardState()
        self.known = known  # what came before: nothing
        self.settled: set[tuple[str, int]] = set()  # people were asked, and the policy decides


class Backtest:
    """Feed what is recorded, each shard's in its order."""

    def __init__(
        self,
        policies: Trial | Lived,
        shards: int,
        from_the_start: bool = False,
        lists: Callable[[msgspec.Raw], tuple[Listed, ...]] | None = None,
    ) -> None:
        """`from_the_start`: nothing was decided before the history, so that caps and budgets are known at once. `lists`
        says which lists have an item's text now: a candidate goes by these, what was live by those of the record.
        """
        self._lists = lists
        self._policies, self._shards, self._from_the_start = policies, shards, from_the_start
        self._tallies: dict[int, _Tally] = {}
        self.strangers = 0  # decided by policies whose documents are not to be had
        self.uncounted = 0  # counters that the policy names were not recorded, for so many

    def replay(self, seen: Recorded) -> Replayed | None:
        """What the policy makes of an item; None where there is no policy for it."""
        policy = self._policies.of(seen)
        if policy is None:
            self.strangers += 1
            return None
        told = seen.circumstances
        if policy.counters and policy.version != seen.policy_version:
            self.uncounted += told.counters is None or any(n not in told.counters for n in policy.counters)
        tally = self._tally(seen) if keeps(policy) else None
        facts = self._facts(seen, policy, tally)
        inline = seen.inline
        if inline:  # no cap stopped it, and in line no budget asks less
            outcome = route(seen, policy, replace(facts, capped=NONE, budget=None))
            inline = not isinstance(outcome, Asked)
        if not inline:
            outcome = route(seen, policy, facts)
        if tally is not None:
            self._count(tally, seen, outcome)
        return Replayed(came(outcome, policy.while_pending, inline), outcome, policy)

    def inherit(self, seen: Inherited) -> None:
        """An item was decided later as people decided on a copy: it counts, unless there was nothing to decide."""
        policy = self._policies.of(seen)
        if policy is None or not keeps(policy):
            return
        tally = self._tally(seen)
        if seen.open and (seen.key, seen.revision) in tally.settled:
            return
        told = seen.circumstances.budget
        tally.state, _, _ = allowed(tally.state, policy, seen.shard, self._shards, seen.at)
        tally.state = counted(tally.state, Did(seen.action, 0, None if told is None else told.value))

    def _tally(self, seen: Recorded | Inherited) -> _Tally:
        found = self._tallies.get(seen.shard)
        if found is None:
            found = self._tallies[seen.shard] = _Tally(seen.shard, seen.at // 60_000, self._from_the_start)
        return found

    def _facts(self, seen: Recorded, policy: Policy, tally: _Tally | None) -> Facts:
        told, capped, budget = seen.circumstances, NONE, None
        if tally is not None:
            tally.state, capped, budget = allowed(tally.state, policy, seen.shard, self._shards, seen.at)
            if not tally.known and policy.version == seen.policy_version:
                passed = tally.state.minute - tally.began
                if passed < 1:
                    capped = EVERY if told.capped else NONE
                if passed < BUDGET_MINUTES:
                    budget = _recorded(told.budget)
        by_chance = None
        if budget is not None and budget.probability:
            by_chance = told.budget.draw if told.budget is not None else None
            if by_chance is None:
                by_chance = draw(STAND_IN, "budget", seen.key)
        return Facts(
            alarms=frozenset((name, seen.model_version) for name in told.alarms)
            if told.alarms
            else NO_ALARMS,
            draw=draw(STAND_IN, "audit", seen.key) if told.draw is None else told.draw,
            budget=budget,
            budget_draw=by_chance,
            counters=told.counters,
            precedent=told.precedent,
            listed=told.listed
            if self._lists is None or policy.version == seen.policy_version
            else self._lists(seen.item),
            capped=capped,
        )

    def _count(self, tally: _Tally, seen: Recorded, outcome: Outcome) -> None:
        if isinstance(outcome, Asked):
            tally.state = counted(tally.state, Did(None, 1, outcome.worth))
            return
        tally.state = counted(tally.state, Did(outcome.action, 0, outcome.worth))
        if seen.came.verdict == "review":
            tally.settled.add((seen.key, seen.revision))


def _recorded(told: ReviewBudget | None) -> Budget | None:
    """Whom people had time for; where the budget had no say, all."""
    if told is None:
        return None
    if told.threshold is None:
        return NOBODY
    return Budget(threshold=told.threshold, margin=told.margin, probability=told.probability)
