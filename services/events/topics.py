"""The topics of schemas/topics.yaml, typed. A misspelt key in the file is an error, never a default."""

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import yaml

from services.events.schemas import SCHEMAS

TOPICS = SCHEMAS / "topics.yaml"

Positive = Annotated[int, msgspec.Meta(ge=1)]
Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z]+\.[a-z]+\Z")]
Suffix = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,40}\Z")]


class InvalidTopics(Exception):
    """topics.yaml is not what it should be; the text says what and where."""


class Topic(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One topic, or one base of topics where it has `per`."""

    name: Name
    per: Literal["source", "queue"] | None = None  # one topic for each, named name.suffix
    event: str | None  # schema of its records; None where they are raw bytes
    key: str  # what the key is, in words
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    partitions: Positive | Literal["shards"]
    cleanup: Literal["delete", "compact"]
    retention_hours: Positive  # where cleanup is delete
    max_record_kib: Positive
    timestamps: Literal["append", "create"]
    max_compaction_lag_hours: Positive | None = None
    tombstone_hours: Positive | None = None  # how long a tombstone stays
    forget_hours: Positive | None = None  # where cleanup is compact: when a key's last record goes as well
    cloudevents: bool = True  # its records have the headers of CloudEvents
    broadcast: bool = False  # read by every worker to the end before it takes content

    def partition_count(self, shards: int) -> int:
        """How many partitions it has where topics keyed by item have `shards`."""
        return shards if self.partitions == "shards" else self.partitions


class Changelog(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keyed state of a service: compacted, of the same partitions as what it reads."""

    name: Name
    service: str
    partitions: Positive | Literal["shards"] = "shards"

    def partition_count(self, shards: int) -> int:
        """How many partitions it has where topics keyed by item have `shards`."""
        return shards if self.partitions == "shards" else self.partitions


class Topics(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of topics.yaml."""

    sources: tuple[Suffix, ...]
    queues: tuple[Suffix, ...]
    topics: dict[str, Topic]  # by base name
    changelogs: dict[str, Changelog]

    def names(self, topic: Topic, more_sources: tuple[str, ...] = ()) -> tuple[str, ...]:
        """The names in Kafka of a topic: one for each source (the file's and more) or queue, else its own."""
        if topic.per is None:
            return (topic.name,)
        suffixes = self.queues if topic.per == "queue" else dict.fromkeys(self.sources + more_sources)
        return tuple(topic_for(topic.name, suffix) for suffix in suffixes)

    def consumed_by(self, service: str) -> tuple[str, ...]:
        """Base names of the topics that a service reads."""
        return tuple(name for name, topic in self.topics.items() if service in topic.consumers)

    def produced_by(self, service: str) -> tuple[str, ...]:
        """Base names of the topics that a service writes."""
        return tuple(name for name, topic in self.topics.items() if service in topic.producers)


def load_topics(path: Path = TOPICS) -> Topics:
    """Reads topics.yaml, its defaults filled in. InvalidTopics says what is wrong and where."""
    try:
        document = yaml.safe_load(path.read_text("utf-8"))
        defaults = document.pop("defaults")
        document["topics"] = {
            name: {**defaults, **of, "name": name} for name, of in document["topics"].items()
        }
        document["changelogs"] = {name: {**of, "name": name} for name, of in document["changelogs"].items()}
        return msgspec.convert(document, Topics)
    except msgspec.ValidationError as error:
        raise InvalidTopics(f"{path}: {error}") from error
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise InvalidTopics(
            f"{path}: not a mapping with `defaults`, `topics` and `changelogs`: {error}"
        ) from error


def topic_for(base: str, suffix: str) -> str:
    """The topic of one source or queue, as in content.submitted.demo."""
    return f"{base}.{suffix}"


def base_of(topic: str) -> str:
    """`content.submitted` of `content.submitted.demo`, and of itself: a base name has two words."""
    return ".".join(topic.split(".", 2)[:2])


@lru_cache(1024)  # asked for every record
def suffix_of(topic: str) -> str | None:
    """`demo` of `content.submitted.demo`; None where there is none."""
    words = topic.split(".", 2)
    return words[2] if len(words) == 3 else None
