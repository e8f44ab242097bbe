"""`python -m services.review feed | api`: builds the clients of one of the two processes and runs it."""

import sys

import structlog
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from services.events.topics import load_topics
from services.review.accounts import open_accounts
from services.review.app import Clients, build_app
from services.review.deadletters import DeadLetters
from services.review.feed import Feed
from services.review.metrics import FeedMetrics
from services.review.queue import Queues
from services.review.rebuild import Rebuilder
from services.review.settings import ApiSettings, BoardSettings, FeedSettings
from services.runtime.acknowledged import AcknowledgedProducer
from services.runtime.errors import RuntimeFault
from services.runtime.health import Health, serve_health
from services.runtime.kafka import admin, lone_consumer
from services.runtime.logs import configure_logs
from services.runtime.publishing import Publisher
from services.runtime.serving import serve
from services.runtime.worker import stop_on_signals

log = structlog.get_logger()


def redis_client(settings: BoardSettings) -> Redis:
    """Redis with an end to waiting. A connection that was closed meanwhile is opened anew, once."""
    retry = Retry(NoBackoff(), 1)
    return Redis.from_url(settings.redis_url, socket_timeout=5, socket_connect_timeout=2, retry=retry)


def feed() -> None:
    """Feed Redis until SIGTERM."""
    settings = FeedSettings()
    configure_logs("review-feed", settings.log_level)
    stop = stop_on_signals()
    health, metrics = Health(), FeedMetrics()
    port = serve_health(health, metrics.registry, settings.host, settings.metrics_port)
    log.info("started", kafka=settings.kafka, redis=settings.redis_url, metrics_port=port)
    consumer, cluster = lone_consumer(settings, "review-feed"), admin(settings)
    producer = AcknowledgedProducer(settings, settings.acknowledge_ms)
    rebuilder = Rebuilder(settings, consumer, cluster, producer, Publisher("review", load_topics()))
    dead = DeadLetters(consumer, producer)
    queues = Queues(redis_client(settings))
    try:
        Feed(settings, consumer, cluster, queues, rebuilder, dead, health, metrics).run(stop.is_set)
    except RuntimeFault as fault:  # the supervisor starts it again
        log.error("ended", reason=str(fault), kind=type(fault).__name__)
        sys.exit(1)
    finally:
        consumer.close()
        producer.close()
    log.info("stopped")


def api() -> None:
    """Serve until SIGTERM."""
    settings = ApiSettings()
    configure_logs("review-api", settings.log_level)
    producer = AcknowledgedProducer(settings, settings.acknowledge_ms)
    clients = Clients(
        redis_client(settings), open_accounts(settings), producer, Publisher("review", load_topics())
    )
    log.info("started", port=settings.review_port, kafka=settings.kafka)
    stop_on_signals()  # uvicorn ends gracefully and then raises the signal again: what follows must still run
    app = build_app(settings, clients)
    serve(app, settings.host, settings.review_port)
    producer.close()
    log.info("stopped")


if __name__ == "__main__":
    PROCESSES = {"feed": feed, "api": api}
    if len(sys.argv) != 2 or sys.argv[1] not in PROCESSES:
        sys.exit("usage: python -m services.review feed | api")
    PROCESSES[sys.argv[1]]()
