"""The same as pass_through.py with Quix Streams, by whose Python it is run: it imports nothing of ours.

Usage: quix_app.py KAFKA GROUP FROM TO FOLDER COMMIT_SECONDS
"""

import sys
from typing import Any

from quixstreams import Application

# What ours has too, and what Quix would be slower without (a commit then waits 100 ms for the one before).
PRODUCER = {"compression.type": "lz4", "retry.backoff.ms": 5, "partitioner": "murmur2_random"}
CONSUMER = {"fetch.queue.backoff.ms": 20}


def changed(value: dict[str, Any]) -> dict[str, Any]:
    """The trivial function."""
    value["revision"] += 1
    return value


def main(kafka: str, group: str, source: str, to: str, folder: str, commit_seconds: str) -> None:
    """Run until SIGTERM."""
    app = Application(
        broker_address=kafka,
        consumer_group=group,
        auto_offset_reset="earliest",
        processing_guarantee="exactly-once",
        commit_interval=float(commit_seconds),
        producer_extra_config=PRODUCER,
        consumer_extra_config=CONSUMER,
        auto_create_topics=False,
        state_dir=folder,
        loglevel="WARNING",
    )
    frame = app.dataframe(app.topic(source, value_deserializer="json"))
    frame.apply(changed).to_topic(app.topic(to, value_serializer="json"))
    app.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
