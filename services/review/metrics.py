"""Every metric of review, declared once."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.review.queue import Status


class FeedMetrics:
    """Metrics of the feed, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        where = self.registry
        self.applied = Counter("sluicegate_review_applied", "Changes applied", ["queue"], registry=where)
        self.dead_letters = Counter("sluicegate_dead_letters", "Records set aside", ["topic"], registry=where)
        self.depth = Gauge(
            "sluicegate_review_open_tasks", "Tasks with a free seat", ["queue"], registry=where
        )
        self.waiting = Gauge(
            "sluicegate_review_waiting_copies",
            "Tasks that wait for the answer to a copy",
            ["queue"],
            registry=where,
        )
        self.held = Gauge(
            "sluicegate_review_leases", "Leases that have not run out", ["queue"], registry=where
        )
        self.oldest = Gauge(
            "sluicegate_review_oldest_seconds", "Age of the oldest", ["queue"], registry=where
        )
        self.epoch = Gauge("sluicegate_review_epoch", "Epoch: one more a rebuild", ["queue"], registry=where)

    def note(self, queue: str, status: Status) -> None:
        """How a queue stands."""
        self.depth.labels(queue).set(status.depth)
        self.waiting.labels(queue).set(status.waiting)
        self.held.labels(queue).set(status.held)
        self.oldest.labels(queue).set((status.now - status.oldest) / 1000 if status.oldest else 0)
        self.epoch.labels(queue).set(status.epoch or 0)


class ApiMetrics:
    """Metrics of the API, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        where = self.registry
        self.requests = Counter(
            "sluicegate_review_requests", "Answers by route and status", ["route", "status"], registry=where
        )
        self.seconds = Histogram(
            "sluicegate_review_request_seconds", "Time to answer, by route", ["route"], registry=where
        )
