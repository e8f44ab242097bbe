"""How a service's application is served."""

import uvicorn
from starlette.types import ASGIApp

from services.runtime.garbage import collect_rarely

KEEP_ALIVE = (
    75  # s an idle connection is kept: longer than clients keep theirs, so that none sends into a closing one
)


def serve(app: ASGIApp, host: str, port: int, swift: bool = False) -> None:
    """Serve until SIGTERM; requests in hand are finished first. Raises SystemExit where the port is taken.

    `swift`: parser and event loop in C, for services whose callers wait for milliseconds.
    Garbage is then collected rarely.
    """
    if swift:
        collect_rarely()
    uvicorn.run(
        app,
        host=host,
        port=port,
        http="httptools" if swift else "h11",
        loop="uvloop" if swift else "asyncio",
        log_config=None,
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE,
    )
