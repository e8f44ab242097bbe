"""Every metric of the loop, declared once. `service` is a constant label of the process's registry prefix."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600)
RECORDS = (1, 5, 10, 50, 100, 250, 500, 1000, 2000, 4000, 10_000)


class BatchHistogram(Collector):
    """A histogram that takes a batch of values at once: one by one they would cost more than handling some items."""

    def __init__(
        self, name: str, documentation: str, buckets: Sequence[float], registry: CollectorRegistry
    ) -> None:
        self._name, self._documentation, self._buckets = name, documentation, sorted(buckets)
        self._seen = (
            0.0,
            [0] * (len(buckets) + 1),
        )  # sum, and how many are at or below each bucket, the last: all
        registry.register(self)

    def observe_all(self, values: Sequence[float]) -> None:
        """Count these."""
        if not values:
            return
        found, (total, counts) = sorted(values), self._seen
        below = [bisect_right(found, bound) for bound in self._buckets]
        more = [count + extra for count, extra in zip(counts, [*below, len(found)], strict=True)]
        self._seen = total + sum(found), more  # at once: another thread reads it

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """As Prometheus reads it."""
        total, counts = self._seen
        names = [*(str(float(bound)) for bound in self._buckets), "+Inf"]
        yield HistogramMetricFamily(
            self._name, self._documentation, list(zip(names, counts, strict=True)), sum_value=total
        )


@dataclass(frozen=True)
class LoopMetrics:
    """Metrics of one worker, in a registry of its own so that tests may run several in one process."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    lag: Gauge = field(init=False)  # records between position and end, by topic
    batch_records: Histogram = field(init=False)  # records in one transaction
    handle_seconds: Histogram = field(init=False)  # from decode to the last output, a batch
    commit_seconds: Histogram = field(init=False)  # from the last output to the commit, a batch
    record_age_seconds: Histogram = field(init=False)  # from Kafka's time stamp of a record to its commit
    end_to_end_seconds: BatchHistogram = field(
        init=False
    )  # from the acceptance of an item to the commit of an output
    dead_letters: Counter = field(init=False)  # records set aside, by topic and error
    dropped: Counter = field(init=False)  # records that were rightly without effect, by reason
    aborts: Counter = field(init=False)  # transactions aborted
    open_keys: Gauge = field(init=False)  # keys held in state

    def __post_init__(self) -> None:
        def put(name: str, metric: object) -> None:
            object.__setattr__(self, name, metric)

        where = self.registry
        put("lag", Gauge("sluicegate_lag_records", "Records not yet consumed", ["topic"], registry=where))
        put(
            "batch_records",
            Histogram("sluicegate_batch_records", "Records a transaction", buckets=RECORDS, registry=where),
        )
        put(
            "handle_seconds",
            Histogram("sluicegate_handle_seconds", "Time to handle a batch", buckets=SECONDS, registry=where),
        )
        put(
            "commit_seconds",
            Histogram("sluicegate_commit_seconds", "Time to commit a batch", buckets=SECONDS, registry=where),
        )
        put(
            "record_age_seconds",
            Histogram(
                "sluicegate_record_age_seconds",
                "Age of a record at its commit",
                buckets=SECONDS,
                registry=where,
            ),
        )
        put(
            "end_to_end_seconds",
            BatchHistogram("sluicegate_end_to_end_seconds", "Age of an item at its outcome", SECONDS, where),
        )
        put(
            "dead_letters",
            Counter("sluicegate_dead_letters", "Records set aside", ["topic", "error"], registry=where),
        )
        put("dropped", Counter("sluicegate_dropped", "Records without effect", ["reason"], registry=where))
        put("aborts", Counter("sluicegate_aborted_transactions", "Transactions aborted", registry=where))
        put("open_keys", Gauge("sluicegate_open_keys", "Keys held in state", registry=where))


class ListMetrics:
    """Lists of texts (services.scoring.live_lists.Gauges), in the registry of who uses them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._entries = Gauge("sluicegate_list_entries", "Texts of a list", ["list"], registry=registry)
        self._stale = Gauge(
            "sluicegate_list_stale", "1 while a list's file cannot be read", ["list"], registry=registry
        )

    def entries(self, name: str, count: int) -> None:
        """So many texts of a list are live."""
        self._entries.labels(name).set(count)

    def stale(self, name: str, stale: bool) -> None:
        """Whether the file of a list cannot be read, so that what was read before is live, if anything."""
        self._stale.labels(name).set(stale)
