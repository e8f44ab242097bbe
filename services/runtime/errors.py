"""Errors of the runtime. Each says what to do about it.

RuntimeFault
├── Fenced               another process has this slot: exit, the supervisor decides
├── Unfinished           a transaction could not be ended: who starts next in this slot ends it
├── Stalled              a client gets nothing though there is something: a new one does
├── UnreadableState      a changelog holds what this version cannot read
├── MissingTopic         a topic that the service needs is not there
├── UnevenShards         one worker was given different partitions of topics that belong together
└── UndeclaredTopic      a stage produced to a topic that its service does not declare
"""


class RuntimeFault(Exception):
    """Base of what ends a worker."""


class Fenced(RuntimeFault):
    """Another process took over the slot (same transactional id or group instance id).

    librdkafka also says so of a static member whose own older request arrives after its session was over, which
    happens when the broker was away for longer than that. A new process can go on either way.
    """


class Unfinished(RuntimeFault):
    """A transaction was neither committed nor aborted for certain; its batch comes again if it was not committed."""


class Stalled(RuntimeFault):
    """A consumer gets no records of `partition` although there are some and the broker answers; or the client that asks
    where partitions end lost their leaders itself (None).
    """

    def __init__(self, reason: str, partition: tuple[str, int] | None = None) -> None:
        super().__init__(reason)
        self.partition = partition


class UnreadableState(RuntimeFault):
    """A state on a changelog cannot be decoded. Going on without it would lose what is open: nothing is taken."""

    def __init__(self, where: str, key: bytes, reason: str) -> None:
        super().__init__(
            f"the state of {key!r} at {where} cannot be read: {reason}. Run the version that wrote it, or delete it "
            "by producing a record with this key and no value to that partition"
        )


class MissingTopic(RuntimeFault):
    """A topic does not exist."""

    def __init__(self, topic: str) -> None:
        super().__init__(f"topic {topic} does not exist: run `sluicegate topics apply` and start again")


class UnevenShards(RuntimeFault):
    """The assignment does not hold the same partitions of every topic."""


class UndeclaredTopic(RuntimeFault):
    """A stage produced to a topic outside its service's PRODUCES."""
