"""One queue in Redis, typed. Every method is one script, thus one atomic step. All raise redis.RedisError."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import msgspec
from redis import Redis

from services.review.core.abilities import NONE, Abilities
from services.review.core.changes import Change, Completed
from services.review.core.near import Likeness
from services.review.scripts import Scripts

QUEUES = "review:queues"  # the names of all queues


@dataclass(frozen=True)
class Lease:
    """One person's hold of one seat of one task. Its epoch and number together are never given twice."""

    task_id: str
    queue: str
    seat: int
    person: str
    epoch: int
    number: int


@dataclass(frozen=True)
class Handout:
    """A task as it is given to a person. Times in ms, by Redis's clock; `body` is JSON; `copies` wait for it."""

    lease: Lease
    expires: int
    now: int
    body: bytes
    copies: int = 0
    near: Likeness | None = None  # None: nothing is like it


@dataclass(frozen=True)
class Reserved:
    """A seat is kept for a verdict on its way to Kafka. Times in ms."""

    now: int
    final_at: int
    late: bool  # the lease had run out, but the seat was free
    body: bytes


@dataclass(frozen=True)
class No:
    """What a script answered in place of what was asked for; `why` is the reason of an ending, or what is recorded."""

    code: str
    why: bytes = b""


@dataclass(frozen=True)
class Status:
    """How a queue stands.

    `depth` are tasks that somebody can be given, `tasks` all that are not over, `waiting` those of them that wait for
    the answer to a copy; `oldest` is the earliest acceptance among those that can be given, in ms.
    """

    state: str
    epoch: int | None
    paused: bool
    depth: int
    held: int
    tasks: int
    waiting: int
    oldest: int | None
    now: int


