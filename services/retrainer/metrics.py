"""Metrics of the retrainer, each declared once."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

TRAINING_SECONDS = (0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600)


class Metrics:
    """In a registry of its own, so that tests may run several in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.trainings = Counter(
            "sluicegate_trainings",
            "Trainings by outcome: released, refused, failed",
            ["state"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "sluicegate_training_seconds",
            "Time of a training",
            buckets=TRAINING_SECONDS,
            registry=self.registry,
        )
        self.labels = Gauge("sluicegate_labels", "Labels held", registry=self.registry)
        self.new_labels = Gauge(
            "sluicegate_new_labels", "Labels since the last training", registry=self.registry
        )
        self.lower_bound = Gauge(
            "sluicegate_candidate_lower_bound",
            "Lower 95% bound of candidate less live in average precision, last comparison",
            registry=self.registry,
        )
