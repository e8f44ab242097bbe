"""Endpoints in the shapes of other APIs: OpenAI's moderations and Perspective's comments:analyze.

Both go the way of /v1/moderate: quota, the live model and policy, an event with a made item_id and the signed decision,
and an answer once Kafka has it. Told not to store, nothing of the text leaves the process.
"""

from typing import Annotated, Any

import uuid_utils
from fastapi import APIRouter, Header, Query, Request
from starlette.responses import JSONResponse, Response

from services.events.types import Media
from services.ingest import openai_shape, perspective_shape
from services.ingest.acceptance import Acceptance, problem_of
from services.ingest.authority import Authority
from services.ingest.core import MAX_BODY_BYTES, Refused, Submission, of_text
from services.ingest.moderation import Moderation
from services.ingest.naming import naming
from services.runtime.apikeys import ApiKey
from services.runtime.clock import now_ms
from services.runtime.problems import Problem, read_body

Text = Annotated[str | None, Header()]
MAX_URL = 2000  # characters of a picture's address that goes on to people


def compatible_routes(authority: Authority, acceptance: Acceptance, moderation: Moderation) -> APIRouter:
    """The routes. Their errors have the shape of their API, also while no model or policy is live."""
    router = APIRouter()
    names = naming()

    async def judged(key: ApiKey, submissions: list[Submission], store: bool) -> list[Submission]:
        answers = await acceptance.accept(key, submissions, moderation.decide, store)
        for answer in answers:
            if answer.problem is not None:
                raise answer.problem
        return [answer.submission for answer in answers if answer.submission is not None]

    @router.post("/v1/moderations")
    async def moderations(request: Request, authorization: Text = None) -> Response:
        """OpenAI's shape. Every text becomes an item of its own, unless `store` is false."""
        try:
            key, source = await authority.of(authorization)
            asked = openai_shape.asked(await read_body(request, MAX_BODY_BYTES, "a request"))
            policy = moderation.scorer.serving().policy
            found = await judged(key, [_of_input(each, source) for each in asked.inputs], asked.store)
        except openai_shape.Unfit as unfit:
            kind = "invalid_request_error"
            return JSONResponse(openai_shape.body(unfit.message, kind, unfit.param, None), 400)
        except Problem as problem:
            status, body = openai_shape.error(problem)
            return _response(body, status, problem)
        results = []
        for submission, of in zip(found, asked.inputs, strict=True):
            assert submission.verdict is not None
            item_id = submission.event.item_id if asked.store else None
            results.append(openai_shape.result(submission.verdict, of, policy, names, item_id))
        version = found[0].verdict.model_version if found[0].verdict else ""
        return JSONResponse({"id": f"modr-{uuid_utils.uuid7().hex}", "model": version, "results": results})

    @router.post("/v1alpha1/comments:analyze")
    async def analyze(
        request: Request,
        key: Annotated[str, Query()] = "",
        authorization: Text = None,
        x_goog_api_key: Text = None,
    ) -> Response:
        """Perspective's shape. The comment becomes an item, unless `doNotStore` is true."""
        try:
            own, source = await authority.of(authorization, key or x_goog_api_key or "")
            asked = perspective_shape.asked(await read_body(request, MAX_BODY_BYTES, "a request"))
            categories = moderation.scorer.serving().bundle.categories
            attributes = perspective_shape.answerable(asked, categories, names)
            (found,) = await judged(own, [_of_comment(asked, source)], not asked.do_not_store)
            assert found.verdict is not None
            spans = await _spans(moderation, asked)
        except perspective_shape.Unfit as unfit:
            return JSONResponse(perspective_shape.refusal(unfit), 400)
        except Problem as problem:
            status, body = perspective_shape.error(problem)
            return _response(body, status, problem)
        document = perspective_shape.answer(asked, attributes, found.verdict.scores, spans, names)
        headers = {} if asked.do_not_store else {"Sluicegate-Item-Id": found.event.item_id}
        return JSONResponse(document, headers=headers)

    return router


async def _spans(moderation: Moderation, asked: perspective_shape.Asked) -> list[perspective_shape.Span]:
    """The sentences of the comment with their scores, where they are asked for."""
    if not asked.span_annotations:
        return []
    found = perspective_shape.sentences(asked.comment.text)
    scored = await moderation.scorer.score([asked.comment.text[start:end] for start, end in found])
    return [
        (start, end, {score.category: score.probability for score in of.scores})
        for (start, end), of in zip(found, scored, strict=True)
    ]


def _of_input(each: openai_shape.Input, source: str) -> Submission:
    media = tuple(Media(url=url) for url in each.images if url.startswith("http") and len(url) <= MAX_URL)
    return _submission(each.text, source, media=media, context={"api": "openai"})


def _of_comment(asked: perspective_shape.Asked, source: str) -> Submission:
    context: dict[str, Any] = {"api": "perspective"}
    for name, value in (("session_id", asked.session_id), ("community_id", asked.community_id)):
        if value is not None:
            context[name] = value
    return _submission(asked.comment.text, source, context=context)


def _submission(text: str, source: str, **more: Any) -> Submission:
    """An item with a made id. Raises Problem where it cannot be one."""
    try:
        return of_text(text, source, uuid_utils.uuid7().hex, now_ms(), **more)
    except Refused as refused:
        raise problem_of(refused) from None


def _response(body: dict[str, Any], status: int, problem: Problem) -> Response:
    headers = {} if problem.retry_after is None else {"Retry-After": str(problem.retry_after)}
    return JSONResponse(body, status, headers)
