"""Verdicts in the same call: scored with the live model, decided by the live policy, signed."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, TypeAlias

from services.events.types import Listed
from services.ingest.caps import InlineCaps
from services.ingest.core import Submission
from services.ingest.counters import InlineCounters
from services.ingest.metrics import IngestMetrics
from services.ingest.scorer import Scored, Scorer
from services.ingest.verdict import Secrets, judged, told, with_verdict
from services.policy.model import Policy
from services.policy.route import Decided
from services.runtime.clock import now_ms
from services.scoring.live_lists import LiveLists
from services.scoring.text_hash import text_hash

Action: TypeAlias = Literal["allow", "limit", "remove"]


class Moderation:
    """Decides as the router would: what people decided on copies, the same lists, policy, model, alarms and draws; caps
    are counted for all of ingest.
    """

    def __init__(
        self,
        scorer: Scorer,
        caps: InlineCaps,
        counters: InlineCounters,
        lists: LiveLists,
        secrets: Secrets,
        metrics: IngestMetrics,
    ) -> None:
        self.scorer = scorer
        self._caps, self._counters, self._lists = caps, counters, lists
        self._secrets, self._metrics = secrets, metrics

    async def decide(self, submissions: Sequence[Submission]) -> list[Submission]:
        """The submissions with their verdicts, in their order. Raises Problem 503 while nothing is live."""
        texts = [(each.event.item and each.event.item.text) or "" for each in submissions]
        scored = await self.scorer.score(texts)
        return [await self._decided(each, of) for each, of in zip(submissions, scored, strict=True)]

    async def _decided(self, submission: Submission, scored: Scored) -> Submission:
        serving, now = scored.serving, now_ms()
        counters, published = None, submission.event.item
        listed: tuple[Listed, ...] = ()
        precedent = None
        if published is not None:
            listed = self._lists.of(published.text) if serving.policy.lists else ()
            if len(serving.precedents):
                copies = text_hash(submission.event.source, published.kind, published.text, published.media)
                precedent = serving.precedents.of(copies, now)
        if names := serving.policy.counters:
            counters = await self._counters.of(submission.event, names, now)
        given = submission, scored.scores, serving, self._secrets, now, counters
        outcome, item, facts = judged(*given, listed=listed, precedent=precedent)
        if isinstance(outcome, Decided) and await self._over(outcome.action, serving.policy):
            outcome, item, facts = judged(*given, frozenset({outcome.action}), listed, precedent)
        verdict = told(outcome, item, serving.policy)
        self._metrics.verdicts.labels(verdict.decision).inc()
        if isinstance(outcome, Decided):
            secret = self._secrets.inline
            submission = with_verdict(submission, outcome, item, facts, serving.policy, secret, now)
        return replace(submission, verdict=verdict)

    async def _over(self, action: Action, policy: Policy) -> bool:
        """Whether the action has a cap that is reached; where it is not, the action is counted."""
        cap = policy.caps.get(action)
        return cap is not None and not await self._caps.take(action, cap)
