"""What goes into a stage and what comes out of it.

Record and Outgoing are structs without garbage collection: there are two of each for every item, made five times as
fast as frozen dataclasses, and nothing in them can point back to them.
"""

from dataclasses import dataclass

import msgspec

from services.events.headers import Headers as Headers


class Record(msgspec.Struct, frozen=True, gc=False):
    """One record as Kafka keeps it. `timestamp` is in ms; `base` is the topic without source or queue."""

    topic: str
    base: str
    partition: int
    offset: int
    key: bytes
    value: bytes | None
    timestamp: int
    headers: Headers = ()


class Outgoing(msgspec.Struct, frozen=True, gc=False):
    """One record to be produced in the batch's transaction. No value is a tombstone.

    `accepted` is when the item was accepted, in ms: with it the loop measures the age of the outcome.
    `event` is what `value` encodes, or what stands for it, for those who count after the commit.
    """

    topic: str
    base: str
    key: bytes
    value: bytes | None
    headers: Headers = ()
    accepted: int | None = None
    event: msgspec.Struct | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that cannot be handled: it goes to dead.letter as it came, with the reason."""

    record: Record
    error: str  # a short name, as in undecodable, forged_source
    reason: str  # what is wrong and what to do


@dataclass(frozen=True, slots=True)
class Dropped:
    """A record that is rightly without effect: a repeat, a late verdict. It is counted, no more."""

    record: Record
    reason: str
