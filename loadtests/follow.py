"""Following the outcome topics while a run goes on: for progress, and for knowing when everything is settled.

The count at the end does not rest on it: that one scans anew.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from loadtests.judge import Report, judge
from loadtests.manifest import Manifest, read
from loadtests.outcomes import OUTCOME_TOPICS, Outcomes
from loadtests.scan import base_of
from services.events import codec
from services.events.types import AlarmRaised, ModelReleased
from services.runtime.kafka import admin
from services.runtime.reading import whole_topics
from services.runtime.records import Record
from services.runtime.settings import Settings

T = TypeVar("T")


class Follow:
    """Reads committed records in a thread, from the beginning on."""

    def __init__(self, settings: Settings, manifest: Manifest) -> None:
        self._settings = settings
        self._manifest = manifest
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._error: Exception | None = None
        self._outcomes = Outcomes()
        self.models: list[ModelReleased] = []
        self.alarms: list[AlarmRaised] = []
        self._thread = threading.Thread(target=self._run, name="follow", daemon=True)
        self._thread.start()

    def with_outcomes(self, ask: Callable[[Outcomes], T]) -> T:
        """An answer from the outcomes so far. Raises what ended the reading."""
        with self._lock:
            if self._error is not None:
                raise self._error
            return ask(self._outcomes)

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

    def _run(self) -> None:
        try:
            self._read()
        except Exception as error:
            self._error = error

    def _read(self) -> None:
        client = admin(self._settings)
        wanted = {*OUTCOME_TOPICS, "model.released", "alarm.raised"}
        topics = [name for name in client.list_topics(timeout=30).topics if base_of(name) in wanted]
        reader = whole_topics(self._settings, "follow", topics, client)
        try:
            while not self._stopping.is_set():
                for record in reader.poll(0.2):
                    self._take(base_of(record.topic), record)
        finally:
            reader.close()

    def _take(self, base: str, record: Record) -> None:
        if record.value is None:
            return  # tombstones say nothing here
        with self._lock:
            if base == "model.released":
                self.models.append(codec.decode(ModelReleased, record.value))
            elif base == "alarm.raised":
                self.alarms.append(codec.decode(AlarmRaised, record.value))
            else:
                self._outcomes.add(codec.decode(OUTCOME_TOPICS[base], record.value), record.timestamp)


def _open_tasks(outcomes: Outcomes) -> int:
    return sum(
        not outcomes.settlements.get(task) and outcomes.closed(outcomes.key(task), task) is None
        for task in outcomes.requests
    )
