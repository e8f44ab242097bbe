"""Verdicts in the same call, on the real broker and Redis, recorded by the loop; and the endpoints of other APIs."""

from collections.abc import Callable, Iterator

import msgspec
import pytest

from services.events.codec import decode, encode
from services.events.types import ContentSubmitted, InlineAction, TextDecided
from services.policy.draw import draw
from services.retrainer.release import release_bundle
from services.scoring.live_lists import file_of
from services.scoring.text_hash import text_hash
from tests.integration.analytics.running import World, wait_until
from tests.integration.ingest.inline_line import BORDERLINE, HARMLESS, INSULT, SHARE, STARTER, Line, running

SALT = b"sluicegate-local"


@pytest.fixture(scope="module")
def line(world: World) -> Iterator[Line]:
    """Ingest for all tests: each has items of its own. Nothing is live before the first test has looked."""
    with running(world) as line:
        yield line


@pytest.fixture
def live(line: Line) -> Line:
    """With the starter model and policy, whatever the test before released."""
    release_bundle(line.settings, STARTER, released_by="test", reason="test")
    line.release()
    return line


def drawn(item_id: str) -> bool:
    return draw(SALT, "audit", f"demo/{item_id}") < SHARE


def name(prefix: str, which: Callable[[str], bool]) -> str:
    """An item_id that is drawn for audit, or not."""
    return next(each for number in range(1000) if which(each := f"{prefix}-{number}"))


def test_before_anything_is_live_it_says_what_to_do_and_other_endpoints_go_on(line: Line) -> None:
    def reason() -> str:
        answer = line.moderate("early", HARMLESS)
        assert answer.status_code == 503 and answer.headers["content-type"] == "application/problem+json"
        assert int(answer.headers["retry-after"]) > 0
        return str(answer.json()["detail"])

    wait_until(lambda: "sluicegate model release" in reason(), 60, "what is missing")
    assert line.client.post("/v1/explain", json={"text": "x"}).status_code == 503
    assert line.client.post("/v1/items", json={"item_id": "e", "item": {"kind": "post"}}).status_code == 202
    assert line.events("content.submitted.demo", "early") == []


def test_the_loop_records_what_was_answered_once_and_draws_it_for_audit(live: Line) -> None:
    audited, plain = name("audited", drawn), name("plain", lambda each: not drawn(each))
    removed = live.moderate(audited, INSULT)
    assert removed.status_code == 200, removed.text
    answer = removed.json()
    assert (answer["decision"], answer["categories"][:1]) == ("remove", ["toxicity"])
    assert answer["scores"]["toxicity"] >= 0.95 and answer["rule"].startswith("toxicity ")
    assert {"item_id", "revision", "event_id", "source", "model_version", "policy_version"} <= answer.keys()
    assert live.moderate(plain, HARMLESS).json()["decision"] == "allow"
    asked = live.moderate("borderline", BORDERLINE, revision=2).json()
    assert (asked["decision"], asked["reason"], asked["while_pending"]) == ("review", "uncertain", "publish")

    (submitted,) = live.events("content.submitted.demo", audited)
    assert submitted["inline"]["action"] == "remove" and submitted["event_id"] == answer["event_id"]
    assert live.events("content.submitted.demo", "borderline")[0]["inline"] is None

    forged = decode(ContentSubmitted, _raw(live, audited))
    assert forged.item is not None
    item = msgspec.structs.replace(forged.item, text="Something else")
    moved = encode(msgspec.structs.replace(forged, item_id="moved", item=item))
    producer = live.world.producer()
    producer.produce("content.submitted.demo", moved, b"demo/moved")
    assert producer.flush(30) == 0

    with live.loop():
        decided = lambda each: live.events("content.decided", each)  # noqa: E731
        wait_until(lambda: all(map(decided, (audited, plain, "borderline"))), 120, "outcomes")
        (letter,) = wait_until(lambda: live.records("dead.letter"), 60, "the forged one")
    for item_id, action in ((audited, "remove"), (plain, "allow")):
        (decision,) = decided(item_id)
        assert (decision["basis"], decision["action"], decision["final"]) == ("inline", action, True)
        assert (decision["decision_seq"], decision["policy_version"]) == (0, answer["policy_version"])
    assert decided(audited)[0]["scores"][0]["probability"] == answer["scores"]["toxicity"]
    audits = live.events("review.requested.audit")
    assert (audited in {task["item_id"] for task in audits}, plain in {t["item_id"] for t in audits}) == (
        True,
        False,
    )
    (task,) = live.events("review.requested.general", "borderline")
    assert (task["purpose"], task["revision"]) == ("decision", 2)
    (interim,) = decided("borderline")
    assert (interim["final"], interim["basis"]) == (False, "rule")

    headers = dict(letter.headers)
    assert headers["error"] == b"forged_inline" and b"SLUICEGATE_INLINE_SECRET" in headers["reason"]
    assert (letter.key, decided("moved")) == (b"demo/moved", [])


def _raw(line: Line, item_id: str) -> bytes:
    key = f"demo/{item_id}".encode()
    (record,) = (record for record in line.records("content.submitted.demo") if record.key == key)
    return record.value or b""


def test_a_repeat_gets_the_verdict_that_was_given(live: Line) -> None:
    first = live.moderate("again", INSULT)
    live.release(automation=False)
    assert live.moderate("again", INSULT).json() == first.json()
    assert len(live.events("content.submitted.demo", "again")) == 1
    assert live.moderate("again", HARMLESS).status_code == 409
    body = {"item_id": "elsewhere", "item": {"kind": "post", "text": HARMLESS}}
    assert live.client.post("/v1/items", json=body).status_code == 202
    elsewhere = live.client.post("/v1/moderate", json=body)
    assert (elsewhere.status_code, elsewhere.json()["pointer"]) == (409, "/revision")
    assert live.client.post("/v1/moderate", json=body | {"withdrawn": True}).status_code == 422


