"""Simulated moderators: they log in, claim, read for a moment, decide by the known label, err now and then, take
something back or give it back. Every verdict that the API acknowledges goes into the manifest.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from loadtests.desk import Desk, Refusal
from loadtests.manifest import Manifest, Retraction, Verdict

PAUSE = 0.1  # seconds before asking again where there is nothing to do or nobody answers
Known = Callable[[str], Collection[str] | None]  # text to the categories that apply to it; None: not known


@dataclass(frozen=True)
class Habits:
    """How moderators work. Shares are of all tasks they see."""

    think: float = 0.05  # mean seconds to a verdict
    errors: float = 0.02  # verdicts against the known label, in matters of tone: nobody overlooks spam
    undone: float = 0.01  # verdicts taken back at once, and given again
    released: float = 0.01  # tasks given back unread
    escalated: float = 0.01  # tasks handed to the experts


class Moderator(threading.Thread):
    """One of them, working the queues in the order given until told to stop."""

    def __init__(
        self, desk: Desk, queues: Sequence[str], known: Known, manifest: Manifest, habits: Habits, seed: int
    ) -> None:
        super().__init__(name=f"moderator-{desk.name}", daemon=True)
        self.did: Counter[str] = Counter()
        self.problems: Counter[str] = Counter()  # refusals and silence, which are not errors: they go on
        self.error: Exception | None = None
        self._desk, self._queues, self._known = desk, queues, known
        self._manifest, self._habits = manifest, habits
        self._draw = random.Random(seed)
        self._stopping = threading.Event()
        self._logged_in = False

    def stop(self) -> None:
        """Finish the task at hand and end."""
        self._stopping.set()

    def run(self) -> None:
        """Until stopped. What goes wrong for good is in `error`."""
        try:
            while not self._stopping.is_set():
                self._go_on()
        except Exception as error:
            self.error = error
        finally:
            self._desk.close()

    def _go_on(self) -> None:
        try:
            if not self._logged_in:
                self._desk.log_in()
                self._logged_in = True
            if not any(self._work(queue) for queue in self._queues):
                self._stopping.wait(PAUSE)
        except Refusal as refusal:
            self.problems[f"{refusal.status}"] += 1
            self._logged_in = self._logged_in and refusal.status != 401
            if refusal.status >= 500 or refusal.status in (401, 429):
                self._stopping.wait(refusal.retry_after or PAUSE)
        except httpx.TransportError as error:
            self.problems[type(error).__name__] += 1
            self._stopping.wait(PAUSE)

    def _work(self, queue: str) -> bool:
        """One task of a queue; False where it has none."""
        task = self._desk.claim(queue)
        if task is None:
            return False
        self._think()
        draw, habits = self._draw.random(), self._habits
        if draw < habits.released and queue != "expert":
            self._desk.release(task)
            self.did["released"] += 1
            return True
        verdict = self._decide(task, queue)
        if draw > 1 - habits.undone:
            if again := self._desk.undo(verdict):
                self._manifest.note(Retraction(verdict))
                self.did["undone"] += 1
                self._think()
                self._decide(again, queue)
            else:
                self._manifest.note(Retraction(verdict))
        return True

    def _decide(self, task: Mapping[str, Any], queue: str) -> str:
        action, categories = self._opinion(str(task["item"]["text"] or ""), queue)
        sent = 1
        try:
            recorded = self._desk.decide(dict(task), action, categories)
        except (Refusal, httpx.TransportError) as error:
            if isinstance(error, Refusal) and error.status < 500:
                raise
            self._stopping.wait(PAUSE)
            sent += 1
            recorded = self._desk.decide(dict(task), action, categories)  # the same again is the same verdict
        verdict_id = str(recorded["verdict_id"])
        self._manifest.note(Verdict(str(task["task_id"]), verdict_id, self._desk.name, action, sent))
        self.did[action] += 1
        return verdict_id

    def _opinion(self, text: str, queue: str) -> tuple[str, Collection[str]]:
        categories = self._known(text)
        if categories is None:
            raise LookupError(f"a task about a text that nobody sent: {text[:80]!r}")
        if queue != "expert" and self._draw.random() < self._habits.escalated:
            return "escalate", ()
        if "spam" not in categories and self._draw.random() < self._habits.errors:
            return ("allow", ()) if categories else ("remove", ("toxicity",))
        return ("remove", categories) if categories else ("allow", ())

    def _think(self) -> None:
        self._stopping.wait(self._draw.uniform(0.5, 1.5) * self._habits.think)


class Shift:
    """Several moderators at once."""

    def __init__(
        self,
        url: str,
        accounts: Mapping[str, str],
        known: Known,
        manifest: Manifest,
        habits: Habits = Habits(),
        queues: Sequence[str] = ("expert", "general", "audit"),
        seed: int = 1,
    ) -> None:
        self._moderators = [
            Moderator(Desk(url, name, password), queues, known, manifest, habits, seed + number)
            for number, (name, password) in enumerate(accounts.items())
        ]

    def start(self) -> None:
        """They begin."""
        for moderator in self._moderators:
            moderator.start()

    @property
    def did(self) -> Counter[str]:
        """What all of them did so far."""
        return sum((moderator.did for moderator in self._moderators), Counter())

    @property
    def problems(self) -> Counter[str]:
        """What they were refused, and when nobody answered."""
        return sum((moderator.problems for moderator in self._moderators), Counter())

    def check(self) -> None:
        """Raises what ended one of them before his time."""
        for moderator in self._moderators:
            if moderator.error is not None:
                raise moderator.error

    def stop(self) -> None:
        """They finish what they have and go home. Raises what went wrong."""
        for moderator in self._moderators:
            moderator.stop()
        for moderator in self._moderators:
            moderator.join(30)
        self.check()
