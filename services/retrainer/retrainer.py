"""The service: follows labels and releases, starts trainings in a thread, releases or refuses what they make."""

import threading
import time
from contextlib import suppress
from typing import Literal

import msgspec
import structlog
from confluent_kafka import Producer

from services.events.codec import decode
from services.events.errors import EventError, UndecodableEvent
from services.events.fresh import fresh_id
from services.events.instants import from_millis
from services.events.types import AuditRecorded, ModelReleased
from services.retrainer.candidate import Refused, Trainer
from services.retrainer.core.comparison import Comparison, Needed
from services.retrainer.core.training_set import Labelled, furthest, should_train
from services.retrainer.labels import Labels
from services.retrainer.metrics import Metrics
from services.retrainer.outcomes import Outcomes, State, Training
from services.retrainer.release import TIER, ReleaseError, announce, models_folder, produce
from services.retrainer.settings import RetrainerSettings
from services.runtime.clock import now_ms
from services.runtime.records import Record
from services.scoring import bundle as bundles
from services.scoring.bundle import BundleError
from services.scoring.live_model import located
from services.scoring.unseen import label_offsets

log = structlog.get_logger()


class Busy(Exception):
    """A training is running; its id is the argument."""


class Retrainer:
    """Takes records in one thread, trains in another, answers HTTP from any."""

    def __init__(self, settings: RetrainerSettings, producer: Producer, metrics: Metrics) -> None:
        self._settings = settings
        self._producer = producer
        self._metrics = metrics
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._training_id = ""  # of the last training
        self._not_before = 0.0  # on the monotonic clock: when a training may follow one that failed
        self.labels = Labels()
        self.live: ModelReleased | None = None
        self.outcomes = Outcomes(settings.var / "retrainer" / "trainings.jsonl")
        self.trainer = Trainer(
            models_folder(settings),
            settings.model_name,
            Needed(settings.frozen_positives, settings.frozen_negatives),
            settings.bootstrap_resamples,
        )

    def take(self, record: Record) -> None:
        """Take a record of label.recorded or model.released."""
        if record.topic == "label.recorded":
            self.labels.take(record)
        elif record.key == TIER.encode():
            try:
                self.live = decode(ModelReleased, record.value) if record.value is not None else None
            except UndecodableEvent as error:
                log.error("release left out", offset=record.offset, reason=str(error))

    def new_labels(self) -> int:
        """Labels since the last training, whether it is known from its outcome or from what is live."""
        seen = label_offsets((self.live.lineage or {}) if self.live else {})
        return self.labels.new_since(furthest(seen, self.outcomes.offsets()))

    def tick(self) -> None:
        """Start a training where enough labels have come. To be called once topics have been read to their end."""
        new = self.new_labels()
        self._metrics.labels.set(len(self.labels))
        self._metrics.new_labels.set(new)
        if self.live is None or time.monotonic() < self._not_before:
            return
        if should_train(new, self._settings.retrain_after, demanded=False):
            with suppress(Busy):  # it is looked at again when that one is done
                self._start("labels")

    def demand(self) -> Training:
        """Start a training now. Raises Busy."""
        return self._start("demand")

    def wait(self) -> None:
        """Until no training runs."""
        thread = self._thread
        if thread is not None:
            thread.join()

    def _start(self, trigger: Literal["labels", "demand"]) -> Training:
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                raise Busy(self._training_id)
            labels, offsets = self.labels.snapshot()
            training = Training(
                training_id=fresh_id(),
                state="running",
                trigger=trigger,
                started_at=from_millis(now_ms()),
                live=self.live.model_version if self.live else None,
                labels=len(labels),
                label_offsets={str(p): offset for p, offset in sorted(offsets.items())},
            )
            self._training_id = training.training_id
            self.outcomes.put(training)
            # A daemon: to end the process in mid-training is harmless, nothing is released before the last step.
            self._thread = threading.Thread(
                target=self._run, args=(training, labels, offsets), name="training", daemon=True
            )
            self._thread.start()
            return training

    def _run(self, training: Training, labels: list[Labelled], offsets: dict[int, int]) -> None:
        started = time.monotonic()
        comparison: Comparison | None = None
        version: str | None = None
        try:
            version, comparison, reason = self._train_and_release(labels, offsets)
            state: State = "released"
        except Refused as refused:
            state, reason, comparison = "refused", refused.reason, refused.comparison
        except (BundleError, ReleaseError) as error:
            log.error("training failed", reason=str(error))
            state, reason = "failed", str(error)
        except (
            Exception
        ) as error:  # a training must not end the service: it is recorded, and the next one may work
            log.exception("training failed")
            state, reason = "failed", f"{type(error).__name__}: {error}"
        seconds = time.monotonic() - started
        done = msgspec.structs.replace(
            training,
            state=state,
            reason=reason,
            comparison=comparison,
            candidate=version,
            seconds=round(seconds, 3),
            finished_at=from_millis(now_ms()),
        )
        if state == "failed":
            self._not_before = time.monotonic() + self._settings.retry_seconds
        self._record(done)

    def _train_and_release(
        self, labels: list[Labelled], offsets: dict[int, int]
    ) -> tuple[str, Comparison, str]:
        live = self.live
        if live is None:
            raise Refused("nothing is live: release a bundle with `sluicegate model release DIR`")
        bundle = bundles.load(located(self._settings.var, live.bundle))
        candidate = self.trainer.train(bundle, labels, offsets)
        if self.live is None or self.live.event_id != live.event_id:
            raise Refused("another model went live meanwhile: train again", candidate.comparison)
        announce(
            self._producer,
            candidate.bundle,
            released_by="retrainer",
            reason=candidate.reason,
            replaces=live.model_version,
        )
        return candidate.bundle.model_version, candidate.comparison, candidate.reason

    def _record(self, training: Training) -> None:
        log.info("training over", **msgspec.to_builtins(training))
        self._metrics.trainings.labels(training.state).inc()
        self._metrics.seconds.observe(training.seconds or 0.0)
        if training.comparison is not None:
            self._metrics.lower_bound.set(training.comparison.lower_bound)
        event = AuditRecorded(
            event_id=training.training_id,
            occurred_at=training.finished_at or from_millis(now_ms()),
            actor="retrainer",
            actor_kind="service",
            action=f"model.{training.state}",
            subject=training.candidate or training.live or "none",
            detail=msgspec.to_builtins(training),
        )
        try:
            produce(self._producer, event, "retrainer", "retrainer")
        except (ReleaseError, EventError) as error:
            log.error("outcome not recorded in audit.recorded", reason=str(error))
        self.outcomes.put(training)  # after the event: a crash in between records it twice rather than never
