"""The classifier against a real broker: what it scores, what it sets aside, and models that come and go."""

import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from infra.local.kafka import Kafka
from infra.topics import apply, plan
from services.classifier.settings import ClassifierSettings
from services.classifier.stage import ClassifierStage
from services.classifier.summary import Summary
from services.events.codec import decode, encode
from services.events.topics import load_topics
from services.events.types import ContentClassified, ContentSubmitted, Item, ModelReleased
from services.retrainer.release import announce, install, release_bundle
from services.runtime.health import Health
from services.runtime.kafka import admin, plain_producer
from services.runtime.loop import Loop
from services.runtime.metrics import LoopMetrics
from services.runtime.publishing import Publisher
from services.runtime.reading import whole_topics
from services.runtime.records import Record
from services.runtime.stage import Stateless, Wiring
from services.scoring.bundle import load
from services.scoring.live_model import LiveModel

STARTER = Path(__file__).parents[3] / "infra" / "starter"
TOPIC = "content.submitted.classifier-test"


class Classifier:
    """The classifier's loop in a thread, its topics, and what comes out."""

    def __init__(self, kafka: Kafka, var: Path) -> None:
        self.settings = ClassifierSettings(kafka=kafka.bootstrap, var=var, summary_seconds=1)
        self.admin = admin(self.settings)
        apply(
            AdminClient({"bootstrap.servers": kafka.bootstrap}),
            plan(load_topics(), self.settings.shards, sources=["classifier-test"]),
        )
        self.live, self.health, self.stop = LiveModel("fast", var), Health(), threading.Event()
        topics = load_topics()
        self.publisher = Publisher("platform", topics)
        stage = ClassifierStage(self.live, Publisher("classifier", topics), Summary("classifier-0", 1000))
        wiring: Wiring[Stateless] = Wiring(
            "classifier",
            stage,
            ("content.submitted",),
            ("model.released",),
            ("content.classified", "scores.summarized"),
        )
        loop = Loop(wiring, self.settings, self.health, LoopMetrics(), self.stop.is_set)
        self.thread = threading.Thread(target=loop.run, daemon=True)
        self.producer: Producer = plain_producer(self.settings)

    def send(self, *values: bytes, key: str) -> None:
        for value in values:
            self.producer.produce(TOPIC, value, key)
        assert self.producer.flush(20) == 0

    def read(self, topic: str) -> list[Record]:
        with closing(whole_topics(self.settings, "classifier-test", [topic])) as reader:
            return list(reader.to_end())

    def classified(self, item_id: str) -> list[ContentClassified]:
        events = [decode(ContentClassified, r.value or b"") for r in self.read("content.classified")]
        return [event for event in events if (event.source, event.item_id) == ("classifier-test", item_id)]

    def letter(self, key: str) -> dict[str, str]:
        """Headers of the dead letter with a key, once it is there."""
        found: list[dict[str, str]] = []

        def there() -> bool:
            found[:] = [
                {name: value.decode("latin1") for name, value in record.headers}
                for record in self.read("dead.letter")
                if record.key == key.encode()
            ]
            return bool(found)

        wait_for(f"a dead letter of {key}", there)
        assert len(found) == 1
        return found[0]

    def score(self, item_id: str) -> ContentClassified:
        """Publish a post and wait for its scores."""
        self.send(post(item_id), key=f"classifier-test/{item_id}")
        wait_for(f"scores of {item_id}", lambda: bool(self.classified(item_id)))
        (event,) = self.classified(item_id)
        return event


def wait_for(what: str, condition: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"waited {seconds} s for {what}")
        time.sleep(0.05)


def post(item_id: str, text: str | None = "Have a nice day", **more: object) -> bytes:
    return encode(
        ContentSubmitted(
            source="classifier-test", item_id=item_id, revision=1, item=Item(kind="post", text=text), **more
        )  # type: ignore[arg-type]
    )


@pytest.fixture(scope="module")
def classifier(kafka: Kafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Classifier]:
    """A classifier with the starter model."""
    made = Classifier(kafka, tmp_path_factory.mktemp("var"))
    made.thread.start()
    wait_for("its reason", lambda: "no model is live" in made.health.reason)
    release_bundle(made.settings, STARTER, released_by="test", reason="test")
    wait_for("readiness", lambda: made.health.reason == "")
    yield made
    made.stop.set()
    made.thread.join(20)


def test_a_post_is_scored_with_the_live_model(classifier: Classifier) -> None:
    event = classifier.score("fine")
    bundle = load(STARTER)
    assert event.model_version == bundle.model_version
    assert {score.category for score in event.scores} == set(bundle.categories)
    expected = bundle.classifier.classify(["Have a nice day"]).probability[0]
    for score, probability in zip(event.scores, expected, strict=True):
        assert score.probability == pytest.approx(float(probability), abs=1e-6)


