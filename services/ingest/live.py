"""What verdicts in line rest on: the live model, the live policy and the alarms that are on, followed in a thread."""

import threading
from dataclasses import dataclass
from functools import partial

import structlog
from confluent_kafka import KafkaException

from services.events.errors import UndecodableEvent
from services.events.topics import Topics
from services.ingest.settings import IngestSettings
from services.policy.facts import Alarms
from services.policy.live import LivePolicy
from services.policy.model import Policy
from services.policy.precedents import TOPIC, Precedents
from services.runtime.errors import RuntimeFault
from services.runtime.kafka import admin
from services.runtime.positions import partitions_of
from services.runtime.reading import WholeTopics
from services.runtime.records import Record
from services.scoring.bundle import Bundle
from services.scoring.live_lists import LiveLists
from services.scoring.live_model import LiveModel

log = structlog.get_logger()
BROADCASTS = ("model.released", "policy.released", "alarm.raised", TOPIC)
NO_MODEL = "no model is live: run `sluicegate model release BUNDLE`"
POLL_SECONDS = 0.2
AGAIN_SECONDS = 2.0  # after which a broker that did not answer, or a client that stalled, is tried anew


@dataclass(frozen=True)
class Serving:
    """What is live at one moment. `policy` has the thresholds that are certified for the bundle; `precedents` is what
    people decided on texts, which goes on being followed.
    """

    bundle: Bundle
    policy: Policy
    alarms: Alarms
    precedents: Precedents


class Live:
    """Follows the same broadcast topics as classifier and router. `serving` may be read from any thread.

    It is None until model and policy were read to the end of their topics; `reason` then says what is missing. Once
    there is something to serve with, it stays, whatever becomes of Kafka.
    """

    def __init__(self, settings: IngestSettings, topics: Topics, lists: LiveLists) -> None:
        self._settings = settings
        self._policies = LivePolicy(
            frozenset(topics.queues),
            topics.topics["review.requested"].retention_hours,
            partial(lists.lacking, "live"),
        )
        self._model = LiveModel("fast", settings.var)
        self._precedents = Precedents(settings.precedents)
        self.serving: Serving | None = None
        self.reason = "model and policy are still being read: ask again in a moment"

    def follow(self, stopping: threading.Event) -> None:
        """Follow until `stopping` is set. Never raises: what goes wrong is logged, told, and tried again."""
        while not stopping.is_set():
            try:
                self._read(stopping)
            except (KafkaException, RuntimeFault) as error:
                log.warning("broadcast topics cannot be followed", reason=str(error))
                if self.serving is None:
                    self.reason = f"model and policy cannot be read from Kafka: {error}"
            stopping.wait(AGAIN_SECONDS)

    def take(self, record: Record) -> None:
        """Take one record; `publish` makes what it changes count."""
        if record.base == "model.released":
            self._model.take(record.value)
            self._policies.forget_points()
        elif record.base == TOPIC:
            try:
                self._precedents.take(record.key, record.value, record.timestamp)
            except UndecodableEvent as error:
                log.error("broadcast record ignored", topic=TOPIC, place=record.offset, error=str(error))
        else:
            self._policies.take(record.base, record.key, record.value, f"{record.topic}@{record.offset}")

    def publish(self) -> None:
        """Serve with what was taken so far."""
        bundle, policy = self._model.bundle, self._policies.policy
        if bundle is None:
            self.reason = f"no model: {self._model.refused}" if self._model.refused else NO_MODEL
        elif policy is None or (self.serving is None and self._policies.reason):
            self.reason = self._policies.reason
        else:
            points = bundle.operating_points
            ready = self._policies.certified((bundle.model_version,), lambda _: points)
            self.serving = Serving(bundle, ready, self._policies.alarms, self._precedents)
            self.reason = ""

    def _read(self, stopping: threading.Event) -> None:
        client = admin(self._settings)
        self._precedents = Precedents(
            self._settings.precedents
        )  # until it is whole, what was read before serves
        partitions = partitions_of(client, BROADCASTS, timeout=2)
        topics = WholeTopics(self._settings, f"ingest-{self._settings.slot}-broadcast", partitions, client)
        try:
            for record in topics.to_end(stopping.is_set):
                self.take(record)
            while not stopping.is_set():
                self.publish()
                while not (records := list(topics.poll(POLL_SECONDS))) and not stopping.is_set():
                    if self._policies.retry():
                        break
                for record in records:
                    self.take(record)
        finally:
            topics.close()
