"""Fixtures that every test may use: a real Apache Kafka and a real redis-server, one each a session, on free ports."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator

import pytest
from confluent_kafka.admin import AdminClient, NewTopic
from hypothesis import HealthCheck, settings

from infra.local.kafka import Kafka
from infra.local.ports import free_ports
from infra.local.redis import Redis

MakeTopic = Callable[..., str]

# Test processes that run side by side look for free ports in ranges of their own.
_WORKER = int(
    os.environ.get("PYTEST_XDIST_WORKER", "gw-1").removeprefix("gw")
)  # -1: the whole stack's, beside them
_FIRST = 20_000 + 4_000 * (_WORKER % 3) if _WORKER >= 0 else 12_000
os.environ["SLUICEGATE_FREE_PORTS"] = f"{_FIRST}-{_FIRST + 4_000}"

# Brokers of tests live for minutes: compiling their code well costs more than it gains (5 s of CPU a start, not 8).
os.environ.setdefault("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1")

# How fast a shared machine makes up examples says nothing about the code.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """A broker: `.bootstrap`, `.start()`, `.stop()`, `.kill()`, `.restart()`. Who stops it starts it again."""
    port, controller_port = free_ports(2)
    broker = Kafka(tmp_path_factory.mktemp("kafka"), port, controller_port)
    broker.start()
    broker.wait_for_transactions()
    yield broker
    broker.kill()  # its data is thrown away


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """A redis-server: `.url`, `.start()`, `.stop()`, `.kill()`, `.restart()`. Who stops it starts it again."""
    server = Redis(tmp_path_factory.mktemp("redis"), *free_ports(1))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def redis_url(redis_server: Redis) -> str:
    """The URL of the session's Redis. It is shared: use keys of your own, or flush what you wrote."""
    return redis_server.url


@pytest.fixture
def make_topic(kafka: Kafka) -> MakeTopic:
    """`make_topic("decided", partitions=4, config={"cleanup.policy": "compact"})` creates a topic of a unique name
    that begins with the one given, and returns that name.
    """

    def make(prefix: str = "test", partitions: int = 1, config: dict[str, str] | None = None) -> str:
        name = f"{prefix}-{uuid.uuid4().hex[:12]}"
        admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
        topic = NewTopic(name, num_partitions=partitions, replication_factor=1, config=config or {})
        admin.create_topics([topic])[name].result(timeout=30)
        return name

    return make
