"""What policy allows before an alarm: its section `alarms.model_against_people`, else the settings."""

from services.monitor.core.alarming import Limits
from services.monitor.settings import MonitorSettings


class InvalidLimits(Exception):
    """A released policy that cannot be read."""


def limits_of(document: str | None, settings: MonitorSettings) -> Limits:
    """The limits of a policy's document (YAML); the settings' where there is no policy or it names none.

    Raises InvalidLimits.
    """
    return Limits(
        settings.max_disagreement, settings.min_count, settings.window_seconds * 1000, settings.clear_share
    )
