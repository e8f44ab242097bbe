"""Every task with a text has one cluster, and is like its founder, whatever the order, the batches and the restarts."""

import random
from collections import Counter

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.clusters.core import Cluster, founded, nearest, signature_of, similarity
from services.events.types import Item, ReviewClustered, ReviewRequested
from services.runtime.handling import handle_batch
from services.runtime.records import Dropped, Outgoing, Rejected
from tests.unit.clusters.making import NOW, SHARDS, Worker, asked, record, spam, unlike

HOUR = 3_600_000


def crowd(seed: int, campaigns: int = 3, each: int = 8, others: int = 12) -> list[ReviewRequested]:
    """Several campaigns, each of edits of a text of its own, and texts like no other."""
    chance = random.Random(seed)
    events = []
    for campaign in range(campaigns):
        words = unlike(chance, 40).split()
        for number in range(each):
            edited = list(words)
            for at in chance.sample(range(40), chance.randrange(0, 4)):
                edited[at] = unlike(chance, 1)
            events.append(asked(f"{campaign}-{number}", " ".join(edited)))
    return events + [asked(f"alone-{number}", unlike(chance)) for number in range(others)]


def check(events: list[ReviewRequested], told: list[ReviewClustered], threshold: float = 0.8) -> None:
    """One cluster a task; every member as like the founder as it was said, and like enough; sizes count up."""
    by_task = {event.task_id: event for event in events}
    assert Counter(event.task_id for event in told) == Counter(by_task.keys())
    founders = {event.cluster: event.task_id for event in told if event.similarity is None}
    sizes: Counter[str] = Counter()
    for event in told:
        sizes[event.cluster] += 1
        assert event.size == sizes[event.cluster]
        if event.similarity is not None:
            own, first = (
                signature_of(by_task[task].item.text) for task in (event.task_id, founders[event.cluster])
            )
            assert own is not None and first is not None
            assert event.similarity == similarity(own, first) >= threshold


@settings(max_examples=25)
@given(st.integers(0, 5), st.randoms(use_true_random=False), st.integers(1, 12))
def test_every_task_has_one_cluster_and_is_like_its_founder(
    seed: int, chance: random.Random, size: int
) -> None:
    events, worker = crowd(seed), Worker()
    chance.shuffle(events)
    told: list[ReviewClustered] = []
    while len(told) < len(events):
        if chance.random() < 0.2:
            worker.restart()
        told += worker.take(*events[len(told) : len(told) + size])
    check(events, told)
    for event in told:  # who founds a cluster names it
        if event.similarity is None:
            assert event.cluster == founded(asked("x", "", task_id=event.task_id), b"", 0).cluster


def test_edited_spam_is_one_cluster_across_shards_and_what_is_unlike_is_not_in_it() -> None:
    chance = random.Random(1)
    worker = Worker(clusters_threshold=0.7)
    events = [asked(f"spam-{number}", spam(chance)) for number in range(100)]
    events += [asked(f"other-{number}", unlike(chance)) for number in range(100)]
    assert {record(event).partition for event in events[:100]} == set(range(SHARDS))
    told = worker.take(*events)
    check(events, told, 0.7)
    of_spam = Counter(event.cluster for event in told if event.item_id.startswith("spam"))
    assert of_spam.most_common(1)[0][1] >= 90
    assert len({event.cluster for event in told if event.item_id.startswith("other")}) == 100


def test_a_text_between_two_clusters_joins_the_nearer_and_they_stay_two() -> None:
    words = unlike(random.Random(2), 60).split()
    one, other, between = list(words), list(words), list(words)
    for at in range(0, 8):
        one[at] = f"first{at}"
    for at in range(0, 3):
        between[at] = f"first{at}"
    for at in range(30, 38):
        other[at] = f"second{at}"
    worker = Worker()
    events = [asked(name, " ".join(text)) for name, text in (("one", one), ("other", other), ("x", between))]
    first, second, third = worker.take(*events)
    assert first.cluster != second.cluster and third.cluster == first.cluster
    assert len(worker.kept()) == 2


def test_of_equally_near_clusters_the_largest_is_joined() -> None:
    signature = signature_of("a text that two clusters have")
    assert signature is not None
    small, large = Cluster("ff" * 16, signature, 2, 0), Cluster("00" * 16, signature, 3, 0)
    assert nearest(signature, [small, large], 0.8) == (large, 1.0)
    old = msgspec.structs.replace(large, method="minhash-1")
    assert nearest(signature, [old], 0.8) == (None, None)


def test_audits_and_what_has_no_text_are_left_alone() -> None:
    worker = Worker()
    blind = asked("audited", "some text", purpose="audit", task_id="demo/audited@1.audit")
    found = worker.effects([blind, asked("picture", None), asked("empty", " ")])
    assert [effect.reason for effect in found if isinstance(effect, Dropped)] == [
        "audit",
        "no_text",
        "no_text",
    ]
    worker.commit()
    assert not worker.kept()


@pytest.mark.parametrize(
    ("changes", "error"), [({"value": b"{}"}, "undecodable"), ({"key": b"demo/another"}, "wrong_key")]
)
def test_what_cannot_be_read_is_set_aside(changes: dict[str, bytes], error: str) -> None:
    worker = Worker()
    bad = msgspec.structs.replace(record(asked("bad", "some text")), **changes)
    (rejected,) = worker.stage.handle([bad], worker.states, NOW)
    assert isinstance(rejected, Rejected) and rejected.error == error


