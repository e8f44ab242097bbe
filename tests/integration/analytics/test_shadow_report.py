"""What a candidate would have changed, told from ClickHouse: `sluicegate policy shadow --report`."""

import json
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from services.cli.keys import create_analyst_key
from services.cli.policy import policy
from services.events.codec import encode
from services.events.ids import derived_id, item_key
from services.events.types import PolicyShadowed, ShadowCounted, ShadowDiffered, ShadowOutcome, ShadowPair
from services.runtime.settings import Settings
from tests.integration.analytics.running import World, wait_until

AT = "2026-01-31T12:00:00.000Z"
FIRST, SECOND = "1" * 32, "2" * 32
ASKED = ShadowOutcome(outcome="review", queue="general", categories=("toxicity",), because="uncertain")
REMOVED = ShadowOutcome(outcome="remove", categories=("toxicity",), because="toxicity 0.6 >= 0.5")
ALLOWED = ShadowOutcome(outcome="allow", because="every category at or below its allow threshold")


def begun(trial: str, version: str) -> PolicyShadowed:
    return PolicyShadowed(
        event_id=trial,
        occurred_at=AT,
        active=True,
        policy_version=version,
        document="name: x",
        beside="live-1",
        until="2026-02-01T12:00:00.000Z",
        shadowed_by="cli:ada",
        reason="stricter",
    )


def difference(number: int, live: ShadowOutcome, shadow: ShadowOutcome, *differs: Any) -> ShadowDiffered:
    return ShadowDiffered(
        event_id=derived_id("shadow_differed", SECOND, number),
        occurred_at=AT,
        source="demo",
        item_id=f"post-{number}",
        revision=1,
        shadow_id=SECOND,
        policy_version="live-1",
        shadow_version="strict-2",
        live=live,
        shadow=shadow,
        differs=differs,
    )


def pair(live: ShadowOutcome, shadow: ShadowOutcome, count: int) -> ShadowPair:
    return ShadowPair(
        live=live.outcome,
        live_queue=live.queue,
        shadow=shadow.outcome,
        shadow_queue=shadow.queue,
        count=count,
    )


def counted(seed: int, differed: int, *pairs: ShadowPair, **changes: Any) -> ShadowCounted:
    event = ShadowCounted(
        event_id=derived_id("counted", seed),
        occurred_at=AT,
        worker="router-0",
        shadow_id=SECOND,
        policy_version="live-1",
        shadow_version="strict-2",
        items=sum(each.count for each in pairs),
        differed=differed,
        pairs=pairs,
    )
    return msgspec.structs.replace(event, **changes)


def test_the_report_has_rates_with_their_denominators_a_matrix_loads_and_examples(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in world.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SLUICEGATE_ANALYST_KEY", create_analyst_key(Settings(**world.settings()), "ann"))

    def run(*arguments: str) -> str:
        found = CliRunner().invoke(policy, ["shadow", "--report", *arguments])
        assert found.exit_code == 0, found.output
        return found.output

    producer = world.producer()

    def send(topic: str, key: str, event: Any) -> None:
        producer.produce(topic, encode(event), key)
        producer.flush()

    with world.analytics():
        early = CliRunner().invoke(policy, ["shadow", "--report"])
        assert early.exit_code == 1 and "no trial has arrived in analytics" in early.output
        send("policy.shadowed", "candidate", begun(FIRST, "earlier-1"))
        wait_until(lambda: "earlier-1" in so_far(), 90, "the first trial")
        assert run().splitlines()[-1] == "it was asked about no item yet"

        send("policy.shadowed", "candidate", begun(SECOND, "strict-2"))
        text = "you \x1b[31mfool"
        body = {"schema": "content_submitted.v1", "source": "demo", "item_id": "post-1", "revision": 1}
        producer.produce(
            "content.submitted.demo",
            json.dumps(body | {"item": {"kind": "post", "text": text}}),
            "demo/post-1",
        )
        told = difference(1, ASKED, REMOVED, "outcome", "queue")
        for event in (told, told, difference(2, ALLOWED, ASKED, "outcome", "queue", "categories")):
            send("shadow.differed", item_key(event.source, event.item_id), event)
        first = counted(1, 1, pair(ALLOWED, ALLOWED, 180), pair(ASKED, REMOVED, 1), live_audited=4)
        second = counted(2, 1, pair(ASKED, ASKED, 18), pair(ALLOWED, ASKED, 1), skipped=5, failed=1)
        for event in (first, second):
            send("shadow.counted", "router-0", event)
        wait_until(lambda: "200 items" in run(), 90, "both summaries")
        wait_until(lambda: "post-2" in run() and "fool" in run(), 30, "the differences and the text")

        told_lines = run().splitlines()
        assert told_lines[0].startswith("strict-2 beside live-1, on every item, from ")
        assert "200 items, 2 come out otherwise: 1.00%, 0.27% to 3.57% with 95% confidence" in told_lines
        assert "1 errors of the candidate, 5 items passed over (the worker was busy)" in told_lines
        matrix = [line.split() for line in told_lines]
        assert ["allow", "180", "0", "1"] in matrix and ["review", "0", "1", "18"] in matrix
        assert ["general", "19", "19"] in matrix and ["audits", "4", "0"] in matrix
        assert "differ in outcome 2, queue 2, categories 1" in told_lines
        assert "  demo/post-1@1: review in general (uncertain) → remove (toxicity 0.6 >= 0.5)" in told_lines
        assert "    you \\x1b[31mfool" in told_lines, "a stranger's text does not steer the terminal"

        for_programs = json.loads(run("--json", "--examples", "1"))
        assert for_programs["trial"]["shadow_id"] == SECOND and len(for_programs["examples"]) == 1
        assert "earlier-1" in run("--trial", FIRST)
        refused = CliRunner().invoke(policy, ["shadow", "--report", "--trial", "x' OR 1"])
        assert refused.exit_code == 2 and "no id of a trial" in refused.output


def so_far() -> str:
    """The report so far, or why there is none."""
    return CliRunner().invoke(policy, ["shadow", "--report"]).output
