"""Why a model scored as it did, shown to people with what they are asked."""

import time
from collections.abc import Callable
from typing import Protocol

import msgspec
from msgspec.structs import replace

from services.events.types import Span
from services.router.core.items import Requested
from services.scoring.bundle import Bundle
from services.scoring.explain import explain
from services.scoring.occlusion import occlude

SPANS = 5  # of each category
CATEGORIES = 2  # the most probable ones: a text with everything marked explains nothing
PIECES = 16  # that a text is taken apart into for a model that has to be asked again without each
BURST_SECONDS = 0.5  # of CPU that may be owed before the share holds


class _Text(msgspec.Struct):
    text: str | None = None


_text = msgspec.json.Decoder(_Text).decode


class Models(Protocol):
    """Where bundles are found."""

    def version(self, model_version: str | None) -> Bundle | None:
        """The bundle of a version, None where it is gone."""


class Explainer:
    """Explains by the bundle whose scores they are.

    A linear model's terms cost microseconds. Other models run once for every piece of the text, which no stream can
    afford for each question: so that takes at most `share` of a core (measured in CPU time), and where it would be
    more, people are asked without it. What an explanation says depends on nothing but text and bundle.
    """

    def __init__(
        self,
        models: Models,
        share: float = 0.1,
        clock: Callable[[], float] = time.monotonic,
        cpu: Callable[[], float] = time.thread_time,
    ) -> None:
        self._models, self._share, self._clock, self._cpu = models, share, clock, cpu
        self._owed, self._paid_at = 0.0, clock()

    def explained(self, request: Requested, other: str | None = None) -> Requested:
        """The request with what spoke for its scores; `other` gave the scores that the request's own model did not.

        As it is where the model is gone, blind, or has no words for it.
        """
        text = _text(request.item).text
        if not text or request.purpose == "audit":
            return request
        left = sorted(request.scores, key=lambda score: -score.probability)[:CATEGORIES]
        spans: list[Span] = []
        for version in (request.model_version, other):
            bundle = self._models.version(version)
            if bundle is None:
                continue
            names = [score.category for score in left if score.category in bundle.categories]
            left = [score for score in left if score.category not in names]
            if names:
                spans += [span for span in self._spans(bundle, text, names) if (span.weight or 0) > 0]
        return replace(request, explanation=tuple(spans)) if spans else request

    def _spans(self, bundle: Bundle, text: str, names: list[str]) -> list[Span]:
        if bundle.linear:
            return [span for name in names for span in explain(bundle, text, name, SPANS)]
        now = self._clock()
        self._owed = max(0.0, self._owed - self._share * (now - self._paid_at))
        self._paid_at = now
        if not self._share or self._owed > BURST_SECONDS:
            return []
        before = self._cpu()
        found = occlude(bundle.classifier, text, names, PIECES)
        self._owed += self._cpu() - before
        return [
            span
            for name in names
            for span in sorted((s for s in found if s.category == name), key=lambda s: -abs(s.weight or 0))[
                :SPANS
            ]
        ]
