"""What a person is told whose request cannot be met: every refusal with what happened and what to do."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.review.core.abilities import in_words

OVER = {
    "withdrawn": "The item was withdrawn by its author or platform, so nothing is left to decide.",
    "edited": "The item was edited: a newer revision is judged instead.",
    "copy_decided": "The same text was decided elsewhere, and this copy inherited the decision.",
    "expired": "Its time ran out, and the policy's fallback decided.",
    "settled": "Others settled it.",
    "split": "The votes did not agree; the experts are asked.",
    "escalated": "It was handed to the experts.",
}


@dataclass(frozen=True)
class Refusal:
    """An answer as RFC 9457 has it. `retry_after` is in seconds."""

    status: int
    type: str
    title: str
    detail: str
    retry_after: int | None = None


def over(why: str) -> Refusal:
    """A task that needs nobody any more."""
    word, _, action = why.partition(":")
    happened = f"Others settled it: {action}." if word == "agreed" else OVER.get(word, "It is over.")
    return Refusal(
        409, "task-over", "This task is over", f"{happened} Your draft was not sent; take the next task."
    )


def foreign(named: Iterable[str], known: Iterable[str]) -> Refusal:
    """Categories that are not among those to choose from."""
    detail = f"Unknown here: {', '.join(sorted(named))}. Choose from: {', '.join(sorted(known))}."
    return Refusal(422, "unknown-category", "No such category", detail)


def outside(start: int, end: int, length: int) -> Refusal:
    """A part that the text does not have."""
    what = f"The part from {start} to {end} is none of this text, which has {length} characters."
    return Refusal(
        422,
        "no-such-part",
        "No such part of the text",
        f"{what} `start` counts from 0, `end` is one past the last.",
    )


def unable(needed: str) -> Refusal:
    """All that waits needs what the person's account does not say that they have."""
    what = f"What waits here needs {in_words(needed)}."
    detail = f"{what} Choose another queue, or ask an admin to add it to your account."
    return Refusal(403, "not-for-you", "There is work, but none for you", detail)


def already(action: str, categories: Iterable[str]) -> Refusal:
    """Another verdict of the same lease is recorded."""
    named = ", ".join(sorted(categories)) or "no category"
    detail = f"Recorded is: {action}, {named}. Undo it in time to decide anew, or take the next task."
    return Refusal(409, "recorded-otherwise", "Another verdict of yours is recorded", detail)


def refusal(code: str, why: str = "") -> Refusal:
    """The refusal for what a script answered. Raises KeyError for a code that is none."""
    if code == "unable":
        return unable(why)
    return over(why) if code == "gone" else REFUSALS[code]


REFUSALS = {
    "rebuilding": Refusal(
        503,
        "rebuilding",
        "The queue is being rebuilt",
        "Nothing is lost. Your draft is kept; try again in a few seconds.",
        2,
    ),
    "unacknowledged": Refusal(
        503,
        "not-recorded",
        "The verdict could not be recorded",
        "Kafka did not acknowledge it. The task is still yours and your draft is kept; send it again in a moment.",
        2,
    ),
    "unrecorded": Refusal(
        503,
        "not-recorded",
        "The change could not be recorded",
        "Kafka did not acknowledge it. Try again soon.",
        2,
    ),
    "unavailable": Refusal(
        503,
        "unavailable",
        "The queue is away",
        "Redis does not answer. Your draft is kept; try again soon.",
        2,
    ),
    "paused": Refusal(423, "paused", "The queue is paused", "An admin paused it. Choose another queue."),
    "enough": Refusal(
        409, "enough", "You hold enough tasks", "Decide or release what you hold, then take the next."
    ),
    "not_leased": Refusal(
        409,
        "not-leased",
        "This task is not leased to you",
        "The token belongs to no lease of yours on this task. Claim a task and send its token.",
    ),
    "unknown": Refusal(
        404, "unknown-task", "No such task", "It is over for long, or was never asked. Claim the next task."
    ),
    "voted": Refusal(
        409, "voted", "You have decided this task", "One person has one vote. Take the next task."
    ),
    "seat_taken": Refusal(
        409,
        "seat-taken",
        "Somebody else decided it",
        "Your lease ran out and another person's verdict took the seat. Your draft was not sent; take the next task.",
    ),
    "seat_held": Refusal(
        409,
        "seat-held",
        "Somebody else has it now",
        "Your lease ran out and the task was given to another person. Your draft was not sent; take the next task.",
    ),
    "taken_back": Refusal(
        409,
        "taken-back",
        "This verdict was taken back",
        "Decide the task again with the token you were then given.",
    ),
    "final": Refusal(
        409, "final", "Too late to undo", "The verdict counts already. Where it was wrong, tell an admin."
    ),
    "no_verdict": Refusal(
        404, "unknown-verdict", "No such verdict", "Only your own last verdicts can be undone."
    ),
}
