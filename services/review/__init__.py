"""Consumes review.requested, .clustered, .completed, .settled, .closed and .changed: the feed, into Redis.
Produces review.completed, review.changed, audit.recorded, dead.letter: the API, once Kafka has it; the feed.
Keeps tasks, seats and leases in Redis, all of which Kafka can rebuild; accounts and sessions in the database.
"""

CONSUMES = (
    *("review.requested", "review.clustered", "review.closed"),
    *("review.completed", "review.changed", "review.settled"),
)
PRODUCES = ("review.completed", "review.changed", "audit.recorded", "dead.letter")
