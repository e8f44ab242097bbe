"""A feed and an API of review, each in a thread of this process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import uvicorn
from redis import Redis

from services.events.topics import load_topics
from services.review.accounts import open_accounts
from services.review.app import Clients, build_app
from services.review.deadletters import DeadLetters
from services.review.feed import Feed
from services.review.metrics import FeedMetrics
from services.review.queue import Queues
from services.review.rebuild import Rebuilder
from services.review.settings import ApiSettings, FeedSettings
from services.runtime.acknowledged import AcknowledgedProducer
from services.runtime.health import Health
from services.runtime.kafka import admin, lone_consumer
from services.runtime.publishing import Publisher


def until(condition: Callable[[], Any], what: str, timeout: float = 120) -> Any:
    """The first true answer of `condition`; fails after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"waited {timeout} s in vain: {what}"
        time.sleep(0.02)
    return answer


class RunningFeed:
    """A feed in a thread."""

    def __init__(self, settings: FeedSettings) -> None:
        self.health, self.metrics = Health(), FeedMetrics()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(settings,), daemon=True)
        self._thread.start()

    def _run(self, settings: FeedSettings) -> None:
        consumer, cluster = lone_consumer(settings, "review-feed"), admin(settings)
        producer = AcknowledgedProducer(settings, settings.acknowledge_ms)
        rebuilder = Rebuilder(settings, consumer, cluster, producer, Publisher("review", load_topics()))
        queues = Queues(Redis.from_url(settings.redis_url))
        dead = DeadLetters(consumer, producer)
        Feed(settings, consumer, cluster, queues, rebuilder, dead, self.health, self.metrics).run(
            self._stop.is_set
        )
        consumer.close()
        producer.close()

    def stop(self) -> None:
        """Stop and wait."""
        self._stop.set()
        self._thread.join(120)
        assert not self._thread.is_alive()


class RunningApi:
    """The API in a thread, on a free port."""

    def __init__(self, settings: ApiSettings) -> None:
        self.producer = AcknowledgedProducer(settings, settings.acknowledge_ms)
        self.redis = Redis.from_url(settings.redis_url)
        self.accounts = open_accounts(settings)
        publisher = Publisher("review", load_topics())
        app = build_app(settings, Clients(self.redis, self.accounts, self.producer, publisher))
        self._server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning"))
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        until(lambda: self._server.started, "the API has started")
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"

    def stop(self) -> None:
        """Stop and wait."""
        self._server.should_exit = True
        self._thread.join(120)
        self.producer.close()
        self.redis.close()
