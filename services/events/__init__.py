"""Events: the types generated from schemas/, their codec, ids, keys, topics and headers.

Nothing in here does I/O but `topics.load_topics` and `schemas.load_schemas`, which read a file of the contract,
and `fresh.fresh_id`, which reads the clock and draws randomness.
"""
