"""The limits of a policy go before those of the settings."""

from pathlib import Path

import pytest
import yaml

from services.events.topics import load_topics
from services.monitor.core.alarming import Limits
from services.monitor.limits import default_limits, limits_of
from services.monitor.settings import MonitorSettings
from services.policy.errors import InvalidPolicy

STARTER = (Path(__file__).parents[3] / "infra" / "starter" / "policy.yaml").read_text("utf-8")
QUEUES = frozenset(load_topics().queues)
SETTINGS = MonitorSettings(max_disagreement=0.4, min_count=7, window_seconds=90)


def test_the_starter_policy_names_its_own() -> None:
    rule = yaml.safe_load(STARTER)["alarms"]["model_against_people"]
    limits = limits_of(STARTER, QUEUES, SETTINGS)
    assert (limits.max_disagreement, limits.min_count) == (rule["max_disagreement"], rule["min_count"])
    assert limits.window == rule["window_minutes"] * 60_000


def test_a_policy_without_alarms_leaves_them_to_the_settings() -> None:
    without = STARTER[: STARTER.index("alarms:")]
    assert limits_of(without, QUEUES, SETTINGS) == default_limits(SETTINGS) == Limits(0.4, 7, 90_000, 0.8)


def test_what_is_no_policy_is_refused() -> None:
    with pytest.raises(InvalidPolicy):
        limits_of("alarms: [", QUEUES, SETTINGS)
