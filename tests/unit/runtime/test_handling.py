"""One bad record, state or timer never stops or spoils the others."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from services.runtime.handling import HEADERS_LIMIT, RECORD_LIMIT, handle_batch, handle_due
from services.runtime.records import Outgoing, Record
from services.runtime.stage import Effect
from services.runtime.states import Shard, States


@dataclass(frozen=True)
class Held:
    text: bytes
    due: int | None = None


class Keeping:
    """Keeps the last value of each key; `wake` keeps the due time when it holds b"stuck"."""

    def handle(self, batch: Sequence[Record], states: States[Held], now: int) -> Iterator[Effect]:
        for record in batch:
            states.put(0, record.key, Held(record.value or b""))
            yield Outgoing("out", "out", record.key, b"seen", headers=record.headers)

    def wake(self, shard: int, key: bytes, states: States[Held], now: int) -> Iterable[Effect]:
        state = states.get(shard, key)
        assert state is not None
        states.put(shard, key, Held(b"woken", state.due if state.text == b"stuck" else None))
        return [Outgoing("out", "out", key, b"woken")]

    def not_ready(self) -> str:
        return ""

    def broadcast(self, record: Record) -> None: ...

    def committed(self, produced: Sequence[Outgoing]) -> None: ...

    def reports(self, now: int) -> Iterable[Outgoing]:
        return ()

    def encode_state(self, state: Held) -> bytes:
        return state.text

    def decode_state(self, raw: bytes) -> Held:
        return Held(raw)


def held(**given: Held) -> States[Held]:
    states: States[Held] = States()
    states.shards[0] = Shard()
    for key, state in given.items():
        states.shards[0].apply(key.encode(), state)
    return states


def record(offset: int, key: bytes, value: bytes, *headers: tuple[str, bytes]) -> Record:
    return Record("in", "in", 0, offset, key, value, 0, headers)


def test_a_state_that_its_changelog_would_not_take_sets_only_its_record_aside() -> None:
    states = held()
    batch = [record(0, b"a", b"1"), record(1, b"b", b"x" * RECORD_LIMIT), record(2, b"c", b"3")]
    outcome = handle_batch(Keeping(), batch, states, 0)
    assert [rejected.record.offset for rejected in outcome.rejected] == [1]
    assert "over" in outcome.rejected[0].reason
    assert outcome.changes == {(0, b"a"): b"1", (0, b"c"): b"3"}
    assert [out.key for out in outcome.produced] == [b"a", b"c"]
    assert states.get(0, b"b") is None


def test_headers_that_a_topic_would_not_take_set_their_record_aside() -> None:
    outcome = handle_batch(Keeping(), [record(0, b"a", b"1", ("h", b"x" * HEADERS_LIMIT))], held(), 0)
    assert not outcome.produced and "headers" in outcome.rejected[0].reason


def test_the_last_change_of_a_key_is_what_is_kept() -> None:
    outcome = handle_batch(Keeping(), [record(0, b"a", b"1"), record(1, b"a", b"2")], held(), 0)
    assert outcome.changes == {(0, b"a"): b"2"}


def test_a_timer_that_keeps_its_due_time_is_set_aside_and_does_not_fire_for_ever() -> None:
    states = held(stuck=Held(b"stuck", 100))
    outcome = handle_due(Keeping(), "log", 0, b"stuck", states, 200)
    assert not outcome.produced
    assert outcome.rejected[0].record.value == b"stuck" and "due time" in outcome.rejected[0].reason
    assert outcome.changes == {(0, b"stuck"): None}


def test_a_timer_that_fires_changes_its_state() -> None:
    outcome = handle_due(Keeping(), "log", 0, b"fine", held(fine=Held(b"fine", 100)), 200)
    assert not outcome.rejected and outcome.changes == {(0, b"fine"): b"woken"}
