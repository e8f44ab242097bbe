"""Setting aside what the feed cannot read, once: a rebuild reads it again, and does not set it aside again."""

from confluent_kafka import Consumer, TopicPartition

from services.runtime.acknowledged import AcknowledgedProducer
from services.runtime.deadletter import dead_letter
from services.runtime.positions import Partition
from services.runtime.records import Record, Rejected


class DeadLetters:
    """Offsets below the group's committed one were set aside before; nothing else is committed in that group."""

    def __init__(self, consumer: Consumer, producer: AcknowledgedProducer) -> None:
        self._consumer, self._producer = consumer, producer
        self._done: dict[Partition, int] = {}

    def put(self, record: Record, error: str, reason: str, now: int) -> None:
        """Set a record aside. Raises NotAcknowledged where Kafka does not take it, and KafkaException."""
        partition = (record.topic, record.partition)
        if partition not in self._done:
            committed = self._consumer.committed([TopicPartition(*partition)], timeout=10)
            self._done[partition] = committed[0].offset
        if record.offset < self._done[partition]:
            return
        self._producer.send_all([dead_letter(Rejected(record, error, reason), "review", now)])
        after = TopicPartition(*partition, record.offset + 1)
        self._consumer.commit(offsets=[after], asynchronous=False)
        self._done[partition] = record.offset + 1
