"""What a worker reads: messages of its shards in batches, as records; and what the client says went wrong."""

import time
from collections.abc import Callable, Iterable, Sequence

from confluent_kafka import Consumer, KafkaError, Message

from services.runtime.busy import Machine
from services.runtime.kafka import group_consumer
from services.runtime.pace import Pace
from services.runtime.positions import Progress
from services.runtime.reading import report, to_record
from services.runtime.records import Record
from services.runtime.settings import LoopSettings

IDLE_SECONDS = 0.1  # that a worker without records waits for one before it looks at its timers
LOOK_SECONDS = 0.002  # between two looks whether a commit is over while records are read


class Intake:
    """The consumer of one slot. `consumes` are base topics: those of sources and queues are found by them."""

    def __init__(self, service: str, consumes: Sequence[str], settings: LoopSettings) -> None:
        self._consumes, self._most = consumes, settings.batch_records
        self.consumer: Consumer = group_consumer(settings, service, self._on_error)
        self.progress = Progress(self.consumer)
        self.pace = Pace(
            settings.batch_calm_ms / 1000, settings.batch_wait_ms / 1000, time.monotonic(), Machine()
        )
        self.brokers_away = False  # since the client said so; whoever finds them again says False
        self._fatal: KafkaError | None = None  # of the consumer, which then gets nothing any more
        self._bases: dict[str, str] = {}  # of topics seen

    def gather(self, begins: Callable[[], bool], hurry: bool) -> list[Message]:
        """What there is, after a wait for more; and what comes until the next batch `begins`. With `hurry` a worker
        that has other things to do does not wait for the first.
        """
        began = time.monotonic()
        found = self.consumer.consume(1, 0 if hurry else IDLE_SECONDS)
        if found and self._most > 1:
            found += self.consumer.consume(self._most - 1, self.pace.wait)
            while not begins() and len(found) < self._most:
                found += self.consumer.consume(self._most - len(found), LOOK_SECONDS)
        now = time.monotonic()
        self.pace.idled(now - began, now)
        return found

    def records(self, messages: Iterable[Message]) -> list[Record]:
        """The records among the messages. Raises Fenced where another process has the slot."""
        batch, bases = list[Record](), self._bases
        for message in messages:
            if (error := message.error()) is None:
                topic: str = message.topic()  # type: ignore[assignment]  # never None without an error
                base = bases.get(topic) or bases.setdefault(topic, self._base(topic))
                batch.append(to_record(message, topic, base))
            elif not self.progress.note(message):
                report(error, str(message.topic()))
        return batch

    def drop(self, messages: Iterable[Message]) -> None:
        """Messages that are not handled. A fatal error is handed out once, with the partitions that it takes away."""
        for message in messages:
            if (lost := message.error()) is not None:
                self._on_error(lost)

    def raise_if_fatal(self) -> None:
        """Fenced where the consumer cannot go on; see `report`."""
        if self._fatal is not None:
            report(self._fatal)

    def _on_error(self, error: KafkaError) -> None:
        self.brokers_away |= error.code() == KafkaError._ALL_BROKERS_DOWN
        if error.fatal() or error.code() == KafkaError._FATAL:
            self._fatal = error

    def _base(self, topic: str) -> str:
        for base in self._consumes:
            if topic == base or topic.startswith(base + "."):
                return base
        return topic
