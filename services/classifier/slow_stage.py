"""The slow tier as a stage of the loop: scores what the fast tier was unsure of, while somebody still waits for it."""

from collections.abc import Iterator, Sequence

import msgspec

from services.classifier import core
from services.classifier.stage import ClassifierStage
from services.classifier.summary import Scoring
from services.classifier.uncertain import Uncertain, scored_slowly, text_of
from services.events.codec import decode
from services.events.errors import UndecodableEvent
from services.events.ids import item_key
from services.events.instants import to_millis
from services.runtime.records import Dropped, Record, Rejected
from services.runtime.stage import Effect, Stateless
from services.runtime.states import States


class SlowStage(ClassifierStage):
    """Implements services.runtime.stage.Stage without state, for the slow tier.

    What comes too late to be waited for is dropped and counted (`too_late`): so a group that fell behind, or was
    away, is at once with what still matters.
    """

    def not_ready(self) -> str:
        """A worker without a model takes no content."""
        if self._live.bundle is not None:
            return ""
        why = self._live.refused or "no slow model is live: run `sluicegate model release BUNDLE --tier slow`"
        return f"no model: {why}"

    def broadcast(self, record: Record) -> None:
        """A model is released: swap it between two batches, where it is of the slow tier."""
        self._live.take(record.value)

    def handle(self, batch: Sequence[Record], states: States[Stateless], now: int) -> Iterator[Effect]:
        """Score what of the batch is waited for, with one model."""
        bundle = self._live.bundle
        if bundle is None:
            raise RuntimeError("the loop took content though no model is live")
        good: list[tuple[Record, Uncertain, str]] = []
        for record in batch:
            try:
                event = decode(Uncertain, record.value or b"")
                text = text_of(event)
            except (UndecodableEvent, msgspec.DecodeError) as error:
                yield Rejected(record, "undecodable", str(error))
                continue
            key = item_key(event.source, event.item_id)
            if record.key != key.encode():
                reason = f"the key must be {key}: else events of one item lose their order"
                yield Rejected(record, "wrong_key", reason)
            elif event.slow_until is not None and to_millis(event.slow_until) <= now:
                yield Dropped(record, "too_late")
            else:
                good.append((record, event, text))
        found = bundle.classifier.classify([text for _, _, text in good])
        scoring = Scoring()
        scoring.add(bundle.model_version, bundle.categories, found.probability)
        for (record, event, _), scores in zip(good, core.scores_of(bundle.categories, found), strict=True):
            out = scored_slowly(event, bundle.model_version, scores, now)
            accepted = None if event.accepted_at is None else to_millis(event.accepted_at)
            key = item_key(event.source, event.item_id)
            yield self._publisher.outgoing(out, key, record, accepted, scoring)
