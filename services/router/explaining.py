"""Why the model scored as it did, shown to people with what they are asked."""

import msgspec
from msgspec.structs import replace

from services.events.types import Span
from services.router.core.items import Requested
from services.scoring.explain import explain
from services.scoring.live_model import LiveModel

SPANS = 5  # of each category
CATEGORIES = 2  # the most probable ones: a text with everything marked explains nothing


class _Text(msgspec.Struct):
    text: str | None = None


_text = msgspec.json.Decoder(_Text).decode


def explained(request: Requested, live: LiveModel) -> Requested:
    """The request with what spoke for its scores; as it is where the model is gone, blind, or has no words for it."""
    bundle = live.version(request.model_version)
    text = _text(request.item).text
    if bundle is None or not text or request.purpose == "audit":
        return request
    ranked = sorted(request.scores, key=lambda score: -score.probability)[:CATEGORIES]
    spans: list[Span] = []
    for score in ranked:
        if score.category in bundle.categories:
            spans += [span for span in explain(bundle, text, score.category, SPANS) if (span.weight or 0) > 0]
    return replace(request, explanation=tuple(spans))
