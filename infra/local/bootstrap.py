"""What has to be there before the services start: `up` does it, and `python -m infra.local.bootstrap` for a container.

A worker without a model or a policy is not ready, so both are released where none is live. Every step may be done
again, and does nothing then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from infra import topics
from services.events.topics import load_topics
from services.runtime.kafka import admin
from services.runtime.settings import Settings

Say = Callable[[str], None]


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


TOPICS = Step("topics", apply_topics)
STEPS: tuple[Step, ...] = (TOPICS,)


def main() -> None:
    """Does every step, with the settings of the environment."""
    settings = Settings()
    for step in STEPS:
        step.run(settings, print)


if __name__ == "__main__":
    main()
