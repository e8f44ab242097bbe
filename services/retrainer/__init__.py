"""Consumes label.recorded, model.released.
Produces model.released, audit.recorded.
Keeps nothing that it cannot read again: labels in memory, bundles below SLUICEGATE_VAR/models.
"""
