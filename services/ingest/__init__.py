"""ingest: takes items over HTTP, gives verdicts in the same call, and answers where items stand.

Consumes: broadcast, model.released, policy.released, alarm.raised, text.decided; asks analytics over HTTP.
Produces: content.submitted, audit.recorded (content.reported and decision.appealed are declared, not yet written).
Keeps:    nothing that must last; in Redis what was accepted in the last 10 minutes, and quota counters.
"""

CONSUMES = ("model.released", "policy.released", "alarm.raised", "text.decided")
PRODUCES = ("content.submitted", "content.reported", "decision.appealed", "audit.recorded")
