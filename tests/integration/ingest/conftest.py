"""The world of these tests: a broker for each file, since services have fixed topics; a data folder with it."""

from collections.abc import Iterator

import pytest

from infra.local.kafka import Kafka
from infra.local.ports import free_ports
from infra.local.redis import Redis
from tests.integration.analytics.running import World


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    port, controller_port = free_ports(2)
    broker = Kafka(tmp_path_factory.mktemp("broker"), port, controller_port)
    broker.start()
    broker.wait_for_transactions()
    yield broker
    broker.kill()


@pytest.fixture(scope="module")
def world(broker: Kafka, redis_server: Redis, tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(broker.bootstrap, redis_server.url, tmp_path_factory.mktemp("world"))
    world.apply_topics()
    return world
