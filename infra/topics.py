"""Kafka's topics as schemas/topics.yaml wants them: created where missing, mended where different, never reshaped."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

CATALOGUE = Path(__file__).parent.parent / "schemas" / "topics.yaml"
HOUR = 3_600_000  # ms
ENVELOPE = 64 * 1024  # bytes that key, headers and framing may add to a record of the largest size
RETENTION_CHECK = (
    300_000  # ms between two looks of the broker for what is too old, log.retention.check.interval.ms
)
TIMEOUT = 30  # seconds an answer of the cluster may take


class PartitionCountDiffers(Exception):
    """A topic has another number of partitions than it should, and that cannot be mended in place."""


@dataclass(frozen=True)
class Topic:
    """A topic as it should be; `config` holds Kafka's own names and values."""

    name: str
    partitions: int
    config: Mapping[str, str]


@dataclass(frozen=True)
class Change:
    """What was done to one topic."""

    topic: str
    done: str


def catalogue(path: Path = CATALOGUE) -> dict[str, Any]:
    """topics.yaml as it is."""
    document: dict[str, Any] = yaml.safe_load(path.read_text())
    return document


def plan(
    document: Mapping[str, Any], shards: int, replication: int = 1, sources: Iterable[str] = ()
) -> list[Topic]:
    """Every topic that `document` (topics.yaml) describes, one for each source or queue where it says so, changelogs
    included. `sources` are added to those that the document names. Pure.
    """
    names = {
        "source": sorted({*document["sources"], *sources}),
        "queue": list(document["queues"]),
    }
    topics = []
    for name, own in document["topics"].items():
        spec = {**document["defaults"], **own}
        full_names = [f"{name}.{each}" for each in names[spec["per"]]] if "per" in spec else [name]
        topics += [_topic(full_name, spec, shards, replication) for full_name in full_names]
    for name, own in document.get("changelogs", {}).items():
        spec = {**document["defaults"], "cleanup": "compact", **own}
        topics.append(_topic(name, spec, shards, replication))
    return topics


def apply(admin: AdminClient, topics: Iterable[Topic], replication: int = 1) -> list[Change]:
    """Creates what is missing and sets configs that differ; returns what it did, nothing when all was as it should be.

    Raises PartitionCountDiffers, before anything is changed, when a topic has another number of partitions;
    KafkaException when the cluster refuses or does not answer.
    """
    wanted = {topic.name: topic for topic in topics}
    there = _partition_counts(admin)
    _refuse_reshaping(wanted.values(), there)
    changes = _create(admin, [topic for name, topic in wanted.items() if name not in there], replication)
    changes += _configure(admin, [topic for name, topic in wanted.items() if name in there])
    return changes


def known_sources(admin: AdminClient) -> set[str]:
    """The sources that have a topic already: those that keys were made for after topics.yaml was written."""
    prefix = "content.submitted."
    return {name.removeprefix(prefix) for name in _partition_counts(admin) if name.startswith(prefix)}


