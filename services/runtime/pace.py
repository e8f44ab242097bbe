"""How long a batch waits to fill: shortly while there is time, since an item that waits is late; longer where there is
not, since every transaction costs worker and broker the same whatever it holds.

Whether there is time says the worker, and the machine: on one that others keep busy a worker that has time itself still
takes it from them with every transaction (docs/decisions/0080-batches-grow-where-the-machine-is-busy.md).
"""

from collections.abc import Callable

WINDOW = 0.25  # seconds over which it is taken how busy worker and machine are
BUSY, CALM = (
    0.7,
    0.6,
)  # share of the time at work from which on a worker's batches wait longer; up to which shorter
FULL, ROOM = 0.9, 0.85  # the same of the machine: longer where either is busy, shorter where both have time
STEP = 1.5  # by which a wait grows or shrinks


class Pace:
    """Times are in seconds. `wait` lies between `shortest` and `longest`.

    `machine` says how busy the machine has been since it was last asked, 0 to 1.
    """

    def __init__(self, shortest: float, longest: float, now: float, machine: Callable[[], float]) -> None:
        self._shortest, self._longest = min(shortest, longest), longest
        self._machine = machine
        self._since, self._idle = now, 0.0
        self.wait = self._shortest

    def idled(self, seconds: float, now: float) -> None:
        """Up to `now` the worker had nothing to do for so long: it waited for records, or for Kafka."""
        self._idle += seconds
        elapsed = now - self._since
        if elapsed < WINDOW:
            return
        work, machine = 1 - self._idle / elapsed, self._machine()
        if work >= BUSY or machine >= FULL:
            self.wait = min(self._longest, max(self.wait, 0.001) * STEP)
        elif work <= CALM and machine <= ROOM:
            self.wait = max(self._shortest, self.wait / STEP)
        self._since, self._idle = now, 0.0
