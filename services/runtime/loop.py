"""The loop of every service that decides: consume, handle, produce, commit, all in one transaction a batch."""

import re
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from services.runtime.assignment import Assignment
from services.runtime.clock import now_ms
from services.runtime.deadletter import TOPIC as DEAD_LETTER
from services.runtime.deadletter import dead_letter
from services.runtime.errors import MissingTopic, UndeclaredTopic
from services.runtime.handling import Outcome, fault, handle_batch, handle_behind, handle_due
from services.runtime.health import Health
from services.runtime.kafka import admin, group_consumer, transactional_producer
from services.runtime.metrics import LoopMetrics
from services.runtime.pace import Pace
from services.runtime.positions import Partition, Progress, after, partitions_of
from services.runtime.reading import WholeTopics, broadcast_topics, report, to_record
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
    outputs, state and offsets commit together. Rebalances happen only while consuming, when no transaction is open.
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
        self._consumer: Consumer = group_consumer(settings, wiring.service, self._on_client_error)
        self._progress = Progress(self._consumer)
        self._watch = StallWatch(self._progress, self._admin)
        self._pace = Pace(
            settings.batch_calm_ms / 1000,
            settings.batch_wait_ms / 1000,
            settings.batch_busy_rate,
            time.monotonic(),
        )
        self._fatal: KafkaError | None = None  # of the consumer, which then gets nothing any more
        self._assignment: Assignment[S] = Assignment(wiring, settings, self._admin, self._progress)
        self._transaction = Transaction(
            transactional_producer(settings, wiring.service), stopping, health.not_ready
        )
        self._broadcast: WholeTopics | None = None  # once the broker has answered
        self._next: dict[Partition, int] = {}  # where each partition goes on once what is committed is
        self._bases: dict[str, str] = {}  # of topics seen
        self._timers_checked = 0
        self._reports: list[Outgoing] = []
        self._unheard: list[Rejected] = []  # broadcast records that made the stage raise
        self._brokers_away = False
        self._aborted = ""  # why the last transaction was; empty when it was not

    def run(self) -> None:
        """Work until stopped; the batch in hand is finished. Raises RuntimeFault, see services.runtime.errors."""
        stage = self._wiring.stage
        if not self._wait_for_broker():
            return
        broadcast = self._broadcast = broadcast_topics(
            self._settings, self._wiring.service, self._admin, self._wiring.broadcasts
        )
        try:
            if not self._transaction.init():
                return
            self._hear(broadcast.to_end(self._admin, self._stopping))
            while (reason := stage.not_ready()) and not self._stopping():
                self._health.not_ready(reason)
                self._hear(broadcast.poll(0.2))
            self._subscribe()
            while not self._stopping():
                self._hear(broadcast.poll())
                self._step()
        finally:
            self._health.not_ready("stopping")
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

    def _on_client_error(self, error: KafkaError) -> None:
        self._brokers_away |= error.code() == KafkaError._ALL_BROKERS_DOWN
        if error.fatal() or error.code() == KafkaError._FATAL:
            self._fatal = error

    def _raise_if_fatal(self) -> None:
        """Fenced where the consumer cannot go on; see `report`."""
        if self._fatal is not None:
            report(self._fatal)

    def _subscribe(self) -> None:
        """By pattern, so that the topic of a new source or queue is found when it appears."""
        per = "|".join(re.escape(base) for base in self._wiring.consumes)
        self._consumer.subscribe(
            [f"^({per})(\\.[a-z0-9-]+)?$"],
            on_assign=self._assignment.on_assign,
            on_revoke=self._assignment.on_revoke,
            on_lost=self._assignment.on_revoke,
        )

    def _step(self) -> None:
        messages = self._consumer.consume(1, 0 if self._assignment.behind else 0.1)
        if messages and self._settings.batch_records > 1:
            messages += self._consumer.consume(self._settings.batch_records - 1, self._pace.wait)
        self._pace.took(len(messages), time.monotonic())
        if self._assignment.unsettled:
            # What was fetched before may meanwhile be another worker's, or come again: start from what is committed.
            # But a fatal error is handed out once, with the partitions that it takes away.
            for message in messages:
                if (lost := message.error()) is not None:
                    self._on_client_error(lost)
            self._raise_if_fatal()
            if not self._to_committed():
                return
            messages = []
        self._raise_if_fatal()
        self._watch.check(self._assignment.partitions)
        batch: list[Record] = []
        bases = self._bases
        for message in messages:
            if (error := message.error()) is None:
                topic = str(message.topic())
                base = bases.get(topic) or bases.setdefault(topic, self._base(topic))
                batch.append(to_record(message, base))
            elif not self._progress.note(message):
                report(error, str(message.topic()))
        self._tell()
        ripe = self._ripe(now_ms())
        self._reports += self._wiring.stage.reports(now_ms())
        behind = self._assignment.behind.first(self._settings.batch_records)
        if batch or ripe or behind or self._reports or self._unheard:
            self._transact(batch, ripe, behind)
        else:
            self._transaction.serve()

    def _tell(self) -> None:
        """Say whether this worker takes records."""
        if self._brokers_away:
            try:
                self._admin.list_topics(timeout=1)
                self._brokers_away = False
            except KafkaException:
                self._health.not_ready(f"Kafka at {self._settings.kafka} does not answer")
                return
        if self._aborted:
            self._health.not_ready(f"the last transaction was aborted and is tried again: {self._aborted}")
        elif self._assignment.partitions:
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

    def _transact(
        self, batch: Sequence[Record], ripe: Sequence[tuple[int, int]], behind: Sequence[Place]
    ) -> None:
        """Handle and commit one batch, or abort it, so that it comes again."""
        started = time.perf_counter()
        # What no record causes commits the offsets it rests on: Kafka then refuses a worker that lost the shard.
        shards = {shard for shard, _ in (*ripe, *behind)}
        offsets = {where: offset for where, offset in self._next.items() if where[1] in shards}
        offsets |= after(batch)
        outcome, fired = self._decide(batch, ripe, behind)
        handled = time.perf_counter()
        try:
            self._produce(outcome)
            self._transaction.commit(offsets, self._assignment.group)
        except MustAbort as reason:
            log.warning("transaction aborted", reason=str(reason), records=len(batch))
            self._assignment.states.drop()
            self._metrics.aborts.inc()
            self._transaction.abort()
            self._aborted = str(reason)
            self._assignment.unsettled = True
            return
        self._aborted = ""
        self._next |= offsets
        self._assignment.states.apply()
        self._assignment.fired(fired)
        self._assignment.behind.done(behind)
        self._reports, self._unheard = [], []
        self._wiring.stage.committed(outcome.produced)
        self._measure(batch, outcome, handled - started, time.perf_counter() - handled)

    def _produce(self, outcome: Outcome) -> None:
        """Open the transaction and queue all that it holds."""
        produce = self._transaction.produce
        self._transaction.begin()
        for out in (*outcome.produced, *self._reports):
            produce(out.topic, out.key, out.value, out.headers)
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
                self._hear(self._broadcast.to_end(self._admin, self._stopping))
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
            self._progress.forget(self._assignment.partitions)
            self._assignment.unsettled = False
            return True
        except KafkaException as exception:
            report(exception.args[0])
            self._health.not_ready(f"taking up the committed offsets: {exception.args[0].str()}")
            return False

    def _base(self, topic: str) -> str:
        for base in self._wiring.consumes:
            if topic == base or topic.startswith(base + "."):
                return base
        return topic

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

    def _measure(self, batch: Sequence[Record], outcome: Outcome, handling: float, committing: float) -> None:
        now = now_ms()
        self._metrics.handle_seconds.observe(handling)
        self._metrics.commit_seconds.observe(committing)
        if batch:
            self._metrics.batch_records.observe(len(batch))
            self._metrics.record_age_seconds.observe(
                max(0, now - batch[0].timestamp) / 1000
            )  # the oldest, near enough
        self._metrics.end_to_end_seconds.observe_all(
            [max(0, now - out.accepted) / 1000 for out in outcome.produced if out.accepted is not None]
        )
        for rejected in outcome.rejected:
            self._metrics.dead_letters.labels(rejected.record.topic, rejected.error).inc()
        for dropped in outcome.dropped:
            self._metrics.dropped.labels(dropped.reason).inc()
