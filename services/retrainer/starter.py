"""The starter model: trained from public data, so that a new platform begins with something.

Reproducible: the same data, scikit-learn and processor family give the same bytes (liblinear visits rows in a
seeded order, everything else is in file order); elsewhere weights may differ in the last float16 digit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from services.retrainer import card
from services.retrainer.core.bootstrap import HEADS, draws
from services.retrainer.core.calibrating import folded
from services.retrainer.core.fitting import Linear, evidence, with_bias
from services.retrainer.core.ratios import log_count_ratio
from services.retrainer.corpora import CATEGORIES, FILES, Post, read_all
from services.retrainer.measuring import measure
from services.scoring import bundle
from services.scoring.bytegram import ROWS, features
from services.scoring.bytegraph import Parts, graph
from services.scoring.calibration import Calibration, calibrate
from services.scoring.classify import ByteClassifier
from services.scoring.committee import Heads
from services.scoring.manifest import Manifest
from services.scoring.normalise import normalise
from services.scoring.split import Split, split_of

NAME = "starter"
# Inverse regularisation and the weight below were chosen on the audit split, by average precision; for toxicity 3 and
# 10 are level there, and 10 finds toxic spans better.
STRENGTH = {"toxicity": 10.0, "hate": 1.0, "spam": 1.0}
# Comments with toxic spans are a genre of their own, long and political: at full weight their subject scores as
# toxic and short spam is missed, without them long texts score as spam.
TOXIC_SPANS_WEIGHT = 0.3


@dataclass(frozen=True)
class Examples:
    """What one category is fitted on: texts, features [n, 2**18], truth [n], weight [n]."""

    texts: list[str]
    features: sparse.csr_matrix
    truth: NDArray[np.bool_]
    weight: NDArray[np.float64]


def build_starter(data: Path, out: Path) -> Manifest:
    """Train, calibrate, measure and write the starter bundle with its MODEL_CARD.md into `out`.

    Raises FileNotFoundError where `data` lacks a file.
    """
    parts = split_posts(read_all(data))
    linear, methods = train(parts)
    model = graph(linear.weights, linear.bias, linear.heads, linear.curves)
    served = ByteClassifier(model.SerializeToString(), NAME, CATEGORIES)
    lineage: dict[str, Any] = {
        "kind": "starter",
        "data": {name: sha256((data / name).read_bytes()).hexdigest() for name in FILES},
        "split": "sha256(text)[:8] % 10: 0, 1 test; 2 audit; 3 to 9 pool",
        "texts": {part.value: len(chosen) for part, chosen in parts.items()},
        "committee": f"{HEADS} heads, each fitted to a Poisson bootstrap of the pool",
    }
    told = bundle.save(
        out,
        model,
        NAME,
        CATEGORIES,
        precision=linear.precision,
        calibration=f"on the audit split: {', '.join(f'{c} {m}' for c, m in methods.items())}",
        lineage=lineage,
        metrics=measure(served, Parts(linear.weights, linear.bias, curves=linear.curves), parts),
    )
    (out / "MODEL_CARD.md").write_text(card.render(told), "utf-8")
    return told


def train(parts: dict[Split, list[Post]]) -> tuple[Linear, dict[str, str]]:
    """The model with committee and calibration, and how each category was calibrated."""
    shape = (ROWS, len(CATEGORIES))
    linear = Linear(
        np.zeros(shape, np.float32),
        np.zeros(shape[1], np.float32),
        np.zeros((ROWS + 1, shape[1]), np.float32),
        Heads(np.zeros((HEADS, *shape), np.float32), np.zeros((HEADS, shape[1]), np.float32)),
    )
    methods = {}
    for column, category in enumerate(CATEGORIES):
        chosen = examples(category, parts[Split.POOL])
        linear.weights[:, column], linear.bias[column] = fit(category, chosen)
        for head in range(HEADS):
            assert linear.heads is not None
            own = fit(category, chosen, draws(chosen.texts, head))
            linear.heads.weights[head, :, column], linear.heads.bias[head, column] = own
        found = calibration(category, linear, parts[Split.AUDIT])
        linear, methods[category] = folded(linear, column, found), found.method
        margins = chosen.features @ linear.weights[:, column].astype(np.float64) + float(linear.bias[column])
        linear.precision[:, column] = evidence(with_bias(chosen.features), margins, chosen.weight)
    return linear, methods


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
    return Examples(texts, features(texts), np.array(truth, bool), np.array(weight, np.float64))


def fit(
    category: str, chosen: Examples, times: NDArray[np.float64] | None = None
) -> tuple[NDArray[np.float64], float]:
    """Weights [2**18] and bias of an L2-regularised logistic regression on log-count ratios, each example taken
    `times` (default once).
    """
    weight = chosen.weight if times is None else chosen.weight * times
    used = np.flatnonzero(weight > 0)
    x, truth = chosen.features[used], chosen.truth[used]
    ratio = log_count_ratio(x, truth, weight[used])
    model = LogisticRegression(C=STRENGTH[category], solver="liblinear", max_iter=200, random_state=0)
    model.fit(x @ sparse.diags(ratio), truth, sample_weight=weight[used])
    return model.coef_[0] * ratio, float(model.intercept_[0])


def calibration(category: str, linear: Linear, audit: Sequence[Post]) -> Calibration:
    """How the category's margins become probabilities, from the audit split.

    Comments chosen for their toxicity are no sample of anything, and are left out.
    """
    asked = [post for post in audit if category in post.answers and post.corpus != "toxic_spans"]
    column = CATEGORIES.index(category)
    margins = features([post.text for post in asked]) @ linear.weights[:, column] + linear.bias[column]
    return calibrate(margins, np.array([post.answers[category] for post in asked], bool))
