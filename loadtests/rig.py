"""Everything a run needs around a stack that is up: manifest, player, follower, simulated moderators, the count."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from infra.local.access import DemoAccess
from infra.local.settings import StackSettings
from loadtests import manifest as manifests
from loadtests.clickhouse import Difference, differences, kept_in_kafka
from loadtests.count import count, render
from loadtests.figures import Figures, figures
from loadtests.follow import Follow
from loadtests.judge import Report
from loadtests.manifest import Manifest
from loadtests.moderators import Habits, Shift
from loadtests.play import Player
from loadtests.waiting import NotInTime, until
from services.cli.sending import HttpSender, KafkaSender
from services.events.topics import load_topics
from services.runtime.acknowledged import AcknowledgedProducer
from services.runtime.publishing import Publisher


class Rig:
    """One run against one stack. Close it, or use it in a `with`."""

    def __init__(
        self,
        settings: StackSettings,
        access: DemoAccess,
        source: str,
        folder: Path,
        texts: dict[str, frozenset[str]] | None = None,
    ) -> None:
        self.settings = settings
        self.access = access
        self.source = source
        self.manifest = Manifest(folder / f"manifest-{source}-{time.time_ns()}.jsonl")
        self.http = httpx.Client(base_url=settings.ingest_url, timeout=30)
        self.producer = AcknowledgedProducer(settings)
        publisher = Publisher(source, load_topics())
        self.player = Player(
            source,
            self.manifest,
            {
                "http": HttpSender(self.http, access.source_key, patience=0),
                "kafka": KafkaSender(self.producer, publisher, patience=0),
            },
            texts,
        )
        self.follow = Follow(settings, self.manifest)
        self._shifts: list[Shift] = []

    def shift(self, accounts: Mapping[str, str] | None = None, habits: Habits | None = None) -> Shift:
        """Moderators that begin to work now; all accounts of the access where none are given."""
        shift = Shift(
            self.settings.review_url,
            accounts if accounts is not None else self.access.accounts,
            self.player.known,
            self.manifest,
            habits or Habits(),
        )
        self._shifts.append(shift)
        shift.start()
        return shift

    def settled(self, timeout: float) -> Report:
        """Waits until nothing is open, lost or wrong any more. Raises NotInTime with what still is, and whatever
        ended a moderator.
        """
        last = Report()

        def look() -> bool:
            nonlocal last
            for shift in self._shifts:
                shift.check()
            last = self.follow.report()
            return not last.findings

        until("every post and verdict to be accounted for", look, timeout, lambda: render(last, 5), every=0.5)
        return last

    def count(self) -> Report:
        """The independent count, by a scan of its own."""
        return count(self.manifest.path, self.settings.kafka)

    def clickhouse(self, timeout: float) -> list[Difference]:
        """Where ClickHouse differs from what Kafka has now, once it has had `timeout` seconds to come up with it;
        empty as soon as the two agree on every topic.
        """
        kept = kept_in_kafka(self.settings.kafka)
        found: list[Difference] = []

        def look() -> bool:
            nonlocal found
            try:
                found = differences(kept, client, self.access.analyst_key)
            except httpx.TransportError:
                return False  # it is starting again
            return not found

        with httpx.Client(base_url=self.settings.analytics_url, timeout=30) as client:
            try:
                until("ClickHouse to have what Kafka has", look, timeout, lambda: found, every=0.5)
            except NotInTime:
                if not found:
                    raise
        return found

    def figures(self) -> Figures:
        """The run in figures, as of now."""
        told = manifests.read(self.manifest.path)
        return self.follow.with_outcomes(lambda outcomes: figures(told, outcomes))

    def live(self) -> str:
        """The model version released last."""
        return self.follow.models[-1].model_version

    def retrain(self, timeout: float = 120) -> dict[str, Any]:
        """Demands a training and waits for what it comes to; the training. One that runs already is waited for
        first: it does not know the latest labels.
        """
        with httpx.Client(base_url=self.settings.retrainer_url, timeout=30) as client:

            def start() -> str:
                response = client.post("/v1/retrain")
                if response.status_code in (409, 503):
                    return ""
                response.raise_for_status()
                return str(response.json()["training_id"])

            def done() -> dict[str, Any]:
                found: dict[str, Any] = client.get(f"/v1/trainings/{training_id}").raise_for_status().json()
                return {} if found["state"] == "running" else found

            training_id = until("the retrainer to start a training", start, timeout)
            return until("the training to end", done, timeout)

    def send_home(self) -> None:
        """Moderators finish what they have and go. Raises what went wrong with one of them."""
        shifts, self._shifts = self._shifts, []
        for shift in shifts:
            shift.stop()

    def close(self) -> None:
        """Moderators go home, clients are closed."""
        try:
            self.send_home()
        finally:
            self.follow.close()
            self.producer.close()
            self.http.close()
            self.manifest.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
