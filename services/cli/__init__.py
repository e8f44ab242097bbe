"""The `sluicegate` command. Thin: every command calls a function of a service, of infra or of loadtests.

Consumes what is live (model.released, policy.released) and dead.letter; produces what its commands release or replay.
Keeps nothing.
"""

CONSUMES = ("model.released", "policy.released", "dead.letter")
PRODUCES = ("model.released", "policy.released", "audit.recorded", "dead.letter")
