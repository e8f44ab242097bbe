"""A broker for each test: topics have their real names, and what is live is one for all."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from infra.local.kafka import Kafka
from infra.local.ports import free_ports
from infra.topics import apply, plan
from services.events.topics import load_topics
from services.runtime.settings import Settings
from tests.integration.retrainer.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A broker with the topics of topics.yaml, two shards, and nothing live. Trains after 300 new labels."""
    port, controller_port, http_port = free_ports(3)
    broker = Kafka(tmp_path / "kafka", port, controller_port)
    broker.start()
    try:
        apply(AdminClient({"bootstrap.servers": broker.bootstrap}), plan(load_topics(), 2))
        (tmp_path / "var").mkdir()
        settings = Settings(kafka=broker.bootstrap, var=tmp_path / "var", shards=2)
        world = World(settings, http_port, retrain_after=300, bootstrap_resamples=300)
        with world.client:
            yield world
    finally:
        broker.kill()
