"""`python -m loadtests.bench.scoring`: what a score is worth and costs, one line a figure: name, value, unit, goal.

With the public data (SLUICEGATE_DATA, see loadtests/posts.py) all of it; without, times alone, on generated posts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import numpy as np

import infra
from loadtests.posts import DataSettings, posts
from services.retrainer.corpora import FILES, Post, davidson, toxic_spans
from services.retrainer.evasion import disguise
from services.retrainer.measuring import span_f1, span_threshold
from services.scoring import bundle, quality
from services.scoring.bundle import Bundle
from services.scoring.bytegram import features_of_rows
from services.scoring.normalise import fold_only, normalise
from services.scoring.split import Split, split_of

STARTER = Path(infra.__file__).parent / "starter"
BATCH = 200  # texts a call, as the classifier's worker has them
ROUNDS = 5  # of which the median counts
SEED = 1  # of the disguises


def main() -> None:
    """Print the figures of the starter bundle that is committed."""
    starter = bundle.load(STARTER)
    data = DataSettings().data
    known = all((data / name).is_file() for name in FILES)
    if known:
        tweets = list(davidson(data / "davidson.csv"))
        _print_quality(starter, [p for p in tweets if split_of(p.text) is Split.TEST], _comments(data))
        texts = [post.text for post in tweets[:10_000]]
    else:
        texts = [post.text for post in posts(10_000, seed=1, data=data)]
    each = _seconds(lambda: [normalise(text) for text in texts]) / len(texts)
    _print("normalise_us", each * 1e6, "us", "<= 6")
    batches = [texts[i : i + BATCH] for i in range(0, len(texts), BATCH)]
    took = _seconds(lambda: [starter.classifier.classify(batch) for batch in batches])
    _print("classify_items_per_s", len(texts) / took, "items/s", "-")


def _print_quality(starter: Bundle, tweets: Sequence[Post], comments: Sequence[Post]) -> None:
    rest = [post for post in comments if split_of(post.text) is not Split.TEST]
    held_out = [post for post in comments if split_of(post.text) is Split.TEST]
    _print("toxic_span_f1", span_f1(starter, held_out, span_threshold(starter, rest)), "F1", ">= 0.60")
    column = starter.categories.index("toxicity")
    truth = np.array([post.answers["toxicity"] for post in tweets])
    clean = starter.classifier.classify([post.text for post in tweets]).probability[:, column]
    _print("ece_toxicity", quality.expected_calibration_error(truth, clean), "probability", "<= 0.02")
    _print("brier_toxicity", quality.brier_score(truth, clean), "squared", "-")
    _print("clean_auc", quality.roc_auc(truth, clean), "AUC", "-")
    texts = [disguise(post.text, SEED).text for post in tweets]
    rows = [f" {fold_only(text)} ".encode("utf-8", "replace") for text in texts]
    before = features_of_rows(rows) @ starter.parts.weights[:, column]
    after = starter.classifier.classify(texts).probability[:, column]
    for name, measured in (("auc", quality.roc_auc), ("ap", quality.average_precision)):
        _print(f"perturbed_{name}_before", measured(truth, before), name.upper(), "-")
        _print(f"perturbed_{name}_after", measured(truth, after), name.upper(), "> before")


def _comments(data: Path) -> list[Post]:
    return list(toxic_spans(data / "tsd_train.csv"))


def _seconds(run: Callable[[], object]) -> float:
    """CPU seconds of this process: others on the machine do not count."""
    found = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        run()
        found.append(time.process_time() - begun)
    return median(found)


def _print(name: str, value: float, unit: str, goal: str) -> None:
    print(f"{name} {value:.6g} {unit} {goal}", flush=True)


if __name__ == "__main__":
    main()
