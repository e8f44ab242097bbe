"""Clusters of near copies: each has a founder, and every member is like the founder.

So clusters neither grow into chains of texts that are ever less alike nor merge: a text between two joins the nearer.
"""

from collections.abc import Iterable

import msgspec

from services.clusters.core.signatures import METHOD, similarity
from services.events.ids import derived_id
from services.events.instants import from_millis
from services.events.types import ReviewClustered, ReviewRequested


class Cluster(msgspec.Struct, frozen=True, gc=False):
    """What is kept of a cluster. Times in ms."""

    cluster: str
    signature: bytes  # of the founder
    size: int  # tasks that ever joined
    due: int  # when it is forgotten, unless somebody joins before
    method: str = METHOD


def nearest(
    signature: bytes, among: Iterable[Cluster], threshold: float
) -> tuple[Cluster | None, float | None]:
    """The cluster whose founder is most like a text, and how much; none below the threshold. Of equals, the largest."""
    near = [(similarity(signature, each.signature), each) for each in among if each.method == METHOD]
    near = [(like, each) for like, each in near if like >= threshold]
    if not near:
        return None, None
    like, best = max(near, key=lambda found: (found[0], found[1].size, found[1].cluster))
    return best, like


def founded(request: ReviewRequested, signature: bytes, until: int) -> Cluster:
    """A new cluster, named after its first task: the same task founds the same cluster."""
    return Cluster(derived_id("cluster", request.task_id), signature, 1, until)


def joined(cluster: Cluster, until: int) -> Cluster:
    """The cluster with one task more."""
    return msgspec.structs.replace(cluster, size=cluster.size + 1, due=until)


def clustered(request: ReviewRequested, cluster: Cluster, like: float | None, now: int) -> ReviewClustered:
    """What is told of a task. `like` is None for a founder."""
    return ReviewClustered(
        event_id=derived_id("review_clustered", request.task_id, request.run_id or ""),
        occurred_at=from_millis(now),
        task_id=request.task_id,
        source=request.source,
        item_id=request.item_id,
        revision=request.revision,
        queue=request.queue,
        cluster=cluster.cluster,
        size=cluster.size,
        similarity=like,
        method=cluster.method,
    )
