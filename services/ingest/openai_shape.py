"""OpenAI's moderations as clients send and read them (POST /v1/moderations). Pure."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec

from services.ingest.core import Verdict, why_no_json
from services.ingest.naming import Naming
from services.policy.model import Policy
from services.runtime.problems import Problem

MAX_INPUTS = 100
FLAGGED_FROM = 0.5  # of a category for which the policy has no threshold


class Unfit(Exception):
    """A request that cannot be answered: what is wrong and what to do, and which parameter."""

    def __init__(self, message: str, param: str | None = "input") -> None:
        super().__init__(message)
        self.message, self.param = message, param


class _Image(msgspec.Struct, frozen=True):
    url: str


class _TextPart(msgspec.Struct, frozen=True, tag_field="type", tag="text"):
    text: str


class _ImagePart(msgspec.Struct, frozen=True, tag_field="type", tag="image_url"):
    image_url: _Image


class _Body(msgspec.Struct, frozen=True):
    input: str | list[Any]
    store: bool = True  # ours: false keeps the text in this process
    model: Annotated[str, msgspec.Meta(max_length=200)] | None = (
        None  # there is one live model, whatever is asked for
    )


class Input(msgspec.Struct, frozen=True):
    """What one result is about. `images` are URLs of pictures, which nothing here looks at."""

    text: str
    images: tuple[str, ...] = ()


class Asked(msgspec.Struct, frozen=True):
    """A request: one result for each input, in their order."""

    inputs: tuple[Input, ...]
    store: bool


_body = msgspec.json.Decoder(_Body).decode
_PARTS = list[_TextPart | _ImagePart]


def asked(raw: bytes) -> Asked:
    """The request in a body: a string, strings, or parts of one text with pictures. Raises Unfit."""
    try:
        body = _body(raw)
    except msgspec.ValidationError as error:
        raise Unfit(f"{error}: `input` is a string, a list of strings, or a list of parts", None) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unfit(f"the body is no JSON object in UTF-8: {why_no_json(raw, error)}", None) from error
    given = [body.input] if isinstance(body.input, str) else body.input
    if not given:
        raise Unfit("`input` is empty: send at least one text")
    if len(given) > MAX_INPUTS:
        raise Unfit(f"`input` has {len(given)} entries, at most {MAX_INPUTS} are answered at once: split it")
    if all(isinstance(each, str) for each in given):
        return Asked(tuple(Input(each) for each in given), body.store)
    return Asked((_of_parts(given),), body.store)


def _of_parts(given: Sequence[Any]) -> Input:
    try:
        parts = msgspec.convert(given, _PARTS)
    except msgspec.ValidationError as error:
        raise Unfit(
            f"{error}: a part is {{type: text, text}} or {{type: image_url, image_url: {{url}}}}"
        ) from error
    texts = [part.text for part in parts if isinstance(part, _TextPart)]
    images = tuple(part.image_url.url for part in parts if isinstance(part, _ImagePart))
    if not texts:
        raise Unfit("pictures alone are not answered, as no model here looks at them: send text as well")
    return Input("\n".join(texts), images)


def result(
    verdict: Verdict, of: Input, policy: Policy, naming: Naming, item_id: str | None
) -> dict[str, Any]:
    """One result. Categories that no model here answers are null, not false: nobody looked.

    A category is true from the threshold of the policy on from which it acts. `sluicegate` is ours: the decision, and
    what was not answered; `item_id` None: nothing was stored.
    """
    ours = naming.in_openai(verdict.scores)
    names = list(dict.fromkeys((*naming.openai, *ours)))
    scores = {name: verdict.scores[ours[name]] if name in ours else None for name in names}
    flags = {
        name: None if score is None else score >= _threshold(policy, ours[name])
        for name, score in scores.items()
    }
    return {
        "flagged": any(flags.values()) or verdict.decision in ("limit", "remove"),
        "categories": flags,
        "category_scores": scores,
        "category_applied_input_types": {name: ["text"] if name in ours else [] for name in names},
        "sluicegate": {
            "decision": verdict.decision,
            "item_id": item_id,
            "rule": verdict.rule,
            "reason": verdict.reason,
            "policy_version": verdict.policy_version,
            "unanswered": {
                "categories": [name for name in names if name not in ours],
                "images": len(of.images),
            },
        },
    }


def error(problem: Problem) -> tuple[int, dict[str, Any]]:
    """Status and body of a problem in OpenAI's shape."""
    kind: Literal["invalid_request_error", "requests", "server_error"] = "invalid_request_error"
    code = None
    if problem.status == 401:
        code = "invalid_api_key"
    elif problem.status == 429:
        kind, code = "requests", "rate_limit_exceeded"
    elif problem.status >= 500:
        kind, code = "server_error", "service_unavailable"
    return problem.status, body(problem.detail, kind, None, code)


def body(message: str, kind: str, param: str | None, code: str | None) -> dict[str, Any]:
    """An error as OpenAI's clients read it."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def _threshold(policy: Policy, category: str) -> float:
    rule = policy.categories.get(category)
    return FLAGGED_FROM if rule is None or rule.remove is None else rule.remove
