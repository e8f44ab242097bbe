"""Work over HTTP: queues, tasks, verdicts. Handlers are plain functions: Starlette runs them in threads."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request, Response

from services.events.instants import from_millis
from services.review.bodies import Claim, Held, HeldTask, TaskVerdict, Verdict
from services.review.core.answers import Refusal
from services.review.logins import Guard
from services.review.problems import Problem, problem_of
from services.review.queue import Handout, No, Queue, Queues
from services.review.settings import ApiSettings
from services.review.tokens import lease_of, token_of
from services.review.verdicts import Verdicts
from services.runtime.audit import Audit

NO_QUEUE = Refusal(404, "unknown-queue", "No such queue", "GET /v1/queues names those there are.")


def work_routes(
    settings: ApiSettings, guard: Guard, queues: Queues, verdicts: Verdicts, audit: Audit, secret: bytes
) -> APIRouter:
    """Everything under /v1 that people who are logged in do with tasks."""
    routes = APIRouter(prefix="/v1", tags=["work"])
    extra = settings.categories()

    def queue_of(name: str) -> Queue:
        if name not in queues.names():
            raise Problem(NO_QUEUE)
        return queues.get(name)

    def shown(given: Handout) -> dict[str, Any]:
        task: dict[str, Any] = msgspec.json.decode(given.body)
        # By name in every queue: a category's key is always the same, and an audit's order tells nothing of scores.
        task["categories"] = sorted({*task["categories"], *extra})
        return task | {
            "token": token_of(given.lease, secret),
            "seat": given.lease.seat,
            "copies_waiting": given.copies,
            "near": given.near._asdict() if given.near else None,
            "lease_expires_at": from_millis(given.expires),
            "lease_seconds_left": (given.expires - given.now) / 1000,
        }

    @routes.get("/queues")
    def list_queues(request: Request) -> list[dict[str, Any]]:
        guard.somebody(request)
        return [row(queues.get(name)) for name in queues.names()]

    def row(queue: Queue) -> dict[str, Any]:
        status = queue.look()
        return {
            "queue": queue.name,
            "state": status.state or "rebuilding",
            "paused": status.paused,
            "depth": status.depth,
            "held": status.held,
            "tasks": status.tasks,
            "copies_waiting": status.waiting,
            "oldest_age_seconds": (status.now - status.oldest) / 1000 if status.oldest else None,
        }

    @routes.post("/queues/{name}/claim", responses={204: {"description": "Nothing to do"}})
    def claim(request: Request, name: str, body: Claim | None = None) -> Response:
        who = guard.somebody(request)
        queue = queue_of(name)
        at_hand = body.at_hand if body else ()
        given = queue.claim(who.name, settings.review_hold, at_hand, who.abilities, settings.review_run)
        if isinstance(given, No):
            if given.code == "empty":
                return Response(status_code=204)
            raise problem_of(given)
        detail = {"queue": name, "seat": given.lease.seat}
        audit.note(who.name, "task.claimed", given.lease.task_id, detail)
        return Response(msgspec.json.encode(shown(given)), media_type="application/json")

    @routes.post("/tasks/{task_id:path}/verdict")
    def decide(request: Request, task_id: str, body: Verdict) -> dict[str, Any]:
        who = guard.somebody(request)
        lease = lease_of(body.token, task_id, who.name, secret)
        recorded = verdicts.record(lease, body.token, body.opinion())
        audit.note(who.name, "verdict.given", task_id, {"verdict_id": recorded["verdict_id"]})
        return recorded

    @routes.post("/tasks/{task_id:path}/extend")
    def extend(request: Request, task_id: str, body: Held) -> dict[str, Any]:
        who = guard.somebody(request)
        lease = lease_of(body.token, task_id, who.name, secret)
        until = queues.get(lease.queue).extend(lease)
        if isinstance(until, No):
            raise problem_of(until)
        expires, now = until
        return {"lease_expires_at": from_millis(expires), "lease_seconds_left": (expires - now) / 1000}

    @routes.post("/tasks/{task_id:path}/release", status_code=204)
    def release(request: Request, task_id: str, body: Held) -> None:
        who = guard.somebody(request)
        lease = lease_of(body.token, task_id, who.name, secret)
        no = queues.get(lease.queue).release(lease, settings.review_skip_seconds * 1000)
        if no is not None:
            raise problem_of(no)
        audit.note(who.name, "task.released", task_id, {"queue": lease.queue})

    # The same with the task in the body: an item id may be anything, `..` too, which no path keeps.

    @routes.post("/verdicts")
    def decide_named(request: Request, body: TaskVerdict) -> dict[str, Any]:
        return decide(request, body.task_id, body)

    @routes.post("/leases/extend")
    def extend_named(request: Request, body: HeldTask) -> dict[str, Any]:
        return extend(request, body.task_id, body)

    @routes.post("/leases/release", status_code=204)
    def release_named(request: Request, body: HeldTask) -> None:
        release(request, body.task_id, body)

    @routes.post("/verdicts/{verdict_id}/undo")
    def undo(request: Request, verdict_id: str) -> dict[str, Any] | None:
        who = guard.somebody(request)
        given = verdicts.take_back(verdict_id, who.name)
        audit.note(who.name, "verdict.taken_back", verdict_id)
        return shown(given) if given else None

    @routes.get("/history")
    def history(request: Request, last: Annotated[int, Query(ge=1)] = 20) -> list[dict[str, Any]]:
        who = guard.somebody(request)
        found = [
            each for name in queues.names() for each in queues.get(name).history(who.name, min(last, 50))
        ]
        for each in found:
            text = _text(queues.get(each["queue"]).body(each["task_id"]))
            each["text"] = text  # only while the task is open: nothing keeps the text of what is over
            each["undo_until"] = from_millis(each["final_at_ms"] - settings.review_undo_margin_ms)
        return sorted(found, key=lambda each: -int(each.pop("final_at_ms")))[:last]

    return routes


def _text(body: bytes | None) -> str | None:
    return msgspec.json.decode(body)["item"]["text"] if body else None
