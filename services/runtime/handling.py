"""Handling a batch so that one bad record never stops or spoils the others."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import structlog

from services.runtime.groups import Behind
from services.runtime.records import Dropped, Outgoing, Record, Rejected
from services.runtime.stage import Effect, Stage
from services.runtime.states import Due, Place, States

S = TypeVar("S", bound=Due)
log = structlog.get_logger()
RECORD_LIMIT = 1024 * 1024  # bytes of key and value of any topic but dead.letter
HEADERS_LIMIT = 32 * 1024  # bytes; half of what a topic takes beyond key and value


@dataclass
class Outcome:
    """What a batch comes to. `changes` are encoded states by (shard, key); None deletes."""

    produced: list[Outgoing] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
    changes: dict[Place, bytes | None] = field(default_factory=dict)

    def extend(self, other: "Outcome") -> None:
        """Take in what another part of the batch came to."""
        self.produced += other.produced
        self.rejected += other.rejected
        self.dropped += other.dropped
        self.changes |= other.changes

    def add(self, effects: Iterable[Effect]) -> None:
        """Sort effects by kind, keeping their order. Raises ValueError for an output that is too large."""
        for effect in effects:
            if isinstance(effect, Outgoing):
                size = len(effect.key) + len(effect.value or b"")
                if size > RECORD_LIMIT:
                    raise ValueError(f"an output to {effect.topic} of {size} bytes is over {RECORD_LIMIT}")
                if effect.headers:
                    size = sum([len(name) + len(raw) for name, raw in effect.headers])
                    if size > HEADERS_LIMIT:
                        raise ValueError(
                            f"headers to {effect.topic} of {size} bytes are over {HEADERS_LIMIT}"
                        )
                self.produced.append(effect)
            elif isinstance(effect, Rejected):
                self.rejected.append(effect)
            else:
                self.dropped.append(effect)

    def keep(self, stage: Stage[S], states: States[S], mark: int) -> None:
        """Encode what was staged since `mark`. Raises ValueError for a state that its changelog would not take."""
        for shard, key, state in states.staged(mark):
            value = None if state is None else stage.encode_state(state)
            if (size := len(key) + len(value or b"")) > RECORD_LIMIT:
                raise ValueError(f"a state of {size} bytes is over {RECORD_LIMIT}")
            self.changes[shard, key] = value


def handle_batch(stage: Stage[S], batch: Sequence[Record], states: States[S], now: int) -> Outcome:
    """Handle a batch; where that raises, one record at a time, so that only the one at fault is set aside.

    State that a failing attempt staged is rolled back.
    """
    mark = states.mark()
    outcome = Outcome()
    try:
        outcome.add(stage.handle(batch, states, now))
        outcome.keep(stage, states, mark)
        return outcome
    except Exception as exception:
        states.roll_back(mark)
        if len(batch) == 1:
            return Outcome(rejected=[fault(batch[0], exception)])
    outcome = Outcome()
    for record in batch:
        outcome.extend(handle_batch(stage, [record], states, now))
    return outcome


def handle_behind(
    stage: Stage[S], behind: Behind[S], changelog: str, place: Place, states: States[S], now: int
) -> Outcome:
    """Bring one state up to date; one that cannot be stays as it is, and is set aside as its changelog keeps it."""
    mark = states.mark()
    outcome = Outcome()
    before = states.get(*place)
    try:
        outcome.add(behind.catch_up(place, now))
        outcome.keep(stage, states, mark)
        return outcome
    except Exception as exception:
        states.roll_back(mark)
        value = None if before is None else stage.encode_state(before)
        return Outcome(
            rejected=[fault(Record(changelog, changelog, place[0], -1, place[1], value, now), exception)]
        )


def fault(record: Record, exception: Exception) -> Rejected:
    """A record that made its stage raise."""
    where = f"{record.topic}[{record.partition}]@{record.offset}"
    log.error("a record could not be handled", record=where, exc_info=exception)
    return Rejected(record, "unhandled", f"{type(exception).__name__}: {exception}")


def handle_due(
    stage: Stage[S], changelog: str, shard: int, key: bytes, states: States[S], now: int
) -> Outcome:
    """Wake one state; one that cannot be woken is set aside as its changelog keeps it, so that the timer ends."""
    mark = states.mark()
    outcome = Outcome()
    before = states.get(shard, key)
    try:
        outcome.add(stage.wake(shard, key, states, now))
        after = states.get(shard, key)
        if before is not None and after is not None and after.due == before.due:
            raise ValueError(f"it kept its due time {after.due} and would be woken for ever")
        outcome.keep(stage, states, mark)
        return outcome
    except Exception as exception:
        states.roll_back(mark)
        value = None if before is None else stage.encode_state(before)
        states.put(shard, key, None)
        record = Record(changelog, changelog, shard, -1, key, value, now)
        outcome = Outcome(rejected=[fault(record, exception)])
        outcome.keep(stage, states, mark)
        return outcome
