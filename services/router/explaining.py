"""Why a model scored as it did, shown to people with what they are asked."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

import msgspec
from msgspec.structs import replace

from services.events.types import Span
from services.router.core.items import Requested
from services.scoring.bundle import Bundle
from services.scoring.explain import Asked, explain_all, most
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


class Question(NamedTuple):
    """What goes to people; `other` is the model that gave the scores that the request's own did not."""

    request: Requested
    other: str | None = None


class _Part(NamedTuple):
    """What one model has to explain of a question."""

    number: int  # of the question
    bundle: Bundle
    asked: Asked


class Explainer:
    """Explains by the bundle whose scores they are.

    A linear model's terms cost microseconds, the fewer the more texts are explained together. Other models run once for
    every piece of the text, which no stream can afford for each question: so that takes at most `share` of a core
    (measured in CPU time), and where it would be more, people are asked without it. What an explanation says depends on
    nothing but text and bundle.
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

    def explained(self, questions: Sequence[Question]) -> list[Requested]:
        """The requests with what spoke for their scores, in their order.

        One is as it is where the model is gone, it is blind, or there are no words for it.
        """
        parts = [part for number, question in enumerate(questions) for part in self._parts(number, question)]
        spans: list[list[Span]] = [[] for _ in questions]
        for part, found in zip(parts, self._explained(parts), strict=True):
            spans[part.number] += [span for span in found if (span.weight or 0) > 0]
        return [
            replace(request, explanation=tuple(own)) if own else request
            for (request, _), own in zip(questions, spans, strict=True)
        ]

    def _parts(self, number: int, question: Question) -> Iterator[_Part]:
        request = question.request
        if request.purpose == "audit" or not (text := _text(request.item).text):
            return
        left = sorted(request.scores, key=lambda score: -score.probability)[:CATEGORIES]
        for version in (request.model_version, question.other):
            bundle = self._models.version(version)
            if bundle is None:
                continue
            names = [score.category for score in left if score.category in bundle.categories]
            left = [score for score in left if score.category not in names]
            if names:
                yield _Part(number, bundle, Asked(text, names))

    def _explained(self, parts: Sequence[_Part]) -> list[list[Span]]:
        """The spans of each part, those of one linear model together."""
        found: list[list[Span]] = [[] for _ in parts]
        together: dict[int, list[int]] = {}
        for at, part in enumerate(parts):
            if part.bundle.linear:
                together.setdefault(id(part.bundle), []).append(at)
            else:
                found[at] = self._occluded(part)
        for places in together.values():
            bundle, asked = parts[places[0]].bundle, [parts[at].asked for at in places]
            for at, spans in zip(places, explain_all(bundle, asked, SPANS), strict=True):
                found[at] = spans
        return found

    def _occluded(self, part: _Part) -> list[Span]:
        now = self._clock()
        self._owed = max(0.0, self._owed - self._share * (now - self._paid_at))
        self._paid_at = now
        if not self._share or self._owed > BURST_SECONDS:
            return []
        before = self._cpu()
        found = occlude(part.bundle.classifier, part.asked.text, part.asked.categories, PIECES)
        self._owed += self._cpu() - before
        return [span for name in part.asked.categories for span in most(found, name, SPANS)]
