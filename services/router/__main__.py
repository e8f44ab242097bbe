"""`python -m services.router`: one worker."""

import threading

import structlog

from services.events.topics import Topics, load_topics
from services.router import BROADCASTS, CHANGELOG, CONSUMES, PRODUCES
from services.router.counters import Counters, connect
from services.router.settings import RouterSettings
from services.router.stage import Kept, RouterStage
from services.runtime.logs import configure_logs
from services.runtime.metrics import ListMetrics, LoopMetrics
from services.runtime.settings import DEFAULT_SALT
from services.runtime.stage import Wiring
from services.runtime.worker import run_worker
from services.scoring.live_lists import LiveLists

log = structlog.get_logger()


def wiring(settings: RouterSettings, topics: Topics, lists: LiveLists) -> Wiring[Kept]:
    """The router, connected."""
    counters = Counters(connect(settings.redis_url, settings.counters_timeout_ms))
    stage = RouterStage(settings, topics, counters, lists)
    return Wiring(
        service="router",
        stage=stage,
        consumes=tuple(topic for topic in CONSUMES if topic not in BROADCASTS),
        broadcasts=BROADCASTS,
        produces=PRODUCES,
        changelog=CHANGELOG,
        groups=stage,
    )


def warn_of_salt(settings: RouterSettings) -> None:
    """Say where everybody knows the salt of draws."""
    if settings.sampling_salt == DEFAULT_SALT:
        log.warning(
            "draws can be foreseen: set SLUICEGATE_SAMPLING_SALT to a secret, the same for every router"
        )


def main() -> None:
    """Run until SIGTERM."""
    settings = RouterSettings()
    configure_logs("router", settings.log_level)
    warn_of_salt(settings)
    metrics = LoopMetrics()
    lists = LiveLists(settings.var, ListMetrics(metrics.registry))
    threading.Thread(target=lists.follow, args=(threading.Event(),), name="lists", daemon=True).start()
    run_worker(wiring(settings, load_topics(), lists), settings, metrics)


if __name__ == "__main__":
    main()
