"""Keyed state in memory: staged, applied, dropped; and its timers."""

from dataclasses import dataclass

from services.runtime.states import Shard, States


@dataclass(frozen=True)
class Counted:
    count: int
    due: int | None = None


def states() -> States[Counted]:
    made: States[Counted] = States()
    made.shards[0] = Shard()
    return made


def test_a_staged_state_is_seen_by_the_rest_of_the_batch() -> None:
    held = states()
    held.put(0, b"k", Counted(1))
    assert held.get(0, b"k") == Counted(1)
    assert held.shards[0].states == {}


def test_it_is_kept_at_a_commit_and_gone_after_an_abort() -> None:
    held = states()
    held.put(0, b"k", Counted(1))
    held.apply()
    held.put(0, b"k", Counted(2))
    held.put(0, b"new", Counted(1))
    held.drop()
    assert held.get(0, b"k") == Counted(1) and held.get(0, b"new") is None


def test_what_changes_nothing_costs_no_record() -> None:
    held = states()
    held.put(0, b"k", Counted(1))
    held.apply()
    held.put(0, b"k", Counted(1))
    held.put(0, b"unknown", None)
    assert list(held.staged()) == []


def test_a_roll_back_forgets_only_what_came_after_the_mark() -> None:
    held = states()
    held.put(0, b"a", Counted(1))
    mark = held.mark()
    held.put(0, b"a", Counted(9))
    held.put(0, b"b", Counted(1))
    held.roll_back(mark)
    assert list(held.staged()) == [(0, b"a", Counted(1))]


def test_timers_come_in_order_and_only_for_the_state_that_set_them() -> None:
    shard: Shard[Counted] = Shard()
    shard.apply(b"late", Counted(1, due=300))
    shard.apply(b"moved", Counted(1, due=100))
    shard.apply(b"moved", Counted(2, due=400))
    shard.apply(b"gone", Counted(1, due=50))
    shard.apply(b"gone", None)
    shard.apply(b"calm", Counted(1, due=60))
    shard.apply(b"calm", Counted(2))
    assert shard.next_due() == 300
    assert shard.due_keys(299, 10) == []
    assert shard.due_keys(400, 10) == [b"late", b"moved"]


def test_a_deleted_key_is_forgotten() -> None:
    held = states()
    held.put(0, b"k", Counted(1))
    held.apply()
    held.put(0, b"k", None)
    assert held.get(0, b"k") is None
    held.apply()
    assert held.open_keys() == 0


def test_timers_take_memory_for_what_is_open_not_for_what_passed() -> None:
    shard: Shard[Counted] = Shard()
    for number in range(10_000):
        shard.apply(b"busy", Counted(number, due=10**15))
        shard.apply(b"closed early %d" % number, Counted(1, due=10**15))
        shard.apply(b"closed early %d" % number, None)
    assert len(shard._timers) < 100
    assert shard.due_keys(10**15, 10) == [b"busy"]


def test_due_keys_are_as_many_as_asked_for_and_none_is_lost() -> None:
    shard: Shard[Counted] = Shard()
    for number in range(10):
        shard.apply(b"%d" % number, Counted(1, due=number))
    assert shard.due_keys(100, 3) == [b"0", b"1", b"2"]
    assert len(shard.due_keys(100, 20)) == 10


def test_a_roll_back_brings_back_what_was_staged_before_the_mark() -> None:
    held = states()
    held.put(0, b"a", Counted(1))
    mark = held.mark()
    held.put(0, b"a", None)
    assert list(held.staged(mark)) == [(0, b"a", None)]
    held.roll_back(mark)
    assert held.get(0, b"a") == Counted(1) and list(held.staged(mark)) == []
