"""From labels on a real broker to a released, or refused, model."""

import json
import signal
from pathlib import Path

from services.runtime.kafka import plain_producer
from services.scoring import bundle
from services.scoring.split import Split
from tests.integration.retrainer.world import World, bundle_of, wait_for
from tests.unit.retrainer.posts import CAMPAIGN, labels_of_campaign, make
from tests.unit.retrainer.test_candidate import flipped

STARTER = Path("infra/starter")


def release_starter(world: World) -> str:
    done = world.command("release", str(STARTER))
    assert done.returncode == 0, done.stderr
    return bundle.load(STARTER).model_version


def test_labels_become_a_released_model_once_even_through_a_kill(world: World) -> None:
    starter = release_starter(world)
    with world.retrainer() as process:
        assert world.trainings()["live"] == starter
        world.say(labels_of_campaign(campaign=100, talk=150, insults=60))
        wait_for("a training", lambda: world.over(1))
        first = world.last()
        assert (first["state"], first["trigger"], first["live"]) == ("released", "labels", starter)
        process.send_signal(signal.SIGKILL)
        process.wait()

    released = world.releases()
    assert [event.model_version for event in released] == [starter, first["candidate"]]
    assert released[1].replaces == starter
    assert released[1].released_by == "retrainer"
    made = bundle.load(bundle_of(world.settings, released[1]))
    assert made.manifest.content_hash == released[1].content_hash
    spam = made.categories.index("spam")
    assert (made.classifier.classify(make(CAMPAIGN, 200, 77)).probability[:, spam] > 0.5).mean() > 0.95
    assert sum((released[1].lineage or {})["label_offsets"].values()) >= 310

    (world.settings.var / "retrainer" / "trainings.jsonl").unlink()  # what is live is memory enough
    with world.retrainer():
        wait_for("all labels", lambda: world.trainings()["labels"] == 310)
        assert world.trainings()["new_labels"] == 0
        world.say(labels_of_campaign(campaign=0, talk=299, insults=0, seed=50))
        wait_for("new labels to be counted", lambda: world.trainings()["new_labels"] == 299)
        assert world.trainings()["trainings"] == []
        world.say(labels_of_campaign(campaign=1, talk=0, insults=0, seed=60))
        wait_for("the training that the 300th starts", lambda: world.over(1))
        assert world.last()["label_offsets"] != first["label_offsets"]
        second = world.last()["candidate"]
    assert [event.model_version for event in world.releases()] == [starter, first["candidate"], second]


def test_a_kill_in_mid_training_releases_nothing_twice(world: World) -> None:
    starter = release_starter(world)
    with world.retrainer() as process:
        world.say(labels_of_campaign(campaign=80, talk=100, insults=50))
        wait_for("all labels", lambda: world.trainings()["labels"] == 230)
        assert world.client.post("/v1/retrain").json()["state"] == "running"
        process.send_signal(signal.SIGKILL)
        process.wait()
    with world.retrainer():
        wait_for("all labels", lambda: world.trainings()["labels"] == 230)
        if len(world.releases()) == 1:  # the kill came before the release, and no label was forgotten
            assert world.trainings()["new_labels"] == 230
        world.command("retrain")
        assert world.last()["state"] in ("released", "refused")
    versions = [event.model_version for event in world.releases()]
    assert versions[0] == starter
    assert len(versions) == len(set(versions)) == 2


def test_a_worse_candidate_is_refused_and_the_refusal_recorded(world: World) -> None:
    starter = release_starter(world)
    with world.retrainer():
        world.say(flipped(labels_of_campaign(campaign=0, talk=300, insults=200), Split.POOL))
        wait_for("a training", lambda: world.over(1))
        refused = world.last()
        assert refused["state"] == "refused"
        assert "may be worse than the live model" in refused["reason"]
        assert refused["comparison"]["lower_bound"] < -0.005
        assert refused["comparison"]["categories"]["toxicity"]["positives"] > 20
        assert 'sluicegate_trainings_total{state="refused"} 1.0' in world.client.get("/metrics").text
        assert world.trainings()["new_labels"] == 0  # the same labels are not tried again and again
    assert [event.model_version for event in world.releases()] == [starter]
    assert [path.name for path in (world.settings.var / "models").iterdir()] == [starter]
    recorded = world.audits()
    assert [(a.actor, a.action, a.subject) for a in recorded] == [("retrainer", "model.refused", starter)]
    assert recorded[0].detail is not None
    assert recorded[0].detail["comparison"] == refused["comparison"]

    with world.retrainer():  # a restart remembers the refusal
        wait_for("all labels", lambda: world.trainings()["labels"] == 500)
        assert world.trainings()["new_labels"] == 0
        assert world.last() == refused


def test_on_demand_and_back_again(world: World) -> None:
    with world.retrainer():
        done = world.command("retrain")
        assert done.returncode == 1
        assert "nothing is live: release a bundle" in done.stdout
        starter = release_starter(world)
        wait_for("the starter", lambda: world.trainings()["live"] == starter)

        done = world.command("retrain")
        assert done.returncode == 1
        assert "a category needs 8 positives and 8 negatives" in done.stdout

        keys = world.say(labels_of_campaign(campaign=90, talk=120, insults=50))
        wait_for("all labels", lambda: world.trainings()["labels"] == 260)
        done = world.command("retrain")
        assert done.returncode == 0, done.stdout + done.stderr
        retrained = world.last()["candidate"]
        wait_for("its own release", lambda: world.trainings()["live"] == retrained)

        assert world.command("rollback").returncode == 0
        wait_for("the starter again", lambda: world.trainings()["live"] == starter)
        shown = json.loads(world.command("show", "--json").stdout)
        assert (shown["model_version"], shown["replaces"]) == (starter, retrained)
        assert world.trainings()["new_labels"] == 0  # what was taken back is not trained again at once

        world.withdraw(keys[:200])
        wait_for("the withdrawals", lambda: world.trainings()["labels"] == 60)
        done = world.command("retrain")
        assert (done.returncode, world.last()["state"]) == (1, "refused")
    assert [event.model_version for event in world.releases()] == [starter, retrained, starter]


def test_a_corrupt_bundle_is_not_released(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "corrupt"
    folder.mkdir()
    for path in STARTER.iterdir():
        data = bytearray(path.read_bytes())
        if path.name == "model.onnx":
            data[1000] ^= 0xFF
        (folder / path.name).write_bytes(data)
    done = world.command("release", str(folder))
    assert done.returncode == 1
    assert "model.onnx has SHA-256" in done.stderr
    assert world.releases() == []
    assert not (world.settings.var / "models").exists()


def test_undecodable_labels_stop_nothing_and_a_request_in_mid_training_is_told_so(world: World) -> None:
    release_starter(world)
    with world.retrainer():
        producer = plain_producer(world.settings)
        producer.produce("label.recorded", key=b"demo/bad", value=b"\xff no event")
        assert producer.flush(30) == 0
        world.say(labels_of_campaign(campaign=80, talk=100, insults=50))
        wait_for("the labels after it", lambda: world.trainings()["labels"] == 230)
        answers = [world.client.post("/v1/retrain") for _ in range(2)]
        assert [answer.status_code for answer in answers] == [202, 409]
        assert answers[1].headers["content-type"].startswith("application/problem+json")
        assert answers[0].json()["training_id"] in answers[1].json()["detail"]
        wait_for("the training", lambda: world.over(1))
        assert world.last()["state"] == "released"
        assert world.client.get("/v1/trainings/none").status_code == 404
