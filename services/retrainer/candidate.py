"""One training: labels and the live model in, a candidate with its comparison out. No Kafka in here."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import structlog

from services.retrainer.core.calibrating import recalibrated
from services.retrainer.core.comparison import (
    Comparison,
    Needed,
    comparable,
    compare,
    counts,
    decide,
    too_little,
)
from services.retrainer.core.fitting import Linear, fit
from services.retrainer.core.training_set import (
    Answers,
    Labelled,
    divide,
    to_answers,
)
from services.scoring import bundle as bundles
from services.scoring import quality
from services.scoring.bundle import Bundle, BundleError
from services.scoring.bytegraph import graph
from services.scoring.calibration import straight
from services.scoring.classify import ByteClassifier
from services.scoring.committee import Heads
from services.scoring.scores import Classifier
from services.scoring.unseen import LABEL_OFFSETS

log = structlog.get_logger()
CALIBRATION_WEIGHT = 1000.0  # as many items as one audited answer may stand for: cut at less it would be off


class Refused(Exception):
    """No candidate is to be released; `comparison` has the figures where there are any."""

    def __init__(self, reason: str, comparison: Comparison | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.comparison = comparison


@dataclass(frozen=True)
class Candidate:
    """A model that may be released: the folder of its verified bundle, and what speaks for it."""

    bundle: Bundle
    comparison: Comparison
    reason: str


@dataclass(frozen=True)
class Trainer:
    """How candidates are made. `models` is the folder of released bundles."""

    models: Path
    name: str
    needed: Needed
    resamples: int

    def train(self, live: Bundle, labels: Sequence[Labelled], offsets: Mapping[int, int]) -> Candidate:
        """Fit to the labels from the base of the live model, compare with the live one on the frozen split.

        Writes the candidate's bundle into `models` only if it may be released. Raises Refused, BundleError.
        """
        started = time.monotonic()
        if not live.linear:
            raise Refused(f"{live.model_version} is no byte n-gram model: only those are trained here")
        sets = divide(labels)
        categories = live.categories
        frozen = to_answers(sets.frozen, categories)
        figures = counts(frozen, categories)
        chosen = comparable(figures, self.needed)
        if not chosen:
            raise Refused(too_little(figures, self.needed))
        answers = to_answers(sets.pool, categories)
        trained = [c for i, c in enumerate(categories) if c in chosen and answers.weight[:, i].any()]
        if not trained:
            raise Refused(f"no label outside the test split speaks of {', '.join(chosen)}: label more")
        base = self._base_of(live)
        log.info(
            "training", labels=len(labels), pool=len(sets.pool), frozen=len(sets.frozen), categories=trained
        )
        fitted, calibrated = recalibrated(
            fit(_linear(base), answers),
            to_answers(sets.audit, categories, most_weight=CALIBRATION_WEIGHT),
            [categories.index(c) for c in trained],
        )
        linear = _keep(_linear(live), fitted, [c in trained for c in categories])
        model = graph(linear.weights, linear.bias, linear.heads, linear.curves)
        log.info("fitted", seconds=round(time.monotonic() - started, 2))
        data = model.SerializeToString(deterministic=True)
        if sha256(data).hexdigest() == live.manifest.content_hash:
            raise Refused("the labels teach nothing new: the candidate is the live model")
        candidate = ByteClassifier(data, self.name, categories)
        comparison = self._compare(live, candidate, frozen)
        decision = decide(comparison)
        if not decision.release:
            raise Refused(decision.reason, comparison)
        lineage: dict[str, Any] = {
            "kind": "retrained",
            "base": base.model_version,
            "live": live.model_version,
            LABEL_OFFSETS: {str(partition): offset for partition, offset in sorted(offsets.items())},
            "labels": {
                "pool": len(sets.pool),
                "audit": len(sets.audit),
                "certifying": len(sets.certifying),
                "frozen": len(sets.frozen),
            },
            "trained": trained,
        }
        told = bundles.save(
            part := self.models / f".training-{time.time_ns()}",
            model,
            self.name,
            categories,
            precision=linear.precision,
            calibration=_calibration(live, [categories[i] for i in calibrated], list(calibrated.values())),
            lineage=lineage,
            metrics={
                "comparison": msgspec.to_builtins(comparison),
                "calibration": _calibration_figures(candidate, frozen, chosen),
            },
        )
        log.info("compared", seconds=round(time.monotonic() - started, 2), reason=decision.reason)
        return Candidate(_install(part, self.models / told.model_version), comparison, decision.reason)

    def _compare(self, live: Bundle, candidate: Classifier, frozen: Answers) -> Comparison:
        before, after = live.classifier.classify(frozen.texts), candidate.classify(frozen.texts)
        return compare(
            frozen,
            before.probability,
            after.probability,
            live.categories,
            self.needed,
            resamples=self.resamples,
        )

    def _base_of(self, live: Bundle) -> Bundle:
        """What the live model was itself trained from: every training starts there, with all labels.

        So that no label counts twice and a withdrawn one not at all. The live model where its base is gone.
        """
        version = live.manifest.lineage.get("base")
        if not version:
            return live
        try:
            base = bundles.load(self.models / str(version))
        except BundleError as error:
            log.warning("base is gone, training on from the live model", base=version, reason=str(error))
            return live
        return base if base.categories == live.categories and base.linear else live


def _linear(bundle: Bundle) -> Linear:
    parts = bundle.parts
    return Linear(parts.weights, parts.bias, bundle.precision, parts.heads, parts.curves)


def _keep(live: Linear, fitted: Linear, changed: list[bool]) -> Linear:
    """The fitted model where a category may change, the live one elsewhere."""
    columns = np.array(changed)
    heads = fitted.heads
    if heads is not None and live.heads is not None and heads.bias.shape == live.heads.bias.shape:
        heads = Heads(*(np.where(columns, a, b) for a, b in zip(heads, live.heads, strict=True)))
    curves = fitted.curves
    if curves is not None or live.curves is not None:
        curves = curves or straight(len(changed))
        for column in np.flatnonzero(~columns).tolist():
            curves = curves.with_column(column, live.curves or straight(len(changed)), column)
    return Linear(
        np.where(columns, fitted.weights, live.weights),
        np.where(columns, fitted.bias, live.bias),
        np.where(columns, fitted.precision, live.precision),
        heads,
        curves,
    )


def _calibration(live: Bundle, categories: Sequence[str], methods: Sequence[str]) -> str:
    """What the manifest says of how probabilities were calibrated."""
    anew = ", ".join(f"{c} {m}" for c, m in zip(categories, methods, strict=True))
    before = live.manifest.calibration.split("; before: ")[-1]
    return f"on labels of the audit split: {anew}; before: {before}" if anew else before


def _calibration_figures(candidate: Classifier, frozen: Answers, categories: Sequence[str]) -> dict[str, Any]:
    """Calibration error (15 equal-mass bins) and Brier score on frozen labels, which calibrated nothing."""
    scores = candidate.classify(frozen.texts).probability
    figures = {}
    for category in categories:
        column = candidate.categories.index(category)
        asked = np.flatnonzero(frozen.weight[:, column] > 0)
        truth, p = frozen.truth[asked, column], scores[asked, column]
        figures[category] = {
            "n": len(asked),
            "ece": round(quality.expected_calibration_error(truth, p), 4),
            "brier": round(quality.brier_score(truth, p), 4),
        }
    return figures


def _install(part: Path, target: Path) -> Bundle:
    """Put a new bundle where workers load it from, over what an earlier training left there under the same hash."""
    if target.is_dir():
        for name in (bundles.MODEL, bundles.PRECISION, bundles.MANIFEST):
            (part / name).replace(target / name)
        part.rmdir()
    else:
        part.rename(target)
    return bundles.load(target)
