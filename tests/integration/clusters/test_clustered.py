"""Tasks get their cluster exactly once, through kills, and a worker that starts again knows the clusters there were."""

import random
from collections import Counter
from typing import Any

from confluent_kafka import Producer

from services.events.types import ReviewRequested
from services.runtime.kafka import PRODUCER
from tests.integration.router.running import Line, wait_for
from tests.unit.clusters.making import asked, spam, unlike

CAMPAIGN, OTHERS = 300, 100


def stream(seed: int) -> list[ReviewRequested]:
    """Edits of one piece of spam, of several senders, among texts that are like no other, in two queues."""
    chance = random.Random(seed)
    events = [asked(f"spam-{number}", spam(chance)) for number in range(CAMPAIGN)]
    events += [asked(f"other-{number}", unlike(chance), queue="expert") for number in range(OTHERS)]
    chance.shuffle(events)
    return events


def told(line: Line) -> list[dict[str, Any]]:
    return line.scan("review.clustered")


def test_every_task_has_one_cluster_whatever_is_killed(line: Line) -> None:
    line.start("clusters")
    events = stream(3)
    for start in range(0, len(events), 40):
        line.send(*events[start : start + 40])
        if start in (80, 200, 320):
            wait_for("some clusters", lambda count=start // 2: len(told(line)) > count)
            line.kill("clusters")
    wait_for("all clusters", lambda: len({event["task_id"] for event in told(line)}) == len(events))
    line.send(
        asked("picture", None), asked("audited", "text", purpose="audit"), asked("last", "the last of all")
    )
    wait_for("the last", lambda: any(event["item_id"] == "last" for event in told(line)))

    found = [event for event in told(line) if event["item_id"] != "last"]
    assert Counter(event["task_id"] for event in found) == Counter(event.task_id for event in events)
    sizes: dict[str, list[int]] = {}
    for event in found:
        sizes.setdefault(event["cluster"], []).append(event["size"])
    assert all(sorted(each) == list(range(1, len(each) + 1)) for each in sizes.values()), "a task counts once"
    of_spam = Counter(event["cluster"] for event in found if event["item_id"].startswith("spam"))
    others = {event["cluster"] for event in found if event["item_id"].startswith("other")}
    assert len(others) == OTHERS and not others & of_spam.keys()
    assert len(of_spam) < CAMPAIGN / 10, "edits of one text are few clusters"
    assert {event["queue"] for event in found} == {"general", "expert"}
    assert line.dead_letters() == []


def test_a_worker_that_starts_again_goes_on_with_the_clusters_there_were(line: Line) -> None:
    text = unlike(random.Random(17), 40)
    line.send(asked("before", text))
    wait_for("the first", lambda: of(line, "before"))
    line.kill("clusters")
    line.send(asked("after", text + " and more"))
    wait_for("the second", lambda: of(line, "after"))
    (first,), (second,) = of(line, "before"), of(line, "after")
    assert first["cluster"] == second["cluster"] and second["size"] == 2
    assert first["similarity"] is None and 0.8 <= second["similarity"] < 1


def of(line: Line, item_id: str) -> list[dict[str, Any]]:
    return [event for event in told(line) if event["item_id"] == item_id]


def test_what_cannot_be_read_is_set_aside_and_the_stream_goes_on(line: Line) -> None:
    producer = Producer(PRODUCER | {"bootstrap.servers": line.settings.kafka})
    producer.produce("review.requested.general", b"{}", b"demo/x")
    producer.flush(10)
    line.send(asked("beside", "goes on all the same"))
    wait_for("the next", lambda: of(line, "beside"))
    wait_for("the dead letter", lambda: line.dead_letters())
    assert [letter["service"] for letter in line.dead_letters()] == ["clusters"]
