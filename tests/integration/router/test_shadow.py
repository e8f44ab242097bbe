"""A candidate is tried beside the live policy, on a real broker: through kills of the router, and by its commands."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from services.cli import trials
from services.cli.__main__ import main
from services.events.types import ContentClassified
from services.policy.draw import draw
from services.policy.facts import Facts
from services.policy.model import Policy
from services.policy.route import Asked, route
from tests.integration.router.running import Line, wait_for
from tests.unit.policy.making import DOCUMENT, policy, scored
from tests.unit.router.making import passed

AUDIT = {"share": 0.1, "queue": "audit", "supersede": False}
STRICTER = {**DOCUMENT["categories"], "toxicity": {"remove": 0.5, "allow": 0.1, "severity": 2}}
Run = Callable[..., Result]


@pytest.fixture
def run(line: Line, monkeypatch: pytest.MonkeyPatch) -> Run:
    for name, value in {
        "KAFKA": line.settings.kafka,
        "VAR": str(line.folder),
        "SHADOW_BEHIND_SECONDS": "600",  # what waited while the router was dead is looked at all the same
        "SHADOW_CORE_SHARE": "1",
    }.items():
        monkeypatch.setenv(f"SLUICEGATE_{name}", value)
    return lambda *arguments: CliRunner().invoke(main, ["policy", *arguments])


def candidate(folder: Path, **changes: Any) -> Path:
    path = folder / "candidate.yaml"
    path.write_text(yaml.safe_dump({**DOCUMENT, "audit": AUDIT, "categories": STRICTER, **changes}))
    return path


def outcome(item: ContentClassified, by: Policy) -> tuple[str, str | None, bool]:
    """(action or review, queue, audited) as the pure policy has it, with the draw that the router makes."""
    found = route(passed(item), by, Facts(draw=draw(b"trial", "audit", f"demo/{item.item_id}")))
    if isinstance(found, Asked):
        return "review", found.queue, False
    return found.action, None, found.audited is not None


def test_every_difference_is_told_once_though_the_router_is_killed(
    line: Line, run: Run, tmp_path: Path
) -> None:
    line.release(audit=AUDIT)
    path = candidate(tmp_path)
    begun = run("shadow", str(path), "--reason", "stricter on toxicity")
    assert begun.exit_code == 0, begun.output
    line.start("router")
    wait_for("the router", lambda: line.readiness("router") == "ready")
    items = [
        scored([0.0, 0.2, 0.4, 0.6, 0.95][n % 5], item_id=f"post-{n}", text_hash=f"{n:032x}")
        for n in range(1_500)
    ]
    for start in range(0, len(items), 50):
        line.send(*items[start : start + 50])
        if start in (300, 900):
            wait_for("some outcomes", lambda at=start: len(line.scan("content.decided")) > at // 2)
            line.kill("router")
    wait_for("every outcome", lambda: len(line.scan("content.decided")) == len(items), 120)
    before, after = policy(audit=AUDIT), policy(audit=AUDIT, categories=STRICTER)
    wanted = {
        item.item_id: (outcome(item, before), outcome(item, after))
        for item in items
        if outcome(item, before) != outcome(item, after)
    }
    told = line.scan("shadow.differed")
    assert max(Counter(event["item_id"] for event in told).values()) == 1, "each once"
    assert {
        event["item_id"]: tuple(
            (event[side]["outcome"], event[side]["queue"], event[side]["audited"])
            for side in ("live", "shadow")
        )
        for event in told
    } == wanted
    counted = line.scan("shadow.counted")
    assert sum(event["items"] for event in counted) == len(items), "the denominator is exact"
    assert sum(event["differed"] for event in counted) == len(wanted) > 500
    assert sum(event["failed"] + event["skipped"] for event in counted) == 0
    assert {event["shadow_id"] for event in told + counted} == {line.scan("policy.shadowed")[-1]["event_id"]}
    decided = [event for event in line.scan("content.decided")]
    assert {event["policy_version"] for event in decided} == {before.version}
    assert line.dead_letters() == []

    again = run("release", str(path), "--reason", "as tried")
    assert again.exit_code == 0, again.output
    assert trials.tried(line.settings) is None, "a trial of what is live is over"
    assert run("shadow").output.startswith("no candidate is tried")


def test_a_candidate_begins_and_stops_while_the_router_runs(line: Line, run: Run, tmp_path: Path) -> None:
    line.release(audit=AUDIT)
    numbers = iter(range(10_000))

    def looked_at() -> bool:
        item = f"later-{next(numbers)}"
        line.send(scored(0.6, item_id=item))
        wait_for("an outcome", lambda: line.decided(item))
        return any(event["item_id"] == item for event in line.scan("shadow.differed"))

    begun = run("shadow", str(candidate(tmp_path)), "--reason", "once more", "--for", "2h")
    assert begun.exit_code == 0 and "is tried beside trial-" in begun.output, begun.output
    wait_for("the candidate to be asked", looked_at)
    other = run("shadow", str(candidate(tmp_path, automation=False)), "--reason", "another", "--share", "0.5")
    assert "which was tried until now" in other.output and "on 0.5 of the items" in other.output
    stopped = run("shadow", "--stop", "--reason", "enough")
    assert stopped.exit_code == 0 and "is tried no more" in stopped.output
    wait_for("the candidate to be left alone", lambda: not looked_at())
    assert run("shadow", "--stop").output == "no candidate is tried: nothing to stop\n"
    audited = [e for e in line.scan("audit.recorded") if e["action"] == "policy.shadowed"]
    assert [e["detail"]["reason"] for e in audited][-3:] == ["once more", "another", "enough"]


def test_a_bad_candidate_is_refused_with_line_and_column_and_nothing_is_sent(
    line: Line, run: Run, tmp_path: Path
) -> None:
    line.release(audit=AUDIT)
    sent = len(line.scan("policy.shadowed"))
    bad = candidate(tmp_path, queue="nobody")
    refused = run("shadow", str(bad), "--reason", "try it")
    where = next(n for n, text in enumerate(bad.read_text().splitlines(), 1) if text == "queue: nobody")
    assert refused.exit_code == 1 and f"{bad}: line {where}, column 8: " in refused.output, refused.output
    live = tmp_path / "live.yaml"
    live.write_text(yaml.safe_dump({**DOCUMENT, "audit": AUDIT}))
    same = run("shadow", str(live), "--reason", "try it")
    assert same.exit_code == 1 and "is live: change it" in same.output
    counters = run(
        "shadow",
        str(
            candidate(
                tmp_path, rules=[{"name": "r", "when": "counters.author.items_1h > 3", "then": "limit"}]
            )
        ),
        "--reason",
        "a rule",
    )
    assert "the live policy does not count them" in counters.output and counters.exit_code == 0
    assert run("shadow", "--stop").exit_code == 0
    assert len(line.scan("policy.shadowed")) == sent + 2
