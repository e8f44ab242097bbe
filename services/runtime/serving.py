"""How a service's application is served."""

import gc

import uvicorn
from starlette.types import ASGIApp

KEEP_ALIVE = (
    75  # s an idle connection is kept: longer than clients keep theirs, so that none sends into a closing one
)


def serve(app: ASGIApp, host: str, port: int, swift: bool = False) -> None:
    """Serve until SIGTERM; requests in hand are finished first. Raises SystemExit where the port is taken.

    `swift`: parser and event loop in C, for services whose callers wait for milliseconds. What was made until now is
    then left out of garbage collection: looking at all of it takes tens of ms.
    """
    if swift:
        gc.collect()
        gc.freeze()
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
