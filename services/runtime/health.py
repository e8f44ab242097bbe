"""/healthz, /readyz and /metrics of a worker that has no HTTP of its own."""

import threading
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.types import StartResponse, WSGIEnvironment

from prometheus_client import CollectorRegistry, make_wsgi_app


class Health:
    """Whether a worker is ready, and if not why. Written by the loop, read by the server's thread."""

    def __init__(self) -> None:
        self._reason = "starting"

    @property
    def reason(self) -> str:
        """Why the worker is not ready; empty when it is."""
        return self._reason

    def ready(self) -> None:
        """The worker takes records."""
        self._reason = ""

    def not_ready(self, reason: str) -> None:
        """The worker takes no records, for a reason that says what to do."""
        self._reason = reason


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Probes come every few seconds: they are not worth a line."""


def serve_health(health: Health, registry: CollectorRegistry, host: str, port: int) -> int:
    """Serve in a daemon thread; return the port, which matters where 0 was asked for.

    Raises OSError where the port is taken.
    """
    metrics = make_wsgi_app(registry)

    def app(environ: WSGIEnvironment, start: StartResponse) -> list[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/metrics":
            return list(metrics(environ, start))
        if path == "/healthz":
            status, body = "200 OK", "alive"
        elif path == "/readyz":
            status, body = (
                ("503 Service Unavailable", health.reason) if health.reason else ("200 OK", "ready")
            )
        else:
            status, body = "404 Not Found", "try /healthz, /readyz or /metrics"
        start(status, [("Content-Type", "text/plain; charset=utf-8")])
        return [body.encode() + b"\n"]

    server = make_server(host, port, app, handler_class=_Quiet)
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    return server.server_port
