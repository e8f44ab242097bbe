"""Producing outside the loop, where somebody waits: a send is done when Kafka has it."""

import threading
from collections.abc import Iterable
from concurrent.futures import Future, wait
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from services.runtime.kafka import PRODUCER
from services.runtime.records import Outgoing
from services.runtime.settings import Settings


class NotAcknowledged(Exception):
    """Kafka did not acknowledge in time. The record may still arrive: send the same again, its ids are the same."""


class AcknowledgedProducer:
    """An idempotent producer with acks=all whose sends are futures. Safe to use from several threads."""

    def __init__(self, settings: Settings, timeout_ms: int = 5000) -> None:
        self._config: dict[str, Any] = PRODUCER | {
            "bootstrap.servers": settings.kafka,
            "delivery.timeout.ms": timeout_ms,
            "request.timeout.ms": min(timeout_ms, 5000),
        }
        self._lock = threading.Lock()
        self._producer = Producer(self._config)
        self._broken: list[Producer] = []  # still owe the futures of what was in flight an answer
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._poll, name="deliveries", daemon=True)
        self._thread.start()

    def send(self, out: Outgoing) -> Future[None]:
        """A future that is done when Kafka has the record, or raises NotAcknowledged."""
        future: Future[None] = Future()
        future.set_running_or_notify_cancel()  # who waits may be gone by then: a delivery must not meet a cancelled one
        if self._closing.is_set():
            future.set_exception(NotAcknowledged("the producer is closed"))
            return future
        producer = self._producer

        def delivered(error: KafkaError | None, _: Message) -> None:
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(NotAcknowledged(f"{error.name()}: {error.str()}"))

        try:
            producer.produce(out.topic, out.value, out.key, headers=list(out.headers), on_delivery=delivered)
        except (KafkaException, BufferError) as error:
            self._replace_if_broken(producer, error)
            future.set_exception(NotAcknowledged(str(error)))
        return future

    def send_all(self, outs: Iterable[Outgoing], timeout: float = 10) -> None:
        """Send and wait for all of them. Raises NotAcknowledged where one is not, after `timeout` seconds at most."""
        futures = [self.send(out) for out in outs]
        done, waiting = wait(futures, timeout)
        for future in done:
            future.result()
        if waiting:
            raise NotAcknowledged(
                f"{len(waiting)} of {len(futures)} records without an answer after {timeout} s"
            )

    def close(self, timeout: float = 5) -> None:
        """Send what is queued and stop; what Kafka has not acknowledged by then is NotAcknowledged."""
        self._producer.flush(timeout)
        self._closing.set()
        self._thread.join()
        for producer in (self._producer, *self._broken):
            producer.purge()
            producer.flush(timeout)  # serves the answers of what was purged

    def _poll(self) -> None:
        while not self._closing.is_set():
            self._producer.poll(0.1)
            for producer in list(self._broken):
                producer.poll(0)
                if len(producer) == 0:
                    self._broken.remove(producer)

    def _replace_if_broken(self, producer: Producer, error: Exception) -> None:
        """An idempotent producer that hit a fatal error never sends again: a new one does."""
        if not (isinstance(error, KafkaException) and error.args[0].fatal()):
            return
        with self._lock:
            if self._producer is producer:  # else another thread was first
                self._broken.append(producer)
                self._producer = Producer(self._config)
