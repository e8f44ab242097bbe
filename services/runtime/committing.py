"""Commits in a thread of its own, so that the next batch is read meanwhile."""

import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from services.runtime.clock import now_ms
from services.runtime.handling import Outcome
from services.runtime.metrics import LoopMetrics
from services.runtime.positions import Partition
from services.runtime.records import Outgoing, Record, Rejected
from services.runtime.states import Place
from services.runtime.transaction import Transaction


@dataclass(frozen=True)
class Pending:
    """What a transaction holds, until it is known what became of it."""

    batch: list[Record]
    outcome: Outcome
    offsets: Mapping[Partition, int]
    fired: list[int]  # shards whose timers have all fired
    behind: list[Place]
    reports: list[Outgoing]
    unheard: list[Rejected]
    handling: float  # seconds that it took to handle


@dataclass(frozen=True)
class Commit:
    """That a transaction was committed: when, in ms, and how long it took, in s."""

    at: int
    seconds: float


class Committer:
    """One commit at a time. Until `wait` has returned, nobody else may touch the transaction."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="commit")
        self._running: Future[Commit] | None = None

    def start(self, offsets: Mapping[Partition, int], group: object) -> None:
        """Begin to commit what was produced, and offsets of the consumer with this group metadata."""
        self._running = self._thread.submit(self._commit, dict(offsets), group)

    def _commit(self, offsets: dict[Partition, int], group: object) -> Commit:
        began = time.perf_counter()
        self._transaction.commit(offsets, group)
        return Commit(now_ms(), time.perf_counter() - began)

    def done(self) -> bool:
        """Whether nothing is being committed any more: `wait` returns, or raises, at once."""
        return self._running is None or self._running.done()

    def wait(self) -> Commit:
        """The commit that was started, once it is over. Raises MustAbort or RuntimeFault as Transaction.commit does."""
        assert self._running is not None, "nothing is being committed"
        running, self._running = self._running, None
        return running.result()

    def close(self) -> None:
        """End the thread, and a commit in it, which gives up once the transaction's `stopping` says so."""
        self._thread.shutdown(wait=True)


def measure(metrics: LoopMetrics, held: Pending, commit: Commit) -> None:
    """Count a batch that is committed."""
    metrics.handle_seconds.observe(held.handling)
    metrics.commit_seconds.observe(commit.seconds)
    if held.batch:
        metrics.batch_records.observe(len(held.batch))
        oldest = held.batch[0].timestamp  # near enough
        metrics.record_age_seconds.observe(max(0, commit.at - oldest) / 1000)
    accepted = [out.accepted for out in held.outcome.produced if out.accepted is not None]
    metrics.end_to_end_seconds.observe_all([max(0, commit.at - at) / 1000 for at in accepted])
    for rejected in held.outcome.rejected:
        metrics.dead_letters.labels(rejected.record.topic, rejected.error).inc()
    for dropped in held.outcome.dropped:
        metrics.dropped.labels(dropped.reason).inc()
