"""Logins over HTTP, and what only admins may do."""

from typing import Any

from fastapi import APIRouter, Request, Response

from services.events.fresh import fresh_id
from services.events.instants import from_millis
from services.events.types import Change, ReviewChanged
from services.review.accounts import Account, Accounts
from services.review.bodies import Login
from services.review.core.answers import REFUSALS
from services.review.logins import COOKIE, FOREIGN, WRONG, Guard, Throttle, same_site, session_token
from services.review.problems import Problem
from services.review.settings import ApiSettings
from services.runtime.acknowledged import AcknowledgedProducer, NotAcknowledged
from services.runtime.audit import Audit
from services.runtime.clock import now_ms
from services.runtime.publishing import Publisher


def login_routes(
    settings: ApiSettings, accounts: Accounts, guard: Guard, throttle: Throttle, audit: Audit
) -> APIRouter:
    """/v1/login, /v1/logout, /v1/me."""
    routes = APIRouter(prefix="/v1", tags=["people"])

    @routes.post("/login")
    def login(request: Request, response: Response, body: Login) -> dict[str, Any]:
        if not same_site(request):
            raise Problem(FOREIGN)
        where = f"from:{request.client.host if request.client else 'nowhere'}"
        who = f"as:{body.name}"
        throttle.check(who, where)
        account = accounts.verify(body.name, body.password)
        if account is None:
            throttle.failed(who, where)
            audit.note(body.name[:64] or "nobody", "login.failed", body.name or "nobody")
            raise Problem(WRONG)
        token = accounts.open_session(account.name, settings.review_session_hours)
        audit.note(account.name, "login", account.name)
        if body.bearer:
            return _me(account, settings) | {"token": token}
        response.set_cookie(
            COOKIE,
            token,
            max_age=settings.review_session_hours * 3600,
            httponly=True,
            secure=settings.review_https,
            samesite="strict",
        )
        return _me(account, settings)

    @routes.post("/logout", status_code=204)
    def logout(request: Request, response: Response) -> None:
        if token := session_token(request):
            accounts.close_session(token)
        response.delete_cookie(COOKIE, httponly=True, samesite="strict")

    @routes.get("/me")
    def me(request: Request) -> dict[str, Any]:
        return _me(guard.somebody(request), settings)

    return routes


def admin_routes(
    guard: Guard, accounts: Accounts, audit: Audit, producer: AcknowledgedProducer, publisher: Publisher
) -> APIRouter:
    """Accounts, and pausing a queue."""
    routes = APIRouter(prefix="/v1", tags=["admin"])

    @routes.get("/accounts")
    def list_accounts(request: Request) -> list[dict[str, Any]]:
        guard.admin(request)
        return [_shown(account) for account in accounts.all()]

    @routes.post("/queues/{name}/pause")
    def pause(request: Request, name: str) -> dict[str, str]:
        return change(guard.admin(request), name, "queue_paused")

    @routes.post("/queues/{name}/resume")
    def resume(request: Request, name: str) -> dict[str, str]:
        return change(guard.admin(request), name, "queue_resumed")

    def change(admin: Account, queue: str, what: Change) -> dict[str, str]:
        """It takes effect when the feed has read it, so that a rebuild comes to the same."""
        now = now_ms()
        event = ReviewChanged(
            event_id=fresh_id(now),
            occurred_at=from_millis(now),
            change=what,
            queue=queue,
            changed_by=admin.name,
        )
        try:
            audit.insist(admin.name, what.replace("queue_", "queue."), queue)
            producer.send_all([publisher.outgoing(event, queue)])
        except NotAcknowledged as error:
            raise Problem(REFUSALS["unrecorded"]) from error
        return {"queue": queue, "change": what}

    return routes


def _me(account: Account, settings: ApiSettings) -> dict[str, Any]:
    return {"name": account.name, "role": account.role, "charts_url": f"{settings.analytics_url}/"}


def _shown(account: Account) -> dict[str, Any]:
    return {
        "name": account.name,
        "role": account.role,
        "disabled": account.disabled,
        "skills": sorted(account.abilities.skills),
        "languages": sorted(account.abilities.languages),
        "created_at": from_millis(account.created_at),
    }
