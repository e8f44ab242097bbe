"""Which queue serves an item, and whom it asks for: by the item's language, where the policy says so."""

import msgspec

from services.policy.model import Policy


class Served(msgspec.Struct, frozen=True):
    """A queue, and what its people must have: all `skills`, and one of `languages` where there are any."""

    queue: str
    skills: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()


def serving(policy: Policy, queue: str, item: msgspec.Raw) -> str:
    """The queue that an item bound for `queue` goes to: that which stands in for it in the item's language."""
    if (stand_ins := policy.stand_ins.get(queue)) is None:
        return queue
    return next((stand_ins[tag] for tag in tags(item) if tag in stand_ins), queue)


def served(policy: Policy, queue: str, item: msgspec.Raw) -> Served:
    """Whom a queue asks for an item: who reads its language, where the queue has it, else one of the queue's."""
    rule = policy.queues[queue]
    if not rule.languages:
        return Served(queue, rule.skills)
    languages = next(((tag,) for tag in tags(item) if tag in rule.languages), rule.languages)
    return Served(queue, rule.skills, languages)


def stands_for(policy: Policy, queue: str) -> str:
    """The queue that `queue` is, or stands in for."""
    rule = policy.queues.get(queue)
    return queue if rule is None or rule.stands_for is None else rule.stands_for


def tags(item: msgspec.Raw) -> list[str]:
    """The item's language as BCP 47 has it, the whole tag first: de-at, de. None where it names none."""
    parts = (_language(item).language or "").lower().split("-")
    return ["-".join(parts[:length]) for length in range(len(parts), 0, -1) if parts[0]]


class _Language(msgspec.Struct, gc=False):
    language: str | None = None


_language = msgspec.json.Decoder(_Language).decode
