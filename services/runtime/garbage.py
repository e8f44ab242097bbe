"""Garbage collection in processes that make many objects and hardly any cycles."""

import gc

MADE = 100_000  # objects beyond those freed; a batch makes some ten for each of its few thousand records
ROUNDS = 50  # collections of the young between two of the older ones


def collect_rarely() -> None:
    """Call it when a process is set up. What was made until now stays for good: a full collection would look at all
    of it, tens of ms. What comes is freed by its reference counts: with Python's own limits the collector looks at a
    batch several times while it is made, and finds nothing (5 us an item in the router).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(MADE, ROUNDS, ROUNDS)
