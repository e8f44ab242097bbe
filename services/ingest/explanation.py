"""Why a text scored as it did, on demand. Exact for the linear model of byte n-grams, by occlusion for others. Pure."""

from typing import Annotated, Any

import msgspec

from services.events.types import Span
from services.ingest.core import Refused, why_no_json
from services.ingest.scorer import Scored
from services.scoring.explain import top_ngrams, words
from services.scoring.occlusion import occlude

MAX_CHARACTERS = 20_000
MAX_LIMIT = 200
PIECES = 32  # that a text is taken apart into for a model that has to be asked again without each


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked: the words of `text` that moved `categories` (all, where none is named) most, `limit` of each."""

    text: str
    categories: tuple[str, ...] = ()
    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_LIMIT)] = 20


_decode = msgspec.json.Decoder(Question).decode


def question(raw: bytes, categories: tuple[str, ...]) -> Question:
    """The question in a body, its categories among those of the model. Raises Refused."""
    try:
        asked = _decode(raw)
    except msgspec.ValidationError as error:
        detail = f'{error}: send {{"text": "…", "categories": ["toxicity"], "limit": 20}}'
        raise Refused(422, "invalid", detail) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(400, "not JSON", f"send one JSON object in UTF-8: {why_no_json(raw, error)}") from error
    if len(asked.text) > MAX_CHARACTERS:
        detail = f"the text has {len(asked.text)} characters, at most {MAX_CHARACTERS} are explained: cut it"
        raise Refused(413, "too large", detail, "/text")
    for number, category in enumerate(asked.categories):
        if category not in categories:
            detail = f"{category!r} is no category of the live model, which has {', '.join(categories)}"
            raise Refused(422, "unknown category", detail, f"/categories/{number}")
    return asked


def explained(scored: Scored, asked: Question) -> dict[str, Any]:
    """The answer: for each category its probability, words as spans of the text as given (characters), and n-grams.

    Weights are in log-odds, signed; with `exact` all words together, including what is not shown, and the bias are the
    score before its calibration. Without, a weight is what the score loses where the word is left out.
    """
    bundle = scored.serving.bundle
    wanted = asked.categories or bundle.categories
    names = [name for name in bundle.categories if name in wanted]  # another model may be live by now
    others = [] if bundle.linear else occlude(bundle.classifier, asked.text, names, PIECES)
    by_name = {score.category: score for score in scored.scores}
    found = {}
    for name in names:
        spans = words(bundle, asked.text, name) if bundle.linear else others
        own = [span for span in spans if span.category == name]
        own.sort(key=lambda span: (-abs(span.weight or 0.0), span.start))
        bias = float(bundle.parts.bias[bundle.categories.index(name)]) if bundle.linear else None
        found[name] = {
            "bias": bias,
            "probability": by_name[name].probability,
            "disagreement": by_name[name].disagreement,
            "spans": [_span(asked.text, span) for span in own[: asked.limit]],
            "ngrams": [ngram._asdict() for ngram in top_ngrams(bundle, asked.text, name, asked.limit)],
        }
    return {
        "model_version": bundle.model_version,
        "method": "attribution" if bundle.linear else "occlusion",
        "exact": bundle.linear,
        "categories": found,
    }


def _span(text: str, span: Span) -> dict[str, Any]:
    return {
        "start": span.start,
        "end": span.end,
        "text": text[span.start : span.end],
        "weight": span.weight,
    }
