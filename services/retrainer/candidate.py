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
    LABEL_OFFSETS,
    Answers,
    Labelled,
    divide,
    to_answers,
)
from services.scoring import bundle as bundles
from services.scoring.bundle import Bundle, BundleError
from services.scoring.bytegram import graph
from services.scoring.classify import Classifier

log = structlog.get_logger()


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
        linear = _keep(_linear(live), fit(_linear(base), answers), [c in trained for c in categories])
        model = graph(linear.weights, linear.bias)
        log.info("fitted", seconds=round(time.monotonic() - started, 2))
        data = model.SerializeToString(deterministic=True)
        if sha256(data).hexdigest() == live.manifest.content_hash:
            raise Refused("the labels teach nothing new: the candidate is the live model")
        comparison = self._compare(live, Classifier(data, self.name, categories), frozen)
        decision = decide(comparison)
        if not decision.release:
            raise Refused(decision.reason, comparison)
        lineage: dict[str, Any] = {
            "kind": "retrained",
            "base": base.model_version,
            "live": live.model_version,
            LABEL_OFFSETS: {str(partition): offset for partition, offset in sorted(offsets.items())},
            "labels": {"pool": len(sets.pool), "audit": len(sets.audit), "frozen": len(sets.frozen)},
            "trained": trained,
        }
        told = bundles.save(
            part := self.models / f".training-{time.time_ns()}",
            model,
            self.name,
            categories,
            precision=linear.precision,
            calibration=live.manifest.calibration,
            lineage=lineage,
            metrics={"comparison": msgspec.to_builtins(comparison)},
        )
        log.info("compared", seconds=round(time.monotonic() - started, 2), reason=decision.reason)
        return Candidate(_install(part, self.models / told.model_version), comparison, decision.reason)

    def _compare(self, live: Bundle, candidate: Classifier, frozen: Answers) -> Comparison:
        before, after = live.classifier.classify(frozen.texts), candidate.classify(frozen.texts)
        return compare(frozen, before, after, live.categories, self.needed, resamples=self.resamples)

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
        return base if base.categories == live.categories else live


def _linear(bundle: Bundle) -> Linear:
    weights, bias = bundle.parameters
    return Linear(weights, bias, bundle.precision)


def _keep(live: Linear, fitted: Linear, changed: list[bool]) -> Linear:
    """The fitted model where a category may change, the live one elsewhere."""
    columns = np.array(changed)
    return Linear(
        np.where(columns, fitted.weights, live.weights),
        np.where(columns, fitted.bias, live.bias),
        np.where(columns, fitted.precision, live.precision),
    )


def _install(part: Path, target: Path) -> Bundle:
    """Put a new bundle where workers load it from, over what an earlier training left there under the same hash."""
    if target.is_dir():
        for name in (bundles.MODEL, bundles.PRECISION, bundles.MANIFEST):
            (part / name).replace(target / name)
        part.rmdir()
    else:
        part.rename(target)
    return bundles.load(target)
