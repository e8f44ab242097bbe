"""A broker with every topic, the retrainer as a process of its own, and what people said produced to it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.events.codec import decode, encode
from services.events.fresh import fresh_id
from services.events.types import AuditRecorded, Label, LabelRecorded, ModelReleased, Selection
from services.retrainer.core.training_set import Labelled
from services.runtime.kafka import plain_producer
from services.runtime.reading import whole_topics
from services.runtime.settings import Settings


class World:
    """What a test says and sees. `var` is the folder of bundles and outcomes."""

    def __init__(self, settings: Settings, port: int, **overrides: object) -> None:
        self.settings = settings
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10)
        self.environment = {
            **os.environ,
            "SLUICEGATE_KAFKA": settings.kafka,
            "SLUICEGATE_VAR": str(settings.var),
            "SLUICEGATE_RETRAINER_PORT": str(port),
            "SLUICEGATE_RETRAINER_URL": f"http://127.0.0.1:{port}",
            **{f"SLUICEGATE_{name.upper()}": str(value) for name, value in overrides.items()},
        }
        self._items = 0

    @contextmanager
    def retrainer(self) -> Iterator["subprocess.Popen[bytes]"]:
        """The service, ready; killed at the end if the test has not."""
        log = (self.settings.var / "retrainer.log").open("ab")
        process = subprocess.Popen(
            [sys.executable, "-m", "services.retrainer"], env=self.environment, stdout=log, stderr=log
        )
        try:
            wait_for("the retrainer to be ready", self.ready)
            yield process
        finally:
            process.kill()
            process.wait()
            log.close()

    def ready(self) -> bool:
        try:
            return self.client.get("/readyz").status_code == 200
        except httpx.HTTPError:
            return False

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """`sluicegate model …`."""
        return subprocess.run(
            [sys.executable, "-m", "services.cli", "model", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def say(self, labels: Iterable[Labelled]) -> list[bytes]:
        """Produce labels as the adjudicator does, each of an item of its own; return the keys."""
        producer = plain_producer(self.settings)
        keys = []
        for label in labels:
            self._items += 1
            item = f"item-{self._items}"
            toxic = label.answers.get("toxicity", False) or label.answers.get("spam", False)
            event = LabelRecorded(
                event_id=fresh_id(),
                occurred_at="2026-01-01T00:00:00.000Z",
                task_id=f"demo/{item}@1.1",
                source="demo",
                item_id=item,
                revision=1,
                kind="post",
                text=label.text,
                action="remove" if toxic else "allow",
                labels=tuple(Label(category=c, value=v) for c, v in label.answers.items()),
                purpose="decision",
                queue="general",
                selection=Selection(reason="uncertain", probability=1.0),
                agreement=1.0,
            )
            keys.append(f"demo/{item}".encode())
            producer.produce("label.recorded", key=keys[-1], value=encode(event))
        assert producer.flush(30) == 0
        return keys

    def withdraw(self, keys: Iterable[bytes]) -> None:
        """Produce tombstones."""
        producer = plain_producer(self.settings)
        for key in keys:
            producer.produce("label.recorded", key=key, value=None)
        assert producer.flush(30) == 0

    def trainings(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.client.get("/v1/trainings").raise_for_status().json()
        return answer

    def last(self) -> dict[str, Any]:
        """The newest training, {} where there is none."""
        found = self.trainings()["trainings"]
        newest: dict[str, Any] = found[0] if found else {}
        return newest

    def over(self, count: int) -> bool:
        """Whether `count` trainings have come to their end."""
        states = [training["state"] for training in self.trainings()["trainings"]]
        return len(states) >= count and "running" not in states

    def releases(self) -> list[ModelReleased]:
        return [decode(ModelReleased, value) for value in self._all("model.released")]

    def audits(self) -> list[AuditRecorded]:
        return [decode(AuditRecorded, value) for value in self._all("audit.recorded")]

    def _all(self, topic: str) -> list[bytes]:
        with closing(whole_topics(self.settings, "test", [topic])) as reader:
            return [record.value for record in reader.to_end() if record.value is not None]


def wait_for(what: str, condition: Callable[[], bool], seconds: float = 120) -> None:
    """Return when `condition` holds; fail naming `what` when it does not in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"waited {seconds} s for {what}")
        time.sleep(0.05)


def bundle_of(settings: Settings, event: ModelReleased) -> Path:
    """The folder of a released bundle, as workers find it."""
    return settings.var / event.bundle
