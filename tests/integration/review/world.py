"""Review on a real Kafka and a real Redis: a feed, an API over HTTP, people, and the events of other services."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from confluent_kafka.admin import AdminClient
from redis import Redis

from infra.topics import KafkaTopic, apply, plan
from services.events.codec import decode
from services.events.fresh import fresh_id
from services.events.ids import item_key, parse_task_id, task_id
from services.events.instants import from_millis
from services.events.topics import load_topics
from services.events.types import (
    ClosingReason,
    Item,
    ReviewClosed,
    ReviewClustered,
    ReviewCompleted,
    ReviewRequested,
    ReviewSettled,
    Score,
    Selection,
    Span,
)
from services.review.queue import Queue, Queues
from services.review.settings import ApiSettings, FeedSettings
from services.runtime.acknowledged import AcknowledgedProducer
from services.runtime.clock import now_ms
from services.runtime.publishing import Publisher
from services.runtime.reading import whole_topics
from tests.integration.review.running import RunningApi, RunningFeed, until

PASSWORD = "correct horse battery"


@dataclass
class Person:
    """Somebody who is logged in with a bearer token."""

    name: str
    queue: str
    http: httpx.Client

    def claim(self, *at_hand: str) -> Any:
        """A task, or None where there is none."""
        answer = self.http.post(f"/v1/queues/{self.queue}/claim", json={"at_hand": list(at_hand)})
        assert answer.status_code in (200, 204), answer.text
        return answer.json() if answer.status_code == 200 else None

    def decide(
        self, task: Any, action: str = "remove", token: str | None = None, **more: Any
    ) -> httpx.Response:
        """Send a verdict."""
        body = {"token": token or task["token"], "action": action, "categories": ["spam"], **more}
        return self.http.post(f"/v1/tasks/{task['task_id']}/verdict", json=body)

    def lease(self, task: Any, what: str) -> httpx.Response:
        """`extend` or `release`."""
        return self.http.post(f"/v1/tasks/{task['task_id']}/{what}", json={"token": task["token"]})

    def undo(self, verdict_id: str) -> httpx.Response:
        """Take a verdict back."""
        return self.http.post(f"/v1/verdicts/{verdict_id}/undo")


def login(url: str, name: str, queue: str) -> Person:
    """Log somebody in who has an account."""
    fresh = httpx.Limits(max_keepalive_connections=0)  # the server may just be closing an idle one
    http = httpx.Client(base_url=url, timeout=60, limits=fresh)
    answer = http.post("/v1/login", json={"name": name, "password": PASSWORD, "bearer": True})
    assert answer.status_code == 200, answer.text
    http.headers["Authorization"] = f"Bearer {answer.json()['token']}"
    return Person(name, queue, http)


@dataclass
class World:
    """One queue of its own on the session's Kafka, and a Redis that may be flushed."""

    bootstrap: str
    redis_url: str
    folder: Path
    queue: str = field(default_factory=lambda: f"q{uuid.uuid4().hex[:10]}")
    source: str = field(default_factory=lambda: f"s{uuid.uuid4().hex[:10]}")

    def __post_init__(self) -> None:
        self.cluster = AdminClient({"bootstrap.servers": self.bootstrap})
        wanted = plan(load_topics(), 4)
        apply(self.cluster, [*wanted, KafkaTopic(f"review.requested.{self.queue}", 4, {})])
        self.feed_settings = FeedSettings(
            **self.common(), review_tick_ms=50, metadata_refresh_ms=500, acknowledge_ms=500
        )
        self.producer = AcknowledgedProducer(self.feed_settings)
        self.publisher = Publisher("router", load_topics())
        self.redis = Redis.from_url(self.redis_url)
        self.board: Queue = Queues(self.redis).get(self.queue)
        self._stops: list[Callable[[], None]] = [self.producer.close, self.redis.close]

    def common(self) -> dict[str, Any]:
        """Settings of both processes."""
        database = f"sqlite:///{self.folder}/accounts.db"
        return {"kafka": self.bootstrap, "redis_url": self.redis_url, "database_url": database}

    def feed(self, **settings: Any) -> RunningFeed:
        """A feed that has this world's queue ready; other queues may still be waited for."""
        feed = RunningFeed(self.feed_settings.model_copy(update=settings))
        self._stops.append(feed.stop)
        until(lambda: self.board.look().state == "ready", "the queue is ready")
        return feed

    def api(self, **settings: Any) -> RunningApi:
        """An API."""
        defaults: dict[str, Any] = {"acknowledge_ms": 5_000, "review_console": self.folder / "none"}
        api = RunningApi(ApiSettings(**(self.common() | defaults | settings)))
        self._stops.append(api.stop)
        return api

    def person(self, api: RunningApi, name: str, role: str = "moderator") -> Person:
        """Somebody with an account, logged in."""
        if api.accounts.get(name) is None:
            api.accounts.create(name, role, PASSWORD)
        person = login(api.url, name, self.queue)
        self._stops.append(person.http.close)
        return person

    def request(self, name: str, /, revision: int = 1, seen: bool = True, **more: Any) -> str:
        """The router asks people; answers the task, once the feed has it (where `seen`)."""
        task = task_id(self.source, name, revision, 1)
        now = now_ms()
        fields: dict[str, Any] = {
            "event_id": fresh_id(),
            "occurred_at": from_millis(now),
            "task_id": task,
            "source": self.source,
            "item_id": name,
            "revision": revision,
            "decision_seq": 1,
            "purpose": "decision",
            "queue": self.queue,
            "item": Item(kind="post", text=f"Is {name} a good post?", language="en"),
            "scores": (Score(category="toxicity", probability=0.6), Score(category="spam", probability=0.4)),
            "explanation": (Span(start=0, end=2, category="toxicity", weight=1.0),),
            "selection": Selection(reason="uncertain", probability=1.0),
            "severity": 1.0,
            "deadline": from_millis(now + 60_000),
            "expires_at": from_millis(now + 3_600_000),
            "votes_wanted": 1,
            "lease_seconds": 60,
        }
        self.publish(ReviewRequested(**(fields | more)))
        if seen:
            until(lambda: self.board.body(task), "the feed has the task")
        return task

    def clustered(self, *tasks: str, cluster: str = "c" * 32) -> None:
        """These tasks are near copies; returns once the feed knows of those that it may tell of."""
        for size, task in enumerate(tasks, 1):
            parts = parse_task_id(task)
            self.publish(
                ReviewClustered(
                    event_id=fresh_id(),
                    occurred_at=from_millis(now_ms()),
                    task_id=task,
                    source=parts.source,
                    item_id=parts.item_id,
                    revision=parts.revision,
                    queue=self.queue,
                    cluster=cluster,
                    size=size,
                    similarity=0.9 if size > 1 else None,
                    method="minhash-2-128-4-n2",
                )
            )
        public = [task for task in tasks if not task.endswith(".audit")]
        until(lambda: self.knows_clusters(*public), "the feed has the clusters")

    def knows_clusters(self, *tasks: str) -> bool:
        """Whether Redis has a cluster for each of these tasks."""
        return all(self.redis.hexists(f"review:{{{self.queue}}}:near", task) for task in tasks)

    def close_task(self, task: str, reason: ClosingReason, revision: int = 1) -> None:
        """The router closes a task."""
        item = task.partition("/")[2].rpartition("@")[0]
        self.publish(
            ReviewClosed(
                event_id=fresh_id(),
                occurred_at=from_millis(now_ms()),
                source=self.source,
                item_id=item,
                revision=revision,
                task_id=task,
                reason=reason,
            )
        )

    def withdraw(self, item: str, revision: int = 1) -> None:
        """The router closes an item."""
        self.publish(
            ReviewClosed(
                event_id=fresh_id(),
                occurred_at=from_millis(now_ms()),
                source=self.source,
                item_id=item,
                revision=revision,
                reason="withdrawn",
            )
        )

    def settle(self, task: str, action: str = "remove", agreed: bool = True) -> None:
        """The adjudicator settles a task; where people do not agree, the router asks experts."""
        item = task.partition("/")[2].rpartition("@")[0]
        now = from_millis(now_ms())
        self.publish(
            ReviewSettled(
                event_id=fresh_id(),
                occurred_at=now,
                task_id=task,
                source=self.source,
                item_id=item,
                revision=1,
                decision_seq=1,
                purpose="decision",
                queue=self.queue,
                agreed=agreed,
                reason="agreed" if agreed else "escalated",
                action=action if agreed else None,  # type: ignore[arg-type]
                agreement=1.0,
                selection=Selection(reason="uncertain", probability=1.0),
                requested_at=now,
            )
        )

    def publish(
        self,
        event: ReviewRequested | ReviewClustered | ReviewClosed | ReviewSettled | ReviewCompleted,
    ) -> None:
        """Produce an event and wait for Kafka."""
        self.producer.send_all([self.publisher.outgoing(event, item_key(event.source, event.item_id))])

    def verdicts(self) -> list[ReviewCompleted]:
        """All verdicts and retractions of this queue in Kafka, in order of their offsets."""
        found = self.records("review.completed")
        events = [decode(ReviewCompleted, raw) for raw in found if self.queue.encode() in raw]
        return [event for event in events if event.queue == self.queue]

    def records(self, topic: str) -> list[bytes]:
        """The values of all committed records of a topic."""
        with closing(whole_topics(self.feed_settings, "test", [topic])) as reader:
            return [record.value or b"" for record in reader.to_end()]

    def close(self) -> None:
        """Stop everything."""
        for stop in reversed(self._stops):
            stop()
        self.cluster.delete_topics([f"review.requested.{self.queue}"])[
            f"review.requested.{self.queue}"
        ].result(30)


__all__ = ["PASSWORD", "Person", "RunningApi", "World", "until"]
