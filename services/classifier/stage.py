"""The classifier as a stage of the loop: decode a batch, score it in one go, pass it on."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import count

from services.classifier import core, uncertain
from services.classifier.slow_tier import Allowance, SlowTier, uncertain_texts
from services.classifier.summary import Scoring, Summary
from services.events.errors import UndecodableEvent
from services.events.ids import item_key
from services.events.submission import Submission, read
from services.events.types import Item
from services.policy import inline
from services.runtime.publishing import Publisher
from services.runtime.records import Outgoing, Record, Rejected
from services.runtime.stage import Effect, Stateless
from services.runtime.states import States
from services.scoring.live_model import LiveModel
from services.scoring.normalise import normalise_all
from services.scoring.scores import Scores

NOT_SCORED = (-1, (), None)  # number, scores and normalised text of what is not scored


class ClassifierStage:
    """Implements services.runtime.stage.Stage without state.

    With `slow`, uncertain items go to content.uncertain too while a model of the slow tier is live. What ingest decided
    in line is not scored again; without its `inline_secret` every such verdict counts as forged.
    """

    def __init__(
        self,
        live: LiveModel,
        publisher: Publisher,
        summary: Summary,
        slow: SlowTier | None = None,
        inline_secret: bytes | None = None,
    ) -> None:
        self._live, self._publisher, self._summary = live, publisher, summary
        self._inline_secret = inline_secret
        self._slow, self._slow_live = slow, False
        self._wait_ms = slow.wait_ms if slow else 0
        self._allowance = Allowance(slow.share, slow.burst) if slow else None

    def not_ready(self) -> str:
        """A worker without a model takes no content."""
        if self._live.bundle is not None:
            return ""
        why = self._live.refused or "no model is live: run `sluicegate model release BUNDLE`"
        return f"no model: {why}"

    def broadcast(self, record: Record) -> None:
        """A model is released: swap it between two batches."""
        if record.key == b"slow":
            self._slow_live = record.value is not None
        else:
            self._live.take(record.value)

    def handle(self, batch: Sequence[Record], states: States[Stateless], now: int) -> Iterator[Effect]:
        """Score the batch with one model."""
        bundle = self._live.bundle
        if bundle is None:
            raise RuntimeError("the loop took content though no model is live")
        good: list[tuple[Record, Submission, Item | None, bool]] = []
        texts = list[str]()
        for record in batch:
            checked = self._check(record)
            if isinstance(checked, Rejected):
                yield checked
                continue
            event, item = checked
            if scored := item is not None and not event.withdrawn and event.inline is None:
                texts.append(item.text or "")
            good.append((record, event, item, scored))
        normal = normalise_all(texts)
        found = bundle.classifier.classify(texts, normal)
        scoring = Scoring()
        scoring.add(bundle.model_version, bundle.categories, found.probability)
        slow, late = self._handed_over(found, bundle.categories, texts), now + self._wait_ms
        numbered = zip(count(), core.scores_of(bundle.categories, found), normal, strict=False)
        for record, event, item, scored in good:
            index, scores, text = next(numbered) if scored else NOT_SCORED
            asked = index in slow
            out = core.classified(
                event,
                item,
                bundle.model_version,
                scores,
                record.timestamp,
                now,
                late if asked else None,
                text,
            )
            if out.inline is not None:
                scoring.add_inline(out.inline)
            yield self._publisher.outgoing(out, record.key, record, record.timestamp, scoring)
            if asked:
                yield self._publisher.outgoing(uncertain.handed_over(out), record.key, record)

    def _handed_over(self, found: Scores, categories: Sequence[str], texts: Sequence[str]) -> frozenset[int]:
        """Which of the texts the slow tier scores too: none without one, nor where there is nothing to read."""
        if self._slow is None or self._allowance is None or not self._slow_live:
            return frozenset()
        wanted = [i for i in uncertain_texts(found, categories, self._slow.uncertain) if texts[i]]
        return frozenset(self._allowance.take(wanted, len(texts)))

    def _check(self, record: Record) -> tuple[Submission, Item | None] | Rejected:
        try:
            event, item = read(record.value or b"")
        except UndecodableEvent as error:
            return Rejected(record, "undecodable", str(error))
        if (forged := core.forged_source(record.topic, event)) is not None:
            return Rejected(record, "forged_source", forged)
        key = item_key(event.source, event.item_id)
        if record.key != key.encode():
            return Rejected(
                record, "wrong_key", f"the key must be {key}: else events of one item lose their order"
            )
        if event.inline is not None and (why := self._forged(event, record.value or b"")) is not None:
            return Rejected(record, "forged_inline", why)
        return event, item

    def _forged(self, event: Submission, raw: bytes) -> str | None:
        if self._inline_secret is None:
            return "this classifier knows no secret of ingest's: start it with SLUICEGATE_INLINE_SECRET"
        return inline.forged(self._inline_secret, event.source, event.item_id, event.revision, raw)

    def wake(self, shard: int, key: bytes, states: States[Stateless], now: int) -> Iterable[Effect]:
        """No state, no timers."""
        return ()

    def committed(self, produced: Sequence[Outgoing]) -> None:
        """Count what is committed."""
        # All outputs of one call are produced, or none is (services.runtime.handling), so one of them stands for all.
        self._summary.add(
            {id(out.event): out.event for out in produced if type(out.event) is Scoring}.values()
        )

    def reports(self, now: int) -> Iterable[Outgoing]:
        """Histograms of the last seconds, one event a model version."""
        return [self._publisher.outgoing(event, event.worker) for event in self._summary.take(now)]

    def encode_state(self, state: Stateless) -> bytes:
        """There is none."""
        return b""

    def decode_state(self, raw: bytes) -> Stateless:
        """There is none."""
        return Stateless()
