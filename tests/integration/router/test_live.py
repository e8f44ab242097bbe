"""What changes while the router runs: policies, alarms, time, and what other people's transactions leave behind."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from confluent_kafka import Producer

from services.cli.__main__ import main
from services.cli.policies import live_policy, release_policy
from services.events.codec import encode
from services.events.fresh import fresh_id
from services.events.instants import from_millis
from services.events.types import AlarmRaised
from services.policy.draw import draw
from services.policy.errors import InvalidPolicy
from services.runtime.clock import now_ms
from services.runtime.kafka import PRODUCER
from tests.integration.router.labelling import AT_RANDOM, LOW, POLICY, STARTER, STARTER_MODEL, record
from tests.integration.router.running import Line, wait_for
from tests.unit.policy.making import MODEL, scored


@pytest.fixture(scope="module", autouse=True)
def router(line: Line) -> Iterator[None]:
    line.release(audit={"share": 0, "queue": "audit", "supersede": False})
    line.start("router")
    wait_for("the router", lambda: line.readiness("router") == "ready")
    yield


@pytest.fixture(autouse=True)
def calm(line: Line) -> None:
    """The plain policy is live, and no alarm is on, before every test."""
    line.release(audit={"share": 0, "queue": "audit", "supersede": False})


def outcome(line: Line, item_id: str) -> tuple[str, str]:
    """(action or queue, basis or reason) of what became of a harmless item that is sent now."""
    line.send(scored(item_id=item_id))
    wait_for(f"an outcome of {item_id}", lambda: line.decided(item_id))
    if asked := line.asked(item_id):
        return asked[0]["queue"], asked[0]["selection"]["reason"]
    decision = line.decided(item_id)[0]
    return decision["action"], decision["basis"]


def eventually(line: Line, prefix: str, wanted: tuple[str, str]) -> None:
    """Send items until one comes to `wanted`: what is broadcast is live within moments."""
    attempts = iter(range(1_000))
    wait_for(str(wanted), lambda: outcome(line, f"{prefix}-{next(attempts)}") == wanted, 20)


def test_a_release_is_live_without_a_restart(line: Line) -> None:
    eventually(line, "before", ("allow", "automated"))
    version = line.release(automation=False)
    eventually(line, "switched-off", ("general", "automation_off"))
    assert {e["policy_version"] for e in line.scan("review.requested") if "switched" in e["item_id"]} == {
        version
    }
    line.release(audit={"share": 0, "queue": "audit", "supersede": False})
    eventually(line, "switched-on", ("allow", "automated"))


def test_the_same_policy_again_is_no_release(line: Line) -> None:
    before = live_policy(line.settings)
    line.release(audit={"share": 0, "queue": "audit", "supersede": False})
    assert live_policy(line.settings) == before


def test_a_bad_policy_is_refused_and_the_live_one_stays(line: Line, tmp_path: Path) -> None:
    before = live_policy(line.settings)
    path = tmp_path / "bad.yaml"
    path.write_text("name: bad\nautomation: true\n")
    with pytest.raises(InvalidPolicy):
        release_policy(line.settings, path, "cli:test", "it is bad")
    command = [sys.executable, "-m", "services.cli", "policy", "release", str(path)]
    run = subprocess.run(
        command, capture_output=True, text=True, env={"SLUICEGATE_KAFKA": line.settings.kafka}, timeout=60
    )
    assert run.returncode == 1 and f"{path}: line 1, column 1: 'audit' is a required property" in run.stderr
    assert live_policy(line.settings) == before


def test_an_alarm_sends_its_category_to_people_until_it_is_over(line: Line) -> None:
    def alarm(active: bool, model: str) -> None:
        now = from_millis(now_ms())
        event = AlarmRaised(
            event_id=fresh_id(),
            occurred_at=now,
            alarm="model_against_people",
            active=active,
            category="toxicity",
            model_version=model,
            value=0.5,
            limit=0.3,
            count=50,
            window_start=now,
            window_end=now,
            reason="people differ",
        )
        key = f"model_against_people/toxicity/{model}"
        line.producer.send_all([line.publisher.outgoing(event, key)])

    alarm(True, "another-model")
    alarm(True, MODEL)
    eventually(line, "alarmed", ("general", "alarm"))
    alarm(False, MODEL)
    eventually(line, "over", ("allow", "automated"))


def test_a_task_that_nobody_answers_expires_though_the_router_was_killed(line: Line) -> None:
    hurry = {"votes": 1, "lease_seconds": 60, "deadline_minutes": 0.01, "expire_hours": 0.001}  # 3.6 s
    line.release(queues={name: dict(hurry) for name in ("general", "expert", "audit")}, fallback="remove")
    sent: list[str] = []

    def hurried() -> bool:
        sent.append(f"forgotten-{len(sent)}")
        line.send(scored(toxicity=0.5, item_id=sent[-1]))
        wait_for("the question", lambda: line.asked(sent[-1]))
        return bool(line.asked(sent[-1])[0]["deadline"] < from_millis(now_ms() + 60_000))

    wait_for("the policy", hurried)
    name = sent[-1]
    line.kill("router")
    wait_for("the fallback", lambda: [e for e in line.decided(name) if e["final"]])
    (final,) = [e for e in line.decided(name) if e["final"]]
    assert (final["decision_seq"], final["basis"], final["action"]) == (1, "fallback", "remove")
    closed = [e["reason"] for e in line.scan("review.closed") if e["item_id"] == name]
    assert closed == ["expired"]


def test_a_hold_ends_though_the_router_was_killed(line: Line) -> None:
    line.release(while_pending="hold", hold={"at_most_minutes": 0.02, "then": "limit"})
    sent: list[str] = []

    def held() -> bool:
        sent.append(f"held-{len(sent)}")
        line.send(scored(toxicity=0.5, item_id=sent[-1]))
        wait_for("the interim decision", lambda: line.decided(sent[-1]))
        return bool(line.decided(sent[-1])[0]["action"] == "hold")

    wait_for("the policy", held)
    line.kill("router")
    wait_for("the end of the hold", lambda: len(line.decided(sent[-1])) == 2)
    found = [
        (e["decision_seq"], e["final"], e.get("interim", 0), e["action"]) for e in line.decided(sent[-1])
    ]
    assert found == [(1, False, 0, "hold"), (1, False, 1, "limit")]


def test_what_is_aborted_was_never_there(line: Line) -> None:
    config = PRODUCER | {"bootstrap.servers": line.settings.kafka, "transactional.id": "intruder"}
    producer = Producer(config)
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce("content.classified", encode(scored(item_id="ghost")), b"demo/ghost")
    producer.flush(10)
    producer.abort_transaction(10)
    producer.begin_transaction()
    producer.produce("content.classified", encode(scored(item_id="guest")), b"demo/guest")
    producer.commit_transaction(10)
    wait_for("the one that was committed", lambda: line.decided("guest"))
    eventually(line, "after", ("allow", "automated"))
    assert line.decided("ghost") == []


def test_what_cannot_be_read_is_set_aside_and_the_stream_goes_on(line: Line) -> None:
    producer = Producer(PRODUCER | {"bootstrap.servers": line.settings.kafka})
    good = encode(scored(item_id="good"))
    producer.produce("content.classified", b"\xff\xfe", b"demo/bad")
    producer.produce(
        "content.classified", good.replace(b"content_classified.v1", b"content_classified.v9"), b"demo/good"
    )
    producer.produce("content.classified", good, b"demo/another")
    producer.produce("content.classified", good, b"demo/good")
    producer.flush(10)
    wait_for("the good one", lambda: line.decided("good"))
    wait_for("the dead letters", lambda: len(line.dead_letters()) == 3)
    assert sorted(letter["error"] for letter in line.dead_letters()) == [
        "undecodable",
        "undecodable",
        "wrong_key",
    ]


def test_labels_certify_thresholds_that_the_router_decides_by_and_a_plan_draws_audits(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, list(arguments))

    def send(name: str, *toxicity: float) -> None:
        line.send(
            *(
                scored(item_id=f"{name}-{n}", toxicity=p, model_version=STARTER_MODEL)
                for n, p in enumerate(toxicity)
            )
        )

    monkeypatch.setenv("SLUICEGATE_VAR", str(line.folder))
    monkeypatch.setenv("SLUICEGATE_KAFKA", line.settings.kafka)
    # Before a model is: with one, risks that no labels speak for are refused.
    version = line.release(**POLICY)
    done = run("model", "release", str(STARTER))
    assert done.exit_code == 0, done.output
    tries = iter(range(10_000))

    def asked_first() -> bool:
        name = f"early{next(tries)}"
        send(name, 0.999999)
        wait_for("an outcome", lambda: line.decided(f"{name}-0"))
        return [e["selection"]["reason"] for e in line.asked(f"{name}-0")] == ["no_thresholds"]

    wait_for("the policy to be live, and people to be asked without points", asked_first)

    tune = ("policy", "tune", "--category", "toxicity", "--max-wrong-removals", "0.05")
    record(line, 20, version)
    refused = run(*tune)
    assert refused.exit_code == 1 and "audited violating items" in refused.output, refused.output
    assert "more are needed" in refused.output
    record(line, 600, version, start=20)
    certified = run(*tune, "--planned")
    assert certified.exit_code == 0, certified.output
    assert f"620 of 620 labels were drawn by {version}" in certified.output

    def decided_by_machine() -> bool:
        name = f"try{next(tries)}"
        send(name, 0.0, 0.999999)
        wait_for("outcomes", lambda: line.decided(f"{name}-0") and line.decided(f"{name}-1"))
        low, high = line.decided(f"{name}-0")[0], line.decided(f"{name}-1")[0]
        return [each["action"] for each in (low, high) if each["final"]] == ["allow", "remove"]

    wait_for("the points to be live", decided_by_machine)

    send("audit", *[0.0] * 300)
    wait_for(
        "all decisions",
        lambda: sum(e["item_id"].startswith("audit-") for e in line.scan("content.decided")) == 300,
    )
    found = {e["item_id"]: e for e in line.scan("review.requested") if e["item_id"].startswith("audit-")}
    luck = {f"audit-{n}": draw(b"trial", "audit", f"demo/audit-{n}") for n in range(300)}
    assert set(found) == {item for item, at in luck.items() if at < LOW}
    for item, event in found.items():
        reason = "sampled" if luck[item] < AT_RANDOM else "planned"
        assert event["selection"] == {"reason": reason, "probability": LOW} and event["purpose"] == "audit"
