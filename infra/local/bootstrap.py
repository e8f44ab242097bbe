"""What has to be there before the services start: `up` does it, and `python -m infra.local.bootstrap` for a container.

A worker without a model or a policy is not ready, so both are released where none is live. Every step may be done
again, and does nothing then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from infra import topics
from infra.local.access import ACCOUNTS, SOURCE, DemoAccess, demo_access, make_demo_access
from services.events.topics import load_topics
from services.runtime.kafka import admin
from services.runtime.settings import Settings

Say = Callable[[str], None]
STARTER = Path(__file__).parent.parent / "starter"


@dataclass(frozen=True)
class Step:
    """One thing to do; `run` is given the settings and where to report."""

    name: str
    run: Callable[[Settings, Say], None]


def apply_topics(settings: Settings, say: Say) -> None:
    """Creates the topics that are missing. Raises PartitionCountDiffers."""
    client = admin(settings)
    wanted = topics.plan(load_topics(), settings.shards, sources=topics.known_sources(client))
    if changes := topics.apply(client, wanted):
        say(f"topics: {len(changes)} changes, {len(wanted)} as wanted")


def release_model(settings: Settings, say: Say) -> None:
    """Releases the starter model where no model is live."""
    from services.retrainer.release import live_model, release_bundle

    if live_model(settings) is None:
        event = release_bundle(
            settings, STARTER, released_by="cli", reason="the starter model, as none was live"
        )
        say(f"released the starter model, {event.model_version}")


def release_policy(settings: Settings, say: Say) -> None:
    """Releases the starter policy where no policy is live."""
    from services.cli import policies

    if policies.live_policy(settings) is None:
        reason = "the starter policy, as none was live"
        event = policies.release_policy(settings, STARTER / "policy.yaml", policies.person(), reason)
        say(f"released the starter policy, {event.policy_version}")


def give_access(settings: Settings, say: Say) -> None:
    """Makes demo logins and keys where they are missing."""
    before = demo_access(settings)
    if make_demo_access(settings) != before:
        say("made demo logins and keys")


TOPICS = Step("topics", apply_topics)
STEPS: tuple[Step, ...] = (
    TOPICS,
    Step("model", release_model),
    Step("policy", release_policy),
    Step("access", give_access),
)


def shown(access: DemoAccess) -> list[str]:
    """Lines that tell a person how to get in."""
    lines = [
        f"login    {name} ({ACCOUNTS[name]}), password {access.accounts[name]}" for name in access.accounts
    ]
    return [*lines, f"key      {access.source_key} (source {SOURCE})", f"key      {access.analyst_key} (SQL)"]


def main() -> None:
    """Does every step, with the settings of the environment."""
    settings = Settings()
    for step in STEPS:
        step.run(settings, print)
    print("\n".join(shown(demo_access(settings))))


if __name__ == "__main__":
    main()
