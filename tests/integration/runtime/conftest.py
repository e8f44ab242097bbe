"""A small service to try the loop with: it counts the records of each key, on topics of its own."""

import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import msgspec
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from infra.local.kafka import Kafka
from services.runtime.health import Health
from services.runtime.kafka import PRODUCER
from services.runtime.loop import Loop
from services.runtime.metrics import LoopMetrics
from services.runtime.reading import whole_topics
from services.runtime.records import Outgoing, Record, Rejected
from services.runtime.settings import LoopSettings
from services.runtime.stage import Effect, Wiring
from services.runtime.states import States

SHARDS = 2


def wait_for(what: str, condition: Callable[[], bool], seconds: float = 120) -> None:
    """Return when `condition` holds; fail naming `what` when it does not in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"waited {seconds} s for {what}")
        time.sleep(0.02)


class Counted(msgspec.Struct, frozen=True):
    """How many records a key had."""

    count: int
    due: int | None = None


@dataclass
class CountingStage:
    """Every record makes one output, `count:value`. `raise` makes it raise, `reject` rejects, `forget` deletes the
    state, `wake:MS` asks to be woken at that time.
    """

    out: str
    ready: Callable[[], str] = lambda: ""
    heard: list[bytes] = field(default_factory=list)
    before: Callable[[Sequence[Record]], None] = lambda _: None

    def not_ready(self) -> str:
        return self.ready()

    def broadcast(self, record: Record) -> None:
        self.heard.append(record.value or b"")

    def handle(self, batch: Sequence[Record], states: States[Counted], now: int) -> Iterator[Effect]:
        self.before(batch)
        for record in batch:
            value = record.value or b""
            if value == b"reject":
                yield Rejected(record, "refused", "it says so itself")
                continue
            state = states.get(record.partition, record.key) or Counted(0)
            due = int(value.split(b":")[1]) if value.startswith(b"wake:") else None
            after = Counted(state.count + 1, due)
            states.put(record.partition, record.key, None if value == b"forget" else after)
            yield Outgoing(self.out, self.out, record.key, b"%d:%s" % (after.count, value))
            if value == b"raise":
                raise RuntimeError("it says so itself")

    def wake(self, shard: int, key: bytes, states: States[Counted], now: int) -> Iterable[Effect]:
        state = states.get(shard, key)
        assert state is not None
        states.put(shard, key, Counted(state.count))
        return [Outgoing(self.out, self.out, key, b"woken at %d" % state.count)]

    def committed(self, produced: Sequence[Outgoing]) -> None:
        pass

    def reports(self, now: int) -> Iterable[Outgoing]:
        return ()

    def encode_state(self, state: Counted) -> bytes:
        return msgspec.json.encode(state)

    def decode_state(self, raw: bytes) -> Counted:
        return msgspec.json.decode(raw, type=Counted)


@dataclass
class Worker:
    """A loop in a thread."""

    loop: Loop[Counted]
    health: Health
    metrics: LoopMetrics
    stage: CountingStage
    stop_event: threading.Event
    error: BaseException | None = None
    thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.loop.run()
        except BaseException as error:
            self.error = error

    def stop(self) -> None:
        """End it as SIGTERM would."""
        self.stop_event.set()
        self.thread.join(30)
        assert not self.thread.is_alive(), "the worker did not stop"


class Bench:
    """Topics of one test, its workers, and what a read-committed reader sees."""

    def __init__(self, kafka: Kafka, shards: int = SHARDS) -> None:
        self.kafka = kafka
        name = "t" + uuid.uuid4().hex[:12]
        self.service = name
        self.inputs = (f"{name}.first", f"{name}.second")
        self.out, self.changelog, self.signal = f"{name}.out", f"{name}.changelog", f"{name}.signal"
        self.admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
        self.create(*self.inputs, self.out, self.changelog, partitions=shards)
        self.create(self.signal, partitions=1)
        if "dead.letter" not in self.admin.list_topics(timeout=10).topics:
            self.create("dead.letter", partitions=1)
        self.producer = Producer(PRODUCER | {"bootstrap.servers": kafka.bootstrap})
        self.workers: list[Worker] = []

    def create(self, *names: str, partitions: int) -> None:
        for future in self.admin.create_topics([NewTopic(n, partitions, 1) for n in names]).values():
            future.result(30)

    def settings(self, slot: int = 0, **more: object) -> LoopSettings:
        given = {"kafka": self.kafka.bootstrap, "slot": slot, "batch_wait_ms": 5, "metadata_refresh_ms": 500}
        return LoopSettings.model_validate(given | {"timer_check_ms": 20, "session_timeout_ms": 6000} | more)

    def wiring(self, stage: CountingStage) -> Wiring[Counted]:
        return Wiring(
            service=self.service,
            stage=stage,
            consumes=self.inputs,
            broadcasts=(self.signal,),
            produces=(self.out,),
            changelog=self.changelog,
        )

    def start(self, slot: int = 0, stage: CountingStage | None = None, **more: object) -> Worker:
        stage = stage or CountingStage(self.out)
        stop, health, metrics = threading.Event(), Health(), LoopMetrics()
        loop = Loop(self.wiring(stage), self.settings(slot, **more), health, metrics, stop.is_set)
        worker = Worker(loop, health, metrics, stage, stop)
        self.workers.append(worker)
        return worker

    def send(self, *values: bytes, key: bytes = b"k", topic: str | None = None, partition: int = -1) -> None:
        for value in values:
            self.producer.produce(topic or self.inputs[0], value, key, partition)
        assert self.producer.flush(30) == 0

    def records(self, topic: str | None = None) -> list[Record]:
        """What a read-committed reader finds in a topic, up to the end that an uncommitted one reports."""
        with closing(whole_topics(self.settings(), "test-reader", [topic or self.out])) as reader:
            return list(reader.to_end())

    def outputs(self) -> list[bytes]:
        return [record.value or b"" for record in self.records()]

    def wait_outputs(self, count: int, seconds: float = 120) -> list[bytes]:
        """Outputs once there are `count` of them at least."""
        seen: list[bytes] = []

        def enough() -> bool:
            seen[:] = self.outputs()
            return len(seen) >= count

        try:
            wait_for(f"{count} outputs", enough, seconds)
        except pytest.fail.Exception as failure:
            ended = [(worker.error, worker.health.reason) for worker in self.workers]
            pytest.fail(f"{failure}, came {len(seen)}; workers: {ended}")
        return seen

    def dead_letters(self) -> list[dict[str, str]]:
        """Headers of the dead letters of this bench's service, and the value."""
        found = [
            {name: value.decode("latin1") for name, value in record.headers} | {"value": repr(record.value)}
            for record in self.records("dead.letter")
        ]
        return [letter for letter in found if letter["service"] == self.service]


@pytest.fixture
def bench(kafka: Kafka) -> Iterator[Bench]:
    """Topics and workers of one test."""
    made = Bench(kafka)
    yield made
    for worker in made.workers:
        worker.stop_event.set()
    for worker in made.workers:
        worker.thread.join(30)
