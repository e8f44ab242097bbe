"""The slow tier on a real broker: it decides what it scores in time, and nothing ever waits for it longer."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from infra.local.kafka import Kafka
from infra.local.ports import free_ports
from services.retrainer.release import live_model
from services.scoring.bundle import load
from tests.integration.classifier.tiers import SURE, UNSURE, Tiers
from tests.integration.router.running import wait_for
from tests.unit.scoring import tiny

PATIENCE = 120.0


@pytest.fixture(scope="module")
def tiers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tiers]:
    """Both tiers and the router; no slow model is live yet. Items wait for five minutes."""
    folder = tmp_path_factory.mktemp("tiers")
    broker = Kafka(folder / "kafka", *free_ports(2))
    broker.start()
    broker.wait_for_transactions()
    made = Tiers(broker, folder)
    made.start("fast", "slow", "router")
    yield made
    made.stop()
    broker.kill()


def test_without_a_slow_model_nothing_waits(tiers: Tiers) -> None:
    tiers.submit("early", UNSURE)
    wait_for("a decision", lambda: tiers.decided("early"), PATIENCE)
    assert tiers.decided("early") == [("early", 1, "remove", None)]
    assert not tiers.ready("slow") and tiers.events("content.uncertain", "early") == []


def test_slow_scores_decide_what_the_fast_model_was_unsure_of(tiers: Tiers) -> None:
    tiny.save(tiers.folder / "tiny")
    command = [sys.executable, "-m", "services.cli", "model", "release", str(tiers.folder / "tiny")]
    env = os.environ | {"SLUICEGATE_KAFKA": tiers.settings.kafka, "SLUICEGATE_VAR": str(tiers.settings.var)}
    run = subprocess.run(
        [*command, "--tier", "slow"], env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert run.returncode == 0 and run.stdout.startswith("tiny-"), run.stderr
    wait_for("the slow tier", lambda: tiers.ready("slow"), PATIENCE)
    live = [live_model(tiers.settings, tier) for tier in ("fast", "slow")]
    assert [model and model.name for model in live] == ["starter", "tiny"]

    tiers.submit("unsure", UNSURE)
    tiers.submit("sure", SURE)
    wait_for("decisions", lambda: len(tiers.decided("unsure", "sure")) == 2, PATIENCE)
    assert tiers.decided("unsure", "sure") == [("sure", 1, "allow", None), ("unsure", 1, "allow", "scored")]
    [decision] = tiers.events("content.decided", "unsure")
    slow, fast = load(tiers.folder / "tiny"), load(tiers.folder / "var" / "models" / _fast(tiers))
    assert decision["model_version"] == slow.model_version
    assert decision["circumstances"]["fast_model_version"] == fast.model_version
    own = dict(zip(slow.categories, slow.classifier.classify([UNSURE]).probability[0], strict=True))
    own["hate"] = fast.classifier.classify([UNSURE]).probability[0][fast.categories.index("hate")]
    found = {score["category"]: score["probability"] for score in decision["scores"]}
    assert found == {name: pytest.approx(float(p), abs=1e-6) for name, p in own.items()}


def _fast(tiers: Tiers) -> str:
    [first] = [e for e in tiers.events("content.classified", "unsure") if e["tier"] == "fast"]
    return str(first["model_version"])


def test_an_edit_and_a_withdrawal_overtake_a_slow_group_that_was_killed(tiers: Tiers) -> None:
    tiers.kill("slow")
    for name in ("edited", "withdrawn", "kept"):
        tiers.submit(name, UNSURE)
    names = ("edited", "withdrawn", "kept")
    wait_for("hand-over", lambda: len(tiers.events("content.uncertain", *names)) == 3, PATIENCE)
    tiers.submit("edited", SURE, revision=2)
    tiers.submit("withdrawn", None)
    tiers.submit("passing", SURE)
    wait_for("the stream, which does not wait", lambda: tiers.decided("edited", "passing"), PATIENCE)
    wait_for("closings", lambda: len(tiers.events("review.closed", *names)) == 2, PATIENCE)
    assert not tiers.decided("kept")

    tiers.start("slow")
    wait_for("the slow scores", lambda: tiers.decided("kept"), PATIENCE)
    wait_for("two that come late", lambda: tiers.dropped("router", "late_slow_score") == 2, PATIENCE)
    scored = [e["item_id"] for e in tiers.events("content.classified", *names) if e["tier"] == "slow"]
    assert sorted(scored) == sorted(names), "they were scored all the same, within their time"
    assert tiers.decided(*names) == [("edited", 2, "allow", None), ("kept", 1, "allow", "scored")]
    closed = {(e["item_id"], e["revision"], e["reason"]) for e in tiers.events("review.closed", *names)}
    assert closed == {("edited", 1, "edited"), ("withdrawn", 1, "withdrawn")}


def test_a_slow_group_killed_in_mid_stream_loses_and_doubles_nothing(tiers: Tiers) -> None:
    names = [f"stream-{number}" for number in range(120)]
    for number, name in enumerate(names):
        tiers.submit(name, UNSURE if number % 2 else SURE)
        if number in (40, 80):
            tiers.kill("slow")
            tiers.start("slow")
    wait_for("all of them", lambda: len(tiers.decided(*names)) >= len(names), PATIENCE)
    assert tiers.decided(*names) == sorted(
        (name, 1, "allow", "scored" if number % 2 else None) for number, name in enumerate(names)
    )


def test_an_item_goes_on_with_the_fast_score_when_the_slow_one_is_late(tiers: Tiers) -> None:
    tiers.kill("slow")
    tiers.kill("fast")
    tiers.wait_seconds = 1
    tiers.start("fast")
    names = [f"late-{number}" for number in range(5)]
    for name in names:
        tiers.submit(name, UNSURE)
    wait_for("decisions without it", lambda: len(tiers.decided(*names)) == len(names), PATIENCE)
    assert tiers.decided(*names) == [(name, 1, "remove", "late") for name in names]
    until = {e["item_id"]: e["slow_until"] for e in tiers.events("content.uncertain", *names)}
    for decision in tiers.events("content.decided", *names):
        assert decision["occurred_at"] >= until[decision["item_id"]], "not before its time was up"
        assert decision["model_version"] == _fast(tiers)

    tiers.start("slow")
    wait_for("what it drops", lambda: tiers.dropped("slow", "too_late") == len(names), PATIENCE)
    tiers.submit("after", SURE)
    wait_for("the stream", lambda: tiers.decided("after"), PATIENCE)
    assert len(tiers.decided(*names)) == len(names), "decided once"
