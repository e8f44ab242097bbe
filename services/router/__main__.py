"""`python -m services.router`: one worker."""

from services.events.topics import Topics, load_topics
from services.router import BROADCASTS, CHANGELOG, CONSUMES, PRODUCES
from services.router.counters import Counters, connect
from services.router.settings import RouterSettings
from services.router.stage import Kept, RouterStage
from services.runtime.stage import Wiring
from services.runtime.worker import run_worker


def wiring(settings: RouterSettings, topics: Topics) -> Wiring[Kept]:
    """The router, connected."""
    counters = Counters(connect(settings.redis_url, settings.counters_timeout_ms))
    return Wiring(
        service="router",
        stage=RouterStage(settings, topics, counters),
        consumes=tuple(topic for topic in CONSUMES if topic not in BROADCASTS),
        broadcasts=BROADCASTS,
        produces=PRODUCES,
        changelog=CHANGELOG,
    )


def main() -> None:
    """Run until SIGTERM."""
    settings = RouterSettings()
    run_worker(wiring(settings, load_topics()), settings)


if __name__ == "__main__":
    main()