def test_switch_and_caps_hold_in_line(live: Line) -> None:
    live.release(automation=False)
    stopped = live.moderate("stopped", INSULT).json()
    assert (stopped["decision"], stopped["reason"]) == ("review", "automation_off")
    live.release(caps={"remove": 1})
    found = [live.moderate(f"capped-{number}", INSULT).json() for number in range(4)]
    removed = [answer for answer in found if answer["decision"] == "remove"]
    assert len(removed) in (1, 2)  # two where a minute ended meanwhile
    assert {a["reason"] for a in found if a["decision"] != "remove"} == {"capped"}
    assert live.moderate("allowed", HARMLESS).json()["decision"] == "allow"


def test_it_says_why_as_spans_of_the_text_as_given(live: Line) -> None:
    text = "Well, you are a st\u200bupid ｉｄｉｏｔ"
    answer = live.client.post("/v1/explain", json={"text": text, "categories": ["toxicity"], "limit": 3})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["method"], found["exact"], list(found["categories"])) == ("attribution", True, ["toxicity"])
    spans = found["categories"]["toxicity"]["spans"]
    assert len(spans) == 3 and spans[0]["weight"] > 0
    assert "ｉｄｉｏｔ" in {span["text"] for span in spans}
    assert all(text[span["start"] : span["end"]] == span["text"] for span in spans)
    wrong = live.client.post("/v1/explain", json={"text": text, "categories": ["boredom"]})
    assert (wrong.status_code, wrong.json()["pointer"]) == (422, "/categories/0")


def test_rules_see_the_counters_that_the_router_keeps(live: Line) -> None:
    live.count("author.reports_1d", "demo/busy", 3)
    rule = {"name": "reported", "when": "counters.author.reports_1d >= 3", "then": "remove"}
    live.release(rules=[rule])
    known, other = (
        live.client.post(
            "/v1/moderate",
            json={
                "item_id": f"by-{author}",
                "item": {"kind": "post", "text": HARMLESS, "author": {"id": author}},
            },
        ).json()
        for author in ("busy", "quiet")
    )
    assert (known["decision"], known["rule"]) == ("remove", "rule reported")
    assert other["decision"] == "allow"
    (event,) = live.events("content.submitted.demo", "by-busy")
    assert event["inline"]["circumstances"]["counters"] == {"author.reports_1d": 3}


def test_lists_decide_in_line_as_they_stand_now(live: Line) -> None:
    path = file_of(live.world.var, "greetings")
    path.parent.mkdir(exist_ok=True)
    path.write_text("Good evening\n")
    live.release(lists=[{"name": "greetings", "then": "remove", "category": "spam"}])
    found = live.moderate("listed", "GOOD ev\u200bening").json()
    assert (found["decision"], found["rule"], found["categories"]) == ("remove", "list greetings", ["spam"])
    (event,) = live.events("content.submitted.demo", "listed")
    assert [each["name"] for each in event["inline"]["circumstances"]["listed"]] == ["greetings"]
    assert live.moderate("unlisted", HARMLESS).json()["decision"] == "allow"
    path.write_text(f"{HARMLESS}\n")
    numbers = iter(range(1000))
    wait_until(
        lambda: live.moderate(f"edited-{next(numbers)}", HARMLESS).json()["rule"] == "list greetings",
        60,
        "the edited list",
    )


def test_what_people_decided_on_a_copy_holds_in_line_and_their_reversal_reaches_it(live: Line) -> None:
    text = "Is this a threat? People say it is not"
    producer, number = live.world.producer(), iter(range(1, 1000))
    of_text = text_hash("demo", "post", text)
    assert of_text is not None

    def people_decide(action: InlineAction) -> None:
        event = TextDecided(
            event_id=f"{next(number):032x}",
            occurred_at="2026-01-31T12:00:00.000Z",
            text_hash=of_text,
            source="demo",
            item_id="shown-to-people",
            revision=1,
            decision_seq=1 if action == "remove" else 2,
            action=action,
            categories=("hate",) if action == "remove" else (),
        )
        producer.produce("text.decided", encode(event), of_text.encode())
        assert producer.flush(30) == 0

    assert live.moderate("before", text).json()["decision"] != "remove"
    people_decide("remove")
    asked: list[str] = []

    def inherited() -> bool:
        asked.append(name(f"copy{next(number)}", lambda each: not drawn(each)))
        return live.moderate(asked[-1], text.upper()).json()["rule"] == "copy of demo/shown-to-people@1.1"

    wait_until(inherited, 60, "what people decided to hold in line")
    (event,) = live.events("content.submitted.demo", asked[-1])
    assert (event["inline"]["action"], event["inline"]["categories"]) == ("remove", ["hate"])
    assert event["inline"]["circumstances"]["precedent"]["action"] == "remove"
    assert live.moderate("other-words", HARMLESS).json()["decision"] == "allow"
    live.release(copies=False)
    assert live.moderate("kept-to-its-item", text).json()["decision"] != "remove"
    live.release()
    with live.loop():
        decided = lambda: live.events("content.decided", asked[-1])  # noqa: E731
        wait_until(decided, 120, "the outcome in the loop")
        people_decide("allow")
        wait_until(lambda: len(decided()) == 2, 120, "the reversal")
    found = [
        (each["decision_seq"], each["action"], each["basis"], each.get("supersedes")) for each in decided()
    ]
    assert found == [(0, "remove", "inline", None), (1, "allow", "duplicate", 0)]
