"""Consumes label.recorded (the training set) and model.released (what is live), both from their start.
Produces model.released, and audit.recorded for every training, released or refused.
Keeps nothing that it cannot do again: labels in memory, outcomes and bundles below SLUICEGATE_VAR.
"""

CONSUMES = ("label.recorded", "model.released")
PRODUCES = ("model.released", "audit.recorded")
