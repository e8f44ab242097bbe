"""`python -m loadtests.bench.policy_live`: from `policy release` to the last item decided by the policy before it.

Lines of `name value unit goal`. A stack of its own; a platform publishes at `--rate`, and policies are released, as
by the command: from the start of its process to the last outcome by the policy before, by Kafka's clock. The worst
of the releases counts. `policy_live_called_s` is the same without the command's process: the function that it calls.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import click
import msgspec
import yaml

from infra.local.errors import StackError
from loadtests.ground import Ground
from loadtests.ground import policy as of_ground
from loadtests.waiting import NotInTime
from services.cli.policies import live_policy, person, release_policy
from services.runtime.clock import now_ms
from services.runtime.reading import whole_topics

GOAL = 2.0
QUIET_MS = 1_500  # nothing by the old policy for so long: it is gone
PATIENCE = 60.0  # s for a policy to be live


class _Decided(msgspec.Struct, gc=False):
    policy_version: str | None = None
    final: bool = False
    decision_seq: int = 0


_decided = msgspec.json.Decoder(_Decided).decode


class Watch:
    """Follows content.decided: when each policy decided last, by Kafka's clock (ms)."""

    def __init__(self, ground: Ground) -> None:
        self._reader = whole_topics(ground.settings, "policy-live", ["content.decided"])
        self.last: dict[str, int] = {}
        self.newest = 0
        for record in self._reader.to_end():
            self._note(record.value or b"", record.timestamp)

    def _note(self, value: bytes, at: int) -> None:
        found = _decided(value)
        if found.policy_version is not None and found.decision_seq == (0 if found.final else 1):
            self.last[found.policy_version] = max(at, self.last.get(found.policy_version, 0))
            self.newest = max(self.newest, at)

    def gone(self, old: str, since: int) -> int:
        """When the old policy decided last, once it no longer does. Raises NotInTime."""
        end = time.monotonic() + PATIENCE
        while self.newest < max(self.last.get(old, 0), since) + QUIET_MS:
            for record in self._reader.poll(0.05):
                self._note(record.value or b"", record.timestamp)
            if time.monotonic() > end:
                raise NotInTime(
                    f"items are still decided by {old}, {PATIENCE:.0f} s after another was released"
                )
        return self.last.get(old, since)

    def close(self) -> None:
        """Leave the broker."""
        self._reader.close()


def measured(
    ground: Ground, watch: Watch, rounds: int, release: Callable[[Path], object], first: int
) -> list[float]:
    """Seconds of each release."""
    found = []
    document = of_ground()
    for number in range(first + 1, first + rounds + 1):
        path = Path(ground.settings.var) / f"policy-{number}.yaml"
        audit = {**document["audit"], "share": round(0.01 + number / 10_000, 5)}
        path.write_text(yaml.safe_dump({**document, "audit": audit}))
        before = live_policy(ground.settings)
        assert before is not None
        watch.gone("", now_ms())  # items are decided now
        since = now_ms()
        release(path)
        found.append(max(0.0, (watch.gone(before.policy_version, since) - since) / 1000))
    return found


def by_command(ground: Ground) -> Callable[[Path], object]:
    """Releases by a process, as from a shell."""
    settings: dict[str, Any] = {"KAFKA": ground.settings.kafka, "VAR": ground.settings.var}
    env = os.environ | {f"SLUICEGATE_{name}": str(value) for name, value in settings.items()}

    def release(path: Path) -> None:
        command = [sys.executable, "-m", "services.cli", "policy", "release", str(path)]
        subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL)

    return release


@click.command()
@click.option("--rate", default=1000.0, show_default=True, help="Items a second")
@click.option("--rounds", default=5, show_default=True, help="Releases, each way")
def main(rate: float, rounds: int) -> None:
    """Measure, and print `name value unit goal`."""
    with tempfile.TemporaryDirectory() as var:
        try:
            with Ground(
                Path(var), ("classifier", "router"), lambda line: print(line, file=sys.stderr)
            ) as ground:
                hose = ground.hose(rate, 3600, "live")
                try:
                    watch = Watch(ground)
                    commands = measured(ground, watch, rounds, by_command(ground), 0)
                    called = measured(
                        ground,
                        watch,
                        rounds,
                        lambda path: release_policy(ground.settings, path, person(), "to measure"),
                        rounds,
                    )
                    watch.close()
                finally:
                    hose.terminate()
                    hose.wait(30)
        except (StackError, NotInTime) as error:
            raise click.ClickException(str(error)) from error
    print(f"policy_live_s {max(commands):.3f} s <={GOAL:g}")
    print(f"policy_live_median_s {median(commands):.3f} s -")
    print(f"policy_live_called_s {max(called):.3f} s -")


if __name__ == "__main__":
    main()
