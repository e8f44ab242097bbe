"""Kafka's topics as schemas/topics.yaml wants them: created where missing, mended where different, never reshaped."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from services.events.topics import Topic, Topics, base_of, suffix_of

HOUR = 3_600_000  # ms
ENVELOPE = 64 * 1024  # bytes that key, headers and framing may add to a record of the largest size
RETENTION_CHECK = (
    300_000  # ms between two looks of the broker for what is too old, log.retention.check.interval.ms
)
FIRST_ANSWER = 10  # seconds until a cluster counts as away
TIMEOUT = 30  # seconds a change of the cluster may take
CHANGELOG = {"cleanup.policy": "compact", "max.message.bytes": 1024 * 1024 + ENVELOPE}


class PartitionCountDiffers(Exception):
    """A topic has another number of partitions than it should, and that cannot be mended in place."""


@dataclass(frozen=True)
class KafkaTopic:
    """A topic as it should be; `config` holds Kafka's own names and values."""

    name: str
    partitions: int
    config: Mapping[str, str]


@dataclass(frozen=True)
class Change:
    """What was done to one topic."""

    topic: str
    done: str


def plan(topics: Topics, shards: int, replication: int = 1, sources: Iterable[str] = ()) -> list[KafkaTopic]:
    """Every topic of topics.yaml as Kafka is to have it: one for each source or queue where it says so, changelogs
    included. `sources` are added to those that the file names. Pure.
    """
    more = tuple(sorted(set(sources)))
    durable = {"min.insync.replicas": max(1, replication - 1)}
    planned = [
        KafkaTopic(name, topic.partition_count(shards), _texts(_config(topic) | durable))
        for topic in topics.topics.values()
        for name in topics.names(topic, more)
    ]
    planned += [
        KafkaTopic(changelog.name, changelog.partition_count(shards), _texts(CHANGELOG | durable))
        for changelog in topics.changelogs.values()
    ]
    return planned


def apply(admin: AdminClient, topics: Iterable[KafkaTopic], replication: int = 1) -> list[Change]:
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
    names = _partition_counts(admin)
    return {source for name in names if base_of(name) == "content.submitted" and (source := suffix_of(name))}


def _config(topic: Topic) -> dict[str, object]:
    config: dict[str, object] = {
        "cleanup.policy": topic.cleanup,
        "max.message.bytes": topic.max_record_kib * 1024 + ENVELOPE,
        "message.timestamp.type": {"append": "LogAppendTime", "create": "CreateTime"}[topic.timestamps],
    }
    if topic.cleanup == "delete":
        # Kafka forgets whole segments, and later than it is told to: what is promised gone after retention_hours
        # has to be due a segment and a check earlier.
        retention = topic.retention_hours * HOUR
        segment = max(HOUR // 4, retention // 28)
        config["segment.ms"] = segment
        config["retention.ms"] = retention - segment - RETENTION_CHECK
    if topic.forget_hours is not None:
        config |= {
            "cleanup.policy": "compact,delete",
            "retention.ms": topic.forget_hours * HOUR,
            "segment.ms": 6 * HOUR,
        }
    if topic.max_compaction_lag_hours is not None:
        config["max.compaction.lag.ms"] = topic.max_compaction_lag_hours * HOUR
    if topic.tombstone_hours is not None:
        config["delete.retention.ms"] = topic.tombstone_hours * HOUR
    return config


def _texts(config: Mapping[str, object]) -> dict[str, str]:
    return {key: str(value) for key, value in config.items()}


def _refuse_reshaping(topics: Iterable[KafkaTopic], there: Mapping[str, int]) -> None:
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
    metadata = admin.list_topics(timeout=FIRST_ANSWER)
    return {name: len(topic.partitions) for name, topic in metadata.topics.items()}


def _create(admin: AdminClient, topics: list[KafkaTopic], replication: int) -> list[Change]:
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


def _configure(admin: AdminClient, topics: list[KafkaTopic]) -> list[Change]:
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


def _differing(admin: AdminClient, topics: list[KafkaTopic]) -> dict[str, dict[str, str]]:
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
