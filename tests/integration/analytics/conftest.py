"""The world of these tests: a broker for each file, since services have fixed topics; a data folder for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.kafka import Kafka
from infra.local.ports import free_ports
from tests.integration.analytics.running import World


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    port, controller_port = free_ports(2)
    broker = Kafka(tmp_path_factory.mktemp("broker"), port, controller_port)
    broker.start()
    broker.wait_for_transactions()
    yield broker
    broker.kill()


@pytest.fixture
def world(broker: Kafka, redis_url: str, tmp_path: Path) -> World:
    world = World(broker.bootstrap, redis_url, tmp_path)
    world.apply_topics()
    return world
