"""Consumes review.requested, review.completed, review.closed.
Produces review.settled, label.recorded (a tombstone where an item is withdrawn).
Keeps, by item, open tasks with their request and verdicts, and for 7 days what is done, so that nothing settles twice.
"""

CONSUMES = ("review.requested", "review.completed", "review.closed")
PRODUCES = ("review.settled", "label.recorded", "dead.letter")
CHANGELOG = "adjudicator.changelog"
