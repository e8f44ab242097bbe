"""What policy allows before an alarm: its `alarms.model_against_people`, else the settings."""

from services.monitor.core.alarming import Limits
from services.monitor.settings import MonitorSettings
from services.policy.parse import parse


def default_limits(settings: MonitorSettings) -> Limits:
    """What is allowed where no policy says otherwise."""
    return Limits(
        settings.max_disagreement, settings.min_count, settings.window_seconds * 1000, settings.clear_share
    )


def limits_of(document: str, queues: frozenset[str], settings: MonitorSettings) -> Limits:
    """The limits of a policy's document (YAML). Raises InvalidPolicy."""
    rule = parse(document, queues).model_against_people
    if rule is None:
        return default_limits(settings)
    return Limits(rule.max_disagreement, rule.min_count, rule.window_ms, settings.clear_share)
