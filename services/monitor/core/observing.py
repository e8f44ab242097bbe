"""What one event says: observations, each an amount in one series at one instant."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from services.events.instants import to_millis
from services.events.types import LabelRecorded, ReviewCompleted, ReviewSettled, ScoresSummarized, Vote

AGREEMENT = "agreement_between_people"
AGAINST_PEOPLE = "model_against_people"
PER_MINUTE = {"classifier": "items_per_minute", "router": "decisions_per_minute"}  # by who summarizes
SLOWLY = "slow_items_per_minute"  # items that the slow tier scored: the fast one counted them already
MODEL_SAYS_YES = 0.5
"""From this calibrated probability on a model says that a category applies.

Not a threshold of the policy: what it does between its thresholds is a matter of risk, and changes with the policy; at
one half, disagreement means the same under every policy, and a recount years later comes to the same figure.
"""

Observed = ReviewCompleted | ReviewSettled | LabelRecorded | ScoresSummarized


class Series(NamedTuple):
    """What is measured of what. Empty where it does not apply."""

    measure: str
    category: str = ""
    model_version: str = ""
    queue: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """`count` events at `at` (ms) that come to `amount` in the series."""

    series: Series
    at: int
    amount: float
    count: int = 1


def observations(event: Observed) -> Iterator[Observation]:
    """All that an event says, at one instant.

    A retraction says nothing: the verdict was given, and settlements leave it out.
    """
    if isinstance(event, ReviewSettled):
        yield from _settlement(event)
    elif isinstance(event, ReviewCompleted):
        if not event.retraction:
            series = Series("verdicts_per_minute", queue=event.queue)
            yield Observation(series, to_millis(event.occurred_at), 1)
    elif isinstance(event, LabelRecorded):
        yield Observation(Series("labels_per_minute", queue=event.queue), to_millis(event.occurred_at), 1)
    elif event.service in PER_MINUTE and event.items:
        measure = SLOWLY if event.tier == "slow" else PER_MINUTE[event.service]
        series = Series(measure, model_version=event.model_version or "")
        yield Observation(series, to_millis(event.window_start), event.items, event.items)


def _settlement(event: ReviewSettled) -> Iterator[Observation]:
    at = to_millis(event.occurred_at)
    if len(event.votes) > 1:
        yield Observation(Series(AGREEMENT, queue=event.queue), at, pair_agreement(event.votes))
    if event.agreed and event.model_version is not None:
        for score in event.scores:
            differ = (score.probability >= MODEL_SAYS_YES) != (score.category in event.categories)
            yield Observation(Series(AGAINST_PEOPLE, score.category, event.model_version), at, float(differ))


def pair_agreement(votes: Sequence[Vote]) -> float:
    """Share of the pairs of two or more votes that are for the same action: P_i of Fleiss (1971)."""
    same = sum(n * (n - 1) for n in Counter(vote.action for vote in votes).values())
    return same / (len(votes) * (len(votes) - 1))
