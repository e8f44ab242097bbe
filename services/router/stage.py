"""The router as the loop sees it: the live policy, the alarms that are on, and the core."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

import msgspec
import structlog

from services.events.codec import decode
from services.events.errors import UndecodableEvent
from services.events.ids import item_key
from services.events.instants import to_millis
from services.events.topics import Topics
from services.events.types import AlarmRaised, PolicyReleased, ReviewSettled, TextDecided
from services.policy.certified import certified
from services.policy.draw import draw
from services.policy.errors import InvalidPolicy
from services.policy.model import Policy
from services.policy.parse import parse
from services.policy.route import Alarms
from services.router.core import ItemState, Step, classify, expire, settle
from services.router.core.items import Classified, Requested
from services.router.explaining import explained
from services.router.settings import RouterSettings
from services.router.summary import Summary
from services.runtime.keyed import KeyedStage, Transition
from services.runtime.publishing import Publisher
from services.runtime.records import Outgoing, Record
from services.scoring.live_model import LiveModel

log = structlog.get_logger()
NO_POLICY = "no policy is live: run `sluicegate policy release FILE` (infra/starter/policy.yaml is one)"


class RouterStage(KeyedStage[ItemState]):
    """Wires the core to topics. Policy and alarms are those of broadcast topics, the newest record wins."""

    consumes: ClassVar = {"content.classified": Classified, "review.settled": ReviewSettled}

    def __init__(self, settings: RouterSettings, topics: Topics) -> None:
        publisher = Publisher("router", topics)
        super().__init__(ItemState, publisher)
        self._queues = frozenset(topics.queues)
        self._retention_hours = topics.topics["review.requested"].retention_hours
        self._salt = settings.sampling_salt.encode()
        self._summary = Summary(f"router-{settings.slot}", settings.summary_seconds * 1000, publisher)
        self._model = LiveModel("fast", settings.var)
        self._policy: Policy | None = None
        self._by_model: dict[str | None, Policy] = {}  # with the thresholds certified for a model
        self._raised: dict[bytes, AlarmRaised] = {}
        self._alarms: Alarms = frozenset()

    def not_ready(self) -> str:
        """Nothing can be decided without a policy."""
        return "" if self._policy else NO_POLICY

    def broadcast(self, record: Record) -> None:
        """A policy, an alarm or a model. One that cannot be read changes nothing: what is live stays live."""
        if record.base == "model.released":
            self._model.take(record.value)
            self._by_model = {}
            return
        if record.value is None:
            self._raised.pop(record.key, None)
        else:
            try:
                if record.base == "policy.released":
                    self._release(decode(PolicyReleased, record.value))
                elif record.base == "alarm.raised":
                    self._alarm(record.key, decode(AlarmRaised, record.value))
            except (UndecodableEvent, InvalidPolicy) as error:
                log.error(
                    "broadcast record ignored", topic=record.topic, offset=record.offset, error=str(error)
                )
        self._alarms = frozenset((alarm.category, alarm.model_version) for alarm in self._raised.values())

    def decide(
        self, event: msgspec.Struct, record: Record, state: ItemState | None, now: int
    ) -> Transition[ItemState]:
        """See services.router.core."""
        if isinstance(event, Classified):
            chance = draw(self._salt, "audit", item_key(event.source, event.item_id))
            step = classify(event, state, self._certified(event.model_version), self._alarms, chance, now)
        else:
            assert isinstance(event, ReviewSettled)
            step = settle(event, state, self._live, now)
        accepted = None if event.accepted_at is None else to_millis(event.accepted_at)
        return self._transition(step, accepted)

    def due(self, key: str, state: ItemState, now: int) -> Transition[ItemState]:
        """A task expires, or a marker ends."""
        return self._transition(expire(state, self._live, now), None)

    def key_of(self, event: msgspec.Struct, key: str) -> str:
        """What was decided on a text is found under the text's hash."""
        return event.text_hash if isinstance(event, TextDecided) else key

    def committed(self, produced: Sequence[Outgoing]) -> None:
        """Count outcomes."""
        self._summary.count(produced)

    def reports(self, now: int) -> Iterable[Outgoing]:
        """Counts of outcomes, every few seconds."""
        return self._summary.report(now)

    @property
    def _live(self) -> Policy:
        assert self._policy is not None, NO_POLICY  # the loop takes no content before
        return self._policy

    def _certified(self, model_version: str | None) -> Policy:
        """The live policy as it holds for the model that scored an item."""
        if model_version not in self._by_model:
            bundle = self._model.version(model_version)
            self._by_model[model_version] = certified(self._live, bundle.operating_points if bundle else ())
        return self._by_model[model_version]

    def _alarm(self, key: bytes, event: AlarmRaised) -> None:
        if event.active:
            self._raised[key] = event
        else:
            self._raised.pop(key, None)
        log.warning("alarm", active=event.active, category=event.category, model=event.model_version)

    def _release(self, event: PolicyReleased) -> None:
        self._policy = parse(event.document, self._queues, retention_hours=self._retention_hours)
        self._by_model = {}
        log.info("policy", version=self._policy.version, automation=self._policy.automation)

    def _transition(self, step: Step, accepted: int | None) -> Transition[ItemState]:
        """The step, with what people are asked explained by the model that scored it."""
        events = tuple(
            explained(event, self._model) if isinstance(event, Requested) else event for event in step.events
        )
        return Transition(step.state, events, step.dropped, accepted)
