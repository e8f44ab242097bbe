"""What docs/policy.md shows can be used as it stands."""

import re
from pathlib import Path

import yaml

from services.policy.counters import COUNTERS
from services.policy.expressions import ITEM
from tests.unit.policy.making import policy

TEXT = Path("docs/policy.md").read_text("utf-8")


def test_the_rules_shown_are_rules() -> None:
    for shown in re.findall(r"```yaml\n(rules:.*?)```", TEXT, re.DOTALL):
        rules = yaml.safe_load(shown)["rules"]
        assert [rule.name for rule in policy(rules=rules).rules] == [rule["name"] for rule in rules]


def test_every_name_is_described() -> None:
    for counter in COUNTERS.values():
        assert f"`{counter.subject}`" in TEXT and f"`{counter.what}`" in TEXT
        assert f"`_{counter.name.rpartition('_')[2]}`" in TEXT
    assert set(re.findall(r"`((?:item|author)\.\w+)`", TEXT.split("| name |")[1])) == set(ITEM)
