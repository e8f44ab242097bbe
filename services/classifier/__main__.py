"""`python -m services.classifier`: one worker of the fast tier."""

from services.classifier import CONSUMES, PRODUCES
from services.classifier.settings import ClassifierSettings
from services.classifier.stage import ClassifierStage
from services.classifier.summary import Summary
from services.events.topics import load_topics
from services.runtime.publishing import Publisher
from services.runtime.stage import Stateless, Wiring
from services.runtime.worker import run_worker
from services.scoring.live_model import LiveModel


def main() -> None:
    """Wire and run."""
    settings = ClassifierSettings()
    topics = load_topics()
    broadcasts = tuple(base for base in CONSUMES if topics.topics[base].broadcast)
    stage = ClassifierStage(
        LiveModel("fast", settings.var),
        Publisher("classifier", topics),
        Summary(f"classifier-{settings.slot}", settings.summary_seconds * 1000),
    )
    run_worker(
        Wiring[Stateless](
            service="classifier",
            stage=stage,
            consumes=tuple(base for base in CONSUMES if base not in broadcasts),
            broadcasts=broadcasts,
            produces=PRODUCES,
        ),
        settings,
    )


if __name__ == "__main__":
    main()
