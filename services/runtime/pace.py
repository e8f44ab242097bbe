"""How long a batch waits to fill: shortly while little comes, since every transaction costs the same whatever it holds,
and an item that waits is late; longer while much comes, when what a transaction costs is worth sharing.
"""

WINDOW = 0.25  # seconds over which the rate is taken


class Pace:
    """Times are in seconds; `busy_rate` in records a second, from which on batches wait `busy` instead of `calm`."""

    def __init__(self, calm: float, busy: float, busy_rate: float, now: float) -> None:
        self._calm, self._busy, self._busy_rate = min(calm, busy), busy, busy_rate
        self._since, self._taken = now, 0
        self.wait = self._calm

    def took(self, records: int, now: float) -> None:
        """So many records were taken up to `now`."""
        self._taken += records
        elapsed = now - self._since
        if elapsed >= WINDOW:
            self.wait = self._busy if self._taken >= self._busy_rate * elapsed else self._calm
            self._since, self._taken = now, 0
