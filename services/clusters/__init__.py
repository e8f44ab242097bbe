"""Consumes review.requested, in a group of its own: nothing waits for it.
Produces review.clustered: which near copies a task is one of. It decides nothing.
Keeps, by the task that founded it, each cluster's MinHash signature and size, bounded in number and time.
"""

CONSUMES = ("review.requested",)
PRODUCES = ("review.clustered", "dead.letter")
CHANGELOG = "clusters.changelog"
