"""A candidate policy beside the live one, as policy.shadowed says: asked about the same items, recorded, without a say.

What it says is written in the transaction of the outcomes that it is held against, so both are there exactly once. It
never delays or stops what is live: an error of it is counted, and it is passed over while the worker is behind or once
it has had its share of a core.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import structlog
from msgspec.structs import replace

from services.events.codec import decode
from services.events.errors import UndecodableEvent
from services.events.ids import derived_id, item_key
from services.events.instants import from_millis, to_millis
from services.events.types import (
    Differs,
    PolicyShadowed,
    ShadowCounted,
    ShadowDiffered,
    ShadowOutcome,
    ShadowPair,
)
from services.policy.certified import certified
from services.policy.draw import draw
from services.policy.errors import InvalidPolicy
from services.policy.facts import Facts
from services.policy.model import Policy
from services.policy.parse import parse
from services.policy.route import route
from services.router.core import ItemState, Step
from services.router.core.allowance import Allowance
from services.router.core.items import Classified
from services.router.core.shadowing import Live, Seen, as_seen, differs, live_outcome, said
from services.router.models import LiveModels
from services.router.settings import RouterSettings
from services.runtime.publishing import Publisher
from services.runtime.records import Outgoing, Record

TOPIC = "policy.shadowed"
BURST_SECONDS = 0.5  # of CPU that may be owed before the share of a core holds
log = structlog.get_logger()


class Trial:
    """One candidate in one worker."""

    def __init__(self, event: PolicyShadowed, policy: Policy, shards: int) -> None:
        self.id, self.policy = event.event_id, policy
        self.share, self.failed = event.share, False
        self.until = None if event.until is None else to_millis(event.until)
        self.allowance = Allowance(policy, event.share, shards)
        self.by_model: dict[tuple[str | None, ...], Policy] = {}  # with the thresholds certified for models


class _Batch:
    """What came of the records, or the timer, in hand."""

    def __init__(self, trial: Trial, live: str) -> None:
        self.trial, self.live = trial, live
        self.differed: list[Outgoing] = []
        self.pairs: Counter[tuple[str, str | None, str, str | None]] = Counter()
        self.failed = self.skipped = self.live_audited = self.shadow_audited = 0
        self.seed: tuple[str, int, int] | None = (
            None  # of the summary's id; None: there was no item to look at
        )


class Shadow:
    """Follows policy.shadowed, the newest record wins; one that cannot be read ends the trial before it."""

    def __init__(
        self,
        settings: RouterSettings,
        queues: frozenset[str],
        retention_hours: int,
        models: LiveModels,
        lacking: Callable[[Iterable[str]], str],
        publisher: Publisher,
        clock: Callable[[], float] = time.monotonic,
        cpu: Callable[[], float] = time.thread_time,
    ) -> None:
        self._queues, self._retention_hours = queues, retention_hours
        self._models, self._lacking, self._publisher = models, lacking, publisher
        self._shards, self._worker = settings.shards, f"router-{settings.slot}"
        self._salt = settings.sampling_salt.encode()
        self._behind_ms = settings.shadow_behind_seconds * 1000
        self._core_share = settings.shadow_core_share
        self._clock, self._cpu = clock, cpu
        self._owed, self._paid_at = 0.0, clock()
        self._trial: Trial | None = None
        self._batch: _Batch | None = None

    def take(self, value: bytes | None) -> None:
        """Take a record of policy.shadowed."""
        self._trial = self._batch = None
        self._lacking(())
        if value is None:
            return
        try:
            event = decode(PolicyShadowed, value)
            if not event.active or event.document is None:
                log.info("no shadow", was=event.policy_version, reason=event.reason)
                return
            policy = parse(event.document, self._queues, retention_hours=self._retention_hours)
        except (UndecodableEvent, InvalidPolicy) as error:
            log.error("shadow ignored", error=str(error))
            return
        if missing := self._lacking(rule.name for rule in policy.lists):
            log.error("shadow ignored: its lists cannot be read", version=policy.version, error=missing)
            return
        self._trial = Trial(event, policy, self._shards)
        log.info("shadow", version=policy.version, share=event.share, until=event.until)

    def forget_points(self) -> None:
        """Models were released, or certified anew."""
        if self._trial is not None:
            self._trial.by_model = {}

    def begin(self, live: Policy | None) -> None:
        """A batch, or a timer, comes: what the one before came to is told, or was aborted. `live` is the live policy;
        a trial of what is live already is over.
        """
        trial = self._trial
        if trial is None or live is None or live.version == trial.policy.version:
            self._batch = None
        else:
            self._batch = _Batch(trial, live.version)

    def look(
        self,
        item: Classified,
        before: ItemState | None,
        step: Step,
        facts: Facts,
        shard: int,
        at: int,
        now: int,
        cause: Record | None = None,
    ) -> None:
        """Ask the candidate about an item that the live policy decided in `step`, with the facts that it saw.

        `before` is the state that the step began with; `at` is when what set it off was appended, in ms: the record
        `cause`, or none where it was a timer.
        """
        batch = self._batch
        if batch is None or (live := live_outcome(step)) is None:
            return
        trial, key = batch.trial, item_key(item.source, item.item_id)
        if trial.until is not None and at >= trial.until:
            return
        if trial.share < 1 and draw(self._salt, "shadow", key) >= trial.share:
            return
        if batch.seed is None:
            batch.seed = (key, shard, now) if cause is None else (cause.topic, cause.partition, cause.offset)
        if now - at > self._behind_ms or self._overspent():
            batch.skipped += 1
            return
        started = self._cpu()
        try:
            seen = as_seen(item, before, facts)
            shadow = self._ask(trial, seen, key, shard, at)
            if found := differs(live.outcome, shadow):
                event = _difference(trial, seen.item, live, shadow, found, now)
                batch.differed.append(self._publisher.outgoing(event, key, cause))
        except Exception as exception:
            if not trial.failed:  # told once: a traceback costs more than the candidate
                trial.failed = True
                log.error("the shadow raised an error", version=trial.policy.version, exc_info=exception)
            batch.failed += 1
        else:
            batch.pairs[live.outcome.outcome, live.outcome.queue, shadow.outcome, shadow.queue] += 1
            batch.live_audited += live.outcome.audited
            batch.shadow_audited += shadow.audited
        finally:
            self._owed += self._cpu() - started

    def told(self, now: int) -> Iterator[Outgoing]:
        """What the candidate would have decided otherwise in the batch, and of how many items: nothing where it had
        none to look at.
        """
        batch, self._batch = self._batch, None
        if batch is None or batch.seed is None:
            return
        yield from batch.differed
        counted = ShadowCounted(
            event_id=derived_id("shadow_counted", batch.trial.id, *batch.seed),
            occurred_at=from_millis(now),
            worker=self._worker,
            shadow_id=batch.trial.id,
            policy_version=batch.live,
            shadow_version=batch.trial.policy.version,
            items=batch.pairs.total(),
            differed=len(batch.differed),
            failed=batch.failed,
            skipped=batch.skipped,
            live_audited=batch.live_audited,
            shadow_audited=batch.shadow_audited,
            pairs=tuple(
                ShadowPair(live=live, live_queue=asked, shadow=shadow, shadow_queue=queue, count=count)
                for (live, asked, shadow, queue), count in sorted(batch.pairs.items(), key=str)
            ),
        )
        yield self._publisher.outgoing(counted, self._worker)

    def _ask(self, trial: Trial, seen: Seen, key: str, shard: int, at: int) -> ShadowOutcome:
        item, facts = seen
        versions = (item.model_version, item.fast_model_version)
        if (policy := trial.by_model.get(versions)) is None:
            points = self._models.operating_points(*versions)
            policy = trial.by_model[versions] = certified(trial.policy, points)
        capped, budget = trial.allowance.left(shard, at)
        drawn = draw(self._salt, "budget", key) if budget is not None and budget.probability else None
        outcome = route(item, policy, replace(facts, capped=capped, budget=budget, budget_draw=drawn))
        trial.allowance.count(shard, outcome)
        return said(outcome)

    def _overspent(self) -> bool:
        """Whether the candidate has had more than its share of a core."""
        now = self._clock()
        self._owed = max(0.0, self._owed - self._core_share * (now - self._paid_at))
        self._paid_at = now
        return self._owed > BURST_SECONDS


def _difference(
    trial: Trial, item: Classified, live: Live, shadow: ShadowOutcome, found: tuple[Differs, ...], now: int
) -> ShadowDiffered:
    return ShadowDiffered(
        event_id=derived_id("shadow_differed", trial.id, item.source, item.item_id, item.revision),
        occurred_at=from_millis(now),
        source=item.source,
        item_id=item.item_id,
        revision=item.revision,
        shadow_id=trial.id,
        policy_version=live.policy_version,
        shadow_version=trial.policy.version,
        live=live.outcome,
        shadow=shadow,
        differs=found,
        scores=item.scores,
        model_version=item.model_version,
        accepted_at=item.accepted_at,
    )
