"""Waiting for a condition, with a deadline and an account of what was waited for."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class NotInTime(Exception):
    """What was waited for did not come; the text says what it was and how things stood."""


def until(
    what: str,
    look: Callable[[], T],
    timeout: float,
    standing: Callable[[], object] = lambda: "",
    every: float = 0.2,
) -> T:
    """What `look` answers once that is true. Raises NotInTime after `timeout` seconds, with `standing()`."""
    deadline = time.monotonic() + timeout
    while not (found := look()):
        if time.monotonic() > deadline:
            raise NotInTime(f"waited {timeout:.0f} s for {what}; as it stands: {standing() or found}")
        time.sleep(every)
    return found
