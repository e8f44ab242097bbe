"""Which texts are near copies: pure functions and values, no clock, no I/O."""

from services.clusters.core.clustering import Cluster, founded, joined, nearest
from services.clusters.core.index import Index
from services.clusters.core.signatures import METHOD, rows_for, signature_of, similarity

__all__ = [
    "METHOD", "Cluster", "Index", "founded", "joined", "nearest", "rows_for", "signature_of", "similarity",
]  # fmt: skip
