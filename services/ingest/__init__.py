"""ingest: takes items over HTTP, and answers where they stand.

Consumes: nothing from Kafka; asks analytics over HTTP.
Produces: content.submitted, audit.recorded (content.reported and decision.appealed are declared, not yet written).
Keeps:    nothing that must last; in Redis what was accepted in the last 10 minutes, and quota counters.
"""

CONSUMES: tuple[str, ...] = ()
PRODUCES = ("content.submitted", "content.reported", "decision.appealed", "audit.recorded")
