"""Lease tokens: for one person and one task, and nobody makes them up."""

from __future__ import annotations

import pytest

from services.review.queue import Lease
from services.review.tokens import NotLeased, lease_of, token_of
from services.review.verdicts import verdict_id_of

LEASE = Lease("demo/a@1.1", "general", 0, "ada", 3, 17)
SECRET = b"s" * 32


def test_a_token_tells_its_lease() -> None:
    assert lease_of(token_of(LEASE, SECRET), "demo/a@1.1", "ada", SECRET) == LEASE


@pytest.mark.parametrize(
    ("task", "person", "secret"),
    [("demo/b@1.1", "ada", SECRET), ("demo/a@1.1", "grace", SECRET), ("demo/a@1.1", "ada", b"t" * 32)],
)
def test_another_task_person_or_secret_is_refused(task: str, person: str, secret: bytes) -> None:
    with pytest.raises(NotLeased):
        lease_of(token_of(LEASE, SECRET), task, person, secret)


@pytest.mark.parametrize("part", range(5))
def test_a_changed_token_is_refused(part: int) -> None:
    parts = token_of(LEASE, SECRET).split(".")
    parts[part] = parts[part] + "1"
    with pytest.raises(NotLeased):
        lease_of(".".join(parts), LEASE.task_id, "ada", SECRET)


@pytest.mark.parametrize("token", ["", "....", "general.1.2.0", "general.-1.2.0.x", "general.1.².0.x", "\n"])
def test_nonsense_is_refused(token: str) -> None:
    with pytest.raises(NotLeased):
        lease_of(token, LEASE.task_id, "ada", SECRET)


def test_a_verdict_sent_twice_is_the_same_and_after_an_undo_another() -> None:
    token = token_of(LEASE, SECRET)
    again = Lease("demo/a@1.1", "general", 0, "ada", 3, 18)
    assert verdict_id_of(LEASE, token) == verdict_id_of(LEASE, token)
    assert verdict_id_of(LEASE, token) != verdict_id_of(again, token_of(again, SECRET))
