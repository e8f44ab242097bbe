"""Following the outcome topics while a run goes on: for progress, and for knowing when everything is settled.

The count at the end does not rest on it: that one scans anew.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from loadtests.judge import Report, judge
from loadtests.manifest import Manifest, read
from loadtests.outcomes import OUTCOME_TOPICS, Outcomes
from loadtests.scan import base_of
from services.events import codec
from services.events.types import AlarmRaised, ModelReleased

T = TypeVar("T")


class Follow:
    """Reads committed records in a thread, from the beginning on."""

    def __init__(self, bootstrap: str, manifest: Manifest) -> None:
        self.models: list[ModelReleased] = []
        self.alarms: list[AlarmRaised] = []
        self._manifest = manifest
        self._outcomes = Outcomes()
        self._seen: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._error: Exception | None = None
        config = {"group.id": "follow", "enable.auto.commit": False, "isolation.level": "read_committed"}
        self._consumer = Consumer(config | {"bootstrap.servers": bootstrap, "fetch.wait.max.ms": 100})
        self._thread = threading.Thread(target=self._run, name="follow", daemon=True)
        self._thread.start()

    def with_outcomes(self, ask: Callable[[Outcomes], T]) -> T:
        """An answer from the outcomes so far. Raises what ended the reading."""
        with self._lock:
            if self._error is not None:
                raise self._error
            return ask(self._outcomes)

    def seen(self, topic: str) -> int:
        """Records of a topic, by its base name, so far."""
        with self._lock:
            return self._seen[topic]

    def report(self) -> Report:
        """The judgement as of now: what is open counts as lost."""
        told = read(self._manifest.path)
        return self.with_outcomes(lambda outcomes: judge(told, outcomes))

    def open_tasks(self) -> int:
        """Tasks that were neither settled nor closed, audits included."""
        return self.with_outcomes(_open_tasks)

    def close(self) -> None:
        """Stop."""
        self._stopping.set()
        self._thread.join(10)
        self._consumer.close()

    def _run(self) -> None:
        try:
            wanted = {*OUTCOME_TOPICS, "model.released", "alarm.raised"}
            topics = self._consumer.list_topics(timeout=30).topics
            found = [(name, p) for name in topics if base_of(name) in wanted for p in topics[name].partitions]
            self._consumer.assign([TopicPartition(*each, OFFSET_BEGINNING) for each in found])
            while not self._stopping.is_set():
                self._take()
        except Exception as error:
            self._error = error

    def _take(self) -> None:
        for message in self._consumer.consume(5000, 0.2):
            value = message.value()
            if message.error() is not None or not isinstance(value, bytes):
                continue  # the client goes on by itself, and tombstones say nothing here
            base = base_of(str(message.topic()))
            with self._lock:
                self._seen[base] += 1
                if base == "model.released":
                    self.models.append(codec.decode(ModelReleased, value))
                elif base == "alarm.raised":
                    self.alarms.append(codec.decode(AlarmRaised, value))
                else:
                    self._outcomes.add(codec.decode(OUTCOME_TOPICS[base], value), message.timestamp()[1])


def _open_tasks(outcomes: Outcomes) -> int:
    return sum(
        not outcomes.settlements.get(task) and outcomes.closed(outcomes.key(task), task) is None
        for task in outcomes.requests
    )
