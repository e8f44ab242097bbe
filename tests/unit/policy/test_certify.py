"""Thresholds with a guarantee: both risks hold as often as promised, and too few labels are refused."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from mapie.risk_control import BinaryClassificationController
from mapie.risk_control.methods import compute_hoeffding_bentkus_p_value
from scipy.stats import beta, binom, kstest

from services.policy.certification.labels import AuditLabels, Stratum, audit_labels
from services.policy.certification.testing import GRID, Trials, first_removal, least, misses, removals
from services.policy.certify import SHARES, Certificate, certify
from tests.unit.policy.auditing import RISKS, drawn, pool, risks

PLANNED = (Stratum(0.0, 0.012), Stratum(0.02, 0.04), Stratum(0.9, 0.08))


def p_values(trials: Trials, risk: float) -> Any:
    """MAPIE's, for losses of 0 and 1. It rounds counts up, so that they are passed a hair smaller."""
    shares = trials.bad / np.maximum(trials.drawn, 1) * (1 - 1e-9)
    return np.asarray(
        compute_hoeffding_bentkus_p_value(shares, np.maximum(trials.drawn, 1), risk, binary=True)
    ).ravel()


@pytest.mark.parametrize("seed", range(3))
def test_tests_are_those_of_mapie(seed: int) -> None:
    labels = drawn(3000, seed)
    for trials, risk in (
        (misses(labels, RISKS.missed), RISKS.missed),
        (removals(labels, RISKS.wrong_removals), RISKS.wrong_removals),
    ):
        some = trials.drawn > 0
        for delta in (0.02, 0.08):
            theirs = p_values(trials, risk) <= delta
            assert (theirs == trials.rejected(delta))[some].all() and theirs[some].any()


def test_allowances_are_those_that_mapie_finds() -> None:
    labels = drawn(3000, 0)
    above = np.nextafter(GRID, 1)  # recall counts from a threshold on, an allowance goes up to one
    held = controlled(labels, "recall", 1 - RISKS.missed, 1 - 0.1 * SHARES["missed"], above)
    assert held == set(above[: len(held)].tolist())
    assert certify(labels, RISKS).allow == GRID[len(held) - 1]


def controlled(labels: AuditLabels, measure: str, level: float, confidence: float, tried: Any) -> set[float]:
    """Thresholds that MAPIE finds to hold, trying them in the order given."""
    controller = BinaryClassificationController(
        lambda x: np.column_stack([1 - x[:, 0], x[:, 0]]),
        measure,  # type: ignore[arg-type]
        level,
        confidence,
        list_predict_params=tried,
        fwer_method="fixed_sequence",
    )
    controller.calibrate(labels.scores[:, None], labels.violates.astype(int))
    return set(np.asarray(controller.valid_predict_params, float).ravel().tolist())


def test_a_threshold_holds_where_the_upper_bound_of_clopper_and_pearson_is_within_the_risk() -> None:
    labels, delta = drawn(3000, 4), 0.08
    trials = misses(labels, RISKS.missed)
    upper = beta.ppf(1 - delta, trials.bad + 1, np.maximum(trials.drawn - trials.bad, 1e-9))
    assert (trials.rejected(delta) == (upper <= RISKS.missed)).all()


def broken(found: Certificate, seed: int = 0) -> tuple[bool, bool]:
    """Whether the risks of removing and of allowing are broken, over the whole pool."""
    scores, answers = pool(seed=seed)
    removed = scores >= (2 if found.remove is None else found.remove)
    allowed = scores <= (-1 if found.allow is None else found.allow)
    return (
        bool((removed & ~answers).sum() > found.risks.wrong_removals * removed.sum()),
        bool((allowed & answers).sum() > found.risks.missed * answers.sum()),
    )


