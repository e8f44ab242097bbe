"""What a queue in Redis comes to, and what the pure model says it must."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from typing import cast

from redis import Redis

from services.events.codec import decode
from services.review.core.board import NEVER, Board, Verdict, fold, waiting
from services.review.core.changes import EVENTS, Change, change_of
from services.review.queue import Queue
from services.runtime.reading import whole_topics
from tests.integration.review.world import World

State = dict[str, tuple[dict[str, Verdict], set[str]]]  # open task -> its verdicts, those taken back


def snapshot(queue: Queue, redis: Redis) -> State:
    """The open tasks of a queue in Redis."""
    prefix = f"review:{{{queue.name}}}:"
    found: State = {}
    for raw in cast(list[bytes], redis.hkeys(f"{prefix}body")):
        task = raw.decode()
        verdicts, back = {}, set()
        for field, value in cast(dict[bytes, bytes], redis.hgetall(f"{prefix}task:{task}")).items():
            name, text = field.decode(), value.decode()
            if name.startswith("v:"):
                seat, _, offset, person = text.split("|", 3)
                at = NEVER if offset == "-" else int(offset)
                verdicts[name[2:]] = Verdict(name[2:], int(seat), person, at)
            elif name.startswith("x:"):
                back.add(name[2:])
        found[task] = (verdicts, back)
    return found


def places(queue: Queue, redis: Redis) -> tuple[set[str], set[str]]:
    """The tasks of a queue in Redis that can be given out, and those that wait for a copy."""
    prefix = f"review:{{{queue.name}}}:"
    can = cast(list[bytes], redis.zrange(f"{prefix}open", 0, -1))
    wait = cast(set[bytes], redis.smembers(f"{prefix}waiting"))
    return {task.decode() for task in can}, {task.decode() for task in wait}


def places_of(board: Board, held: Iterable[tuple[str, int]], now: int) -> tuple[set[str], set[str]]:
    """The same of the model, where these seats are leased."""
    leased = set(held)
    waits = waiting(board, {task for task, _ in leased}, now)
    free = {
        key
        for key, task in board.open().items()
        if any((key, seat) not in leased for seat in task.open_seats())
    }
    return free - waits, waits


def state_of(board: Board) -> State:
    """The same of the model."""
    return {task: (each.verdicts, each.taken_back) for task, each in board.open().items()}


def model_of(world: World) -> State:
    """The model of the world's queue, folded from Kafka topic by topic."""
    changes: list[Change] = []
    for base, event in EVENTS.items():
        topic = f"{base}.{world.queue}" if base == "review.requested" else base
        with closing(whole_topics(world.feed_settings, "model", [topic])) as reader:
            for record in reader.to_end():
                change = change_of(decode(event, record.value or b""), record.offset)
                if change and change[0] in (None, world.queue):
                    changes.append(change[1])
    return state_of(fold(changes))
