"""A world for ingest and analytics: topics on a real broker, services as processes, an independent reader of Kafka."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from infra import topics as kafka_topics
from infra.local.ports import free_ports
from services.analytics.rows import table_of
from services.events.topics import base_of, load_topics
from services.runtime.kafka import PRODUCER

ROOT = Path(__file__).parents[3]
TOPICS = load_topics()


@dataclass
class World:
    """Where everything is; `env` holds the settings of every process."""

    kafka: str
    redis_url: str
    var: Path
    ingest_port: int = field(default_factory=lambda: free_ports(1)[0])
    analytics_port: int = field(default_factory=lambda: free_ports(1)[0])

    @property
    def env(self) -> dict[str, str]:
        values = {
            "KAFKA": self.kafka,
            "REDIS_URL": self.redis_url,
            "VAR": str(self.var),
            "DATABASE_URL": f"sqlite:///{self.var}/sluicegate.db",
            "CLICKHOUSE_URL": "",
            "INGEST_PORT": str(self.ingest_port),
            "ANALYTICS_PORT": str(self.analytics_port),
            "QUERY_SECONDS": "3",
            "ANALYTICS_URL": f"http://127.0.0.1:{self.analytics_port}",
        }
        return os.environ | {f"SLUICEGATE_{name}": value for name, value in values.items()}

    def settings(self) -> dict[str, Any]:
        """The same, for a service's Settings in this process."""
        return {
            "kafka": self.kafka,
            "redis_url": self.redis_url,
            "var": self.var,
            "database_url": f"sqlite:///{self.var}/sluicegate.db",
            "clickhouse_url": "",
        }

    def apply_topics(self, *sources: str) -> None:
        client = AdminClient({"bootstrap.servers": self.kafka})
        more = kafka_topics.known_sources(client) | set(sources)
        kafka_topics.apply(client, kafka_topics.plan(TOPICS, 4, sources=more))

    def producer(self, **config: Any) -> Producer:
        return Producer({**PRODUCER, "bootstrap.servers": self.kafka, **config})

    @contextmanager
    def process(self, *arguments: str, port: int, metrics_port: int = 0) -> Iterator[subprocess.Popen[bytes]]:
        """A service, ready; it is ended and has to end well. `metrics_port` is for those that have no other."""
        env = self.env | {"SLUICEGATE_METRICS_PORT": str(metrics_port)}
        with open(self.var / f"{arguments[-1]}.log", "ab") as log:
            running = subprocess.Popen(
                [sys.executable, "-m", *arguments], cwd=ROOT, env=env, stdout=log, stderr=log
            )
        try:
            wait_until(lambda: ready(port) or running.poll() is not None, 90, "ready")
            assert running.poll() is None, (self.var / f"{arguments[-1]}.log").read_text()[-4000:]
            yield running
        finally:
            running.terminate()
            try:
                running.wait(20)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()
                raise

    @contextmanager
    def ingest(self) -> Iterator[httpx.Client]:
        with (
            self.process("services.ingest", port=self.ingest_port),
            httpx.Client(base_url=f"http://127.0.0.1:{self.ingest_port}", timeout=30) as client,
        ):
            yield client

    @contextmanager
    def analytics(self) -> Iterator[httpx.Client]:
        with (
            self.process("services.analytics", port=self.analytics_port),
            httpx.Client(base_url=f"http://127.0.0.1:{self.analytics_port}", timeout=30) as client,
        ):
            yield client


def ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def wait_until(condition: Callable[[], Any], seconds: float, what: str) -> Any:
    """What the condition comes to, once it is true. AssertionError after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)
    return found


Place = tuple[str, int, int]


def committed(kafka: str) -> dict[Place, tuple[bytes, bytes | None]]:
    """Every committed record of every topic of ours: key and value by topic, partition, offset. Independent of the
    sink's own reading.
    """
    consumer = Consumer(
        {
            "bootstrap.servers": kafka,
            "group.id": "independent",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
        }
    )
    partitions = [
        TopicPartition(name, number, 0)
        for name, topic in consumer.list_topics(timeout=10).topics.items()
        if base_of(name) in TOPICS.topics
        for number in topic.partitions
    ]
    consumer.assign(partitions)
    ended: set[tuple[str, int]] = set()
    found: dict[Place, tuple[bytes, bytes | None]] = {}
    while len(ended) < len(partitions):
        for message in consumer.consume(10_000, 1):
            at = str(message.topic()), int(message.partition() or 0)
            if (error := message.error()) is not None:
                assert error.code() == KafkaError._PARTITION_EOF, error
                ended.add(at)
                continue
            key, value = message.key(), message.value()
            found[(*at, int(message.offset() or 0))] = (bytes(key or b""), value)
    consumer.close()
    return found


TABLES = sorted({table_of(base) for base in TOPICS.topics} | {"tombstones", "bad_rows"})
PLACES = " UNION ALL ".join(f"SELECT _topic, _partition, _offset FROM sluicegate.{table}" for table in TABLES)
