"""Consumes content.classified, content.reported, content.remoderated, review.settled and, broadcast, policy.released,
alarm.raised, model.released, text.decided, policy.shadowed.
Produces every outcome: content.decided, review.requested, review.closed, text.decided; and scores.summarized;
while a candidate policy is tried beside the live one, shadow.differed and shadow.counted.
Keeps, by item, what people still have, and for 7 days a marker of what went to people, inherited from a copy or was
withdrawn; by shard, where the policy has caps, the automatic decisions of the minute; in Redis counters.
"""

BROADCASTS = ("policy.released", "alarm.raised", "model.released", "text.decided", "policy.shadowed")
CONSUMES = ("content.classified", "content.reported", "content.remoderated", "review.settled", *BROADCASTS)
PRODUCES = (
    "content.decided",
    "review.requested",
    "review.closed",
    "text.decided",
    "scores.summarized",
    "shadow.differed",
    "shadow.counted",
    "dead.letter",
)
CHANGELOG = "router.changelog"
