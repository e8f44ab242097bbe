"""The loop of every service that decides: consume, handle, produce, commit, all in one transaction a batch."""

import re
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from services.runtime.assignment import Assignment
from services.runtime.clock import now_ms
from services.runtime.committing import Committer, Pending, measure
from services.runtime.deadletter import TOPIC as DEAD_LETTER
from services.runtime.deadletter import dead_letter
from services.runtime.errors import MissingTopic, UndeclaredTopic
from services.runtime.handling import Outcome, fault, handle_batch, handle_behind, handle_due
from services.runtime.health import Health
from services.runtime.intake import Intake
from services.runtime.kafka import admin, transactional_producer
from services.runtime.metrics import LoopMetrics
from services.runtime.positions import Partition, after, partitions_of
from services.runtime.reading import WholeTopics, broadcast_topics, report
from services.runtime.records import Outgoing, Record, Rejected
from services.runtime.settings import LoopSettings
from services.runtime.stage import Wiring
from services.runtime.stalls import StallWatch
from services.runtime.states import Due, Place
from services.runtime.transaction import MustAbort, Transaction

S = TypeVar("S", bound=Due)
log = structlog.get_logger()


class Loop(Generic[S]):
    """One worker. `run` returns when `stopping` says so, and raises what the supervisor should see.

    Order of a step: broadcast records, states that these left behind, a batch of content, then timers that are ripe;
    outputs, state and offsets commit together. Meanwhile the next batch is read, and handled too where no state is kept
    (docs/decisions/0077-commit-while-the-next-batch-is-read.md). Partitions come and go only while reading, once what
    is being committed is.
    """

    def __init__(
        self,
        wiring: Wiring[S],
        settings: LoopSettings,
        health: Health,
        metrics: LoopMetrics,
        stopping: Callable[[], bool],
    ) -> None:
        self._wiring, self._settings = wiring, settings
        self._health, self._metrics, self._stopping = health, metrics, stopping
        self._admin = admin(settings)
        self._intake = Intake(wiring.service, wiring.consumes, settings)
        self._consumer = self._intake.consumer
        self._watch = StallWatch(self._intake.progress, self._admin)
        self._assignment: Assignment[S] = Assignment(wiring, settings, self._admin, self._intake.progress)
        self._ended = False  # `run` is over, whatever a commit that hangs is still waiting for
        self._transaction = Transaction(
            transactional_producer(settings, wiring.service),
            lambda: self._ended or stopping(),
            health.not_ready,
        )
        self._committer = Committer(self._transaction)
        self._pending: Pending | None = None  # what is being committed
        self._broadcast: WholeTopics | None = None  # once the broker has answered
        self._next: dict[Partition, int] = {}  # where each partition goes on once what is committed is
        self._timers_checked = 0
        self._reports: list[Outgoing] = []
        self._unheard: list[Rejected] = []  # broadcast records that made the stage raise
        self._aborted = ""  # why the last transaction was; empty when it was not

    def run(self) -> None:
        """Work until stopped; the batch in hand is finished. Raises RuntimeFault, see services.runtime.errors."""
        stage = self._wiring.stage
        if not self._wait_for_broker():
            return
        broadcast = self._broadcast = broadcast_topics(
            self._settings, self._wiring.service, self._wiring.broadcasts, self._admin
        )
        try:
            if not self._transaction.init():
                return
            self._hear(broadcast.to_end(self._stopping))
            while (reason := stage.not_ready()) and not self._stopping():
                self._health.not_ready(reason)
                self._hear(broadcast.poll(0.2))
            self._subscribe()
            while not self._stopping():
                self._step(broadcast)
            self._finish()
        finally:
            self._health.not_ready("stopping")
            self._ended, self._pending = True, None
            self._committer.close()
            broadcast.close()
            self._consumer.close()

    def _wait_for_broker(self) -> bool:
        """Until it answers and has our topics. False where the worker stops first."""
        while not self._stopping():
            try:
                partitions_of(self._admin, [DEAD_LETTER, *self._wiring.broadcasts], timeout=2)
                return True
            except MissingTopic as missing:
                self._health.not_ready(str(missing))
            except KafkaException as exception:
                self._health.not_ready(
                    f"Kafka at {self._settings.kafka} does not answer: {exception.args[0].str()}"
                )
            time.sleep(0.2)
        return False

    def _hear(self, records: Iterable[Record]) -> None:
        """Broadcast records; one that the stage cannot take is set aside with the next transaction."""
        for record in records:
            try:
                self._wiring.stage.broadcast(record)
            except Exception as exception:
                self._unheard.append(fault(record, exception))
            else:
                self._assignment.behind.heard(record)

    def _subscribe(self) -> None:
        """By pattern, so that the topic of a new source or queue is found when it appears."""
        per = "|".join(re.escape(base) for base in self._wiring.consumes)
        self._consumer.subscribe(
            [f"^({per})(\\.[a-z0-9-]+)?$"],
            on_assign=self._assignment.on_assign,
            on_revoke=self._on_revoke,
            on_lost=self._on_revoke,
        )

    def _on_revoke(self, consumer: Consumer, taken: list[TopicPartition]) -> None:
        """What is being committed is decided on while its shards are still ours."""
        self._finish()
        self._assignment.on_revoke(consumer, taken)

    def _step(self, broadcast: WholeTopics) -> None:
        messages = self._intake.gather(self._may_handle, hurry=bool(self._assignment.behind))
        if self._wiring.changelog is not None:
            self._finish()
        self._hear(broadcast.poll())
        if self._assignment.unsettled:
            # What was fetched before may meanwhile be another worker's, or come again: start from what is committed.
            self._finish()
            self._intake.drop(messages)
            self._intake.raise_if_fatal()
            if not self._to_committed():
                return
            messages = []
        self._intake.raise_if_fatal()
        self._watch.check(self._assignment.partitions)
        batch = self._intake.records(messages)
        self._tell()
        ripe = self._ripe(now_ms())
        self._reports += self._wiring.stage.reports(now_ms())
        behind = self._assignment.behind.first(self._settings.batch_records)
        if batch or ripe or behind or self._reports or self._unheard:
            self._transact(batch, ripe, behind)
        else:
            self._finish()
            self._transaction.serve()

    def _may_handle(self) -> bool:
        """Whether a batch can be handled: where states are kept, once those are known that the one before leaves."""
        return self._wiring.changelog is None or self._committer.done()

    def _tell(self) -> None:
        """Say whether this worker takes records."""
        if self._intake.brokers_away:
            try:
                self._admin.list_topics(timeout=1)
                self._intake.brokers_away = False
            except KafkaException:
                self._health.not_ready(f"Kafka at {self._settings.kafka} does not answer")
                return
        if self._aborted:
            self._health.not_ready(f"the last transaction was aborted and is tried again: {self._aborted}")
        elif self._assignment.partitions:
            if self._committer.done():  # else it says itself what it waits for
                self._health.ready()
        else:
            self._health.not_ready(
                "no shards assigned: more workers than shards, or the group is rebalancing"
            )

    def _ripe(self, now: int) -> list[tuple[int, int]]:
        if now < self._timers_checked + self._settings.timer_check_ms:
            return []
        self._timers_checked = now
        try:
            self._observe_lag()
            return self._assignment.ripe(now)
        except KafkaException as exception:  # the broker is away: timers wait for it like everything else
            report(exception.args[0])
            return []

    def _transact(self, batch: list[Record], ripe: Sequence[tuple[int, int]], behind: list[Place]) -> None:
        """Handle one batch and begin to commit it, or abort it, so that it comes again."""
        began = time.perf_counter()
        # What no record causes commits the offsets it rests on: Kafka then refuses a worker that lost the shard.
        shards = {shard for shard, _ in (*ripe, *behind)}
        offsets = {where: offset for where, offset in self._next.items() if where[1] in shards}
        offsets |= after(batch)
        outcome, fired = self._decide(batch, ripe, behind)
        handling = time.perf_counter() - began
        self._finish()
        if self._assignment.unsettled:  # the batch before was aborted, so that both come again
            return
        try:
            self._produce(outcome)
        except MustAbort as reason:
            self._abort(reason, len(batch))
            return
        reports, unheard, self._reports, self._unheard = self._reports, self._unheard, [], []
        self._pending = Pending(batch, outcome, offsets, fired, behind, reports, unheard, handling)
        self._committer.start(offsets, self._assignment.group)

    def _finish(self) -> None:
        """What is being committed is, or is aborted, when this returns. Raises RuntimeFault where that is not known."""
        if (held := self._pending) is None:
            return
        self._pending, began = None, time.monotonic()
        try:
            commit = self._committer.wait()
        except MustAbort as reason:
            self._reports = held.reports + self._reports
            self._unheard = held.unheard + self._unheard
            self._abort(reason, len(held.batch))
            return
        now = time.monotonic()
        self._intake.pace.idled(now - began, now)
        self._aborted = ""
        self._next |= held.offsets
        self._assignment.states.apply()
        self._assignment.fired(held.fired)
        self._assignment.behind.done(held.behind)
        self._wiring.stage.committed(held.outcome.produced)
        measure(self._metrics, held, commit)

    def _abort(self, reason: MustAbort, records: int) -> None:
        log.warning("transaction aborted", reason=str(reason), records=records)
        self._assignment.states.drop()
        self._metrics.aborts.inc()
        self._transaction.abort()
        self._aborted = str(reason)
        self._assignment.unsettled = True

    def _produce(self, outcome: Outcome) -> None:
        """Open the transaction and queue all that it holds."""
        produce = self._transaction.produce
        self._transaction.begin()
        self._transaction.produce_all(outcome.produced)
        self._transaction.produce_all(self._reports)
        for rejected in outcome.rejected:
            letter = dead_letter(rejected, self._wiring.service, now_ms())
            produce(letter.topic, letter.key, letter.value, letter.headers)
        if self._wiring.changelog is not None:
            for (shard, key), value in outcome.changes.items():
                produce(self._wiring.changelog, key, value, (), shard)

    def _decide(
        self, batch: Sequence[Record], ripe: Sequence[tuple[int, int]], behind: Sequence[Place]
    ) -> tuple[Outcome, list[int]]:
        """Effects of states that are behind, of the batch, and then of ripe timers, as many as a batch may have; which
        shards' timers have all fired."""
        states, stage, now = self._assignment.states, self._wiring.stage, now_ms()
        changelog = self._wiring.changelog or ""
        outcome = Outcome(rejected=list(self._unheard))
        for place in behind:
            outcome.extend(handle_behind(stage, self._assignment.behind, changelog, place, states, now))
        if batch:
            outcome.extend(handle_batch(stage, batch, states, now))
        room, fired = self._settings.batch_records, []
        for shard, until in ripe:
            keys = states.shards[shard].due_keys(until, room)
            if len(keys) < room:
                fired.append(shard)
            room -= len(keys)
            for key in keys:
                state = states.get(shard, key)
                if state is not None and state.due is not None and state.due <= until:
                    outcome.extend(handle_due(stage, changelog, shard, key, states, now))
        for out in (*outcome.produced, *self._reports):
            if out.base not in self._wiring.produces:
                raise UndeclaredTopic(
                    f"{self._wiring.service} produced to {out.topic}, which it does not declare: add it to PRODUCES"
                )
        return outcome, fired

    def _to_committed(self) -> bool:
        """Take our shards, after a rebalance or an abort, from their committed offsets on; False: try again."""
        try:
            mine = [TopicPartition(topic, number) for topic, number in self._assignment.partitions]
            starts = self._consumer.committed(mine, 10) if mine else []  # waits for open transactions on them
            if self._wiring.groups is not None and self._broadcast is not None:
                # A shard's state is at times newer than what was heard: it must never look behind what it is ahead of.
                self._hear(self._broadcast.to_end(self._stopping))
            self._assignment.settle(self._stopping)
            if self._stopping():
                return False
            self._next = {(tp.topic, tp.partition): max(0, tp.offset) for tp in starts}
            for tp in starts:
                if tp.error is not None:
                    raise KafkaException(tp.error)
                tp.offset = tp.offset if tp.offset >= 0 else OFFSET_BEGINNING
            if starts:
                self._consumer.assign(starts)
            self._intake.progress.forget(self._assignment.partitions)
            self._assignment.unsettled = False
            return True
        except KafkaException as exception:
            report(exception.args[0])
            self._health.not_ready(f"taking up the committed offsets: {exception.args[0].str()}")
            return False

    def _observe_lag(self) -> None:
        lags: dict[str, int] = {}
        for tp in self._consumer.position([TopicPartition(t, p) for t, p in self._assignment.partitions]):
            if tp.offset >= 0:
                _, end = self._consumer.get_watermark_offsets(tp, cached=True)
                lags[tp.topic] = lags.get(tp.topic, 0) + max(0, end - tp.offset)
        self._metrics.lag.clear()  # a topic whose shards went to another worker is that one's to count
        for topic, lag in lags.items():
            self._metrics.lag.labels(topic).set(lag)
        self._metrics.open_keys.set(self._assignment.states.open_keys())
