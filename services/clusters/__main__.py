"""`python -m services.clusters`: the worker."""

from services.clusters import CHANGELOG, CONSUMES, PRODUCES
from services.clusters.core import Cluster
from services.clusters.settings import ClustersSettings
from services.clusters.stage import ClustersStage
from services.events.topics import Topics, load_topics
from services.events.types import ReviewClustered
from services.runtime.publishing import Publisher
from services.runtime.stage import Wiring
from services.runtime.worker import run_worker


def wiring(settings: ClustersSettings, topics: Topics) -> Wiring[Cluster]:
    """Clusters, connected."""
    return Wiring(
        service="clusters",
        stage=ClustersStage(settings, Publisher("clusters", topics, derived=[ReviewClustered])),
        consumes=CONSUMES,
        broadcasts=(),
        produces=PRODUCES,
        changelog=CHANGELOG,
    )


def main() -> None:
    """Run until SIGTERM."""
    settings = ClustersSettings()
    run_worker(wiring(settings, load_topics()), settings)


if __name__ == "__main__":
    main()
