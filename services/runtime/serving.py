"""How a service's FastAPI application is served."""

import uvicorn
from fastapi import FastAPI

KEEP_ALIVE = (
    75  # s an idle connection is kept: longer than clients keep theirs, so that none sends into a closing one
)


def serve(app: FastAPI, host: str, port: int) -> None:
    """Serve until SIGTERM; requests in hand are finished first. Raises SystemExit where the port is taken."""
    uvicorn.run(app, host=host, port=port, log_config=None, access_log=False, timeout_keep_alive=KEEP_ALIVE)
