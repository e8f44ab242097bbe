"""topics.yaml is read with its defaults, and a slip in it is an error."""

from pathlib import Path

import pytest

from services.events.topics import InvalidTopics, base_of, load_topics, suffix_of, topic_for

FILE = """
sources: [demo, forum]
queues: [general]
defaults: {partitions: shards, cleanup: delete, retention_hours: 168, max_record_kib: 1024, timestamps: create}
topics:
  content.submitted:
    {per: source, event: content_submitted.v1, key: source/item_id, producers: [ingest], consumers: [classifier]}
  model.released:
    {event: model_released.v1, key: tier, producers: [cli], consumers: [classifier], partitions: 1, cleanup: compact}
changelogs:
  router.changelog: {service: router}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "topics.yaml"


def test_defaults_are_filled_in_and_may_be_overridden(file: Path) -> None:
    file.write_text(FILE)
    topics = load_topics(file)
    submitted, released = topics.topics["content.submitted"], topics.topics["model.released"]
    assert (submitted.name, submitted.partition_count(8), submitted.cleanup) == (
        "content.submitted",
        8,
        "delete",
    )
    assert (released.partition_count(8), released.cleanup, released.retention_hours) == (1, "compact", 168)
    assert topics.changelogs["router.changelog"].service == "router"


def test_names_in_kafka(file: Path) -> None:
    file.write_text(FILE)
    topics = load_topics(file)
    submitted = topics.topics["content.submitted"]
    assert topics.names(submitted) == ("content.submitted.demo", "content.submitted.forum")
    assert topics.names(submitted, ("forum", "games"))[2:] == ("content.submitted.games",)
    assert topics.names(topics.topics["model.released"]) == ("model.released",)


def test_who_reads_and_writes(file: Path) -> None:
    file.write_text(FILE)
    assert load_topics(file).consumed_by("classifier") == ("content.submitted", "model.released")
    assert load_topics(file).produced_by("ingest") == ("content.submitted",)


@pytest.mark.parametrize(
    ("right", "wrong", "where"),
    [
        ("cleanup: compact", "cleanup: compacted", "$.topics[...].cleanup"),
        ("per: source", "pre: source", "unknown field `pre`"),
        ("sources: [demo, forum]", "sources: [Demo]", "$.sources[0]"),
        ("key: tier, ", "", "missing required field `key`"),
        ("changelogs:", "changes:", "changelogs"),
        ("topics:", "topics: [", "not a mapping"),
        ("partitions: 1", "partitions: 0", "partitions"),
    ],
)
def test_a_slip_is_named(file: Path, right: str, wrong: str, where: str) -> None:
    file.write_text(FILE.replace(right, wrong))
    with pytest.raises(InvalidTopics) as error:
        load_topics(file)
    assert where in str(error.value)
    assert str(file) in str(error.value)


def test_bases_and_suffixes() -> None:
    assert topic_for("content.submitted", "demo") == "content.submitted.demo"
    assert (base_of("content.submitted.demo"), suffix_of("content.submitted.demo")) == (
        "content.submitted",
        "demo",
    )
    assert (base_of("content.decided"), suffix_of("content.decided")) == ("content.decided", None)
