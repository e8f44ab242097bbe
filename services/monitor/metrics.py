"""Every metric of the monitor, declared once."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class MonitorMetrics:
    """Metrics of one worker, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.events = Counter(
            "sluicegate_monitor_events", "Events counted", ["topic"], registry=self.registry
        )
        self.skipped = Counter(
            "sluicegate_monitor_skipped_events",
            "Events that are not counted: undecodable, late, early",
            ["topic", "reason"],
            registry=self.registry,
        )
        self.panes = Gauge("sluicegate_monitor_panes", "Panes held in tables", registry=self.registry)
        self.windows = Counter(
            "sluicegate_monitor_windows", "Windows published", ["measure"], registry=self.registry
        )
        self.recounts = Counter(
            "sluicegate_monitor_recounts",
            "Exact recounts before an alarm: confirmed, not_confirmed, no_answer",
            ["change", "outcome"],
            registry=self.registry,
        )
        self.active_alarms = Gauge(
            "sluicegate_monitor_active_alarms", "Alarms that stand", registry=self.registry
        )
        self.bad_broadcasts = Counter(
            "sluicegate_monitor_bad_broadcasts",
            "Policies and alarms that cannot be read",
            ["topic"],
            registry=self.registry,
        )
