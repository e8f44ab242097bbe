"""`python -m loadtests.peers.faust_app`: classifier and router as a plain Faust app, two agents, one event at a time.

They call the functions that our services call: decode, classify, what a submission becomes, route, encode. They do
less than ours: at least once instead of exactly once, no state, no headers, no explanations, no count of outcomes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import faust
from faust import Worker
from pydantic_settings import BaseSettings, SettingsConfigDict

from infra.local.bootstrap import STARTER
from services.classifier.core import classified, scores_of
from services.events.codec import DerivedEncoder, decode
from services.events.submission import read
from services.events.topics import load_topics
from services.events.types import ContentDecided
from services.policy.draw import draw
from services.policy.facts import Facts
from services.policy.parse import parse
from services.router.core import classify
from services.router.core.items import Classified
from services.runtime.clock import now_ms
from services.scoring import bundle


class FaustSettings(BaseSettings):
    """Read from the environment, prefix FAUST_RACE_."""

    model_config = SettingsConfigDict(env_prefix="FAUST_RACE_")

    kafka: str
    name: str  # of the app, and what its topics begin with
    policy: Path
    folder: Path  # Faust wants one


def topics_of(name: str) -> tuple[str, str, str, str]:
    """What the app reads; what its first agent writes; decisions and requests of its second."""
    return f"{name}.submitted", f"{name}.classified", f"{name}.decided", f"{name}.requested"


def build_app(settings: FaustSettings) -> Any:
    """Faust as it comes, but for what it would serve, create or elect."""
    app = faust.App(
        settings.name,
        broker=f"kafka://{settings.kafka}",
        consumer_auto_offset_reset="earliest",
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        datadir=str(settings.folder),
    )
    raw: dict[str, Any] = {
        "key_type": bytes,
        "value_type": bytes,
        "key_serializer": "raw",
        "value_serializer": "raw",
    }
    submitted, scored, decided, requested = (app.topic(name, **raw) for name in topics_of(settings.name))
    model, encode = bundle.load(STARTER), DerivedEncoder().encode
    policy = parse(settings.policy.read_text("utf-8"), frozenset(load_topics().queues))

    @app.agent(submitted)
    async def classifier(stream: Any) -> None:
        async for record in stream.events():
            event, item = read(record.value)
            text = item.text or "" if item else ""
            (scores,) = scores_of(model.categories, model.classifier.classify([text]))
            accepted = int(record.message.timestamp * 1000)
            out = classified(event, item, model.model_version, scores, accepted, now_ms())
            await scored.send(key=record.key, value=encode(out))

    @app.agent(scored)
    async def router(stream: Any) -> None:
        async for record in stream.events():
            item = decode(Classified, record.value)
            facts = Facts(draw=draw(b"race", "audit", record.key.decode()))
            for event in classify(item, None, policy, facts, now_ms()).events:
                to = decided if isinstance(event, ContentDecided) else requested
                await to.send(key=record.key, value=encode(event))

    return app


def main() -> None:
    """Run until SIGTERM."""
    worker = Worker(build_app(FaustSettings()), quiet=True, loglevel="WARN")
    worker.spinner = None
    worker.execute_from_commandline()


if __name__ == "__main__":
    main()
