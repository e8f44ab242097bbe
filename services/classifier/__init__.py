"""Scores every item with the live model.

Consumes content.submitted.<source>, and model.released to its end before the first item.
Produces content.classified, scores.summarized, and dead.letter for what is not an event of its source.
Keeps nothing.
"""

CONSUMES = ("content.submitted", "model.released")
PRODUCES = ("content.classified", "content.uncertain", "scores.summarized", "dead.letter")
