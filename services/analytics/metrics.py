"""Every metric of analytics."""

from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.runtime.metrics import RECORDS, SECONDS


@dataclass(frozen=True)
class AnalyticsMetrics:
    """In a registry of its own, so that tests may run several in one process."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    lag: Gauge = field(init=False)  # records between what is stored and the end, by topic
    records: Counter = field(init=False)  # records brought in, by table
    bad_rows: Counter = field(init=False)  # records set aside when ClickHouse refused them
    batch_records: Histogram = field(init=False)  # records brought in at a time
    store_seconds: Histogram = field(init=False)  # from ledger to ledger, a batch
    failures: Counter = field(init=False)  # inserts that ClickHouse failed and that were tried again
    repaired: Counter = field(init=False)  # records of blocks found open at a start
    queries: Counter = field(init=False)  # questions of analysts, by outcome

    def __post_init__(self) -> None:
        def put(name: str, metric: object) -> None:
            object.__setattr__(self, name, metric)

        at = self.registry
        put("lag", Gauge("sluicegate_lag_records", "Records not yet stored", ["topic"], registry=at))
        put("records", Counter("sluicegate_sink_records", "Records stored", ["table"], registry=at))
        put("bad_rows", Counter("sluicegate_sink_refused", "Records ClickHouse refused", registry=at))
        put(
            "batch_records",
            Histogram("sluicegate_batch_records", "Records a batch", buckets=RECORDS, registry=at),
        )
        put(
            "store_seconds",
            Histogram("sluicegate_sink_seconds", "Time to store a batch", buckets=SECONDS, registry=at),
        )
        put("failures", Counter("sluicegate_sink_failures", "Inserts tried again", registry=at))
        put("repaired", Counter("sluicegate_sink_repaired", "Records of open blocks at a start", registry=at))
        put("queries", Counter("sluicegate_queries", "Questions of analysts", ["outcome"], registry=at))
