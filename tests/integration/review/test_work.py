"""A person's work over HTTP: claim, decide, release, undo; and what is refused."""

from __future__ import annotations

from functools import partial

from services.events.types import Selection
from tests.integration.review.world import World, until


def test_a_verdict_is_in_kafka_when_it_is_acknowledged(world: World) -> None:
    world.feed()
    api = world.api()
    ada = world.person(api, "ada")
    assert ada.claim() is None
    task = world.request("post-1")
    got = ada.claim()
    assert got["task_id"] == task
    assert got["item"]["text"] == "Is post-1 a good post?"
    assert got["categories"] == ["hate", "spam", "toxicity"]
    answer = ada.decide(got, "remove", seconds_spent=2.5, note="An advert.")
    assert answer.status_code == 200, answer.text
    (verdict,) = world.verdicts()
    assert (verdict.task_id, verdict.reviewer, verdict.seat) == (task, "ada", 0)
    assert (verdict.action, verdict.categories, verdict.note) == ("remove", ("spam",), "An advert.")
    assert verdict.verdict_id == answer.json()["verdict_id"]
    assert ada.claim() is None
    assert [each["verdict_id"] for each in ada.http.get("/v1/history").json()] == [verdict.verdict_id]


def test_the_earliest_deadline_comes_first_and_a_released_task_goes_to_others(world: World) -> None:
    world.feed()
    api = world.api()
    ada, grace = world.person(api, "ada"), world.person(api, "grace")
    later = world.request("later", deadline="2026-03-01T00:00:00.000Z")
    sooner = world.request("sooner", deadline="2026-02-01T00:00:00.000Z")
    first = ada.claim()
    assert first["task_id"] == sooner
    assert ada.lease(first, "release").status_code == 204
    assert ada.claim()["task_id"] == later
    assert grace.claim()["task_id"] == sooner


def test_claiming_again_gives_what_one_holds_until_it_is_at_hand(world: World) -> None:
    world.feed()
    ada = world.person(world.api(), "ada")
    world.request("a", deadline="2026-02-01T00:00:00.000Z")
    world.request("b", deadline="2026-03-01T00:00:00.000Z")
    first = ada.claim()
    assert ada.claim()["token"] == first["token"]
    assert ada.claim(first["task_id"])["item_id"] == "b"


def test_undo_brings_the_task_back_and_the_next_verdict_is_another(world: World) -> None:
    world.feed()
    ada = world.person(world.api(), "ada")
    task = world.request("post-1")
    got = ada.claim()
    first = ada.decide(got, "remove").json()
    again = ada.undo(first["verdict_id"])
    assert again.status_code == 200, again.text
    assert again.json()["task_id"] == task
    assert again.json()["token"] != got["token"]
    assert ada.undo(first["verdict_id"]).json()["token"] == again.json()["token"]
    old = ada.decide(got, "remove")
    assert (old.status_code, old.json()["type"]) == (409, "urn:sluicegate:problem:taken-back")
    second = ada.decide(again.json(), "allow")
    assert second.status_code == 200
    kept = [(each.verdict_id, each.retraction) for each in world.verdicts()]
    ids = (first["verdict_id"], second.json()["verdict_id"])
    assert kept == [(ids[0], False), (ids[0], True), (ids[1], False)]


def test_only_categories_of_the_task_or_the_service_are_taken(world: World) -> None:
    world.feed()
    ada = world.person(world.api(review_categories="hate"), "ada")
    task = world.request("post-1")
    got = ada.claim()
    span = {"start": 0, "end": 2, "category": "harassment"}
    for wrong in ({"categories": ["spam", "harassment"]}, {"spans": [span]}):
        named = {"token": got["token"], "action": "remove", "task_id": task, **wrong}
        for answer in (ada.decide(got, **wrong), ada.http.post("/v1/verdicts", json=named)):
            assert (answer.status_code, answer.json()["type"]) == (
                422,
                "urn:sluicegate:problem:unknown-category",
            )
            assert answer.headers["content-type"] == "application/problem+json"
            assert "Unknown here: harassment. Choose from: hate, spam, toxicity." in answer.json()["detail"]
    assert world.verdicts() == []
    assert ada.decide(got, categories=["hate", "toxicity"]).status_code == 200


def test_one_lease_records_one_verdict(world: World) -> None:
    world.feed()
    ada = world.person(world.api(), "ada")
    world.request("post-1")
    got = ada.claim()
    first = ada.decide(got, "remove", categories=["spam", "hate"])
    again = ada.decide(got, "remove", categories=["hate", "spam"])
    assert (again.status_code, again.json()["verdict_id"]) == (200, first.json()["verdict_id"])
    for action, categories in (("allow", ["spam", "hate"]), ("remove", ["spam"])):
        other = ada.decide(got, action, categories=categories)
        assert (other.status_code, other.json()["type"]) == (409, "urn:sluicegate:problem:recorded-otherwise")
        assert "Recorded is: remove, hate, spam." in other.json()["detail"]
    assert [each.action for each in world.verdicts()] == ["remove"]


