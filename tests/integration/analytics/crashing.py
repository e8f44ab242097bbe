"""The sink as a process that ends itself, as SIGKILL would, at a given point; or stops once it has stored enough.

    python -m tests.integration.analytics.crashing POINT AT EXPECTED

POINT is `opened` (after the ledger is written, before an insert), `inserted` (after the first insert of a batch),
`unclosed` (after all inserts, before the ledger is closed), `logged` (the engine knows the token, the part is gone:
what a kill between the two leaves) or `never`; AT is the batch it happens in; EXPECTED how many rows are enough.
"""

import os
import sys
import threading
import time
from collections.abc import Iterable

from services.analytics.engine import connect
from services.analytics.inserting import Inserting
from services.analytics.ledger import Ledger, OpenBlock
from services.analytics.metrics import AnalyticsMetrics
from services.analytics.migrations import load_migrations, migrate
from services.analytics.rows import Block, Classifier
from services.analytics.settings import AnalyticsSettings
from services.analytics.sink import Sink
from services.events.topics import load_topics
from services.runtime.health import Health
from services.runtime.kafka import admin
from services.runtime.logs import configure_logs
from tests.integration.analytics.running import PLACES

POINT, AT, EXPECTED = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
KILLED = 9


class CrashingLedger(Ledger):
    batch = 0

    def open(self, blocks: Iterable[Block]) -> None:
        super().open(blocks)
        self.batch += 1
        if POINT == "opened" and self.batch == AT:
            os._exit(KILLED)

    def close(self, blocks: Iterable[Block]) -> None:
        if POINT == "unclosed" and self.batch == AT:
            os._exit(KILLED)
        super().close(blocks)

    def close_open(self, block: OpenBlock) -> None:
        if POINT == "recovering":
            os._exit(KILLED)
        super().close_open(block)


class CrashingInserting(Inserting):
    def insert(self, block: Block, suffix: str = "") -> int:
        refused = super().insert(block, suffix)
        if POINT == "inserted" and ledger.batch == AT:
            os._exit(KILLED)
        if POINT == "logged" and ledger.batch == AT:
            where = " OR ".join(
                f"(_topic = '{r.topic}' AND _partition = {r.partition} AND _offset BETWEEN {r.first} AND {r.last})"
                for r in block.ranges
            )
            writer.command(
                f"ALTER TABLE sluicegate.{block.destination} DELETE WHERE {where}",
                settings={"mutations_sync": 2},
            )
            os._exit(KILLED)
        return refused


settings = AnalyticsSettings(sink_records=200)
configure_logs("sink")
writer = connect(settings)
migrate(writer, load_migrations())
topics, done = load_topics(), threading.Event()
classifier = Classifier(topics)
ledger = CrashingLedger(writer)
sink = Sink(
    settings,
    lambda: admin(settings),
    ledger,
    CrashingInserting(writer, classifier),
    classifier,
    AnalyticsMetrics(),
    Health(),
    done.is_set,
)
watcher = connect(settings)


def watch() -> None:
    """Stops the sink once there is enough, and a second more in which too much would show."""
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        if int(str(watcher.query(f"SELECT count() FROM ({PLACES})").result_rows[0][0])) >= EXPECTED:
            time.sleep(1)
            break
        time.sleep(0.1)
    done.set()


threading.Thread(target=watch).start()
sink.run()
