"""A way past the framework for calls whose answer is waited for in milliseconds.

Routing, dependencies and the layers around a route cost FastAPI half of a verdict's CPU. A route named here is asked at
once; it stays a route of the application too, so that /docs shows it and every other method is answered as usual.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from services.runtime.problems import Problem

Answering: TypeAlias = Callable[[Request], Awaitable[Response]]


class Direct:
    """An ASGI application: POSTs to the paths of `routes` are theirs, all else is the application's."""

    def __init__(self, app: ASGIApp, routes: Mapping[str, Answering]) -> None:
        self._app, self._routes = app, routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. What a route raises beside Problem is the server's to report, as 500."""
        route = None
        if scope["type"] == "http" and scope["method"] == "POST":
            route = self._routes.get(scope["path"])
        if route is None:
            await self._app(scope, receive, send)
            return
        try:
            response = await route(Request(scope, receive))
        except Problem as problem:
            response = problem.response()
        await response(scope, receive, send)
