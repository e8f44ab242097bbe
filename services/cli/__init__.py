"""The `sluicegate` command. Thin: every command calls a function of a service, of infra or of loadtests.

Consumes what is live (model.released, policy.released) or tried (policy.shadowed), and dead.letter; produces what its
commands release, try, replay or moderate again. Keeps nothing.
"""

CONSUMES = ("model.released", "policy.released", "policy.shadowed", "dead.letter")
PRODUCES = (
    "content.remoderated",
    "model.released",
    "policy.released",
    "policy.shadowed",
    "audit.recorded",
    "dead.letter",
)
