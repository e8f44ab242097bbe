"""analytics: brings every topic into ClickHouse, and answers what happened: items, charts, SQL.

Consumes: every topic. Produces: audit.recorded.
Keeps:    ClickHouse (chDB under var/clickhouse, or a server): the rows, and a ledger of the blocks that brought them.
"""

CONSUMES = (
    "content.submitted",
    "content.reported",
    "decision.appealed",
    "content.classified",
    "content.uncertain",
    "review.requested",
    "review.clustered",
    "review.closed",
    "review.completed",
    "review.changed",
    "review.settled",
    "content.remoderated",
    "content.decided",
    "text.decided",
    "label.recorded",
    "model.released",
    "policy.released",
    "policy.shadowed",
    "shadow.differed",
    "shadow.counted",
    "scores.summarized",
    "quality.measured",
    "alarm.raised",
    "audit.recorded",
    "dead.letter",
)
PRODUCES = ("audit.recorded",)
