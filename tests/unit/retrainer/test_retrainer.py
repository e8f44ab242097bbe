"""The service without a broker: one training at a time, outcomes kept, failures tried again after a while."""

import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.events.types import AuditRecorded, ModelReleased
from services.retrainer import retrainer as service
from services.retrainer.metrics import Metrics
from services.retrainer.release import ReleaseError
from services.retrainer.retrainer import Busy, Retrainer
from services.retrainer.settings import RetrainerSettings
from services.scoring import bundle
from tests.unit.retrainer.posts import labels_of_campaign


class Kafka:
    """What would be produced; `away` fails every delivery, `hold` delays the audit event, `reached` tells of it."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.events: list[msgspec.Struct] = []
        self.away = False
        self.hold = threading.Event()
        self.hold.set()

    def produce(self, _: Any, event: msgspec.Struct, key: str, by: str) -> None:
        if isinstance(event, AuditRecorded):
            self.reached.set()
            assert self.hold.wait(30)
        if self.away:
            raise ReleaseError("Kafka did not take it: see that the broker is up and try again")
        self.events.append(event)


@pytest.fixture
def kafka(monkeypatch: pytest.MonkeyPatch) -> Kafka:
    broker = Kafka()
    monkeypatch.setattr(service, "produce", broker.produce)
    monkeypatch.setattr("services.retrainer.release.produce", broker.produce)
    return broker


@pytest.fixture
def make(tmp_path: Path, kafka: Kafka) -> Callable[..., Retrainer]:
    """A retrainer with the starter live and labels of a campaign read."""

    def made(**settings: Any) -> Retrainer:
        folder = tmp_path / "models" / "starter"
        if not folder.exists():
            shutil.copytree("infra/starter", folder)
        told = bundle.load(folder).manifest
        it = Retrainer(
            RetrainerSettings(var=tmp_path, bootstrap_resamples=100, **settings),
            None,  # type: ignore[arg-type]  # the fake stands in for whoever would use it
            Metrics(),
        )
        it.live = ModelReleased(
            event_id="0" * 32,
            occurred_at="2026-01-01T00:00:00.000Z",
            model_version=told.model_version,
            name=told.name,
            tier="fast",
            bundle="models/starter",
            content_hash=told.content_hash,
            released_by="cli",
            reason="test",
        )
        for label in labels_of_campaign(campaign=80, talk=100, insults=50):
            it.labels._by_key[str(label.offset).encode()] = label
        it.labels._offsets = {0: 230}
        return it

    return made


def test_it_waits_for_enough_labels(make: Callable[..., Retrainer], kafka: Kafka) -> None:
    it = make(retrain_after=231)
    it.tick()
    it.wait()
    assert it.outcomes.all() == []
    it = make(retrain_after=230)
    it.tick()
    it.wait()
    assert [type(event) for event in kafka.events] == [ModelReleased, AuditRecorded]
    assert it.outcomes.all()[0].state == "released"
    it.tick()  # no label is new since
    it.wait()
    assert len(it.outcomes.all()) == 1


def test_one_training_at_a_time_until_the_last_event_is_out(
    make: Callable[..., Retrainer], kafka: Kafka
) -> None:
    it = make(retrain_after=1)
    kafka.hold.clear()
    first = it.demand()
    with pytest.raises(Busy, match=first.training_id):
        it.demand()
    assert kafka.reached.wait(30)  # released, and about to be recorded
    with pytest.raises(Busy, match=first.training_id):
        it.demand()
    it.tick()  # says nothing: it is looked at again
    kafka.hold.set()
    it.wait()
    assert [t.training_id for t in it.outcomes.all()] == [first.training_id]


def test_without_kafka_it_fails_and_tries_again_after_a_while(
    make: Callable[..., Retrainer], kafka: Kafka
) -> None:
    kafka.away = True
    it = make(retrain_after=230, retry_seconds=3600)
    it.tick()
    it.wait()
    assert [(t.state, t.reason[:18]) for t in it.outcomes.all()] == [("failed", "Kafka did not take")]
    assert it.new_labels() == 230
    it.tick()  # not before the hour is over
    it.wait()
    assert len(it.outcomes.all()) == 1

    kafka.away = False
    it.demand()
    it.wait()
    assert it.outcomes.all()[-1].state == "released"
    assert sum(isinstance(event, ModelReleased) for event in kafka.events) == 1


def test_a_release_by_somebody_else_meanwhile_refuses_the_candidate(
    make: Callable[..., Retrainer], kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = make(retrain_after=1000)
    train = type(it.trainer).train

    def slow(*arguments: Any) -> Any:
        made = train(*arguments)
        assert it.live is not None
        it.live = msgspec.structs.replace(it.live, event_id="1" * 32)
        return made

    monkeypatch.setattr(type(it.trainer), "train", slow)
    it.demand()
    it.wait()
    outcome = it.outcomes.all()[0]
    assert (outcome.state, outcome.candidate) == ("refused", None)
    assert "another model went live meanwhile" in outcome.reason
    assert not any(isinstance(event, ModelReleased) for event in kafka.events)


def test_a_live_bundle_that_is_damaged_is_said_so(make: Callable[..., Retrainer], tmp_path: Path) -> None:
    it = make(retrain_after=1000)
    (tmp_path / "models" / "starter" / "model.onnx").write_bytes(b"damaged")
    it.demand()
    it.wait()
    outcome = it.outcomes.all()[0]
    assert outcome.state == "failed"
    assert "model.onnx has SHA-256" in outcome.reason
