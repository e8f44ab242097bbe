"""One transaction of one slot: what a failure means, in one place."""

import time
from collections.abc import Callable, Iterable
from typing import TypeVar

import structlog
from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition

from services.runtime.errors import Fenced, Unfinished
from services.runtime.positions import Partition
from services.runtime.records import Headers, Outgoing

R = TypeVar("R")
log = structlog.get_logger()


class MustAbort(Exception):
    """The transaction cannot be committed: abort, seek back, handle the batch again."""


class Transaction:
    """A transactional producer whose calls return, ask for an abort (MustAbort), or end the worker (RuntimeFault).

    `waiting` hears why a call has to be made again; when `stopping` by then, it is not: Unfinished.
    """

    def __init__(
        self,
        producer: Producer,
        stopping: Callable[[], bool],
        waiting: Callable[[str], None],
        patience: float = 5,
    ) -> None:
        self._producer = producer
        self._stopping, self._waiting = stopping, waiting
        self._patience = patience  # seconds that one call may take before it is called again

    def init(self) -> bool:
        """Fence whoever had the slot before and finish what it left open. False where the worker stops first."""
        while not self._stopping():
            try:
                self._producer.init_transactions(self._patience)
                return True
            except KafkaException as exception:
                error: KafkaError = exception.args[0]
                if error.fatal() and not error.retriable():
                    raise Fenced(error.str()) from exception
                self._waiting(f"waiting for Kafka's transaction coordinator: {error.str()}")
                log.warning("waiting for the transaction coordinator", error=error.name())
                time.sleep(0.2)
        return False

    def begin(self) -> None:
        """Open a transaction."""
        self._call(self._producer.begin_transaction)

    def produce_all(self, records: Iterable[Outgoing]) -> None:
        """Queue the records, each by the hash of its key. Raises MustAbort."""
        produce = self._producer.produce
        for out in records:
            try:
                if out.headers:
                    produce(out.topic, out.value, out.key, headers=list(out.headers))
                else:  # an empty list costs as much as the rest of the call
                    produce(out.topic, out.value, out.key)
            except (BufferError, KafkaException):
                self.produce(out.topic, out.key, out.value, out.headers)

    def produce(
        self, topic: str, key: bytes, value: bytes | None, headers: Headers = (), partition: int = -1
    ) -> None:
        """Queue a record, to partition `partition` or by the hash of its key. Raises MustAbort."""
        while True:
            try:
                self._producer.produce(topic, value, key, partition, headers=list(headers))
                return
            except BufferError:  # the client's queue is full: let it send
                self._producer.poll(0.05)
            except KafkaException as exception:
                raise MustAbort(exception.args[0].str()) from exception

    def commit(self, offsets: dict[Partition, int], group: object) -> None:
        """Commit outputs and offsets together. A commit that times out is called again until its end is known.

        `group` is the consumer's group metadata as it was when the partitions were given: Kafka refuses the offsets
        of a worker that no longer has them.
        """
        if offsets:
            where = [TopicPartition(topic, number, offset) for (topic, number), offset in offsets.items()]
            self._call(lambda: self._producer.send_offsets_to_transaction(where, group, self._patience))
        self._call(lambda: self._producer.commit_transaction(self._patience))

    def abort(self) -> None:
        """Abort; nothing of the batch becomes visible."""
        try:
            self._call(lambda: self._producer.abort_transaction(self._patience))
        except MustAbort as exception:  # it cannot even abort: whoever has the slot next does
            raise Unfinished(f"the transaction could not be aborted: {exception}") from exception

    def serve(self) -> None:
        """Let the client say what it has to: its log lines wait for this."""
        self._producer.poll(0)

    def _call(self, call: Callable[[], R]) -> R:
        while True:
            try:
                return call()
            except KafkaException as exception:
                error: KafkaError = exception.args[0]
                if error.fatal():
                    raise Fenced(f"{error.name()}: {error.str()}") from exception
                if error.txn_requires_abort():
                    raise MustAbort(error.str()) from exception
                if not error.retriable() and error.code() != KafkaError._TIMED_OUT:
                    raise Unfinished(f"{error.name()}: {error.str()}") from exception
                if self._stopping():
                    raise Unfinished(
                        f"told to stop while Kafka does not answer: {error.str()}"
                    ) from exception
                self._waiting(f"Kafka does not answer: {error.str()}")
                log.warning("calling again", error=error.name(), detail=error.str())
                time.sleep(0.05)
