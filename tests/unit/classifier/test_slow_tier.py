"""classifier.yaml, what is uncertain, and the share that the slow tier gets."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.classifier.slow_tier import (
    Allowance,
    ClassifierFileError,
    Uncertain,
    load_slow_tier,
    parse_slow_tier,
    uncertain_texts,
)
from services.scoring.scores import Scores

EXAMPLE = Path(__file__).parents[3] / "infra" / "starter" / "classifier.yaml"
SCORES = Scores(
    np.array([[0.1, 0.0], [0.5, 0.0], [0.1, 0.9], [0.1, 0.96]], np.float32),
    np.array([[0.0, 0.0], [0.0, 0.0], [0.3, 0.0], [0.0, 0.0]], np.float32),
)


def test_the_example_is_one() -> None:
    found = load_slow_tier(EXAMPLE)
    assert found is not None and (found.share, found.wait_ms) == (0.02, 5_000)


def test_without_a_file_there_is_no_slow_tier(tmp_path: Path) -> None:
    assert load_slow_tier(None) is None
    with pytest.raises(ClassifierFileError, match=r"cannot be read .*SLUICEGATE|SLUICEGATE.*cannot be read"):
        load_slow_tier(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("share: 0.02", "share: 2"), r"line \d+, column \d+: `slow_tier.share`: Expected `float` <= 1.0"),
        (("share: 0.02", "shares: 0.02"), "unknown field `shares`"),
        (("[0.2, 0.95]", "[0.95, 0.2]"), "first must not be above"),
        (("wait_seconds: 5", "wait_seconds: soon"), "wait_seconds`: Expected `float`"),
        (("slow_tier:", "slow_tier: ["), "not YAML"),
    ],
)
def test_what_is_wrong_is_named(change: tuple[str, str], reason: str) -> None:
    with pytest.raises(ClassifierFileError, match=reason):
        parse_slow_tier(EXAMPLE.read_text().replace(*change))


def test_either_condition_suffices_in_the_categories_that_count() -> None:
    names = ("toxicity", "spam")
    assert uncertain_texts(SCORES, names, Uncertain(probability=(0.2, 0.95))) == [1, 2]
    assert uncertain_texts(SCORES, names, Uncertain(disagreement=0.3)) == [2]
    assert uncertain_texts(SCORES, names, Uncertain(probability=(0.2, 1.0), categories=("toxicity",))) == [1]
    assert uncertain_texts(Scores(SCORES.probability), names, Uncertain(disagreement=0.0)) == []


@given(st.lists(st.lists(st.booleans(), max_size=60), max_size=20), st.sampled_from([0.01, 0.1, 0.5, 1.0]))
def test_never_more_than_the_share_and_the_burst(batches: list[list[bool]], share: float) -> None:
    allowance, through, seen = Allowance(share, 3), 0, 0
    for batch in batches:
        through += len(allowance.take([i for i, wanted in enumerate(batch) if wanted], len(batch)))
        seen += len(batch)
        assert through <= share * seen + 3 + 1e-6


def test_a_steady_stream_gets_its_share() -> None:
    allowance = Allowance(0.1, 1)
    assert sum(len(allowance.take(list(range(100)), 100)) for _ in range(100)) == pytest.approx(1000, abs=2)
