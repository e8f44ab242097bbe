"""The shards of one worker: which partitions it has, their state restored, and when their timers may fire."""

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

import structlog
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from services.runtime.errors import UnevenShards, UnreadableState
from services.runtime.groups import Behind
from services.runtime.positions import Partition, Progress, uncommitted_ends
from services.runtime.reading import WholeTopics
from services.runtime.records import Record
from services.runtime.settings import Settings
from services.runtime.stage import Wiring
from services.runtime.states import Due, Shard, States

S = TypeVar("S", bound=Due)
log = structlog.get_logger()


class Assignment(Generic[S]):
    """What the group gave this worker.

    Kafka's callbacks only take notes; the loop calls `settle` outside of them, so that restoring a long changelog
    never happens inside a callback and no transaction is open when partitions come or go.
    """

    def __init__(self, wiring: Wiring[S], settings: Settings, admin: AdminClient, progress: Progress) -> None:
        self._wiring, self._settings, self._admin, self._progress = wiring, settings, admin, progress
        self.partitions: set[Partition] = set()
        self.unsettled = False  # a rebalance or an abort since the loop last took up the committed offsets
        self.group: object = None  # the group's metadata as of the last assignment
        self.states: States[S] = States()
        self.behind: Behind[S] = Behind(wiring.groups, self.states)
        self._gates: dict[int, tuple[int, dict[Partition, int]]] = {}

    def on_assign(self, consumer: Consumer, given: list[TopicPartition]) -> None:
        """Kafka gives partitions. The generation is noted here: asked for later, it may be that of nobody."""
        self.unsettled = True
        self.group = consumer.consumer_group_metadata()
        self.partitions |= {(tp.topic, tp.partition) for tp in given}

    def on_revoke(self, _: Consumer, taken: list[TopicPartition]) -> None:
        """Kafka takes partitions: their state is another worker's from now on. No transaction is open here."""
        self.unsettled = True
        gone = {(tp.topic, tp.partition) for tp in taken}
        self.partitions -= gone
        self._progress.forget(gone)
        for shard in self.states.shards.keys() - {number for _, number in self.partitions}:
            del self.states.shards[shard]
            self.behind.gone(shard)
            self._gates.pop(shard, None)

    def settle(self, stopping: Callable[[], bool]) -> None:
        """Restore the state of shards that are new. Raises UnevenShards, UnreadableState.

        To be called when the committed offsets are known: a former owner whose transaction holds them back may still
        commit, and its changes are on the changelog only by then.
        """
        self._gates.clear()  # there may be inputs that the gates do not know
        fresh = {number for _, number in self.partitions} - self.states.shards.keys()
        if not fresh:
            return
        check_even(self.partitions)
        for number in sorted(fresh):
            shard = self._restore(number, stopping)
            if stopping():
                return
            self.states.shards[number] = shard
            self.behind.restored(number, shard)
        log.info("shards", restored=sorted(fresh), open_keys=self.states.open_keys())

    def _restore(self, number: int, stopping: Callable[[], bool]) -> Shard[S]:
        shard: Shard[S] = Shard(self._wiring.groups.group_of if self._wiring.groups else None)
        if self._wiring.changelog is None:
            return shard
        name = f"{self._wiring.service}-{self._settings.slot}-restore"
        reader = WholeTopics(self._settings, name, [(self._wiring.changelog, number)], self._admin)
        try:
            for record in reader.to_end(stopping):
                shard.apply(record.key, self._decoded(record))
        finally:
            reader.close()
        return shard

    def _decoded(self, record: Record) -> S | None:
        if record.value is None:
            return None
        try:
            return self._wiring.stage.decode_state(record.value)
        except ValueError as error:
            where = f"{record.topic}[{record.partition}]@{record.offset}"
            raise UnreadableState(where, record.key, str(error)) from error

    def ripe(self, now: int) -> list[tuple[int, int]]:
        """(shard, until): timers of `shard` due at `until` (ms) or before may fire.

        When a timer falls due, the ends of the shard's inputs are noted, transactions still open included; it is
        ripe once all that is below has been read, so that nothing acknowledged before its due time is overlooked.
        """
        waiting = {
            number
            for number, shard in self.states.shards.items()
            if number not in self._gates and (due := shard.next_due()) is not None and due <= now
        }
        if waiting:
            ends = uncommitted_ends(self._admin, [p for p in self.partitions if p[1] in waiting])
            for number in waiting:
                self._gates[number] = (now, {p: end for p, end in ends.items() if p[1] == number})
        return [(n, until) for n, (until, ends) in self._gates.items() if self._progress.reached(ends)]

    def fired(self, shards: Iterable[int]) -> None:
        """The timers of these shards have fired and are committed."""
        for number in shards:
            self._gates.pop(number, None)


def check_even(partitions: set[Partition]) -> None:
    """Raise UnevenShards unless every topic of the assignment comes with the same partitions."""
    by_topic: dict[str, set[int]] = {}
    for topic, number in partitions:
        by_topic.setdefault(topic, set()).add(number)
    if len({frozenset(numbers) for numbers in by_topic.values()}) > 1:
        shown = ", ".join(f"{topic}: {sorted(numbers)}" for topic, numbers in sorted(by_topic.items()))
        raise UnevenShards(
            f"one worker must have the same partitions of all its topics, but was given {shown}: "
            "give all topics keyed by item one partition count (SLUICEGATE_SHARDS, `sluicegate topics apply`)"
        )
