"""A broker of our own with every topic, and the monitor as a process: these tests kill both."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from confluent_kafka.admin import AdminClient

from infra.local.kafka import Kafka
from infra.local.ports import free_ports
from infra.topics import apply, plan
from services.events.topics import load_topics
from services.runtime.settings import Settings
from tests.integration.monitor.running import SHARDS, Topics


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """A broker with the topics of topics.yaml."""
    port, controller_port = free_ports(2)
    kafka = Kafka(tmp_path_factory.mktemp("kafka"), port, controller_port)
    kafka.start()
    apply(AdminClient({"bootstrap.servers": kafka.bootstrap}), plan(load_topics(), SHARDS))
    yield kafka
    kafka.kill()


@pytest.fixture(scope="module")
def settings(broker: Kafka) -> Settings:
    """Settings of clients of that broker."""
    return Settings(kafka=broker.bootstrap, shards=SHARDS)


@pytest.fixture(scope="module")
def topics(settings: Settings) -> Iterator[Topics]:
    both = Topics(settings)
    yield both
    both.close()
