"""The whole loop on real parts, with every service killed in mid-stream: posts and verdicts are accounted for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pytest

from infra.local.stack import Stack
from loadtests.moderators import Habits
from loadtests.play import Play
from loadtests.posts import posts
from loadtests.rig import Rig
from loadtests.waiting import until
from tests.e2e.plans import plan

SERVICES = (
    "ingest", "classifier", "router", "review-feed", "review-api", "adjudicator", "clusters", "monitor", "retrainer",
    "analytics",
)  # fmt: skip
QUICK = Habits(think=0.02, errors=0.02, undone=0.03, released=0.02, escalated=0.03)
RATE = 60  # posts a second


def in_background(work: Callable[[], None]) -> Callable[[], None]:
    """Starts the work; calling what is returned waits for its end and raises what it raised."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def join() -> None:
        thread.join()
        if errors:
            raise errors[0]

    return join


def kill_in_mid_stream(stack: Stack, rig: Rig, name: str, plays: Sequence[Play]) -> None:
    """Plays; when half is acknowledged, the process gets SIGKILL; returns when all is played and it is ready again."""
    half = rig.player.published + len(plays) // 2
    joined = in_background(lambda: rig.player.play(plays, RATE, batch=10))
    until(
        f"half of a slice to be published before {name} is killed", lambda: rig.player.published >= half, 180
    )
    pid = stack.kill(name)
    joined()
    until(f"{name} to be started again", lambda: stack.supervisor.states()[name].pid not in (0, pid), 180)
    stack.wait_ready([name])


@pytest.mark.timeout(1500)
def test_every_post_and_every_verdict_is_accounted_for_though_every_service_is_killed(
    stack: Stack, rig: Rig
) -> None:
    plays = plan("loop", regular=1500, spam=500, seed=11)
    assert sum(play.kind == "post" for play in plays) >= 2000
    shift = rig.shift(habits=QUICK)
    size = -(-len(plays) // len(SERVICES))
    for number, name in enumerate(SERVICES):
        kill_in_mid_stream(stack, rig, name, plays[number * size : (number + 1) * size])
    rig.settled(360)

    report = rig.count()
    assert report.findings == []
    revisions = {(play.item_id, play.revision) for play in plays if play.kind != "withdrawal"}
    assert report.published == len(revisions)
    assert {"machine", "people", "withdrawn", "edited"} <= report.outcomes.keys()
    assert report.outcomes["people"] > 100 and report.verdicts["counted"] > 100
    assert report.verdicts["retracted"] > 0 and shift.did["released"] > 0 and shift.did["escalate"] > 0
    assert report.labels > 100

    # labels → a retrained model → hot-swapped, and what is sent from then on is scored by it
    pid = stack.pid("classifier")
    before = rig.live()
    training = rig.retrain()
    assert training["state"] == "released", training
    until("the release to be seen", lambda: rig.live() == training["candidate"], 90)
    fresh = [
        Play(post.item_id, post.text, post.labels, part="fresh") for post in posts(100, 12, prefix="fresh")
    ]
    rig.player.play(fresh)
    rig.settled(360)
    assert stack.pid("classifier") == pid
    versions = rig.follow.with_outcomes(
        lambda outcomes: {
            at.event.model_version
            for key, decided in outcomes.decisions.items()
            if key.item_id.startswith("fresh-")
            for at in decided
        }
    )
    assert versions == {training["candidate"]} != {before}

    assert rig.count().findings == []
    assert rig.clickhouse(180) == []
