"""What the votes on a task come to."""

from collections import Counter
from typing import Literal, NamedTuple

from services.adjudicator.core.state import Cast, TaskState
from services.events.types import DecisionAction


class Settlement(NamedTuple):
    """What the votes came to, at the moment `at` (ms) at which they became final. `action` None: not agreed."""

    at: int
    reason: Literal["agreed", "split", "escalated"]
    action: DecisionAction | None
    categories: tuple[str, ...]
    agreement: float
    votes: tuple[Cast, ...]


def adjudicate(task: TaskState, final_by: int) -> Settlement | None:
    """What the votes that are final at `final_by` (ms) come to; None while that is open, or the request is unknown.

    The votes are looked at as of each moment at which one became final, the earliest first, so that it does not
    matter how late anybody looks. They agree when as many as are wanted are for the same action. A vote for
    `escalate`, or two votes for different actions, can no longer come to that. What a majority of them chose are the
    categories; people who want an item gone, none of them for the same reason, do not agree either: the label would
    be wrong whichever was taken.
    """
    if task.request is None:
        return None
    counting = counted(task)
    for at in sorted({cast.final_at for cast in counting}):
        if at > final_by:
            return None
        final = [cast for cast in counting if cast.final_at <= at][: task.request.votes_wanted]
        settlement = _settle(final, task.request.votes_wanted, at)
        if settlement is not None:
            return settlement
    return None


def counted(task: TaskState) -> list[Cast]:
    """Verdicts that were not taken back in time, one a seat and a person: the lowest offset wins."""
    seats: set[int] = set()
    people: set[str] = set()
    found = []
    for cast in sorted(task.casts, key=lambda cast: cast.offset):
        if task.retracted.get(cast.verdict_id, cast.final_at + 1) <= cast.final_at:
            continue
        if cast.seat not in seats and cast.reviewer not in people:
            seats.add(cast.seat)
            people.add(cast.reviewer)
            found.append(cast)
    return found


def _settle(votes: list[Cast], wanted: int, at: int) -> Settlement | None:
    actions = Counter(vote.action for vote in votes)
    agreement = max(actions.values()) / len(votes)
    categories = chosen(votes)
    if actions["escalate"]:
        return Settlement(at, "escalated", None, (), agreement, tuple(votes))
    if len(actions) > 1:
        return Settlement(at, "split", None, (), agreement, tuple(votes))
    if len(votes) < wanted:
        return None
    action = votes[0].action
    if action != "allow" and not categories and any(vote.categories for vote in votes):
        return Settlement(at, "split", None, (), agreement, tuple(votes))
    assert action != "escalate"
    return Settlement(at, "agreed", action, categories, agreement, tuple(votes))


def chosen(votes: list[Cast]) -> tuple[str, ...]:
    """The categories that more than half of the votes chose, sorted."""
    counts = Counter(category for vote in votes for category in set(vote.categories))
    return tuple(sorted(category for category, count in counts.items() if 2 * count > len(votes)))
