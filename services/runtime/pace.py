"""How long a batch waits to fill: shortly while its worker has time, since an item that waits is late; longer while it
is busy, since every transaction costs worker and broker the same whatever it holds.
"""

WINDOW = 0.25  # seconds over which it is taken how busy the worker is
BUSY = 0.7  # share of the time at work from which on batches wait longer
CALM = 0.5  # and up to which they wait shorter
STEP = 1.5  # by which a wait grows or shrinks


class Pace:
    """Times are in seconds. `wait` lies between `shortest` and `longest`."""

    def __init__(self, shortest: float, longest: float, now: float) -> None:
        self._shortest, self._longest = min(shortest, longest), longest
        self._since, self._idle = now, 0.0
        self.wait = self._shortest

    def idled(self, seconds: float, now: float) -> None:
        """Up to `now` the worker had nothing to do for so long: it waited for records, or for Kafka."""
        self._idle += seconds
        elapsed = now - self._since
        if elapsed < WINDOW:
            return
        work = 1 - self._idle / elapsed
        if work >= BUSY:
            self.wait = min(self._longest, max(self.wait, 0.001) * STEP)
        elif work <= CALM:
            self.wait = max(self._shortest, self.wait / STEP)
        self._since, self._idle = now, 0.0
