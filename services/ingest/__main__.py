"""`python -m services.ingest`: builds the clients and serves until SIGTERM."""

import threading
import time

import httpx
import redis.asyncio as redis

from services.events.topics import load_topics
from services.ingest.acceptance import Acceptance
from services.ingest.api import build
from services.ingest.authority import Authority
from services.ingest.caps import InlineCaps
from services.ingest.compatible_api import compatible_routes
from services.ingest.counters import InlineCounters
from services.ingest.direct import Direct
from services.ingest.inline_api import inline_routes, moderating
from services.ingest.live import Live
from services.ingest.memory import Memory
from services.ingest.metrics import IngestMetrics
from services.ingest.moderation import Moderation
from services.ingest.probing import watch_kafka
from services.ingest.scorer import Scorer
from services.ingest.settings import IngestSettings
from services.ingest.standing import Standing
from services.ingest.verdict import Secrets
from services.runtime.acknowledged import AcknowledgedProducer
from services.runtime.apikeys import KeyCache, KeyStore
from services.runtime.audit import Audit
from services.runtime.health import Health
from services.runtime.logs import configure_logs
from services.runtime.metrics import ListMetrics
from services.runtime.publishing import Publisher
from services.runtime.serving import serve
from services.runtime.shared_secret import INLINE, shared_secret
from services.scoring.live_lists import LiveLists


def main() -> None:
    """Serve."""
    settings = IngestSettings()
    configure_logs("ingest", settings.log_level)
    metrics, health, stopping = IngestMetrics(), Health(), threading.Event()
    producer = AcknowledgedProducer(settings, settings.ingest_ack_ms)
    topics = load_topics()
    publisher = Publisher("ingest", topics)
    client = redis.from_url(settings.redis_url, socket_timeout=0.5, socket_connect_timeout=0.5)
    memory = Memory(client, settings.ingest_remember_seconds, time.monotonic, metrics.redis_away.inc)
    analytics = httpx.AsyncClient(base_url=settings.analytics_url, timeout=settings.ingest_lookup_seconds)
    keys = KeyCache(KeyStore(settings.database_url), time.monotonic, settings.ingest_key_age_seconds)

    lists = LiveLists(settings.var, ListMetrics(metrics.registry))
    live = Live(settings, topics, lists)
    scorer = Scorer(live)
    secrets = Secrets(
        shared_secret(settings.inline_secret, settings.var, INLINE), settings.sampling_salt.encode()
    )
    away = metrics.redis_away.inc
    counters = InlineCounters(client, away)
    moderation = Moderation(scorer, InlineCaps(client, away), counters, lists, secrets, metrics)

    async def close() -> None:
        stopping.set()
        scorer.close()
        await analytics.aclose()
        await client.aclose()
        producer.close()

    acceptance = Acceptance(memory, producer, publisher, metrics)
    authority = Authority(keys)
    parts = authority, acceptance, moderation
    routers = [inline_routes(*parts), compatible_routes(*parts)]
    app = build(
        authority,
        acceptance,
        Standing(analytics, memory),
        Audit(producer, publisher, "key"),
        metrics,
        health,
        close,
        routers,
    )
    threading.Thread(target=watch_kafka, args=(settings, health, stopping), daemon=True).start()
    threading.Thread(target=live.follow, args=(stopping,), daemon=True).start()
    threading.Thread(target=lists.follow, args=(stopping,), daemon=True).start()
    serve(Direct(app, {"/v1/moderate": moderating(*parts)}), settings.host, settings.ingest_port, swift=True)


if __name__ == "__main__":
    main()
