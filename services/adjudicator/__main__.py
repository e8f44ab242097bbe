"""`python -m services.adjudicator`: one worker."""

from services.adjudicator import CHANGELOG, CONSUMES, PRODUCES
from services.adjudicator.core import ItemState
from services.adjudicator.settings import AdjudicatorSettings
from services.adjudicator.stage import AdjudicatorStage
from services.events.topics import Topics, load_topics
from services.runtime.stage import Wiring
from services.runtime.worker import run_worker


def wiring(topics: Topics) -> Wiring[ItemState]:
    """The adjudicator, connected."""
    return Wiring(
        service="adjudicator",
        stage=AdjudicatorStage(topics),
        consumes=CONSUMES,
        broadcasts=(),
        produces=PRODUCES,
        changelog=CHANGELOG,
    )


def main() -> None:
    """Run until SIGTERM."""
    run_worker(wiring(load_topics()), AdjudicatorSettings())


if __name__ == "__main__":
    main()
