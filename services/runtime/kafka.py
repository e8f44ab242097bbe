"""Configuration of Kafka clients, in one place, with the reason for each setting."""

from collections.abc import Callable
from typing import Any

from confluent_kafka import Consumer, KafkaError, Producer
from confluent_kafka.admin import AdminClient

from services.runtime.settings import LoopSettings, Settings

CLIENT: dict[str, Any] = {
    "retry.backoff.ms": 5,  # a new transaction right after a commit is told "concurrent": the default waits 100 ms
    "reconnect.backoff.ms": 50,
    "reconnect.backoff.max.ms": 1000,  # a broker that comes back is found within a second
    "log.connection.close": False,
    # librdkafka 2.16 drops its brokers when all are away and then waits for ever for a coordinator that it dropped
    # (seen after a restart of the only broker: commit_transaction never returned): keep the brokers it knows.
    "metadata.recovery.strategy": "none",
}
# The client writes its own lines to standard error. Handing them to a Python logger ended a test process with a
# segmentation fault more than once: the callback is called from within whatever call of the client comes next.
PRODUCER: dict[str, Any] = CLIENT | {
    "enable.idempotence": True,
    "acks": "all",
    "partitioner": "murmur2_random",  # the hash of Java and Faust: one item, one partition
    "compression.type": "lz4",
    "linger.ms": 0,  # batches come from the loop, waiting for more would only add latency
    "message.max.bytes": 2_200_000,  # dead.letter takes 2 MiB; sizes are checked before
}
CONSUMER: dict[str, Any] = CLIENT | {
    "isolation.level": "read_committed",
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "earliest",
    "fetch.wait.max.ms": 50,
    "fetch.error.backoff.ms": 50,
    # Once 100,000 records wait to be consumed the client fetches no more for this long; the default of a second lets
    # whoever works a backlog off faster than that run dry.
    "fetch.queue.backoff.ms": 20,
    "topic.metadata.propagation.max.ms": 1000,
    "enable.partition.eof": True,  # says how far a partition has been read where the last offset is a marker
}


def plain_producer(settings: Settings) -> Producer:
    """A producer without transactions: a delivery report is the acknowledgement."""
    return Producer(PRODUCER | {"bootstrap.servers": settings.kafka})


def transactional_producer(settings: LoopSettings, service: str) -> Producer:
    """The producer of one slot. Its transactional id is stable, so a second one fences the first."""
    return Producer(
        PRODUCER
        | {
            "bootstrap.servers": settings.kafka,
            "transactional.id": f"{service}-{settings.slot}",
            "transaction.timeout.ms": settings.transaction_timeout_ms,
            # What a transaction holds goes out with the commit, which waits for nothing: few requests, each of many
            # records, instead of as many as the client's thread finds time for (decision 65).
            "linger.ms": 20,
            # A commit fails where a delivery did: reports of all the others would be made for nobody.
            "delivery.report.only.error": True,
            "queue.buffering.max.messages": 1_000_000,
            "queue.buffering.max.kbytes": 1_048_576,
        }
    )


def group_consumer(settings: LoopSettings, service: str, on_error: Callable[[KafkaError], None]) -> Consumer:
    """The consumer of one slot: a static member, so that a restarted worker has its shards again at once.

    `on_error` hears, while consuming, of errors that concern no record, as in all brokers being away.
    """
    return Consumer(
        CONSUMER
        | {
            "bootstrap.servers": settings.kafka,
            "group.id": service,
            "group.instance.id": f"{service}-{settings.slot}",
            "error_cb": on_error,
            "partition.assignment.strategy": "range",  # shard p is partition p of every topic
            "session.timeout.ms": settings.session_timeout_ms,
            "heartbeat.interval.ms": max(300, settings.session_timeout_ms // 10),
            "topic.metadata.refresh.interval.ms": settings.metadata_refresh_ms,
        }
    )


def lone_consumer(settings: Settings, name: str) -> Consumer:
    """A consumer outside any group, which is told its partitions and commits nothing."""
    return Consumer(CONSUMER | {"bootstrap.servers": settings.kafka, "group.id": f"{name}-alone"})


def admin(settings: Settings) -> AdminClient:
    """A client that asks the cluster about itself. Its calls raise what goes wrong: its own lines add nothing."""
    return AdminClient(CLIENT | {"bootstrap.servers": settings.kafka, "log_level": 2})
