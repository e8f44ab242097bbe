"""How much a run may do: so many changes a second, of each action as many a minute as the policy's caps allow the
stream, and so many questions to people in all.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

MINUTE = 60.0


class Measure:
    """Waits where the run is too fast. Clocks are in seconds."""

    def __init__(
        self,
        rate: float,
        questions: int,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.rate, self._questions = rate, questions
        self._clock, self._sleep = clock, sleep
        self._next = clock()
        self._began = clock()  # of the minute in hand
        self._taken: dict[str, int] = {}

    def question(self) -> bool:
        """Whether people may be asked once more."""
        if self._questions <= 0:
            return False
        self._questions -= 1
        self._paced()
        return True

    def change(self, action: str, caps: Mapping[str, int]) -> bool:
        """Wait until one more change to this action is allowed; False where its cap is 0, and it never is."""
        cap = caps.get(action)
        if cap == 0:
            return False
        now = self._clock()
        if now >= self._began + MINUTE:
            self._began, self._taken = now, {}
        elif cap is not None and self._taken.get(action, 0) >= cap:
            self._sleep(self._began + MINUTE - now)
            self._began, self._taken = self._clock(), {}
        self._taken[action] = self._taken.get(action, 0) + 1
        self._paced()
        return True

    def _paced(self) -> None:
        now = self._clock()
        if now < self._next:
            self._sleep(self._next - now)
        self._next = max(now, self._next) + 1 / self.rate
