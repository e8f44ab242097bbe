"""Every metric of ingest."""

from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Histogram

from services.runtime.metrics import SECONDS


@dataclass(frozen=True)
class IngestMetrics:
    """In a registry of its own, so that tests may run several in one process."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    items: Counter = field(init=False)  # items answered, by status
    repeats: Counter = field(init=False)  # items that were known already and not produced again
    redis_away: Counter = field(init=False)  # requests served without Redis: no quota held, no repeat seen
    verdicts: Counter = field(init=False)  # verdicts given in line, by decision
    ack_seconds: Histogram = field(init=False)  # from produce to Kafka's acknowledgement, a request

    def __post_init__(self) -> None:
        def put(name: str, metric: object) -> None:
            object.__setattr__(self, name, metric)

        where = self.registry
        put("items", Counter("sluicegate_ingest_items", "Items answered", ["status"], registry=where))
        put("repeats", Counter("sluicegate_ingest_repeats", "Items known already", registry=where))
        put(
            "redis_away",
            Counter("sluicegate_ingest_without_redis", "Requests without quota and repeats", registry=where),
        )
        put(
            "verdicts",
            Counter("sluicegate_ingest_verdicts", "Verdicts given in line", ["decision"], registry=where),
        )
        put(
            "ack_seconds",
            Histogram(
                "sluicegate_ingest_ack_seconds", "Kafka's acknowledgement", buckets=SECONDS, registry=where
            ),
        )
