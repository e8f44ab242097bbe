"""Consumers and a producer that go on while their broker is away: `python -m … BOOTSTRAP TOPIC PARTITIONS`, until a
line comes in. librdkafka's own lines are on standard error.
"""

import sys
import threading

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from services.runtime.acknowledged import AcknowledgedProducer
from services.runtime.kafka import CONSUMER
from services.runtime.records import Outgoing
from services.runtime.settings import Settings

CONSUMERS, PRODUCERS = 10, 3


def main(bootstrap: str, topics: list[str], partitions: int) -> None:
    """Until standard input has a line."""
    over = threading.Event()
    reading = threading.Barrier(CONSUMERS + 1)

    def consume(group: str) -> None:
        consumer = Consumer(CONSUMER | {"bootstrap.servers": bootstrap, "group.id": group})
        consumer.assign(
            [
                TopicPartition(topic, number, OFFSET_BEGINNING)
                for topic in topics
                for number in range(partitions)
            ]
        )
        while not consumer.consume(1000, 0.2):
            pass
        reading.wait()
        while not over.is_set():
            consumer.consume(1000, 0.2)
        consumer.close()

    def produce(producer: AcknowledgedProducer) -> None:
        sent = 0
        while not over.wait(0.002):
            sent += 1
            topic = topics[sent % len(topics)]
            producer.send(Outgoing(topic, topic, str(sent).encode(), b"x" * 200))
        producer.close()

    threads = [threading.Thread(target=consume, args=(f"many-{number}",)) for number in range(CONSUMERS)]
    producers = [AcknowledgedProducer(Settings(kafka=bootstrap)) for _ in range(PRODUCERS)]
    threads += [threading.Thread(target=produce, args=(producer,)) for producer in producers]
    for thread in threads:
        thread.start()
    reading.wait()
    print("reading", flush=True)
    sys.stdin.readline()
    over.set()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2].split(","), int(sys.argv[3]))
