"""The policy that is live in a worker and the alarms that are on, as policy.released and alarm.raised say."""

from collections.abc import Callable, Iterable

import structlog

from services.events.codec import decode
from services.events.errors import UndecodableEvent
from services.events.types import AlarmRaised, PolicyReleased
from services.policy.certified import Certified, certified
from services.policy.errors import InvalidPolicy
from services.policy.facts import Alarms
from services.policy.model import Policy
from services.policy.parse import parse

log = structlog.get_logger()
NO_POLICY = "no policy is live: run `sluicegate policy release FILE` (infra/starter/policy.yaml is one)"


class LivePolicy:
    """Follows both topics; the newest record wins. One that cannot be read changes nothing: what is live stays live."""

    def __init__(self, queues: frozenset[str], retention_hours: int) -> None:
        self._queues, self._retention_hours = queues, retention_hours
        self._by_model: dict[tuple[str | None, ...], Policy] = {}  # with the thresholds certified for models
        self._raised: dict[bytes, AlarmRaised] = {}
        self.policy: Policy | None = None
        self.alarms: Alarms = frozenset()

    def take(self, base: str, key: bytes, value: bytes | None, place: str = "") -> None:
        """Take a record of either topic; `place` names it in the log."""
        try:
            if value is None:
                self._raised.pop(key, None)
            elif base == "policy.released":
                self._release(decode(PolicyReleased, value))
            elif base == "alarm.raised":
                self._alarm(key, decode(AlarmRaised, value))
        except (UndecodableEvent, InvalidPolicy) as error:
            log.error("broadcast record ignored", topic=base, place=place, error=str(error))
        self.alarms = frozenset((alarm.category, alarm.model_version) for alarm in self._raised.values())

    def forget_points(self) -> None:
        """Models were released, or certified anew: thresholds follow from what they are certified for now."""
        self._by_model = {}

    def certified(
        self, versions: tuple[str | None, ...], points: Callable[[], Iterable[Certified]]
    ) -> Policy:
        """The live policy as it holds for models, `points` being what they are certified for. Needs a policy."""
        assert self.policy is not None, NO_POLICY
        if versions not in self._by_model:
            self._by_model[versions] = certified(self.policy, points())
        return self._by_model[versions]

    def _alarm(self, key: bytes, event: AlarmRaised) -> None:
        if event.active:
            self._raised[key] = event
        else:
            self._raised.pop(key, None)
        log.warning("alarm", active=event.active, category=event.category, model=event.model_version)

    def _release(self, event: PolicyReleased) -> None:
        self.policy = parse(event.document, self._queues, retention_hours=self._retention_hours)
        self._by_model = {}
        log.info("policy", version=self.policy.version, automation=self.policy.automation)
