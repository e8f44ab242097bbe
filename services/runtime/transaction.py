"""One transaction of one slot: what a failure means, in one place."""

import time
from collections.abc import Callable
from typing import TypeVar

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from services.runtime.errors import Fenced
from services.runtime.positions import Partition
from services.runtime.records import Headers

R = TypeVar("R")
log = structlog.get_logger()


class MustAbort(Exception):
    """The transaction cannot be committed: abort, seek back, handle the batch again."""


class Transaction:
    """A transactional producer whose calls return, ask for an abort (MustAbort), or end the worker (Fenced)."""

    def __init__(self, producer: Producer, patience: float = 5) -> None:
        self._producer = producer
        self._patience = patience  # seconds that one call may take before it is called again

    def init(self, stopping: Callable[[], bool]) -> bool:
        """Fence whoever had the slot before and finish what it left open. False where the worker stops first."""
        while not stopping():
            try:
                self._producer.init_transactions(self._patience)
                return True
            except KafkaException as exception:
                error: KafkaError = exception.args[0]
                if error.fatal() and not error.retriable():
                    raise Fenced(error.str()) from exception
                log.warning("waiting for the transaction coordinator", error=error.name())
                time.sleep(0.2)
        return False

    def begin(self) -> None:
        """Open a transaction."""
        self._call(self._producer.begin_transaction)

    def produce(
        self, topic: str, key: bytes, value: bytes | None, headers: Headers, partition: int = -1
    ) -> None:
        """Queue a record, to partition `partition` or by the hash of its key."""
        while True:
            try:
                self._producer.produce(topic, value, key, partition, headers=list(headers))
                return
            except BufferError:  # the client's queue is full: let it send
                self._producer.poll(0.05)
            except KafkaException as exception:
                raise MustAbort(exception.args[0].str()) from exception

    def commit(self, offsets: dict[Partition, int], consumer: Consumer) -> None:
        """Commit outputs and offsets together. A commit that times out is called again until its end is known."""
        if offsets:
            where = [TopicPartition(topic, number, offset) for (topic, number), offset in offsets.items()]
            group = consumer.consumer_group_metadata()
            self._call(lambda: self._producer.send_offsets_to_transaction(where, group, self._patience))
        self._call(lambda: self._producer.commit_transaction(self._patience))

    def abort(self) -> None:
        """Abort; nothing of the batch becomes visible."""
        self._call(lambda: self._producer.abort_transaction(self._patience))

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
                    raise
                log.warning("calling again", error=error.name(), detail=error.str())
                time.sleep(0.05)
