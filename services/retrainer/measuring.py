"""How good a model is on posts that nothing was fitted to or calibrated on: the figures of the model card."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.retrainer.corpora import Post
from services.retrainer.evasion import disguise
from services.scoring import bytegram, quality
from services.scoring.bytegraph import Parts
from services.scoring.calibration import sigmoid
from services.scoring.explain import Explained, joined_spans, words
from services.scoring.normalise import fold_only
from services.scoring.scores import Classifier
from services.scoring.split import Split

SEED = 1  # of the disguises
DISGUISED = {
    "toxicity": "davidson",
    "hate": "davidson",
    "spam": "sms_spam",
}  # the data set of each category that is disguised
THRESHOLDS = np.linspace(0.1, 3.0, 30)  # thresholds of a toxic word that are tried, in log-odds


@dataclass(frozen=True)
class Explainable:
    """A linear model as `services.scoring.explain` wants it."""

    classifier: Classifier
    parts: Parts
    linear: bool = True

    @property
    def categories(self) -> tuple[str, ...]:
        return self.classifier.categories


def measure(classifier: Classifier, parts: Parts, posts: Mapping[Split, Sequence[Post]]) -> dict[str, Any]:
    """Figures by category and by corpus on the test split, through the graph that serves; toxic spans too."""
    test = posts[Split.TEST]
    scores = classifier.classify([post.text for post in test]).probability
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
        of_category |= disguised(category, classifier, parts, test)
        measured[category] = of_category
    model = Explainable(classifier, parts)
    threshold = span_threshold(model, [*posts[Split.POOL], *posts[Split.AUDIT]])
    measured["toxicity"]["toxic_spans"]["span_f1"] = round(span_f1(model, test, threshold), 4)
    measured["toxicity"]["toxic_spans"]["span_threshold"] = round(threshold, 4)
    return measured


def disguised(category: str, classifier: Classifier, parts: Parts, test: Sequence[Post]) -> dict[str, Any]:
    """Figures on disguised texts: as normalisation undoes it, and with folding alone (what the rest is good for)."""
    chosen = [post for post in test if post.corpus == DISGUISED[category] and category in post.answers]
    texts = [disguise(post.text, SEED).text for post in chosen]
    truth = np.array([post.answers[category] for post in chosen], bool)
    column = classifier.categories.index(category)
    undone = classifier.classify(texts).probability[:, column]
    rows = [f" {fold_only(text)} ".encode("utf-8", "replace") for text in texts]
    margins = bytegram.features_of_rows(rows) @ parts.weights[:, column] + parts.bias[column]
    left = sigmoid(margins if parts.curves is None else parts.curves(margins, column))
    name = f"{DISGUISED[category]} disguised"
    return {name: figures(truth, undone), f"{name}, not undone": figures(truth, left)}


def figures(truth: NDArray[np.bool_], scores: NDArray[np.floating]) -> dict[str, float | int | None]:
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


def span_threshold(model: Explained, posts: Sequence[Post]) -> float:
    """The weight of a word from which it counts as toxic that finds the marked characters of these posts best."""
    marked = [post for post in posts if post.corpus == "toxic_spans"]
    found = [words(model, post.text, "toxicity") for post in marked]
    means = [
        np.mean(
            [_f1(joined_spans(p.text, spans, t), p.spans) for p, spans in zip(marked, found, strict=True)]
        )
        for t in THRESHOLDS.tolist()
    ]
    return float(THRESHOLDS[int(np.argmax(means))]) if marked else 0.0


def span_f1(model: Explained, posts: Sequence[Post], threshold: float) -> float:
    """Mean character F1 of toxic spans, as in SemEval-2021 Task 5; 0 without posts that have some."""
    scores = [
        _f1(joined_spans(post.text, words(model, post.text, "toxicity"), threshold), post.spans)
        for post in posts
        if post.corpus == "toxic_spans"
    ]
    return float(np.mean(scores)) if scores else 0.0


def _f1(ranges: Sequence[tuple[int, int]], marked: frozenset[int]) -> float:
    found = {i for start, end in ranges for i in range(start, end)}
    if not found or not marked:
        return float(not found and not marked)
    return 2 * len(found & marked) / (len(found) + len(marked))
