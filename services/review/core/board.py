"""The board of a queue as a value: what Redis must hold after the same changes, and who is given which task."""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from services.review.core.abilities import NONE, Abilities, suffices
from services.review.core.changes import Change, Clustered, Completed, Ended, Paused, Requested, Withdrawn

NEVER = 2**53  # the offset of a verdict that Kafka has and the feed has not yet seen


@dataclass(frozen=True)
class Verdict:
    """A verdict on a task."""

    verdict_id: str
    seat: int
    reviewer: str
    offset: int


@dataclass
class Task:
    """A task: what came of it, in whatever order."""

    request: Requested | None = None
    alone: bool = False  # it waits for no copy any more
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    taken_back: set[str] = field(default_factory=set)

    @property
    def text(self) -> str:
        """What it has in common with the copies that wait for it, or it for them; empty for none."""
        return self.request.text if self.request and not self.alone else ""

    def standing(self) -> list[Verdict]:
        """Verdicts that were not taken back, the lowest offset first."""
        found = [verdict for key, verdict in self.verdicts.items() if key not in self.taken_back]
        return sorted(found, key=lambda verdict: (verdict.offset, verdict.verdict_id))

    def holder(self, seat: int) -> Verdict | None:
        """The verdict that has a seat: the first that Kafka has."""
        return next((verdict for verdict in self.standing() if verdict.seat == seat), None)

    def open_seats(self) -> list[int]:
        """Seats without a verdict."""
        wanted = self.request.wanted if self.request else 0
        return [seat for seat in range(wanted) if self.holder(seat) is None]


@dataclass
class Board:
    """A queue: its tasks, and what is over."""

    tasks: dict[str, Task] = field(default_factory=dict)
    near: dict[str, str] = field(default_factory=dict)  # task -> its cluster of near copies
    over: dict[str, str] = field(default_factory=dict)
    withdrawn: dict[str, int] = field(default_factory=dict)
    resting: set[str] = field(default_factory=set)  # texts that were decided: the router closes their tasks
    paused: bool = False

    def apply(self, change: Change) -> None:
        """Take in one change."""
        match change:
            case Requested():
                if change.revision <= self.withdrawn.get(change.item, 0):
                    self._end(change.task_id, "withdrawn")
                elif change.task_id not in self.over:
                    task = self.tasks.setdefault(change.task_id, Task())
                    task.request = task.request or change
            case Clustered():
                if change.task_id not in self.over:
                    self.near.setdefault(change.task_id, change.cluster)
            case Completed():
                self._complete(change)
            case Ended():
                ended = self.tasks.get(change.task_id)
                if change.decided and ended and ended.text:
                    self.resting.add(ended.text)
                self._end(change.task_id, change.why)
            case Withdrawn():
                self._withdraw(change)
            case Paused():
                self.paused = change.paused

    def open(self) -> dict[str, Task]:
        """Tasks that were requested and are not over."""
        return {task_id: task for task_id, task in self.tasks.items() if task.request}

    def rested(self) -> None:
        """The router has had its time: what it kept of decided texts is for people, each task by itself."""
        for task in self.tasks.values():
            task.alone = task.alone or task.text in self.resting
        self.resting.clear()

    def _complete(self, change: Completed) -> None:
        if change.task_id in self.over:
            return
        task = self.tasks.setdefault(change.task_id, Task())
        if change.retraction:
            task.taken_back.add(change.verdict_id)
            return
        offset = NEVER if change.offset is None else change.offset
        known = task.verdicts.get(change.verdict_id)
        if known is None or offset < known.offset:
            verdict = Verdict(change.verdict_id, change.seat, change.reviewer, offset)
            task.verdicts[change.verdict_id] = verdict

    def _withdraw(self, change: Withdrawn) -> None:
        self.withdrawn[change.item] = max(change.revision, self.withdrawn.get(change.item, 0))
        for task_id, task in list(self.tasks.items()):
            request = task.request
            if request and request.item == change.item and request.revision <= change.revision:
                self._end(task_id, change.why)

    def _end(self, task_id: str, why: str) -> None:
        self.over.setdefault(task_id, why)
        self.tasks.pop(task_id, None)
        self.near.pop(task_id, None)


def fold(changes: Iterable[Change]) -> Board:
    """The board that changes come to."""
    board = Board()
    for change in changes:
        board.apply(change)
    return board


def waiting(board: Board, leased: Container[str], now: int) -> set[str]:
    """Tasks that wait for the answer to a copy. Of the tasks of one text those are given out that somebody has begun (a
    verdict, or a lease: `leased` are tasks), else the one with the earliest deadline, else none while the text rests.
    """
    texts: dict[str, list[tuple[int, str]]] = defaultdict(list)
    begun: set[str] = set()
    for key, task in board.open().items():
        if task.request and task.text and task.request.expires > now:
            texts[task.text].append((task.request.deadline, key))
            if key in leased or task.standing():
                begun.add(key)
    waits: set[str] = set()
    for text, tasks in texts.items():
        keys = {key for _, key in tasks}
        first = {min(tasks)[1]} if not keys & begun and text not in board.resting else set()
        waits |= keys - begun - first
    return waits


def next_task(
    board: Board,
    person: str,
    held: Mapping[tuple[str, int], str],
    now: int,
    abilities: Abilities = NONE,
) -> tuple[str, int] | None:
    """The first of `fitting`, where there is one."""
    return next(fitting(board, person, held, now, abilities), None)


def fitting(
    board: Board,
    person: str,
    held: Mapping[tuple[str, int], str],
    now: int,
    abilities: Abilities = NONE,
) -> Iterator[tuple[str, int]]:
    """The tasks and seats that a person might be given, the earliest deadline first.

    Those with a free seat on which they have neither voted nor sit, for which they have what it needs, and which wait
    for no copy. `held` says who has an unexpired lease on which (task, seat); `now` is in ms.
    """
    if board.paused:
        return
    waits = waiting(board, {key for key, _ in held}, now)
    tasks = [(t.request.deadline, key, t) for key, t in board.tasks.items() if t.request and key not in waits]
    for _, key, task in sorted(tasks, key=lambda entry: entry[:2]):
        assert task.request is not None
        if task.request.expires <= now or person in {verdict.reviewer for verdict in task.standing()}:
            continue
        if not suffices(abilities, task.request.needs):
            continue
        if any(task_id == key and holder == person for (task_id, _), holder in held.items()):
            continue
        free = [seat for seat in task.open_seats() if (key, seat) not in held]
        if free:
            yield key, free[0]
