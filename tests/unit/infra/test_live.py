"""What `status` reads out of /readyz and /metrics."""

import httpx
import pytest

from infra.local.live import lag, queues
from infra.local.readiness import readiness

METRICS = """\
# TYPE sluicegate_lag_records gauge
sluicegate_lag_records{topic="content.classified"} 3.0
sluicegate_lag_records{topic="review.settled"} 0.0
# TYPE sluicegate_review_open_tasks gauge
sluicegate_review_open_tasks{queue="general"} 12.0
sluicegate_review_open_tasks{queue="audit"} 0.0
# TYPE sluicegate_review_oldest_seconds gauge
sluicegate_review_oldest_seconds{queue="general"} 61.7
"""
URL = "http://127.0.0.1:1"


def answering(status: int, **content: object) -> httpx.Client:
    return httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(status, **content)))  # type: ignore[arg-type]


def refusing() -> httpx.Client:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    return httpx.Client(transport=httpx.MockTransport(refuse))


def test_lag_by_topic_and_depth_and_age_by_queue() -> None:
    client = answering(200, text=METRICS)
    assert lag(client, URL) == {"content.classified": 3, "review.settled": 0}
    assert queues(client, URL) == {"audit": (0, 0), "general": (12, 61)}


def test_a_process_that_does_not_answer_or_does_not_say_has_neither() -> None:
    for client in (refusing(), answering(404), answering(200, text="")):
        assert lag(client, URL) == {}
        assert queues(client, URL) == {}


@pytest.mark.parametrize(
    ("client", "reason"),
    [
        (answering(503, text="no policy is live\n"), "no policy is live"),
        (answering(503, json={"title": "Not ready", "detail": "Kafka is away"}), "Kafka is away"),
        (answering(500, text=""), "answers 500"),
        (refusing(), "does not answer yet"),
    ],
)
def test_who_is_not_ready_says_why_in_text_or_as_a_problem(client: httpx.Client, reason: str) -> None:
    answer = readiness(client, URL)
    assert (answer.ready, answer.reason) == (False, reason)


def test_who_answers_200_is_ready() -> None:
    assert readiness(answering(200, text="ready"), URL).ready