@pytest.mark.parametrize(
    ("key", "value", "error", "reason"),
    [
        ("classifier-test/bytes", b"\xff\xfe\x00 not JSON", "undecodable", "UTF-8"),
        ("classifier-test/cut", post("cut")[:-5], "undecodable", "JSON"),
        (
            "classifier-test/version",
            post("version").replace(b"submitted.v1", b"submitted.v9"),
            "undecodable",
            "content_submitted.v9",
        ),
        (
            "classifier-test/missing",
            post("missing").replace(b'"item_id"', b'"itemid"'),
            "undecodable",
            "item_id",
        ),
        ("forum/forged", post("forged").replace(b"classifier-test", b"forum"), "forged_source", "forum"),
        ("somebody/else", post("wrong-key"), "wrong_key", "classifier-test/wrong-key"),
        (
            "classifier-test/large",
            post("large", "long").replace(b"long", b"x" * 262_143),
            "undecodable",
            "at most 262144",
        ),
        ("classifier-test/null", b"", "undecodable", "JSON"),
    ],
)
def test_bad_input_is_set_aside_and_the_stream_goes_on(
    classifier: Classifier, key: str, value: bytes, error: str, reason: str
) -> None:
    classifier.send(value, key=key)
    letter = classifier.letter(key)
    assert letter["error"] == error and reason in letter["reason"]
    assert letter["topic"] == TOPIC
    after = "after-" + key.replace("/", "-")
    assert classifier.score(after).scores


def test_odd_texts_are_scored(classifier: Classifier) -> None:
    for number, text in enumerate([None, "", "\x00", "\ud7ff", "é" * 100_000, "🙂" * 3, "a\u202eb"]):
        classifier.send(post(f"odd-{number}", text), key=f"classifier-test/odd-{number}")
    for number in range(7):
        wait_for(f"odd text {number}", lambda n=number: bool(classifier.classified(f"odd-{n}")))  # type: ignore[misc]


def test_scores_are_summarised(classifier: Classifier) -> None:
    classifier.score("for-the-summary")
    wait_for("a summary", lambda: bool(classifier.read("scores.summarized")))


class TestReleases:
    """A release takes effect between two batches, or not at all."""

    def announce_corrupt(self, classifier: Classifier, spoil: Callable[[Path], None]) -> None:
        """Release a bundle and spoil its files on the way."""
        folder = classifier.settings.var / "models" / "spoiled"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(STARTER, folder)
        spoil(folder)
        told = load(STARTER).manifest
        event = ModelReleased(
            event_id="0" * 32,
            occurred_at="2026-01-01T00:00:00.000Z",
            model_version="spoiled-1",
            name="spoiled",
            tier="fast",
            bundle=str(folder),
            content_hash=told.content_hash,
            released_by="test",
            reason="test",
        )
        out = classifier.publisher.outgoing(event, "fast")
        classifier.producer.produce(out.topic, out.value, out.key)
        assert classifier.producer.flush(20) == 0

    @pytest.mark.parametrize(
        ("spoil", "reason"),
        [
            (lambda folder: (folder / "model.onnx").write_bytes(b"not a model"), "SHA-256"),
            (lambda folder: (folder / "manifest.json").unlink(), "manifest.json"),
            (lambda folder: None, "release it again"),
        ],
        ids=["other bytes", "no manifest", "another version than announced"],
    )
    def test_a_corrupt_bundle_is_refused_and_the_live_one_stays(
        self, classifier: Classifier, spoil: Callable[[Path], None], reason: str
    ) -> None:
        before = classifier.live.bundle
        classifier.live.refused = ""
        self.announce_corrupt(classifier, spoil)
        wait_for("the refusal", lambda: reason in classifier.live.refused)
        assert classifier.live.bundle is before
        assert before is not None
        assert classifier.score(f"after-{reason.replace(' ', '-')}").model_version == before.model_version

    def test_a_release_in_mid_stream_swaps_without_a_restart(
        self, classifier: Classifier, tmp_path: Path
    ) -> None:
        folder = tmp_path / "renamed"
        shutil.copytree(STARTER, folder)
        manifest = json.loads((folder / "manifest.json").read_text())
        manifest["name"] = "second"
        manifest["model_version"] = f"second-{manifest['content_hash'][:12]}"
        (folder / "manifest.json").write_text(json.dumps(manifest))
        bundle = load(folder)
        install(classifier.settings, bundle)
        for number in range(300):
            classifier.producer.produce(TOPIC, post(f"swap-{number}"), f"classifier-test/swap-{number}")
            if number == 150:
                announce(classifier.producer, bundle, released_by="test", reason="test", replaces=None)
        assert classifier.producer.flush(20) == 0
        wait_for(
            "the second model",
            lambda: (
                classifier.live.bundle is not None
                and classifier.live.bundle.model_version == bundle.model_version
            ),
        )
        assert classifier.score("after-the-swap").model_version == bundle.model_version

        def swapped() -> list[str]:
            events = [
                decode(ContentClassified, r.value or b"") for r in classifier.read("content.classified")
            ]
            return [event.item_id for event in events if event.item_id.startswith("swap-")]

        wait_for("all of them", lambda: len(swapped()) >= 300)
        assert sorted(swapped()) == sorted(f"swap-{number}" for number in range(300)), (
            "none lost, none doubled"
        )
