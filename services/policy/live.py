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
    """Follows both topics; the newest record wins. One that cannot be read changes nothing: what is live stays live.

    So does a policy whose lists cannot be had: it waits for them. `lacking` is told the lists that are needed from now
    on, and says why some cannot be had, empty where all can (services.scoring.live_lists).
    """

    def __init__(
        self,
        queues: frozenset[str],
        retention_hours: int,
        lacking: Callable[[Iterable[str]], str],
    ) -> None:
        self._queues, self._retention_hours, self._lacking = queues, retention_hours, lacking
        self._waiting: Policy | None = None
        self._by_model: dict[tuple[str | None, ...], Policy] = {}  # with the thresholds certified for models
        self._raised: dict[bytes, AlarmRaised] = {}
        self.policy: Policy | None = None
        self.reason = NO_POLICY  # why there is none, or not the newest; empty where there is
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

    def retry(self) -> bool:
        """Whether a policy became live that had waited for its lists."""
        return self._waiting is not None and self._took(self._waiting)

    def forget_points(self) -> None:
        """Models were released, or certified anew: thresholds follow from what they are certified for now."""
        self._by_model = {}

    def certified(
        self, versions: tuple[str | None, ...], points: Callable[..., Iterable[Certified]]
    ) -> Policy:
        """The live policy as it holds for models, which are certified for `points(*versions)`. Needs a policy."""
        if (found := self._by_model.get(versions)) is None:
            assert self.policy is not None, NO_POLICY
            found = self._by_model[versions] = certified(self.policy, points(*versions))
        return found

    def _alarm(self, key: bytes, event: AlarmRaised) -> None:
        if event.active:
            self._raised[key] = event
        else:
            self._raised.pop(key, None)
        log.warning("alarm", active=event.active, category=event.category, model=event.model_version)

    def _release(self, event: PolicyReleased) -> None:
        policy = parse(event.document, self._queues, retention_hours=self._retention_hours)
        if not self._took(policy):
            live = self.policy.version if self.policy else "none"
            log.error("policy waits for its lists", version=policy.version, live=live, reason=self.reason)

    def _took(self, policy: Policy) -> bool:
        """Whether the policy is live now: not while it lacks a list."""
        needed = {rule.name for each in (policy, self.policy) if each for rule in each.lists}
        if reason := self._lacking(sorted(needed)):
            self._waiting = policy
            self.reason = f"policy {policy.version} waits for its lists: {reason}"
            return False
        self.policy, self._waiting, self._by_model, self.reason = policy, None, {}, ""
        self._lacking(rule.name for rule in policy.lists)  # those of the policy before are no longer needed
        log.info("policy", version=policy.version, automation=policy.automation)
        return True
