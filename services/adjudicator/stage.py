"""The adjudicator as the loop sees it."""

from typing import ClassVar

import msgspec

from services.adjudicator.core import ItemState, Step, receive, settle_due
from services.events.topics import Topics
from services.events.types import ReviewClosed, ReviewCompleted, ReviewRequested
from services.runtime.keyed import KeyedStage, Tombstone, Transition
from services.runtime.publishing import Publisher
from services.runtime.records import Record


class AdjudicatorStage(KeyedStage[ItemState]):
    """Wires the core to topics. Offsets order verdicts: an item's are all in one partition."""

    consumes: ClassVar = {
        "review.requested": ReviewRequested,
        "review.completed": ReviewCompleted,
        "review.closed": ReviewClosed,
    }

    def __init__(self, topics: Topics) -> None:
        super().__init__(ItemState, Publisher("adjudicator", topics))

    def decide(
        self, event: msgspec.Struct, record: Record, state: ItemState | None, now: int
    ) -> Transition[ItemState]:
        """See services.adjudicator.core."""
        return _transition(receive(event, record.offset, state, now))

    def due(self, key: str, state: ItemState, now: int) -> Transition[ItemState]:
        """Verdicts are final, or something has waited long enough."""
        return _transition(settle_due(state, now))


def _transition(step: Step) -> Transition[ItemState]:
    tombstones = (Tombstone("label.recorded"),) if step.forget_label else ()
    state = None if step.state is None or step.state.empty else step.state
    return Transition(state, (*step.events, *tombstones), step.dropped)
