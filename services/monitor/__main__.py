"""Runs the monitor: `python -m services.monitor`."""

import sys

import structlog
from confluent_kafka import KafkaException
from faust import Worker

from services.events.topics import load_topics
from services.monitor.broadcasts import Broadcasts
from services.monitor.metrics import MonitorMetrics
from services.monitor.monitor import Monitor
from services.monitor.recount import Recount
from services.monitor.settings import MonitorSettings
from services.runtime.errors import RuntimeFault
from services.runtime.health import Health, serve_health
from services.runtime.kafka import admin
from services.runtime.logs import configure_logs

log = structlog.get_logger()


def main() -> None:
    """Run until SIGTERM. Exits with 1 where Kafka or a topic is not there; a supervisor starts it again."""
    settings = MonitorSettings()
    configure_logs("monitor", settings.log_level)
    (settings.var / "monitor").mkdir(parents=True, exist_ok=True)  # Faust wants a folder, for nothing
    health, metrics = Health(), MonitorMetrics()
    port = serve_health(health, metrics.registry, settings.host, settings.metrics_port)
    log.info("started", kafka=settings.kafka, metrics_port=port)
    topics = load_topics()
    try:
        broadcasts = Broadcasts(settings, frozenset(topics.queues), admin(settings), metrics)
    except (RuntimeFault, KafkaException) as fault:
        log.error("ended", reason=str(fault), kind=type(fault).__name__)
        sys.exit(1)
    recount = Recount(settings.analytics_url, settings.recount_timeout_seconds)
    monitor = Monitor(settings, topics, broadcasts, recount, health, metrics)
    worker = Worker(monitor.app, quiet=True, override_logging=False, redirect_stdouts=False)
    worker.spinner = None  # logs are lines of JSON
    worker.execute_from_commandline()


if __name__ == "__main__":
    main()
