"""Releases: a verified bundle below SLUICEGATE_VAR/models, and one event that says it is live.

ReleaseError: nothing was released; says why and what to do.
"""

import shutil
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

import msgspec
from confluent_kafka import KafkaError, Message, Producer

from services.events.codec import decode
from services.events.fresh import fresh_id
from services.events.instants import from_millis
from services.events.topics import load_topics
from services.events.types import ModelReleased
from services.retrainer.core.training_set import furthest
from services.runtime.clock import now_ms
from services.runtime.kafka import plain_producer
from services.runtime.publishing import Publisher
from services.runtime.reading import whole_topics
from services.runtime.records import Outgoing
from services.runtime.settings import Settings
from services.scoring import bundle as bundles
from services.scoring.bundle import Bundle, BundleError
from services.scoring.unseen import LABEL_OFFSETS, label_offsets

Tier = Literal["fast", "slow"]
TIER: Tier = "fast"
TOPIC = "model.released"
DELIVERY_SECONDS = 30.0


class ReleaseError(Exception):
    """Nothing was released. Says why and what to do."""


def models_folder(settings: Settings) -> Path:
    """Where released bundles live, one folder a model version."""
    return settings.var / "models"


def live_model(settings: Settings, tier: str = TIER) -> ModelReleased | None:
    """What is live in a tier now, None where nothing is. Reads model.released to its end.

    Raises MissingTopic, Stalled, and KafkaException where no broker answers.
    """
    with closing(whole_topics(settings, "model-live", [TOPIC])) as reader:
        values = {record.key: record.value for record in reader.to_end()}
    value = values.get(tier.encode())
    return None if value is None else decode(ModelReleased, value)


def release_bundle(
    settings: Settings,
    folder: Path | str,
    *,
    released_by: str,
    reason: str,
    producer: Producer | None = None,
    tier: Tier = TIER,
) -> ModelReleased:
    """Verify a bundle in a folder or at a URL, copy it below SLUICEGATE_VAR/models and make it live in a tier.

    Raises BundleError, ReleaseError, MissingTopic.
    """
    bundle = bundles.load(folder)
    install(settings, bundle)
    live = live_model(settings, tier)
    return announce(
        producer or plain_producer(settings),
        bundle,
        released_by=released_by,
        reason=reason,
        replaces=live.model_version if live else None,
        tier=tier,
    )


def roll_back(
    settings: Settings,
    *,
    released_by: str,
    reason: str,
    to: str | None = None,
    producer: Producer | None = None,
    tier: Tier = TIER,
) -> ModelReleased:
    """Make an earlier version live again in a tier: `to`, or the one that the live model replaced.

    The event keeps the label offsets of the model that is taken back, so that the retrainer does not at once
    train the same again. Raises ReleaseError, BundleError, MissingTopic.
    """
    live = live_model(settings, tier)
    if live is None:
        where = "" if tier == TIER else f" --tier {tier}"
        raise ReleaseError(f"nothing is live: release a bundle with `sluicegate model release DIR{where}`")
    version = to or live.replaces
    if version is None or version == live.model_version:
        raise ReleaseError(f"{live.model_version} replaced nothing else: name a version with --to")
    if "/" in version or version.startswith("."):
        raise ReleaseError(
            f"{version!r} is not a model version: see the folders in {models_folder(settings)}"
        )
    bundle = bundles.load(models_folder(settings) / version)
    offsets = furthest(label_offsets(live.lineage or {}), label_offsets(bundle.manifest.lineage))
    return announce(
        producer or plain_producer(settings),
        bundle,
        released_by=released_by,
        reason=reason,
        replaces=live.model_version,
        lineage={**bundle.manifest.lineage, LABEL_OFFSETS: {str(p): o for p, o in offsets.items()}},
        tier=tier,
    )


def install(settings: Settings, bundle: Bundle) -> Path:
    """Copy a bundle to where workers load it from, whole or not at all; return the folder."""
    target = models_folder(settings) / bundle.model_version
    if isinstance(bundle.folder, Path) and target.resolve() == bundle.folder.resolve():
        return target
    try:
        bundles.load(target)
        return target  # the version is its content hash: it is there already
    except BundleError:
        pass
    part = target.with_name(f".{target.name}-{fresh_id()}")
    bundle.copy_to(part)
    if target.exists():
        shutil.rmtree(target)  # half-written or damaged, as the load just said
    part.rename(target)
    return target


def announce(
    producer: Producer,
    bundle: Bundle,
    *,
    released_by: str,
    reason: str,
    replaces: str | None,
    lineage: dict[str, Any] | None = None,
    tier: Tier = TIER,
) -> ModelReleased:
    """Produce model.released for an installed bundle and wait for Kafka. Raises ReleaseError."""
    told = bundle.manifest
    event = ModelReleased(
        event_id=fresh_id(),
        occurred_at=from_millis(now_ms()),
        model_version=told.model_version,
        name=told.name,
        tier=tier,
        bundle=f"models/{told.model_version}",  # below SLUICEGATE_VAR, wherever that is mounted
        content_hash=told.content_hash,
        categories=tuple(told.categories),
        replaces=replaces if replaces != told.model_version else None,
        released_by=released_by,
        reason=reason[:1000],
        lineage=told.lineage if lineage is None else lineage,
        metrics=told.metrics,
    )
    produce(producer, event, tier, released_by)
    return event


def produce(producer: Producer, event: msgspec.Struct, key: str, service: str) -> None:
    """Produce one event and wait until Kafka has it. Raises ReleaseError where it may not."""
    record: Outgoing = Publisher(service, load_topics()).outgoing(event, key)
    failures: list[str] = []

    def delivered(error: KafkaError | None, _: Message) -> None:
        if error is not None:
            failures.append(error.str())

    producer.produce(
        record.topic, key=record.key, value=record.value, headers=list(record.headers), on_delivery=delivered
    )
    left = producer.flush(DELIVERY_SECONDS)
    if left or failures:
        why = failures[0] if failures else f"no answer in {DELIVERY_SECONDS:.0f} s"
        raise ReleaseError(
            f"Kafka did not take {record.topic} ({why}): see that the broker is up and try again"
        )
