"""Kafka's jars are fetched once, by one of any number of callers, and whole or not at all."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infra.local import jars
from infra.local.errors import JarsUnavailable
from infra.local.jars import COMPLETE, kafka_jars


class FakeArtifact:
    """As jgo's: resolving leaves a file in its repository."""

    def __init__(self, repository: Path, name: str, failures: int = 0) -> None:
        self.cached_path = repository / name
        self.failures = failures

    def resolve(self) -> Path:
        self.cached_path.parent.mkdir(parents=True, exist_ok=True)
        if self.failures:
            self.failures -= 1
            self.cached_path.write_text("half")
            raise ConnectionError("reset by peer")
        assert not self.cached_path.exists(), "jgo would take the half for whole"
        self.cached_path.write_text("whole")
        return self.cached_path


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """In the place of the package index: two jars, the second interrupted once. Its list has an entry a look-up."""
    lookups: list[str] = []

    def resolve(context: object) -> list[FakeArtifact]:
        lookups.append("asked")
        repository = tmp_path / f"repository-{len(lookups)}"
        return [FakeArtifact(repository, "a.jar"), FakeArtifact(repository, "b.jar", failures=1)]

    monkeypatch.setattr(jars, "_resolve", resolve)
    monkeypatch.setattr(jars, "_context", lambda repository: None)
    return lookups


def test_many_callers_fetch_once_and_an_interrupted_download_is_taken_up_again(
    index: list[str], tmp_path: Path
) -> None:
    with ThreadPoolExecutor(6) as pool:
        folders = set(pool.map(lambda _: kafka_jars(cache=tmp_path / "cache"), range(6)))
    [folder] = folders
    assert len(index) == 1
    assert {path.name: path.read_text() for path in folder.glob("*.jar")} == {
        "a.jar": "whole",
        "b.jar": "whole",
    }


def test_a_download_that_was_cut_off_is_done_again(index: list[str], tmp_path: Path) -> None:
    folder = kafka_jars(cache=tmp_path / "cache")
    (folder / COMPLETE).unlink()
    (folder / "a.jar").write_text("ha")
    assert kafka_jars(cache=tmp_path / "cache") == folder
    assert (folder / "a.jar").read_text() == "whole"
    assert len(index) == 2


def test_an_index_that_is_away_is_said_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def away(context: object) -> list[FakeArtifact]:
        raise ConnectionError("no route to host")

    monkeypatch.setattr(jars, "_resolve", away)
    with pytest.raises(JarsUnavailable, match="no route to host") as error:
        kafka_jars(cache=tmp_path)
    assert "SLUICEGATE_KAFKA_JARS" in str(error.value)
    assert not list(tmp_path.glob("kafka-*/*")), "nothing half is left"


def test_jars_that_somebody_brought_are_taken_as_they_are(tmp_path: Path) -> None:
    with pytest.raises(JarsUnavailable, match="SLUICEGATE_KAFKA_JARS"):
        kafka_jars(given=tmp_path)
    (tmp_path / "kafka.jar").touch()
    assert kafka_jars(given=tmp_path) == tmp_path