@pytest.mark.parametrize("design", [(), PLANNED], ids=["at random", "in strata"])
def test_bounds_break_no_more_often_than_allowed(design: tuple[Stratum, ...]) -> None:
    found = [certify(drawn(2000, seed, design), RISKS) for seed in range(60)]
    assert np.mean([f.remove is not None and f.allow is not None for f in found]) > 0.9
    breaks = np.array([broken(f) for f in found])
    # At 10% error in all, 60 audits break a bound more than 12 times with a chance of 1 in 100.
    assert breaks.any(axis=1).sum() <= 12


def test_labels_of_unequal_chance_taken_for_equal_would_break_the_bound() -> None:
    """The test above can fail: without weights the drawn are far richer in violations that are caught."""
    design = (Stratum(0.0, 0.02), Stratum(0.1, 0.9))
    breaks = 0
    for seed in range(20):
        labels = drawn(0, seed, design)
        naive = audit_labels(
            labels.scores, labels.violates, np.full(len(labels.scores), 0.5), [str(i) for i in labels.luck]
        )
        breaks += broken(certify(naive, RISKS))[1]
    assert breaks > 15


def test_too_few_violating_items_are_refused_with_the_number_wanted() -> None:
    scores, answers = np.linspace(0, 1, 60), np.linspace(0, 1, 60) > 0.8
    labels = audit_labels(scores, answers, np.ones(60), [str(i) for i in range(60)])
    found = certify(labels, risks(missed=0.05))
    wanted = math.ceil(math.log(0.08) / math.log(0.95))
    assert (found.allow, found.violating) == (None, 12)
    assert found.needed_violating == wanted - 12
    assert f"needs {wanted} audited violating items, there are 12" in found.why[-1]


def test_that_many_more_suffice() -> None:
    wanted = math.ceil(math.log(0.08) / math.log(0.95))
    for violating, certified in ((wanted - 1, False), (wanted, True)):
        scores = np.r_[np.full(100, 0.01), np.full(violating, 0.9)]
        labels = audit_labels(
            scores, scores > 0.5, np.full(len(scores), 0.1), list(map(str, range(len(scores))))
        )
        assert (certify(labels, risks(missed=0.05)).allow is not None) is certified


def test_too_few_items_at_the_top_are_refused_with_the_number_wanted() -> None:
    labels = audit_labels([0.9] * 30, [True] * 30, [1.0] * 30, list(map(str, range(30))))
    found = certify(labels, RISKS)
    wanted = least(0.05, 0.02)
    assert (found.remove, found.needed_removals) == (None, wanted - 30)
    assert f"{wanted} audited items" in found.why[0]


def test_no_labels_are_refused() -> None:
    found = certify(audit_labels([], [], [], []), RISKS)
    assert (found.remove, found.allow) == (None, None) and len(found.why) == 2


def test_copies_count_once_by_their_latest_label() -> None:
    once = audit_labels([0.9, 0.2], [True, False], [0.5, 0.5], ["a", "b"])
    often = audit_labels([0.9] * 40 + [0.2], [False] * 39 + [True, False], [0.5] * 41, ["a"] * 40 + ["b"])
    assert (often.scores == once.scores).all() and (often.violates == once.violates).all()


def test_thresholds_never_cross() -> None:
    scores = np.r_[np.linspace(0.0, 0.4, 3000), np.linspace(0.6, 1.0, 3000)]
    labels = audit_labels(scores, scores > 0.5, np.ones(6000), list(map(str, range(6000))))
    found = certify(labels, RISKS)
    assert found.remove is not None and found.allow is not None and found.allow < found.remove
    assert found.automated(scores) > 0.99


LABELS = st.lists(
    st.tuples(st.floats(0, 1), st.booleans(), st.sampled_from([0.1, 0.5, 1.0])), min_size=0, max_size=400
)
RISK = st.floats(0.01, 0.4)


