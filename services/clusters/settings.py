"""Settings of clusters: when two texts are near copies, and how much is remembered."""

from pydantic import Field

from services.runtime.settings import LoopSettings


class ClustersSettings(LoopSettings):
    """Settings of clusters, beside those of the loop."""

    clusters_threshold: float = Field(
        0.8,
        ge=0.5,
        le=1,
        description="From which similarity on (Jaccard, of sets of 4 characters) a text joins a cluster",
    )
    clusters_most: int = Field(
        100_000,
        ge=1,
        description="Clusters remembered, about 4 kB each; beyond, those that nobody joined for longest are forgotten",
    )
    clusters_hours: int = Field(
        168, ge=1, description="How long a cluster is remembered after the last task that joined, h"
    )
    batch_records: int = Field(500, ge=1, description="Records handled in one transaction at the most")
