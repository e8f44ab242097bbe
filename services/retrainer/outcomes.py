"""What trainings came to, newest last, kept as JSON lines so that a restart remembers what was refused."""

import os
from pathlib import Path
from typing import Literal

import msgspec
import structlog

from services.retrainer.core.comparison import Comparison

log = structlog.get_logger()

State = Literal["running", "released", "refused", "failed"]


class Training(msgspec.Struct, frozen=True, kw_only=True):
    """One training. Offsets are those of label.recorded it has seen, by partition."""

    training_id: str
    state: State
    trigger: Literal["labels", "demand"]
    started_at: str
    finished_at: str | None = None
    seconds: float | None = None
    live: str | None = None  # model version that was live
    candidate: str | None = None  # model version released
    labels: int = 0
    label_offsets: dict[str, int] = {}
    reason: str = ""
    comparison: Comparison | None = None


class Outcomes:
    """The list of trainings, in memory and in a file. To lose the file is harmless: something is trained again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._trainings: dict[str, Training] = {}
        if path.is_file():
            for line in filter(None, path.read_bytes().splitlines()):
                try:
                    training = msgspec.json.decode(line, type=Training)
                except msgspec.DecodeError:
                    log.warning(
                        "an outcome cannot be read and is left out", file=str(path)
                    )  # cut off by a crash
                    continue
                self._trainings[training.training_id] = training

    def put(self, training: Training) -> None:
        """Keep a training or its newer state; written once it is over."""
        self._trainings[training.training_id] = training
        if training.state == "running":
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as file:
            file.write(b"\n" + msgspec.json.encode(training) + b"\n")  # what a crash cut off ends here
            file.flush()
            os.fsync(file.fileno())

    def get(self, training_id: str) -> Training | None:
        """One training, None where there is none of that id."""
        return self._trainings.get(training_id)

    def all(self) -> list[Training]:
        """Every training, oldest first."""
        return list(self._trainings.values())

    def offsets(self) -> dict[int, int]:
        """How far label.recorded had been read by the last training that came to an end other than a failure."""
        done = [t for t in self._trainings.values() if t.state in ("released", "refused")]
        return {int(p): offset for p, offset in done[-1].label_offsets.items()} if done else {}