def made(rows: list[tuple[float, bool, float]], times: int = 3) -> AuditLabels:
    """Labels whose answers mostly follow the score, so that something can be certified."""
    rows = [(s, (s > 0.5) != (wrong and i % 7 == 0), p) for i, (s, wrong, p) in enumerate(rows * times)]
    names = list(map(str, range(len(rows))))
    return audit_labels([s for s, _, _ in rows], [v for _, v, _ in rows], [p for _, _, p in rows], names)


def start(labels: AuditLabels, risk: float) -> int | None:
    """Where trials of removals begin."""
    delta = (1 - risks().confidence) * SHARES["wrong_removals"]
    return first_removal(removals(labels, risk), least(risk, delta))


@settings(max_examples=60, deadline=None)
@given(LABELS, RISK, RISK, RISK, RISK)
def test_a_smaller_risk_never_automates_more(rows: Any, a: float, b: float, c: float, d: float) -> None:
    labels = made(rows)
    assume(
        start(labels, a) == start(labels, b)
    )  # fewer labels suffice for a larger risk: it may begin higher up
    strict = certify(labels, risks(wrong_removals=min(a, b), missed=min(c, d)))
    loose = certify(labels, risks(wrong_removals=max(a, b), missed=max(c, d)))
    assert strict.remove is None or (loose.remove is not None and loose.remove <= strict.remove)
    assert loose.automated(labels.scores) >= strict.automated(labels.scores)


@settings(max_examples=30, deadline=None)
@given(LABELS, st.floats(0.001, 1))
def test_equal_chances_count_for_nothing(rows: Any, chance: float) -> None:
    equal = made([(s, v, 1.0) for s, v, _ in rows])
    scaled = made([(s, v, chance) for s, v, _ in rows])
    one, other = certify(equal, RISKS), certify(scaled, RISKS)
    assert (one.remove, one.allow) == (other.remove, other.allow)


def test_a_label_of_another_design_is_refused() -> None:
    with pytest.raises(ValueError, match="another design"):
        audit_labels([0.95], [True], [0.01], ["a"], PLANNED)
    with pytest.raises(ValueError, match="stratum from 0"):
        audit_labels([0.95], [True], [1.0], ["a"], [Stratum(0.5, 1.0)])


@pytest.mark.parametrize("wrong", [{"missed": 0.0}, {"wrong_removals": 1.0}, {"confidence": 1.0}])
def test_a_risk_outside_its_range_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        certify(audit_labels([], [], [], []), risks(**wrong))


@pytest.mark.parametrize("drawn_units", [60, 150, 400])
def test_a_coin_uses_up_what_whole_counts_leave_of_the_error_and_no_more(drawn_units: int) -> None:
    risk, delta = 0.05, 0.08
    bad = np.arange(drawn_units + 1)
    trials = Trials(bad, np.full_like(bad, drawn_units), np.full(len(bad), risk))
    coins = (np.arange(2000) + 0.5) / 2000
    errs = [float(binom.pmf(bad, drawn_units, risk)[trials.rejected(delta, coin)].sum()) for coin in coins]
    assert np.mean(errs) == pytest.approx(delta, abs=1e-3)
    assert float(binom.pmf(bad, drawn_units, risk)[trials.rejected(delta)].sum()) < delta


def test_no_coin_rejects_where_too_few_are_drawn() -> None:
    few = np.array([0, least(0.05, 0.08) - 1, least(0.05, 0.08)])
    trials = Trials(np.zeros_like(few), few, np.full(len(few), 0.05))
    assert trials.rejected(0.08, 0.0).tolist() == [False, False, True]


def test_the_coin_is_the_same_for_the_same_labels_in_any_order_and_is_uniform() -> None:
    groups = [f"text {i}" for i in range(50)]
    one = audit_labels([0.5] * 50, [True] * 50, [1.0] * 50, groups)
    other = audit_labels([0.2] * 50, [False] * 50, [1.0] * 50, groups[::-1])
    assert one.coin == other.coin
    coins = [audit_labels([0.5], [True], [1.0], [str(i)]).coin for i in range(2000)]
    assert kstest(coins, "uniform").pvalue > 0.01
