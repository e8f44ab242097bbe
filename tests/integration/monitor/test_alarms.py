"""An alarm stands only after a recount that confirms it, and ends the same way; analytics is played by a server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from infra.local.kafka import Kafka
from services.events.types import AlarmRaised
from services.runtime.clock import now_ms
from tests.integration.monitor.making import settled
from tests.integration.monitor.running import Topics, Worker, eventually


class Analytics:
    """Answers every recount with `says`, or 503 where that is None, and keeps what it was asked."""

    def __init__(self) -> None:
        self.says: dict[str, int] | None = None
        self.asked: list[tuple[str, dict[str, list[str]]]] = []
        analytics = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                analytics.asked.append((parts.path, parse_qs(parts.query)))
                self.send_response(503 if analytics.says is None else 200)
                self.end_headers()
                self.wfile.write(msgspec.json.encode(analytics.says))

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture(scope="module")
def analytics() -> Iterator[Analytics]:
    fake = Analytics()
    yield fake
    fake.server.shutdown()
    fake.server.server_close()


@pytest.fixture(scope="module")
def worker(broker: Kafka, analytics: Analytics, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    monitor = Worker(broker, tmp_path_factory.mktemp("monitor"), analytics.url)
    try:
        monitor.start()
        yield monitor
    finally:
        monitor.kill()


def recounts(worker: Worker, change: str, outcome: str) -> float:
    return worker.metric(f'sluicegate_monitor_recounts_total{{change="{change}",outcome="{outcome}"}}')


def alarms(topics: Topics) -> list[AlarmRaised]:
    return topics.read("alarm.raised", AlarmRaised)


def settle(topics: Topics, against: int, along: int) -> None:
    """So many settlements against the model, and along with it, now."""
    at = now_ms()
    topics.write(*(settled(f"{at}-x{n}", at, spam=0.1) for n in range(against)))
    topics.write(*(settled(f"{at}-y{n}", at, spam=0.9) for n in range(along)))


def test_without_an_answer_there_is_no_alarm(topics: Topics, worker: Worker, analytics: Analytics) -> None:
    settle(topics, against=15, along=5)
    eventually(lambda: recounts(worker, "raise", "no_answer") > 1, 90, worker.log)
    assert alarms(topics) == []


def test_what_the_recount_does_not_confirm_is_no_alarm(
    topics: Topics, worker: Worker, analytics: Analytics
) -> None:
    analytics.says = {"count": 100, "disagreements": 50}  # just what is allowed
    settle(topics, against=15, along=5)
    eventually(lambda: recounts(worker, "raise", "not_confirmed") > 0, 90, worker.log)
    analytics.says = {"count": 9, "disagreements": 9}  # too few to say
    settle(topics, against=15, along=5)
    before = recounts(worker, "raise", "not_confirmed")
    eventually(lambda: recounts(worker, "raise", "not_confirmed") > before, 90, worker.log)
    assert alarms(topics) == []


def test_a_confirmed_alarm_says_what_was_recounted(
    topics: Topics, worker: Worker, analytics: Analytics
) -> None:
    analytics.asked.clear()
    analytics.says = {"count": 200, "disagreements": 120}
    settle(topics, against=15, along=5)
    eventually(lambda: len(alarms(topics)) > 0, 90, worker.log)
    (raised,) = alarms(topics)
    assert (raised.alarm, raised.active) == ("model_against_people", True)
    assert (raised.category, raised.model_version) == ("spam", "m1")
    assert (raised.value, raised.limit, raised.count) == (0.6, 0.5, 200)
    path, asked = analytics.asked[-1]
    assert path == "/v1/recount/model-against-people"
    assert asked == {
        "category": ["spam"],
        "model_version": ["m1"],
        "from": [raised.window_start],
        "to": [raised.window_end],
        "threshold": ["0.5"],
    }


def test_one_that_stands_is_not_raised_again_even_after_a_crash(topics: Topics, worker: Worker) -> None:
    worker.kill()
    worker.start()
    assert worker.metric("sluicegate_monitor_active_alarms") == 1
    settle(topics, against=15, along=5)
    windows = 'sluicegate_monitor_windows_total{measure="model_against_people"}'
    before = worker.metric(windows)
    eventually(lambda: worker.metric(windows) >= before + 4, 90, worker.log)  # two categories, two windows
    assert len(alarms(topics)) == 1


def test_it_ends_when_a_later_window_is_well_within_limits(
    topics: Topics, worker: Worker, analytics: Analytics
) -> None:
    analytics.says = {"count": 100, "disagreements": 45}  # allowed, but not well within
    settle(topics, against=0, along=20)
    eventually(lambda: recounts(worker, "clear", "not_confirmed") > 0, 90, worker.log)
    assert [alarm.active for alarm in alarms(topics)] == [True]
    analytics.says = {"count": 100, "disagreements": 10}
    settle(topics, against=0, along=20)
    eventually(lambda: [alarm.active for alarm in alarms(topics)] == [True, False], 90, worker.log)
    eventually(lambda: worker.metric("sluicegate_monitor_active_alarms") == 0, 90, worker.log)
