"""How busy this machine is."""

import psutil


class Machine:
    """Call it for the share of all processors' time, 0 to 1, that was spent working since the last call."""

    def __init__(self) -> None:
        self._all, self._idle = _spent()

    def __call__(self) -> float:
        before_all, before_idle = self._all, self._idle
        self._all, self._idle = _spent()
        passed = self._all - before_all
        return 1 - (self._idle - before_idle) / passed if passed > 0 else 0.0


def _spent() -> tuple[float, float]:
    """Seconds of all processors since the machine began, in all and idle; waiting for a disk is idle."""
    times = psutil.cpu_times()
    return sum(times), times.idle + getattr(times, "iowait", 0.0)
