"""A consumer that no longer gets what its partitions hold, although the broker answers.

librdkafka 2.16 may lose the leader of a partition for good when a broker was away (its issue 5430; measured with
Kafka 4.3 killed and started again: consumers that fetch nothing, or FENCED_LEADER_EPOCH, for ever, without a fatal
error). A new client finds it at once: readers of whole topics, and analytics, replace theirs; a worker ends, and its
supervisor starts it again.
"""

import time
from collections.abc import Callable, Iterable

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from services.runtime.errors import Stalled
from services.runtime.positions import Partition, Progress, stable_ends

EVERY = 3.0  # seconds between two looks
LOOKS = (
    5  # without a step forward before it counts as a stall: a fetch that is on its way arrives long before
)


class StallWatch:
    """Watches one consumer. `check` is to be called often, from the thread that consumes."""

    def __init__(
        self,
        progress: Progress,
        admin: AdminClient,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._progress, self._admin = progress, admin
        self._monotonic = monotonic
        self._next_look = monotonic() + EVERY
        self._behind: dict[Partition, tuple[int, int]] = {}  # position, and looks that found it there
        self._outdated = 0  # looks in a row that could not be had, as the client's leaders are out of date

    def check(self, partitions: Iterable[Partition]) -> None:
        """Raises Stalled where records of a partition wait and none came in so many looks, or where the client that
        looks lost the leaders itself; a broker that does not answer is no stall, and a look is due every few seconds
        only.
        """
        if self._monotonic() < self._next_look:
            return
        self._next_look = self._monotonic() + EVERY
        try:
            ends = stable_ends(self._admin, partitions, timeout=2)
            self._outdated = 0
        except Stalled:
            self._behind = {}
            self._outdated += 1
            if self._outdated > LOOKS:
                raise
            return
        except KafkaException:
            self._behind = {}
            return
        behind = self._progress.behind(ends)
        self._behind = {
            partition: (position, self._looks(partition, position) + 1)
            for partition, position in behind.items()
        }
        for (topic, number), (position, looks) in self._behind.items():
            if looks > LOOKS:
                since = f" since {position}" if position >= 0 else ""
                raise Stalled(
                    f"{topic} [{number}] has records up to {ends[topic, number]} and none came{since}:"
                    " the client lost the leader, a new one finds it",
                    (topic, number),
                )

    def _looks(self, partition: Partition, position: int) -> int:
        before, looks = self._behind.get(partition, (position, 0))
        return looks if before == position else 0