def test_an_aborted_batch_leaves_no_trace_and_comes_to_the_same_when_it_comes_again() -> None:
    events, worker, calm = crowd(9), Worker(), Worker()
    worker.take(*events[:10])
    aborted = worker.effects(events[10:])
    worker.states.drop()
    told = worker.effects(events[10:])
    worker.commit()
    assert [e.event for e in told if isinstance(e, Outgoing)] == [
        e.event for e in aborted if isinstance(e, Outgoing)
    ]
    calm.take(*events[:10])
    calm.take(*events[10:])
    assert sorted(worker.kept(), key=str) == sorted(calm.kept(), key=str)


def test_a_founder_of_an_aborted_batch_is_not_joined() -> None:
    worker = Worker()
    worker.effects([asked("ghost", "a text that came twice, word for word")])
    worker.states.drop()
    (told,) = worker.take(asked("real", "a text that came twice, word for word"))
    assert told.similarity is None and told.size == 1


def test_one_bad_record_does_not_spoil_the_batch() -> None:
    worker, events = Worker(), crowd(4)
    batch = [record(event, offset) for offset, event in enumerate(events)]
    worker.stage._publisher = Stumbling(worker.stage._publisher, events[5].task_id)  # type: ignore[assignment]
    outcome = handle_batch(worker.stage, batch, worker.states, NOW)
    worker.commit()
    assert [each.record for each in outcome.rejected] == [batch[5]]
    check([e for e in events if e is not events[5]], [out.event for out in outcome.produced])  # type: ignore[misc]


class Stumbling:
    """A publisher that fails on one task."""

    def __init__(self, publisher: object, task: str) -> None:
        self._publisher, self._task = publisher, task

    def outgoing(self, event: ReviewClustered, *rest: object) -> Outgoing:
        if event.task_id == self._task:
            raise ValueError("cannot")
        return self._publisher.outgoing(event, *rest)  # type: ignore[attr-defined,no-any-return]


def test_a_cluster_that_nobody_joins_is_forgotten_and_one_that_is_joined_lives_on() -> None:
    worker, text = Worker(clusters_hours=2), "a text that comes again and again"
    worker.take(asked("first", text), asked("other", unlike(random.Random(1))))
    worker.take(asked("second", text), now=NOW + HOUR)
    worker.wake(NOW + 2 * HOUR)
    (kept,) = worker.kept()
    assert kept.size == 2
    worker.wake(NOW + 3 * HOUR)
    assert not worker.kept() and len(worker.stage._index) == 0
    (told,) = worker.take(asked("third", text), now=NOW + 3 * HOUR)
    assert told.similarity is None


def test_forgetting_that_is_aborted_is_none() -> None:
    worker, text = Worker(clusters_hours=1), "a text that comes again and again"
    worker.take(asked("first", text))
    for number, shard in worker.states.shards.items():
        for key in shard.due_keys(NOW + HOUR, 10):
            list(worker.stage.wake(number, key, worker.states, NOW + HOUR))
    worker.states.drop()
    assert [event.size for event in worker.take(asked("second", text), now=NOW + HOUR)] == [2]


def test_no_more_clusters_are_kept_than_may_be_and_the_longest_unjoined_go_first() -> None:
    chance = random.Random(3)
    texts = [unlike(chance) for _ in range(30)]
    worker = Worker(clusters_most=10)
    for number, text in enumerate(texts):
        worker.take(asked(f"post-{number}", text), asked(f"first-{number}", texts[0]), now=NOW + number)
        assert len(worker.kept()) <= 10 and len(worker.stage._index) <= 10
    assert max(state.size for state in worker.kept()) == 31  # joined all the time, so it stayed
    worker.restart()
    (again,) = worker.take(asked("late", texts[29]), now=NOW + 100)
    (gone,) = worker.take(asked("early", texts[3]), now=NOW + 100)
    assert again.size == 2 and gone.size == 1


def test_a_batch_of_more_clusters_than_may_be_is_told_whole() -> None:
    chance = random.Random(3)
    worker = Worker(clusters_most=10)
    events = [asked(f"post-{number}", unlike(chance)) for number in range(25)]
    check(events, worker.take(*events))
    worker.take(asked("next", unlike(chance)), now=NOW + 1)
    assert len(worker.kept()) <= 10


def test_shards_that_go_to_another_worker_are_not_suggested() -> None:
    worker, text = Worker(), "a text that comes again and again"
    worker.take(asked("first", text))
    where = record(asked("first", text)).partition
    gone = worker.states.shards.pop(where)
    elsewhere = next(name for name in map(str, range(100)) if record(asked(name, text)).partition != where)
    (told,) = worker.take(asked(elsewhere, text))
    assert told.similarity is None
    worker.states.shards[where] = gone
    (told,) = worker.take(asked("first", text))
    assert told.similarity == 1


def test_the_text_of_a_request_is_not_kept() -> None:
    worker = Worker()
    worker.take(
        asked("secret", "nobody should find this text", item=Item(kind="post", text="hidden words here"))
    )
    (state,) = worker.kept()
    assert b"hidden" not in worker.stage.encode_state(state)
