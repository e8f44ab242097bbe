"""Scores every item with the live model; a second group, of the slow tier, those that the first was unsure of.

Fast: consumes content.submitted.<source>; produces content.classified, and content.uncertain where a slow tier is
configured. Slow: consumes content.uncertain; produces content.classified. Both read model.released to its end before
the first item, and produce scores.summarized, and dead.letter for what is not an event of its source. Keeps nothing.
"""

BROADCASTS = ("model.released",)
CONSUMES = ("content.submitted", "content.uncertain", *BROADCASTS)
PRODUCES = ("content.classified", "content.uncertain", "scores.summarized", "dead.letter")
