"""`python -m loadtests.bench.tune`: what thresholds with a guarantee automate, and how often a bound breaks.

Davidson's tweets, offensive or hateful against neither. A model is trained on 12,000 texts of the pool and calibrated
on the audit split; everything else is the population, which neither has seen. Audits are drawn from it independently,
and risks are taken over all of it. For 5% prevalence an item's weight says how many items it stands for. Weights differ
by answer, so only the draw sees them: neither planning nor certifying does.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.policy.certification.labels import AuditLabels, Floats, Stratum
from services.policy.certify import certify
from services.policy.model import Risks
from services.policy.planning import plan
from services.retrainer.corpora import davidson
from services.retrainer.starter import examples, fit
from services.scoring.bytegram import features
from services.scoring.calibration import platt
from services.scoring.normalise import normalise
from services.scoring.split import Split, split_of

DATA = Path(__file__).parents[3] / "shared" / "data" / "davidson.csv"
TRAINED, LABELS, RESAMPLINGS, ITEMS = 12_000, 2_000, 200, 1_000_000
COMMON = Risks(wrong_removals=0.02, missed=0.05, confidence=0.95)
RARE = Risks(wrong_removals=0.05, missed=0.05, confidence=0.95)


@dataclass(frozen=True)
class Population:
    """Scores in descending order, answers, and for how many items each text stands."""

    scores: Floats
    violates: NDArray[np.bool_]
    items: Floats


@dataclass(frozen=True)
class Measured:
    """Means over resamplings: share automated, labels drawn, and how often either bound was broken."""

    automated: float
    labels: float
    wrong_removals: float
    missed: float


def margins(path: Path) -> tuple[Floats, NDArray[np.bool_], NDArray[np.bool_]]:
    """Margin and answer of each text that the model was not trained on, and whether it calibrates."""
    posts = list(davidson(path))
    pool = [i for i, post in enumerate(posts) if split_of(post.text) is Split.POOL]
    trained = np.random.default_rng(0).choice(pool, TRAINED, replace=False).tolist()
    seen = {normalise(posts[i].text) for i in trained}
    rest = [post for post in posts if normalise(post.text) not in seen]
    weights, bias = fit("toxicity", examples("toxicity", [posts[i] for i in trained]))
    found = features([post.text for post in rest]) @ weights + bias
    answers = np.array([post.answers["toxicity"] for post in rest], bool)
    calibrates = np.array([split_of(post.text) is Split.AUDIT for post in rest], bool)
    return np.asarray(found, np.float64), answers, calibrates


def population(
    found: Floats, answers: NDArray[np.bool_], calibrates: NDArray[np.bool_], prevalence: float | None
) -> Population:
    """The texts that do not calibrate, at a prevalence (None: their own), with scores calibrated for it."""
    slope, intercept = platt(found[calibrates], answers[calibrates])
    logits, violates = slope * found[~calibrates] + intercept, answers[~calibrates]
    items = np.full(len(logits), ITEMS / len(logits))
    if prevalence is not None:
        was = answers[calibrates].mean()
        logits = logits + np.log(prevalence / (1 - prevalence)) - np.log(was / (1 - was))
        items = ITEMS * np.where(violates, prevalence / violates.sum(), (1 - prevalence) / (~violates).sum())
    order = np.argsort(-logits, kind="stable")
    return Population(1 / (1 + np.exp(-logits[order])), violates[order], items[order])


def measure(of: Population, design: Sequence[Stratum], risks: Risks, seed: int) -> Measured:
    """Draw audits by a design, certify, and compare with the whole population."""
    rng = np.random.default_rng(seed)
    lowers = np.array([stratum.lower for stratum in design])
    rate = np.array([stratum.probability for stratum in design])[
        np.searchsorted(lowers, of.scores, side="right") - 1
    ]
    totals = np.zeros(4)
    for _ in range(RESAMPLINGS):
        drawn = np.repeat(np.arange(len(rate)), rng.poisson(of.items * rate))
        labels = AuditLabels(
            of.scores[drawn], of.violates[drawn], rate[drawn], rng.random(len(drawn)), tuple(design)
        )
        found = certify(labels, risks)
        removed = of.scores >= (2.0 if found.remove is None else found.remove)
        allowed = of.scores <= (-1.0 if found.allow is None else found.allow)
        wrong = of.items @ (removed & ~of.violates) > risks.wrong_removals * (of.items @ removed)
        missed = of.items @ (allowed & of.violates) > risks.missed * (of.items @ of.violates)
        totals += [of.items @ (removed | allowed) / of.items.sum(), len(drawn), wrong, missed]
    return Measured(*(totals / RESAMPLINGS).tolist())


def main() -> None:
    """Print `name value unit goal`; exits with 1 where the data are not there."""
    if not DATA.is_file():
        sys.exit(
            f"this benchmark needs Davidson's tweets at {DATA}: see the licences in infra/starter/MODEL_CARD.md"
        )
    found = margins(DATA)
    common, rare = population(*found, None), population(*found, 0.05)
    at_random = [Stratum(0.0, LABELS / ITEMS)]
    planned = plan(rare.scores, LABELS, RARE, rare.items)
    by = {
        "tune_automated_share": (measure(common, at_random, COMMON, 1), ">=0.96"),
        "tune_automated_share_rare": (measure(rare, planned.design, RARE, 2), ">=0.70"),
        "tune_automated_share_rare_random": (measure(rare, at_random, RARE, 3), "-"),
    }
    for name, (measured, goal) in by.items():
        print(f"{name} {measured.automated:.3f} share {goal}")
    worst = max(max(measured.wrong_removals, measured.missed) for measured, _ in by.values())
    print(f"tune_violations_pct {100 * worst:.1f} % <=5")
    print(f"tune_labels_rare {by['tune_automated_share_rare'][0].labels:.0f} labels -")
    for stratum in planned.strata:
        print(
            f"# planned: {stratum.labels:.0f} labels from scores {stratum.lower:.4f} to {stratum.upper:.4f}"
            f" ({stratum.items / ITEMS:.1%} of items)",
            file=sys.stderr,
        )


if __name__ == "__main__":
    main()
