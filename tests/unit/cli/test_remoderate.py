"""A run of `sluicegate remoderate`: which items, how fast, and what is refused before anything is sent."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import click
import httpx
import pytest
from click.testing import CliRunner

from services.cli.again import chosen
from services.cli.again.chosen import Analytics, Chosen, chosen_by
from services.cli.again.judging import Judge, _left
from services.cli.again.measure import Measure
from services.cli.remoderate import _told, remoderate


class Served:
    """Analytics with so many items, of which a page is served at a time."""

    def __init__(self, items: int, busy: int = 0) -> None:
        self.keys = [("demo", f"it's-{n:03}") for n in range(items)]
        self.asked: list[str] = []
        self.busy = busy

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.busy:
            self.busy -= 1
            return httpx.Response(429, json={"detail": "over quota"}, headers={"Retry-After": "7"})
        body = json.loads(request.content)
        if request.url.path == "/v1/standing":
            return httpx.Response(
                200, json={"items": [{"source": s, "item_id": i} for s, i in body["items"]]}
            )
        self.asked.append(body["sql"])
        if "count()" in body["sql"]:
            return httpx.Response(200, json={"meta": [{"name": "n"}], "data": [[len(self.keys)]]})
        _, _, after = body["sql"].partition("> ('demo', '")
        last = after.partition("') ORDER")[0].replace("\\'", "'")
        page = [key for key in self.keys if key[1] > last][: chosen.PAGE]
        return httpx.Response(200, json={"meta": [{"name": "s"}, {"name": "i"}], "data": page})


def analytics(served: Any, slept: list[float] | None = None) -> Analytics:
    client = httpx.Client(transport=httpx.MockTransport(served), base_url="http://analytics")
    return Analytics(client, "sk_1", (slept if slept is not None else []).append)


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(chosen, "PAGE", 4)
    monkeypatch.setattr(chosen, "LOOK_UP", 3)
    yield


@pytest.mark.parametrize("items", [0, 1, 4, 11])
def test_every_item_is_looked_up_once_however_many_pages_there_are(items: int) -> None:
    served = Served(items)
    found = Chosen(analytics(served), "SELECT source, item_id FROM standing;")
    assert found.count() == items
    looked_up = [(row["source"], row["item_id"]) for _, rows in found.standing() for row in rows]
    assert looked_up == served.keys
    assert sum(count for count, _ in found.standing(limit=5)) == min(items, 5)


def test_a_busy_analytics_is_asked_again_when_it_says() -> None:
    slept: list[float] = []
    assert Chosen(analytics(Served(2, busy=2), slept), "SELECT 1").count() == 2
    assert slept == [7.0, 7.0]


def test_a_query_that_is_none_is_told_with_what_it_must_be() -> None:
    def refused(request: httpx.Request) -> httpx.Response:
        return httpx.Response(400, json={"detail": "Unknown identifier item_id"})

    with pytest.raises(
        click.ClickException, match=r"Unknown identifier(.|\n)*with the columns source and item_id"
    ):
        Chosen(analytics(refused), "SELECT 1 AS one").count()


@pytest.mark.parametrize(
    ("status", "given"), [(400, False), (401, True), (401, False), (500, True), (404, True)]
)
def test_what_is_not_the_querys_fault_is_told_as_it_is(status: int, given: bool) -> None:
    def refused(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, json={"detail": "for another reason"})

    with pytest.raises(click.ClickException) as told:
        Chosen(analytics(refused), "SELECT source, item_id FROM standing", given=given).count()
    assert told.value.message == "for another reason"


class Came:
    """What a run came to, without one."""

    def __init__(self, unknown: int) -> None:
        self.unknown, self.examples = unknown, list[Any]()
        self.counts: dict[str, Counter[str]] = {
            kind: Counter() for kind in ("changed", "asked", "unchanged", "left")
        }


def test_items_that_do_not_exist_are_counted_in_a_line_of_their_own() -> None:
    sending: Any = Came(unknown=1)
    lines = _told("again-1", sending, 1, dry_run=True)
    assert lines[0] == "1 item chosen; nothing was sent"
    assert lines[-1].startswith("  not known to analytics: 1 ")
    sending = Came(unknown=0)
    lines = _told("again-1", sending, 2, dry_run=True)
    assert lines[0] == "2 items chosen; nothing was sent" and not any("not known" in line for line in lines)


def test_filters_are_one_select_and_quote_what_they_are_given() -> None:
    assert chosen_by(None, None, None, None, None, None) == "SELECT source, item_id FROM standing"
    made = chosen_by("o'hara", "2026-01-31", None, "toxicity", "m-1", "remove")
    assert made == (
        "SELECT source, item_id FROM standing WHERE source = 'o\\'hara'"
        " AND accepted_at >= parseDateTime64BestEffort('2026-01-31', 3, 'UTC') AND has(categories, 'toxicity')"
        " AND model_version = 'm-1' AND action = 'remove'"
    )


class Clock:
    """Time that passes where somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_changes_are_paced() -> None:
    clock = Clock()
    measure = Measure(10, 5, clock, clock.sleep)
    for _ in range(31):
        assert measure.change("remove", {})
    assert clock.now == pytest.approx(3.0)


def test_of_an_action_no_more_a_minute_than_the_policy_caps() -> None:
    clock = Clock()
    measure = Measure(1000, 0, clock, clock.sleep)
    for _ in range(7):
        assert measure.change("remove", {"remove": 3})
    assert clock.now == pytest.approx(120, abs=1), "three a minute: the seventh is in the third"
    assert measure.change("allow", {"remove": 3}) and clock.now < 121
    assert not measure.change("limit", {"limit": 0}), "never, so it is not waited for"


def test_people_are_asked_so_often_and_no_more() -> None:
    clock = Clock()
    measure = Measure(1000, 2, clock, clock.sleep)
    assert [measure.question() for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, None),
        ({"state": "withdrawn"}, "withdrawn"),
        ({"state": "in_review"}, "in_review"),
        ({"state": "undecided"}, "undecided"),
        ({"basis": "human"}, "people_decided"),
        ({"basis": "duplicate"}, "people_decided"),
        ({"basis": "fallback"}, None),
        ({"run_id": "mine"}, "done_in_this_run"),
        ({"run_id": "another"}, None),
        ({"slow": "scored"}, "stands_by_slow_scores"),
    ],
)
def test_what_is_left_as_it_is(changes: dict[str, Any], why: str | None) -> None:
    row = {"state": "decided", "basis": "automated", "run_id": None, "slow": None} | changes
    assert _left(row, "mine", slow_live=False) == why
    if changes == {"slow": "scored"}:
        assert _left(row, "mine", slow_live=True) is None


def test_without_a_model_or_a_policy_it_says_what_to_do(tmp_path: Any) -> None:
    with pytest.raises(click.ClickException, match="sluicegate model release"):
        Judge(tmp_path, "salt").ready()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "say which items"),
        (["--all", "--source", "demo", "--reason", "x"], "say which items"),
        (["--query", "SELECT 1", "--all", "--reason", "x"], "say which items"),
        (["--all"], "give --reason"),
        (["--since", "yesterday", "--dry-run"], "--since: write it as 2026-01-31"),
        (["--all", "--dry-run", "--run", "a b"], "--run: letters, digits"),
        (["--all", "--dry-run", "--rate", "0"], "--rate"),
    ],
)
def test_bad_options_are_refused_with_what_to_do(given: list[str], said: str) -> None:
    answer = CliRunner().invoke(remoderate, given)
    assert answer.exit_code == 2 and said in answer.output
