"""Near copies are given out one after another: who was given one gets more of its cluster, up to a number of them.

Then the task with the earliest deadline has its turn, as if there were no clusters: so a crowd of near copies holds up
nobody's task by more than that number of answers of each person.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from services.review.core.board import Board


@dataclass(frozen=True)
class Run:
    """The near copies that a person was given in a row."""

    cluster: str
    count: int = 1


class Likeness(NamedTuple):
    """What a person is told of near copies: this is the first, second, … of so many, as far as is known."""

    place: int
    of: int


def next_of_run(
    board: Board, fitting: Iterable[tuple[str, int]], run: Run | None, most: int
) -> tuple[tuple[str, int] | None, Run | None]:
    """Which (task, seat) a person is given, and their run with it. `fitting` are all that they might be given, the
    earliest deadline first; at most `most` of a run are given in a row.
    """
    seats = list(fitting)
    if run is not None and run.count < most:
        for seat in seats:
            if board.near.get(seat[0]) == run.cluster:
                return seat, Run(run.cluster, run.count + 1)
    if not seats:
        return None, run
    cluster = board.near.get(seats[0][0])
    return seats[0], Run(cluster) if cluster is not None else None
