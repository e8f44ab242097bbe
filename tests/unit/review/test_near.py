"""Near copies in a row: what a person is given next, and how long others may have to wait for it."""

from hypothesis import given
from hypothesis import strategies as st

from services.events.types import ReviewClustered
from services.review.core.board import Board, fitting, next_task
from services.review.core.changes import Clustered, Ended, Requested, change_of
from services.review.core.near import Run, next_of_run
from tests.unit.review.builders import ID, NOW

MOST = 5


def clustered(task: str, cluster: str = "c" * 32) -> ReviewClustered:
    source, _, item = task.partition("/")
    return ReviewClustered(
        event_id=ID,
        occurred_at="2026-01-31T12:00:00.000Z",
        task_id=task,
        source=source,
        item_id=item.partition("@")[0],
        revision=1,
        queue="general",
        cluster=cluster,
        size=1,
        method="minhash-2-128-4-n2",
    )


def board_of(clusters: list[str]) -> Board:
    """A queue of tasks, the first the most urgent, of these clusters; empty for none."""
    board = Board()
    for number, cluster in enumerate(clusters):
        task = f"demo/{number}@1.1"
        board.apply(
            Requested(
                task_id=task, deadline=number, expires=2**42, wanted=1, lease_ms=1000,
                item=f"demo/{number}", revision=1, accepted=number, body="{}",
            )
        )  # fmt: skip
        if cluster:
            board.apply(Clustered(task_id=task, cluster=cluster))
    return board


def worked(board: Board) -> list[int]:
    """The order in which one person is given all tasks."""
    order, run = [], None
    while True:
        seat, run = next_of_run(board, fitting(board, "ada", {}, NOW), run, MOST)
        if seat is None:
            return order
        order.append(int(seat[0].partition("/")[2].partition("@")[0]))
        board.apply(Ended(task_id=seat[0], why="?"))


def test_near_copies_come_one_after_another_and_the_rest_in_order() -> None:
    assert worked(board_of(["a", "", "b", "a", "b", "a", ""])) == [0, 3, 5, 1, 2, 4, 6]


def test_after_so_many_the_most_urgent_task_has_its_turn() -> None:
    crowd = ["a", "", "", *["a"] * 12]
    assert worked(board_of(crowd)) == [0, 3, 4, 5, 6, 1, 2, 7, 8, 9, 10, 11, 12, 13, 14]


@given(st.lists(st.sampled_from(["", "a", "b", "c"]), max_size=40))
def test_all_tasks_are_given_and_none_is_overtaken_by_more_than_a_run_for_each_before_it(
    clusters: list[str],
) -> None:
    order = worked(board_of(clusters))
    assert sorted(order) == list(range(len(clusters)))
    for at, number in enumerate(order):
        assert at <= (number + 1) * MOST - 1  # each more urgent task began at most one run, and so did it


@given(st.lists(st.sampled_from(["", "a", "b"]), max_size=20))
def test_a_run_of_one_is_the_order_of_deadlines(clusters: list[str]) -> None:
    board = board_of(clusters)
    seat, _ = next_of_run(board, fitting(board, "ada", {}, NOW), Run("a"), 1)
    assert seat == next_task(board, "ada", {}, NOW)


def test_what_is_told_of_a_task_changes_its_queue() -> None:
    assert change_of(clustered("demo/post-1@1.1"), 7) == (
        "general",
        Clustered(offset=7, task_id="demo/post-1@1.1", cluster="c" * 32),
    )


def test_an_audit_is_like_nothing() -> None:
    assert change_of(clustered("demo/post-1@1.audit")) is None


def test_what_is_over_is_in_no_cluster_and_what_was_told_first_stands() -> None:
    board = board_of(["a"])
    board.apply(Clustered(task_id="demo/0@1.1", cluster="b"))
    assert board.near == {"demo/0@1.1": "a"}
    board.apply(Ended(task_id="demo/0@1.1", why="?"))
    board.apply(Clustered(task_id="demo/0@1.1", cluster="a"))
    assert board.near == {}
