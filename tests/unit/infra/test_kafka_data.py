"""Data of a newer Kafka is refused with what to do; its own and older data are taken."""

from pathlib import Path

import pytest

from infra.local.errors import NewerData
from infra.local.jars import KAFKA_VERSION
from infra.local.kafka import CLUSTER_ID, Kafka


def kafka(folder: Path, version: str, formatted: str) -> Kafka:
    """A broker with jars of `version`, on data that was formatted so."""
    jars = folder / "jars"
    jars.mkdir()
    (jars / f"kafka_2.13-{version}.jar").touch()
    (jars / "kafka-clients-1.0.0.jar").touch()
    (folder / "formatted").write_text(formatted)
    return Kafka(folder, 1, 2, jars)


@pytest.mark.parametrize(
    ("version", "formatted"),
    [
        ("4.2.2", f"{CLUSTER_ID}\n4.3.0\n"),
        ("4.2.2", f"{CLUSTER_ID}\n"),  # before versions were kept: 4.3.1
        ("4.2.2", f"{CLUSTER_ID}\n5.0.0\n"),
        ("4.9.0", f"{CLUSTER_ID}\n4.10.0\n"),
    ],
)
def test_data_of_a_newer_kafka_is_refused_with_what_to_do(
    tmp_path: Path, version: str, formatted: str
) -> None:
    with pytest.raises(
        NewerData, match=rf"Kafka {version} cannot read: .*SLUICEGATE_VAR.*SLUICEGATE_KAFKA_JARS"
    ):
        kafka(tmp_path, version, formatted).prepare()


@pytest.mark.parametrize(
    ("version", "formatted"),
    [
        ("4.2.2", f"{CLUSTER_ID}\n4.2.0\n"),
        ("4.2.2", f"{CLUSTER_ID}\n4.2.9\n"),
        ("4.10.0", f"{CLUSTER_ID}\n4.9.0\n"),
        ("4.3.1", f"{CLUSTER_ID}\n"),
    ],
)
def test_other_data_is_taken(tmp_path: Path, version: str, formatted: str) -> None:
    kafka(tmp_path, version, formatted).prepare()
    assert (tmp_path / "kafka.properties").exists()


def test_jars_that_do_not_say_their_version_are_taken_for_ours(tmp_path: Path) -> None:
    broker = kafka(tmp_path, "built-here", f"{CLUSTER_ID}\n{KAFKA_VERSION}\n")
    broker.prepare()
    assert broker.properties.exists()
