"""Kafka and Redis fail in mid-stream: nothing is lost, nothing doubled, no vote counts twice."""

from __future__ import annotations

import pytest
import redis

from infra.local.stack import Stack
from loadtests.judge import Report
from loadtests.moderators import Habits
from loadtests.rig import Rig
from loadtests.waiting import until
from tests.e2e.plans import plan
from tests.e2e.test_loop import RATE, in_background

QUICK = Habits(think=0.02, undone=0.03, escalated=0.03)


def by_people(report: Report) -> int:
    """Posts decided by people, or as people decided on the same text: where texts are generated they come again."""
    return report.outcomes["people"] + report.outcomes["duplicate"]


@pytest.mark.timeout(900)
def test_redis_is_flushed_while_people_work(stack: Stack, rig: Rig) -> None:
    shift = rig.shift(habits=QUICK)
    joined = in_background(lambda: rig.player.play(plan("flush", 200, 200, seed=21), RATE, batch=10))
    client = redis.Redis.from_url(stack.settings.redis_url)
    for verdicts in (10, 40):  # in the middle of the work, twice
        until(f"{verdicts} verdicts to be given", lambda least=verdicts: shift.did.total() >= least, 180)  # type: ignore[misc]
        client.flushall()
    client.close()
    joined()
    rig.settled(360)
    report = rig.count()
    assert report.findings == []
    assert by_people(report) > 30
    assert rig.clickhouse(180) == []


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("server", "seed"), [("redis", 22), ("kafka", 23)])
def test_a_server_is_killed_and_started_again(stack: Stack, rig: Rig, server: str, seed: int) -> None:
    shift = rig.shift(habits=QUICK)
    joined = in_background(
        lambda: rig.player.play(plan(f"{server}-killed", 200, 200, seed=seed), RATE, batch=10)
    )
    until("10 verdicts to be given", lambda: shift.did.total() >= 10, 180)
    stack.kill(server)
    joined()
    rig.settled(360)
    report = rig.count()
    assert report.findings == []
    assert by_people(report) > 30
    stack.wait_ready()
    assert rig.clickhouse(180) == []