class Queue:
    """The board of one queue in Redis."""

    def __init__(self, client: Redis, scripts: Scripts, name: str) -> None:
        self._client, self._scripts, self.name = client, scripts, name
        self._prefix = f"review:{{{name}}}:"
        self._meta = f"{self._prefix}meta"

    # What people do

    def claim(
        self,
        person: str,
        hold: int,
        at_hand: Iterable[str] = (),
        abilities: Abilities = NONE,
        run: int = 20,
    ) -> Handout | No:
        """A task that the person holds and does not have at hand, else the next for which they have what it needs.

        They may hold `hold` of them, and are given up to `run` near copies in a row. No("unable", what is needed) where
        there is work, but none for them.
        """
        own = [f",{','.join(sorted(names))}," for names in (abilities.skills, abilities.languages)]
        return self._handout(self._call("claim", person, hold, *own, run, *at_hand), person)

    def extend(self, lease: Lease) -> tuple[int, int] | No:
        """Until when the lease now lasts, and the time, in ms."""
        answer = self._call("extend", *_named(lease))
        return _no(answer) or (int(answer[1]), int(answer[2]))

    def release(self, lease: Lease, skip_ms: int) -> No | None:
        """Give the task back; it is not offered to the same person for `skip_ms`."""
        return _no(self._call("release", *_named(lease), skip_ms))

    def reserve(self, lease: Lease, verdict_id: str, keep_ms: int, undo_ms: int) -> Reserved | No:
        """Keep the seat for a verdict while Kafka is asked; No("recorded", …) where Kafka has it already."""
        answer = self._call("reserve", *_named(lease), verdict_id, keep_ms, undo_ms)
        return _no(answer) or Reserved(int(answer[1]), int(answer[2]), answer[3] == b"1", answer[4])

    def unreserve(self, lease: Lease, verdict_id: str) -> None:
        """Kafka did not take it: the lease is as before."""
        self._call("unreserve", lease.task_id, lease.seat, verdict_id)

    def mark(self, change: Completed) -> str:
        """Kafka has the verdict. Answers the id of the verdict that has the seat; empty while nobody can say."""
        return str(self._call("mark", msgspec.msgpack.encode(change)).decode())

    def find(self, verdict_id: str, person: str, margin_ms: int) -> tuple[bytes, int, bool] | No:
        """A person's own verdict that may still be taken back: what is recorded (JSON), the time in ms, and whether
        it was taken back before."""
        answer = self._call("find", verdict_id, person, margin_ms)
        if answer[0] == b"taken_back":
            return answer[1], int(answer[2]), True
        return _no(answer) or (answer[1], int(answer[2]), False)

    def give_back(self, change: Completed) -> Handout | No:
        """Kafka has the retraction: the person has the task again."""
        raw = msgspec.msgpack.encode(change)
        return self._handout(self._call("give_back", raw, change.seat, change.reviewer), change.reviewer)

    def history(self, person: str, last: int) -> list[dict[str, Any]]:
        """A person's last verdicts, the latest first."""
        ids = cast(list[bytes], self._client.zrevrange(f"{self._prefix}history:{person}", 0, last - 1))
        if not ids:
            return []
        found = self._client.hmget(f"{self._prefix}verdicts", ids)
        back = self._client.hmget(f"{self._prefix}taken_back", ids)
        pairs = zip(found, back, strict=True)
        return [msgspec.json.decode(raw) | {"taken_back": gone is not None} for raw, gone in pairs if raw]

    def body(self, task_id: str) -> bytes | None:
        """What people are shown of an open task, JSON."""
        return cast(bytes | None, self._client.hget(f"{self._prefix}body", task_id))

    # What the feed does

    def tick(self, marks_ms: int) -> Status:
        """Sweep what time has brought, and tell how the queue stands."""
        return self._status("tick", marks_ms)

    def look(self) -> Status:
        """How the queue stands, nothing changed."""
        return self._status("look")

    def apply(
        self, epoch: int, partition: str, upto: int, changes: Sequence[Change], rest_ms: int = 0
    ) -> bool:
        """Apply one partition's changes and note its next offset; False where the queue has another epoch by now.

        Copies of what people decided rest for `rest_ms`: so long has the router to close them.
        """
        raw = msgspec.msgpack.encode(changes)
        return int(self._call("apply", epoch, partition, upto, raw, rest_ms)) >= 0

    def offsets(self) -> dict[str, int]:
        """The next offset of each topic/partition."""
        raw = cast(dict[bytes, bytes], self._client.hgetall(f"{self._prefix}offsets"))
        return {name.decode(): int(offset) for name, offset in raw.items()}

    def begin(self, epoch: int, partitions: Iterable[str]) -> bool:
        """Begin a rebuild: nothing is given out, and every topic/partition is read from its beginning.

        False where another has begun one of this epoch.
        """
        if not self._call("begin", epoch):
            return False
        for key in self._client.scan_iter(match=f"{_literal(self._prefix)}*", count=1000):
            if key.decode() != self._meta:
                self._client.unlink(key)
        self._client.hset(f"{self._prefix}offsets", mapping=dict.fromkeys(partitions, 0))
        return True

    def open(self, epoch: int) -> bool:
        """End a rebuild."""
        return bool(self._call("open", epoch))

    def want_rebuild(self) -> None:
        """Ask the feed to rebuild."""
        self._client.hset(self._meta, "state", "wanted")

    def _call(self, script: str, *args: str | int | bytes) -> Any:
        return self._scripts.call(script, self._meta, *args)

    def _status(self, script: str, *args: int) -> Status:
        state, epoch, paused, depth, held, tasks, waiting, oldest, now = self._call(script, *args)
        known = (int(epoch) if epoch else None, paused == b"1", depth, held, tasks, waiting)
        return Status(state.decode(), *known, int(oldest) if oldest else None, int(now))

    def _handout(self, answer: list[bytes], person: str) -> Handout | No:
        if (no := _no(answer)) is not None:
            return no
        _, task_id, seat, epoch, number, expires, now, body, copies, near = answer
        lease = Lease(task_id.decode(), self.name, int(seat), person, int(epoch), int(number))
        return Handout(lease, int(expires), int(now), body, int(copies), _likeness(near))


def _named(lease: Lease) -> tuple[str, int, str, int, int]:
    return lease.task_id, lease.seat, lease.person, lease.number, lease.epoch


def _likeness(raw: bytes) -> Likeness | None:
    place, _, of = raw.partition(b"|")
    return Likeness(int(place), int(of)) if of else None


def _no(answer: list[bytes]) -> No | None:
    code = answer[0].decode()
    return None if code == "ok" else No(code, answer[1] if len(answer) > 1 else b"")


def _literal(prefix: str) -> str:
    """The prefix as SCAN's patterns take it. Names of queues have none of the other special characters."""
    return prefix.replace("[", "\\[")


class Queues:
    """All queues of one Redis."""

    def __init__(self, client: Redis) -> None:
        self._client, self._scripts = client, Scripts(client)
        self._known: dict[str, Queue] = {}

    def names(self) -> list[str]:
        """The queues that the feed has announced."""
        return sorted(name.decode() for name in cast(set[bytes], self._client.smembers(QUEUES)))

    def announce(self, name: str) -> None:
        """Make a queue known to the API."""
        self._client.sadd(QUEUES, name)

    def get(self, name: str) -> Queue:
        """The queue of a name, announced or not."""
        if name not in self._known:
            self._known[name] = Queue(self._client, self._scripts, name)
        return self._known[name]
