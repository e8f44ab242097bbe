"""A policy that states risks goes by what is certified for the model that scored an item."""

from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from services.policy.certified import certified
from services.policy.facts import Facts
from services.policy.model import Policy
from services.policy.route import Asked, Decided, route
from tests.unit.policy.making import NOT_AUDITED, policy, scored

RISKS = {"wrong_removals": 0.02, "missed": 0.05, "confidence": 0.95}


@dataclass(frozen=True)
class Point:
    category: str = "toxicity"
    wrong_removals: float = 0.02
    missed: float = 0.05
    confidence: float = 0.95
    remove: float | None = 0.7
    allow: float | None = 0.4
    automated: float = 0.9


def stating(**more: Any) -> Policy:
    return policy(categories={"toxicity": {"risks": RISKS, "severity": 2, **more}})


def outcome(by: Policy, toxicity: float) -> str:
    item = scored(toxicity=toxicity)
    found = route(_only(item), by, Facts(draw=NOT_AUDITED))
    return found.action if isinstance(found, Decided) else found.reason


def _only(item: Any) -> Any:
    """The item with its score for toxicity alone."""
    return replace(item, scores=item.scores[:1])


def test_certified_thresholds_decide() -> None:
    by = certified(stating(remove=0.99, allow=0.01), [Point()])
    assert [outcome(by, p) for p in (0.4, 0.41, 0.69, 0.7)] == ["allow", "uncertain", "uncertain", "remove"]


def test_without_certified_points_explicit_thresholds_decide() -> None:
    by = certified(stating(remove=0.99, allow=0.01), ())
    assert [outcome(by, p) for p in (0.01, 0.5, 0.99)] == ["allow", "uncertain", "remove"]


def test_without_either_people_are_asked_and_told_why() -> None:
    by = certified(stating(), ())
    assert {outcome(by, p) for p in (0.0, 0.5, 1.0)} == {"no_thresholds"}
    found = route(_only(scored(toxicity=1.0)), by, Facts(draw=NOT_AUDITED))
    assert isinstance(found, Asked) and found.categories == ("toxicity",)


def test_a_point_that_risks_more_than_the_policy_does_not_count() -> None:
    for point in (
        Point(missed=0.06),
        Point(wrong_removals=0.03),
        Point(confidence=0.9),
        Point(category="hate"),
    ):
        assert outcome(certified(stating(), [point]), 1.0) == "no_thresholds"


def test_of_points_within_the_risks_the_one_that_automates_most_counts() -> None:
    points = [Point(automated=0.5, remove=0.9), Point(missed=0.01, automated=0.8, remove=0.6)]
    assert certified(stating(), points).categories["toxicity"].remove == 0.6


def test_where_only_allowing_is_certified_nothing_is_removed_whatever_else_is_written() -> None:
    by = certified(stating(remove=0.9, allow=0.1), [Point(remove=None)])
    assert [outcome(by, p) for p in (0.4, 1.0)] == ["allow", "uncertain"]


def test_a_policy_without_risks_stays_what_it_is() -> None:
    found = policy()
    assert certified(found, [Point()]) is found