def _topic(name: str, spec: Mapping[str, Any], shards: int, replication: int) -> Topic:
    partitions = shards if spec["partitions"] == "shards" else int(spec["partitions"])
    timestamps = {"append": "LogAppendTime", "create": "CreateTime"}
    config = {
        "cleanup.policy": spec["cleanup"],
        "max.message.bytes": spec["max_record_kib"] * 1024 + ENVELOPE,
        "message.timestamp.type": timestamps[spec["timestamps"]],
        "min.insync.replicas": max(1, replication - 1),
    }
    if "delete" in spec["cleanup"]:
        # Kafka forgets whole segments, and later than it is told to: what is promised gone after retention_hours
        # has to be due a segment and a check earlier.
        retention = spec["retention_hours"] * HOUR
        segment = max(HOUR // 4, retention // 28)
        config["segment.ms"] = segment
        config["retention.ms"] = retention - segment - RETENTION_CHECK
    for key, setting in (
        ("min_compaction_lag_hours", "min.compaction.lag.ms"),
        ("max_compaction_lag_hours", "max.compaction.lag.ms"),
        ("tombstone_hours", "delete.retention.ms"),
    ):
        if key in spec:
            config[setting] = spec[key] * HOUR
    return Topic(name, partitions, {key: str(value) for key, value in config.items()})


def _refuse_reshaping(topics: Iterable[Topic], there: Mapping[str, int]) -> None:
    differing = [topic for topic in topics if there.get(topic.name, topic.partitions) != topic.partitions]
    if differing:
        lines = "\n".join(
            f"  {topic.name} has {there[topic.name]} partitions and should have {topic.partitions}"
            for topic in differing
        )
        raise PartitionCountDiffers(
            f"the number of partitions of a topic is for good, or items would change shards:\n{lines}\n"
            "Set SLUICEGATE_SHARDS back to what the topics have; or, to really change it, let the services drain, stop"
            " them, delete these topics (their records are gone) or use another cluster, and apply again."
        )


def _partition_counts(admin: AdminClient) -> dict[str, int]:
    metadata = admin.list_topics(timeout=TIMEOUT)
    return {name: len(topic.partitions) for name, topic in metadata.topics.items()}


def _create(admin: AdminClient, topics: list[Topic], replication: int) -> list[Change]:
    if not topics:
        return []
    new = [NewTopic(topic.name, topic.partitions, replication, config=dict(topic.config)) for topic in topics]
    changes = []
    for name, future in admin.create_topics(new, operation_timeout=TIMEOUT).items():
        try:
            future.result(timeout=TIMEOUT)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:  # somebody applied at the same time
                raise
        else:
            changes.append(Change(name, "created"))
    _wait_for(admin, {topic.name for topic in topics})
    return changes


def _wait_for(admin: AdminClient, names: set[str]) -> None:
    """Until every partition has a leader in the metadata that clients get."""
    deadline = time.monotonic() + TIMEOUT
    while True:
        topics = admin.list_topics(timeout=TIMEOUT).topics
        led = {
            name
            for name in names & topics.keys()
            if topics[name].partitions
            and all(partition.leader >= 0 for partition in topics[name].partitions.values())
        }
        if led == names:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(
                f"created, but without a leader after {TIMEOUT} s: {', '.join(sorted(names - led))}"
            )
        time.sleep(0.05)


def _configure(admin: AdminClient, topics: list[Topic]) -> list[Change]:
    differing = _differing(admin, topics)
    if not differing:
        return []
    resources = [
        ConfigResource(
            ResourceType.TOPIC,
            name,
            incremental_configs=[
                ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
                for key, value in config.items()
            ],
        )
        for name, config in differing.items()
    ]
    for future in admin.incremental_alter_configs(resources).values():
        future.result(timeout=TIMEOUT)
    deadline = time.monotonic() + TIMEOUT
    while left := _differing(admin, topics):  # the controller has it; the brokers follow
        if time.monotonic() > deadline:
            raise TimeoutError(f"configs set, but not in force after {TIMEOUT} s: {', '.join(sorted(left))}")
        time.sleep(0.05)
    return [
        Change(name, f"set {key}={value}")
        for name, config in differing.items()
        for key, value in config.items()
    ]


def _differing(admin: AdminClient, topics: list[Topic]) -> dict[str, dict[str, str]]:
    """Per topic the configs that are not as they should be, with the values they should have."""
    if not topics:
        return {}
    described = admin.describe_configs([ConfigResource(ResourceType.TOPIC, topic.name) for topic in topics])
    current = {
        resource.name: {name: entry.value for name, entry in future.result(timeout=TIMEOUT).items()}
        for resource, future in described.items()
    }
    differing = {
        topic.name: {
            key: value for key, value in topic.config.items() if current[topic.name].get(key) != value
        }
        for topic in topics
    }
    return {name: config for name, config in differing.items() if config}
