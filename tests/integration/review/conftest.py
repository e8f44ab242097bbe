"""A world for each test, and a Redis of our own that tests may flush."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis as Client

from infra.local.kafka import Kafka
from infra.local.ports import free_ports
from infra.local.redis import Redis
from tests.integration.review.world import World


@pytest.fixture(scope="session")
def review_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """A redis-server that nobody else uses."""
    server = Redis(tmp_path_factory.mktemp("review-redis"), *free_ports(1))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def world(kafka: Kafka, review_redis: Redis, tmp_path: Path) -> Iterator[World]:
    """Review with a queue of its own; Redis is empty."""
    with Client.from_url(review_redis.url) as client:
        client.flushall()
    made = World(kafka.bootstrap, review_redis.url, tmp_path)
    yield made
    made.close()
