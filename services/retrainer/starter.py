"""The starter model: trained from public data, so that a new platform begins with something.

Reproducible: the same data, scikit-learn and processor family give the same bytes (liblinear visits rows in a
seeded order, everything else is in file order); elsewhere weights may differ in the last float16 digit.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from services.retrainer import card
from services.retrainer.core.fitting import evidence, with_bias
from services.retrainer.corpora import CATEGORIES, FILES, Post, read_all
from services.scoring import bundle, quality
from services.scoring.bytegram import Floats, features, graph
from services.scoring.calibration import platt
from services.scoring.classify import Classifier
from services.scoring.manifest import Manifest
from services.scoring.normalise import normalise
from services.scoring.split import Split, split_of

NAME = "starter"
# Inverse regularisation and the weight below were chosen on the audit split, by average precision.
STRENGTH = {"toxicity": 3.0, "hate": 1.0, "spam": 10.0}
# Comments with toxic spans are a genre of their own, long and political: at full weight their subject scores as
# toxic and short spam is missed, without them long texts score as spam.
TOXIC_SPANS_WEIGHT = 0.3


@dataclass(frozen=True)
class Examples:
    """What one category is fitted on: features [n, 2**18], truth [n], weight [n]."""

    features: sparse.csr_matrix
    truth: NDArray[np.bool_]
    weight: NDArray[np.float64]


def build_starter(data: Path, out: Path) -> Manifest:
    """Train, calibrate, measure and write the starter bundle with its MODEL_CARD.md into `out`.

    Raises FileNotFoundError where `data` lacks a file.
    """
    posts = read_all(data)
    parts = split_posts(posts)
    fitted = [fit(category, parts[Split.POOL]) for category in CATEGORIES]
    calibrated = [
        calibrate(category, w, b, parts[Split.AUDIT])
        for category, (w, b) in zip(CATEGORIES, fitted, strict=True)
    ]
    weights = np.column_stack([w for w, _ in calibrated]).astype(np.float32)
    bias = np.array([b for _, b in calibrated], np.float32)
    precision = np.column_stack([_precision(c, weights, bias, parts[Split.POOL]) for c in CATEGORIES])
    model = graph(weights, bias)
    metrics = measure(Classifier(model.SerializeToString(), NAME, CATEGORIES), parts[Split.TEST])
    lineage: dict[str, Any] = {
        "kind": "starter",
        "data": {name: sha256((data / name).read_bytes()).hexdigest() for name in FILES},
        "split": "sha256(text)[:8] % 10: 0, 1 test; 2 audit; 3 to 9 pool",
        "texts": {part.value: len(chosen) for part, chosen in parts.items()},
    }
    calibration = "Platt on the audit split, folded into weights and bias"
    told = bundle.save(
        out,
        model,
        NAME,
        CATEGORIES,
        precision=precision,
        calibration=calibration,
        lineage=lineage,
        metrics=metrics,
    )
    (out / "MODEL_CARD.md").write_text(card.render(told), "utf-8")
    return told


def split_posts(posts: Sequence[Post]) -> dict[Split, list[Post]]:
    """Posts by the fixed split of their texts; none outside test whose normalised text is also in test."""
    frozen = {normalise(post.text) for post in posts if split_of(post.text) is Split.TEST}
    parts: dict[Split, list[Post]] = {part: [] for part in Split}
    for post in posts:
        part = split_of(post.text)
        if part is Split.TEST or normalise(post.text) not in frozen:
            parts[part].append(post)
    return parts


def examples(category: str, posts: Sequence[Post]) -> Examples:
    """Posts that answer the category; for toxicity also comments without their toxic spans, as negatives."""
    asked = [post for post in posts if category in post.answers]
    texts = [post.text for post in asked]
    truth = [post.answers[category] for post in asked]
    weight = [TOXIC_SPANS_WEIGHT if post.corpus == "toxic_spans" else 1.0 for post in asked]
    if category == "toxicity":
        rests = [post.harmless for post in asked if post.harmless is not None]
        texts += rests
        truth += [False] * len(rests)
        weight += [TOXIC_SPANS_WEIGHT] * len(rests)
    return Examples(features(texts), np.array(truth, bool), np.array(weight, np.float64))


def fit(category: str, pool: Sequence[Post]) -> tuple[NDArray[np.float64], float]:
    """Weights [2**18] and bias of an L2-regularised logistic regression on the pool."""
    chosen = examples(category, pool)
    model = LogisticRegression(C=STRENGTH[category], solver="liblinear", max_iter=200, random_state=0)
    model.fit(chosen.features, chosen.truth, sample_weight=chosen.weight)
    return model.coef_[0], float(model.intercept_[0])


def calibrate(
    category: str, weights: NDArray[np.float64], bias: float, audit: Sequence[Post]
) -> tuple[NDArray[np.float64], float]:
    """Weights and bias scaled so that the sigmoid is calibrated on the audit split.

    Comments chosen for their toxicity are no sample of anything, and are left out.
    """
    asked = [post for post in audit if category in post.answers and post.corpus != "toxic_spans"]
    margins = features([post.text for post in asked]) @ weights + bias
    slope, intercept = platt(margins, np.array([post.answers[category] for post in asked], bool))
    return weights * slope, bias * slope + intercept


def _precision(category: str, weights: Floats, bias: Floats, pool: Sequence[Post]) -> NDArray[np.float32]:
    """How firmly the pool fixes each weight and, last, the bias of one category: float32 [2**18 + 1]."""
    column = CATEGORIES.index(category)
    chosen = examples(category, pool)
    margins = chosen.features @ weights[:, column].astype(np.float64) + float(bias[column])
    return evidence(with_bias(chosen.features), margins, chosen.weight)


def measure(classifier: Classifier, test: Sequence[Post]) -> dict[str, Any]:
    """Figures by category and by corpus on the test split, through the graph that serves."""
    scores = classifier.classify([post.text for post in test])
    groups: Mapping[tuple[str, str], list[int]] = defaultdict(list)
    for i, post in enumerate(test):
        for category in post.answers:
            groups[category, post.corpus].append(i)
            if post.corpus != "toxic_spans":
                groups[category, "all but toxic_spans"].append(i)
    measured: dict[str, Any] = {}
    for column, category in enumerate(classifier.categories):
        of_category = {}
        for name in sorted(corpus for asked, corpus in groups if asked == category):
            chosen = np.array(groups[category, name])
            truth = np.array([test[i].answers[category] for i in chosen], bool)
            of_category[name] = figures(truth, scores[chosen, column])
        measured[category] = of_category
    return measured


def figures(truth: NDArray[np.bool_], scores: NDArray[np.float32]) -> dict[str, float | int | None]:
    """n, positives, ROC AUC, average precision, calibration error (15 equal-mass bins), Brier; None: undefined."""
    found: dict[str, float] = {
        "roc_auc": quality.roc_auc(truth, scores),
        "average_precision": quality.average_precision(truth, scores) if not truth.all() else float("nan"),
        "ece": quality.expected_calibration_error(truth, scores),
        "brier": quality.brier_score(truth, scores),
        "mean_score": float(scores.mean(dtype=np.float64)),
    }
    rounded = {name: round(value, 4) if np.isfinite(value) else None for name, value in found.items()}
    return {"n": len(truth), "positives": int(truth.sum()), **rounded}
