"""`python -m services.retrainer`: follows labels in one thread, trains in another, answers HTTP in the main one."""

import sys
import threading

import structlog
import uvicorn

from services.retrainer.api import make_app
from services.retrainer.following import follow
from services.retrainer.metrics import Metrics
from services.retrainer.retrainer import Retrainer
from services.retrainer.settings import RetrainerSettings
from services.runtime.health import Health
from services.runtime.kafka import plain_producer
from services.runtime.logs import configure_logs

log = structlog.get_logger()


def main() -> None:
    """Wire and run until SIGTERM. Exits with 1 where labels cannot be followed; a supervisor starts it again."""
    settings = RetrainerSettings()
    configure_logs("retrainer", settings.log_level)
    health, metrics, stop, ended = Health(), Metrics(), threading.Event(), threading.Event()
    retrainer = Retrainer(settings, plain_producer(settings), metrics)
    app = make_app(retrainer, health, metrics)
    server = uvicorn.Server(
        uvicorn.Config(app, settings.host, settings.retrainer_port, log_config=None, access_log=False)
    )

    def following() -> None:
        try:
            follow(settings, retrainer, health, stop)
        except Exception as error:
            log.exception("labels cannot be followed")
            health.not_ready(str(error))
            ended.set()
            server.should_exit = True

    thread = threading.Thread(target=following, name="following")
    thread.start()
    try:
        server.run()
    finally:
        stop.set()
        thread.join()
    if ended.is_set():
        sys.exit(1)


if __name__ == "__main__":
    main()
