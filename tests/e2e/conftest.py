"""One whole stack for all end-to-end tests: real Kafka, Redis and chDB, every service, on free ports."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.access import DemoAccess, demo_access
from infra.local.bootstrap import STARTER, STEPS, Say, Step
from infra.local.ports import free_ports
from infra.local.settings import StackSettings
from infra.local.stack import Stack
from loadtests.rig import Rig
from services.cli import policies
from services.runtime.settings import Settings

PORTS = [
    "kafka_controller_port",
    *(f"{name}_port" for name in ("ingest", "review", "analytics", "retrainer")),
    *(
        f"{name}_metrics_port"
        for name in ("classifier", "router", "adjudicator", "clusters", "review_feed", "monitor")
    ),
]


def without_alarms(settings: Settings, say: Say) -> None:
    """Releases the starter policy with a limit that no model is over: simulated moderators would raise alarms, and one
    between an item and its repeat lets the two come out differently.
    """
    text, times = re.subn(
        r"max_disagreement: [\d.]+", "max_disagreement: 1.0", policies.policy_text(STARTER / "policy.yaml")
    )
    assert times == 1, "the starter policy has no limit of disagreement any more"
    event, _ = policies.release_text(settings, text, policies.person(), "no alarms in tests")
    say(f"released the policy of the tests, {event.policy_version}")


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that is up. Trainings start on demand only, so that a test knows which model is live, and change only
    what enough labels were held out of.
    """
    kafka, redis, *others = free_ports(2 + len(PORTS))
    settings = StackSettings(
        kafka=f"127.0.0.1:{kafka}",
        redis_url=f"redis://127.0.0.1:{redis}/0",
        var=tmp_path_factory.mktemp("stack"),
        **dict(zip(PORTS, others, strict=True)),
    )
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SLUICEGATE_RETRAIN_AFTER", "1000000")
        environment.setenv("SLUICEGATE_FROZEN_POSITIVES", "60")
        whole = Stack(settings, steps=[*STEPS, Step("no alarms", without_alarms)])
        try:
            whole.up()
            yield whole
        finally:
            whole.down()


@pytest.fixture(scope="session")
def access(stack: Stack) -> DemoAccess:
    """Logins and keys."""
    return demo_access(stack.settings)


@pytest.fixture(scope="session")
def texts() -> dict[str, frozenset[str]]:
    """Every text that any test sent, with its labels: moderators may meet a task that another test left behind."""
    return {}


@pytest.fixture
def rig(stack: Stack, access: DemoAccess, texts: dict[str, frozenset[str]], tmp_path: Path) -> Iterator[Rig]:
    """Manifest, player, follower and moderators of one test."""
    with Rig(stack.settings, access, "demo", tmp_path, texts) as one:
        yield one
