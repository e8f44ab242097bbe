"""POST /v1/moderate and POST /v1/explain."""

import asyncio
from typing import Annotated

import msgspec
from fastapi import APIRouter, Header, Request
from starlette.responses import JSONResponse, Response

from services.ingest.acceptance import Acceptance, problem_of
from services.ingest.authority import Authority
from services.ingest.core import MAX_BODY_BYTES, Refused, Submission, to_moderate
from services.ingest.direct import Answering
from services.ingest.explanation import explained, question
from services.ingest.moderation import Moderation
from services.runtime.clock import now_ms
from services.runtime.problems import read_body

Authorization = Annotated[str | None, Header()]
encode = msgspec.json.Encoder().encode


def moderating(authority: Authority, acceptance: Acceptance, moderation: Moderation) -> Answering:
    """What answers POST /v1/moderate. It raises Problem for what is wrong with a call, not with its item."""

    async def answer(request: Request) -> Response:
        key, source = await authority.of(request.headers.get("authorization"))
        raw = await read_body(request, MAX_BODY_BYTES, "an item")
        moderation.scorer.serving()
        try:
            wanted: Submission | Refused = to_moderate(raw, source, now_ms())
        except Refused as refused:
            wanted = refused
        (found,) = await acceptance.accept(key, [wanted], moderation.decide)
        if found.problem is not None:
            return found.problem.response()
        return Response(encode(found.document()), media_type="application/json")

    return answer


def inline_routes(authority: Authority, acceptance: Acceptance, moderation: Moderation) -> APIRouter:
    """The routes. They answer 503 while no model or policy is live."""
    router = APIRouter()
    explaining = asyncio.Semaphore(1)  # one text at a time: explaining may not take a core from verdicts

    moderated = moderating(authority, acceptance, moderation)

    @router.post("/v1/moderate")
    async def moderate(request: Request) -> Response:
        """Submit an item and get the verdict. 200 once Kafka has both; `review`: people decide, as usual."""
        return await moderated(request)

    @router.post("/v1/explain")
    async def explain(request: Request, authorization: Authorization = None) -> Response:
        """Why the live model scores a text as it does: spans of the text with signed weights. Nothing is kept."""
        key, _ = await authority.of(authorization)
        raw = await read_body(request, MAX_BODY_BYTES, "a question")
        serving = moderation.scorer.serving()
        try:
            asked = question(raw, serving.bundle.categories)
        except Refused as refused:
            raise problem_of(refused) from None
        await acceptance.spend(key, 1)
        (scored,) = await moderation.scorer.score([asked.text])
        async with explaining:
            found = await asyncio.to_thread(explained, scored, asked)
        return JSONResponse(found)

    return router
