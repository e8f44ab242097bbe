"""Policies: what a platform wants, parsed (`parse`), and what follows from it for an item (`route`, `draw`).

Consumes, produces and keeps nothing. Pure, but for reading the contract schemas/policy.schema.json once.
"""
