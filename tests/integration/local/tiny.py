"""A service as the stack sees one: it serves /readyz, and says why where it is not ready. Run with `python -m`."""

from __future__ import annotations

import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

NOT_READY = sys.argv[1] if len(sys.argv) > 1 else ""


class Health(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(503 if NOT_READY else 200)
        self.end_headers()
        self.wfile.write(NOT_READY.encode())


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    HTTPServer(
        (os.environ["SLUICEGATE_HOST"], int(os.environ["SLUICEGATE_METRICS_PORT"])), Health
    ).serve_forever()
