"""Both sliders of a category: what is certified, estimated, and refused."""

import numpy as np
import pytest

from services.policy.certification.labels import audit_labels
from services.policy.certify import certify
from services.policy.model import Risks
from services.policy.tradeoff import MISSED, WRONG, frontier, missed, share, violating, wrong_removals
from tests.unit.policy.auditing import drawn, pool, risks

LABELS = drawn(2_000, seed=3)


def test_every_stop_is_what_certify_says() -> None:
    found = frontier(LABELS, risks())
    assert [stop.risk for stop in found.removals] == sorted({*WRONG, 0.05})
    assert [stop.risk for stop in found.allowances] == sorted({*MISSED, 0.1})
    for stop in found.removals:
        alone = certify(LABELS, Risks(wrong_removals=stop.risk, missed=0.01, confidence=0.9))
        assert (stop.threshold, stop.needed) == (alone.remove, alone.needed_removals)
    assert any(stop.threshold is not None for stop in found.allowances) and found.drawable


def test_estimates_lie_near_the_truth_and_intervals_around_them() -> None:
    scores, violates = pool()
    for remove, allow in ((0.9, 0.1), (0.6, 0.3)):
        wrong, missing = wrong_removals(LABELS, remove), missed(LABELS, allow)
        assert wrong is not None and missing is not None
        assert wrong.low <= (~violates[scores >= remove]).mean() <= wrong.high
        assert missing.low <= (scores[violates] <= allow).mean() <= missing.high
        assert wrong.low <= wrong.value <= wrong.high
    assert wrong_removals(LABELS, None) is None and missed(LABELS, None) is None


def test_unequal_chances_are_weighed_and_widen_the_interval() -> None:
    """Half the population, drawn at 1 in 10; the other half, all of it violating, drawn whole."""
    n = 1_000
    probability = np.r_[np.full(n // 10, 0.1), np.ones(n)]
    part = np.r_[np.zeros(n // 10, bool), np.ones(n, bool)]
    of = np.ones(len(part), bool)
    found, alike = share(part, of, probability, 0.95), share(part, of, np.ones(len(part)), 0.95)
    assert found is not None and alike is not None
    assert found.value == pytest.approx(0.5) and found.high - found.low > alike.high - alike.low


def test_nobody_asked_is_no_estimate_and_none_found_is_not_zero_for_sure() -> None:
    nothing = audit_labels([], [], [], [])
    assert violating(nothing) is None
    few = audit_labels([0.1, 0.2, 0.3], [False] * 3, [1.0] * 3, ["a", "b", "c"])
    found = violating(few)
    assert found is not None and found.value == found.low == 0 and found.high > 0.5


def test_too_few_violating_say_how_many_are_needed() -> None:
    few = drawn(20, seed=1)
    found = frontier(few, risks(missed=0.05))
    assert not found.drawable and 0 < few.violates.sum() < found.least_violating
    assert found.asked.needed_violating > 0
    assert frontier(audit_labels([], [], [], []), risks()).thresholds(0.5, None) == (0.5,)
