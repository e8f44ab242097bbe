"""What a step did, as caps and the review budget count it (services.policy.allowances)."""

from collections.abc import Iterable

import msgspec

from services.events.types import ContentDecided
from services.policy.allowances import Did
from services.router.core.items import Requested

KEY = b"#shard"  # under which a shard's state is on the changelog: no item's key, those have a slash


def did(events: Iterable[msgspec.Struct]) -> Did:
    """What these events of one item count for: what machines decided, whatever it rests on, people's word too, and
    every question, whatever it is asked for.
    """
    action, asked, value = None, 0, None
    for event in events:
        if isinstance(event, ContentDecided):
            if event.final and (event.decision_seq == 0 or event.basis == "duplicate"):
                action = event.action
            if (budget := event.circumstances.budget) is not None:
                value = budget.value
        elif isinstance(event, Requested):
            asked += event.purpose == "decision"
    return Did(action, asked, value)
