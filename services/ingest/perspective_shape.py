"""Perspective's comments:analyze as clients send and read it (POST /v1alpha1/comments:analyze). Pure.

Requests, answers and messages follow the documented API; what is ours is said in docs/migrate-from-perspective.md.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from services.ingest.core import why_no_json
from services.ingest.naming import Naming
from services.runtime.problems import Problem

MAX_BYTES = 20_480  # of a comment, as documented
MAX_SENTENCES = 100  # that get a score of their own; what is longer gets longer spans
ERROR_TYPE = "type.googleapis.com/google.commentanalyzer.v1alpha1.Error"
STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    409: "ALREADY_EXISTS",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
}
_SENTENCE = re.compile(r"\S.*?(?:[.!?]+(?=\s)|\n|\Z)", re.DOTALL)


class Unfit(Exception):
    """A request that cannot be answered: the documented message and error type, with what it is about."""

    def __init__(self, message: str, error_type: str = "INVALID_REQUEST", **about: Any) -> None:
        super().__init__(message)
        self.message, self.error_type, self.about = message, error_type, about


class _Comment(msgspec.Struct, frozen=True):
    text: str = ""
    type: str = "PLAIN_TEXT"


class _Wanted(msgspec.Struct, frozen=True, rename="camel"):
    score_type: str = "PROBABILITY"
    score_threshold: float = 0.0


class Asked(msgspec.Struct, frozen=True, rename="camel"):
    """A request. `context` is accepted and not looked at, as with Perspective."""

    comment: _Comment = _Comment()
    requested_attributes: dict[str, _Wanted] = {}
    languages: tuple[str, ...] = ()
    span_annotations: bool = False
    do_not_store: bool = False
    drop_unsupported_attributes: bool = False
    client_token: str | None = None
    session_id: str | None = None
    community_id: str | None = None


_decode = msgspec.json.Decoder(Asked).decode


def asked(raw: bytes) -> Asked:
    """The request in a body. Raises Unfit where nothing can be answered whatever the model is."""
    try:
        found = _decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Unfit(f"Invalid JSON payload received. {why_no_json(raw, error)}") from error
    if found.comment.type not in ("PLAIN_TEXT", "TEXT_TYPE_UNSPECIFIED"):
        html = found.comment.type == "HTML"
        raise Unfit("Currently, only 'PLAIN_TEXT' comments are supported" if html else "Unknown text type")
    if not found.comment.text.strip():
        raise Unfit("Comment must be non-empty.", "COMMENT_EMPTY")
    if len(found.comment.text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise Unfit("Comment text too long.", "COMMENT_TOO_LONG")
    if not found.requested_attributes:
        raise Unfit("Missing requested_attributes", "NO_REQUESTED_ATTRIBUTES")
    return found


def answerable(request: Asked, categories: Sequence[str], naming: Naming) -> dict[str, str]:
    """Which category answers each attribute that is asked for. Raises Unfit for one that nothing answers.

    With dropUnsupportedAttributes such attributes are left out, but for those that no API knows.
    """
    ours = naming.in_perspective(categories)
    spoken = [each for each in request.languages if each.partition("-")[0].lower() not in naming.languages]
    found = {}
    for attribute, wanted in request.requested_attributes.items():
        if attribute not in ours and attribute not in naming.perspective:
            names = ", ".join(sorted(ours))
            raise Unfit(f"Unknown requested attribute: {attribute} (answered here: {names})")
        if wanted.score_type not in ("PROBABILITY", "SCORE_TYPE_UNSPECIFIED"):
            detail = f"Requested score type {wanted.score_type} is not supported by attribute {attribute}"
            raise Unfit(detail)
        if attribute in ours and not spoken:
            found[attribute] = ours[attribute]
        elif not request.drop_unsupported_attributes:
            raise _not_supported(attribute, spoken or list(request.languages or naming.languages), ours)
    return found


def _not_supported(attribute: str, languages: list[str], ours: Mapping[str, str]) -> Unfit:
    message = f"Attribute {attribute} does not support request languages: {', '.join(languages)}"
    if attribute not in ours:
        message += f" (no model here answers it in any language; answered: {', '.join(sorted(ours))})"
    about = {"detectedLanguages": languages, "attribute": attribute}
    return Unfit(message, "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE", languageNotSupportedByAttributeError=about)


def sentences(text: str) -> list[tuple[int, int]]:
    """[start, end) in characters of each sentence, at most MAX_SENTENCES: neighbours are taken together beyond."""
    found = [match.span() for match in _SENTENCE.finditer(text)]
    step = -(-len(found) // MAX_SENTENCES) or 1
    return [(found[i][0], found[min(i + step, len(found)) - 1][1]) for i in range(0, len(found), step)]


Span = tuple[int, int, Mapping[str, float]]  # start and end in characters, scores by category


def answer(
    request: Asked,
    attributes: Mapping[str, str],
    scores: Mapping[str, float],
    spans: Sequence[Span],
    naming: Naming,
) -> dict[str, Any]:
    """The answer. Without `spans` the whole comment is one. Offsets count UTF-16 code units, as documented."""
    text = request.comment.text
    units = _units(text)
    found = {}
    for attribute, category in attributes.items():
        if scores[category] < request.requested_attributes[attribute].score_threshold:
            continue
        found[attribute] = {
            "spanScores": [
                {"begin": units[start], "end": units[end], "score": _score(of[category])}
                for start, end, of in spans or [(0, len(text), scores)]
            ],
            "summaryScore": _score(scores[category]),
        }
    document: dict[str, Any] = {
        "attributeScores": found,
        "languages": list(request.languages or naming.languages),
        "detectedLanguages": [],  # nobody looked
    }
    if request.client_token is not None:
        document["clientToken"] = request.client_token
    return document


def error(problem: Problem) -> tuple[int, dict[str, Any]]:
    """Status and body of a problem in Google's shape."""
    if problem.status == 401:
        return 403, body(
            403, f"The request is missing a valid API key: {problem.detail}, or append ?key=sk_…"
        )
    status = problem.status if problem.status in STATUSES else 400
    return status, body(status, problem.detail)


def refusal(unfit: Unfit) -> dict[str, Any]:
    """The body for a request that cannot be answered; its status is 400."""
    detail = {"@type": ERROR_TYPE, "errorType": unfit.error_type, **unfit.about}
    return body(400, unfit.message, [detail])


def body(code: int, message: str, details: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    """An error as Google's clients read it."""
    found: dict[str, Any] = {"code": code, "message": message, "status": STATUSES[code]}
    return {"error": found | ({"details": list(details)} if details else {})}


def _score(value: float) -> dict[str, Any]:
    return {"value": value, "type": "PROBABILITY"}


def _units(text: str) -> list[int]:
    """How many UTF-16 code units lie before each character, and at the end how many there are."""
    found = [0]
    for character in text:
        found.append(found[-1] + (2 if ord(character) > 0xFFFF else 1))
    return found
