"""Errors of the runtime. Each says what to do about it.

RuntimeFault
├── Fenced               another process has this slot: exit, the supervisor decides
├── MissingTopic         a topic that the service needs is not there
├── UnevenShards         one worker was given different partitions of topics that belong together
└── UndeclaredTopic      a stage produced to a topic that its service does not declare
"""


class RuntimeFault(Exception):
    """Base of what ends a worker."""


class Fenced(RuntimeFault):
    """Another process took over the slot (same transactional id or group instance id)."""


class MissingTopic(RuntimeFault):
    """A topic does not exist."""

    def __init__(self, topic: str) -> None:
        super().__init__(f"topic {topic} does not exist: run `sluicegate topics apply` and start again")


class UnevenShards(RuntimeFault):
    """The assignment does not hold the same partitions of every topic."""


class UndeclaredTopic(RuntimeFault):
    """A stage produced to a topic outside its service's PRODUCES."""
