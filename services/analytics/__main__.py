"""`python -m services.analytics`: builds the clients, starts the sink and serves until SIGTERM."""

import os
import threading
import time

import structlog

from services.analytics.api import build
from services.analytics.charts import Charts
from services.analytics.engine import Connection, connect, connect_analyst, connect_reader
from services.analytics.inserting import Inserting
from services.analytics.ledger import Ledger
from services.analytics.lookup import Lookup
from services.analytics.metrics import AnalyticsMetrics
from services.analytics.migrations import load_migrations, migrate
from services.analytics.query import Questions
from services.analytics.rows import Classifier
from services.analytics.settings import AnalyticsSettings
from services.analytics.sink import Sink
from services.analytics.tradeoff import Tradeoff
from services.events.topics import load_topics
from services.runtime.acknowledged import AcknowledgedProducer
from services.runtime.apikeys import KeyCache, KeyStore
from services.runtime.audit import Audit
from services.runtime.garbage import collect_rarely
from services.runtime.health import Health
from services.runtime.kafka import admin
from services.runtime.logs import configure_logs
from services.runtime.publishing import Publisher
from services.runtime.serving import serve

log = structlog.get_logger()


def step_back(niceness: int) -> None:
    """Let others go first. Before the engine has threads: Linux keeps it by the thread, and new ones inherit it."""
    os.setpriority(os.PRIO_PROCESS, 0, max(niceness, os.getpriority(os.PRIO_PROCESS, 0)))


def main() -> None:
    """Serve."""
    settings = AnalyticsSettings()
    configure_logs("analytics", settings.log_level)
    step_back(settings.sink_nice)
    metrics, health, stopping, topics = AnalyticsMetrics(), Health(), threading.Event(), load_topics()
    writer = connect(settings)
    for name in migrate(writer, load_migrations()):
        log.info("migrated", migration=name)
    classifier = Classifier(topics)
    ledger, inserting = Ledger(writer), Inserting(writer, classifier)
    sink = Sink(
        settings, lambda: admin(settings), ledger, inserting, classifier, metrics, health, stopping.is_set
    )
    producer = AcknowledgedProducer(settings)
    lookups = Connection(lambda: connect_reader(settings))
    drawing = Connection(lambda: connect_reader(settings))
    asking = Connection(lambda: connect_analyst(settings))

    def follow() -> None:
        """A sink that fails for good ends the process: the supervisor starts it again."""
        try:
            sink.run()
        except BaseException:
            log.exception("the sink failed")
            os._exit(1)

    thread = threading.Thread(target=follow, name="sink")

    def close() -> None:
        stopping.set()
        thread.join()
        producer.close()

    app = build(
        KeyCache(KeyStore(settings.database_url), time.monotonic),
        Lookup(lookups),
        Questions(asking),
        Charts(drawing),
        Tradeoff(drawing, settings.var, topics),
        Audit(producer, Publisher("analytics", topics), "key"),
        metrics,
        health,
        close,
    )
    collect_rarely()
    thread.start()
    serve(app, settings.host, settings.analytics_port)


if __name__ == "__main__":
    main()