def test_it_is_too_late_to_undo_after_the_time_has_passed(world: World) -> None:
    world.feed()
    ada = world.person(world.api(review_undo_seconds=0), "ada")
    world.request("post-1")
    sent = ada.decide(ada.claim()).json()
    answer = ada.undo(sent["verdict_id"])
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:sluicegate:problem:final")
    assert len(world.verdicts()) == 1


def test_nobody_undoes_what_another_decided(world: World) -> None:
    world.feed()
    api = world.api()
    ada, grace = world.person(api, "ada"), world.person(api, "grace")
    world.request("post-1")
    sent = ada.decide(ada.claim()).json()
    assert grace.undo(sent["verdict_id"]).status_code == 404
    assert len(world.verdicts()) == 1


def test_a_verdict_for_a_task_that_is_not_leased_is_refused(world: World) -> None:
    world.feed()
    api = world.api()
    ada, grace = world.person(api, "ada"), world.person(api, "grace")
    world.request("post-1")
    other = world.request("post-2")
    got = ada.claim()
    forged = got["token"][:-1] + ("0" if got["token"][-1] != "0" else "1")
    for person, task, token in (
        (grace, got, got["token"]),
        (ada, got | {"task_id": other}, got["token"]),
        (ada, got, forged),
        (ada, got, "nonsense"),
        (ada, got, f"{world.queue}.1.99.0.{'0' * 32}"),
    ):
        answer = person.decide(task, token=token)
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:sluicegate:problem:not-leased")
        assert answer.headers["content-type"] == "application/problem+json"
    assert world.verdicts() == []


def test_a_task_with_two_seats_takes_two_people_and_nobody_twice(world: World) -> None:
    world.feed()
    api = world.api()
    ada, grace, joan = (world.person(api, name) for name in ("ada", "grace", "joan"))
    world.request("post-1", votes_wanted=2)
    first, second = ada.claim(), grace.claim()
    assert {first["seat"], second["seat"]} == {0, 1}
    assert joan.claim() is None
    assert ada.decide(first).status_code == 200
    assert ada.claim() is None
    assert joan.claim() is None
    assert grace.lease(second, "release").status_code == 204
    assert joan.claim()["seat"] == second["seat"]


def test_closings_and_settlements_end_tasks_and_say_why(world: World) -> None:
    world.feed()
    ada = world.person(world.api(), "ada")
    told = {}
    for item in ("edited", "withdrawn", "settled"):
        task = world.request(item)
        got = ada.claim()
        assert got["task_id"] == task
        if item == "edited":
            world.close_task(task, "edited")
        elif item == "withdrawn":
            world.withdraw(item)
        else:
            world.settle(task, "allow")
        until(partial(over, world, task), "the feed has ended it")
        answer = ada.decide(got)
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:sluicegate:problem:task-over")
        told[item] = answer.json()["detail"]
    assert "newer revision" in told["edited"]
    assert "withdrawn" in told["withdrawn"]
    assert "allow" in told["settled"]
    assert world.verdicts() == []


def over(world: World, task: str) -> bool:
    return world.board.body(task) is None


def test_an_audit_is_blind(world: World) -> None:
    world.feed()
    ada = world.person(world.api(), "ada")
    world.request(
        "post-1",
        purpose="audit",
        selection=Selection(reason="sampled", probability=0.01),
        model_version="m@1",
    )
    got = ada.claim()
    assert got["scores"] == [] and got["explanation"] == []
    assert got["selection"] is None and got["severity"] is None and got["model_version"] is None
    assert got["categories"] == ["hate", "spam", "toxicity"]


def test_a_paused_queue_gives_nothing_out_until_it_is_resumed(world: World) -> None:
    world.feed()
    api = world.api()
    ada, root = world.person(api, "ada"), world.person(api, "root", "admin")
    world.request("post-1")
    assert ada.http.post(f"/v1/queues/{world.queue}/pause").status_code == 403
    assert root.http.post(f"/v1/queues/{world.queue}/pause").status_code == 200
    until(lambda: world.board.look().paused, "the feed has the pause")
    refused = ada.http.post(f"/v1/queues/{world.queue}/claim")
    assert (refused.status_code, refused.json()["type"]) == (423, "urn:sluicegate:problem:paused")
    assert root.http.post(f"/v1/queues/{world.queue}/resume").status_code == 200
    until(lambda: not world.board.look().paused, "the feed has the end of the pause")
    assert ada.claim()["item_id"] == "post-1"


def test_queues_tell_depth_age_and_what_is_held(world: World) -> None:
    world.feed()
    ada = world.person(world.api(), "ada")
    world.request("post-1")
    world.request("post-2")
    ada.claim()
    rows = {row["queue"]: row for row in ada.http.get("/v1/queues").json()}
    row = rows[world.queue]
    assert (row["depth"], row["held"], row["tasks"], row["state"]) == (1, 1, 2, "ready")
    assert 0 <= row["oldest_age_seconds"] < 60
