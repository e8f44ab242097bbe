"""`sluicegate replay`: any file of posts, at a wanted rate, through whatever ingest answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from services.cli.replay import play, replay
from services.cli.rows import Layout, Row, UnreadableFile, rows
from services.cli.sending import HttpSender
from services.events.types import ContentSubmitted, Item

Handler = Callable[[httpx.Request], httpx.Response]


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def item(number: int) -> ContentSubmitted:
    return ContentSubmitted(
        source="demo", item_id=f"i{number}", revision=1, item=Item(kind="post", text="hi")
    )


def sender(handler: Handler, patience: float = 10) -> tuple[HttpSender, list[float]]:
    waits: list[float] = []
    client = httpx.Client(base_url="http://ingest", transport=httpx.MockTransport(handler))
    return HttpSender(client, "sk_x", patience, waits.append), waits


def accepting(request: httpx.Request) -> httpx.Response:
    results = [{"status": 202, **json.loads(line)} for line in request.content.split(b"\n")]
    return httpx.Response(200, json={"accepted": len(results), "results": results})


def test_csv_tsv_and_json_lines(tmp_path: Path) -> None:
    table = written(tmp_path, "a b.csv", 'id,tweet\nx1,"one, two"\nx2,"more\nlines"\n')
    assert list(rows(table, Layout("tweet", "id"))) == [Row("x1", "one, two"), Row("x2", "more\nlines")]
    assert next(rows(table, Layout("tweet"))).item_id == "a-b-1-0c1b6ea1"
    plain = written(tmp_path, "sms.tsv", 'ham\tsay "hi\nspam\twin\n')
    assert [row.text for row in rows(plain, Layout("text", columns=["label", "text"]))] == ['say "hi', "win"]
    lines = written(tmp_path, "a.jsonl", '{"text": "ü"}\n\n{"text": "b"}\n')
    assert list(rows(lines, Layout("text"))) == [Row("a-1-607474ca", "ü"), Row("a-2-3e23e816", "b")]


@pytest.mark.parametrize("name", ["posts.csv", "posts.tsv", "posts.jsonl"])
def test_a_file_that_is_not_utf_8_is_named_with_the_line(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    first = b'{"text": "a"}' if name.endswith("jsonl") else b"text"
    path.write_bytes(first + b"\n" + first + b"\n\xff\xfe\n")
    answer = CliRunner().invoke(replay, [str(path), "--text-column", "text", "--key", "sk_1"])
    assert answer.exit_code == 1, answer.output
    assert f"{path}, line 3 is not UTF-8: save the file as UTF-8" in answer.output.replace("\n", "")


def test_a_table_that_is_none_is_named_with_the_line(tmp_path: Path) -> None:
    path = written(tmp_path, "posts.csv", "text\nhi\n" + "x" * 200_000 + "\n")
    with pytest.raises(UnreadableFile, match=r"posts\.csv, after line 2: no row of a table: field larger"):
        list(rows(path, Layout("text")))


def test_lines_may_end_as_on_any_machine(tmp_path: Path) -> None:
    for end in ("\n", "\r\n", "\r"):
        path = tmp_path / "posts.csv"
        path.write_bytes(f"\ufefftext{end}one{end}two{end}".encode())
        assert [row.text for row in rows(path, Layout("text"))] == ["one", "two"]


def test_the_same_file_again_is_the_same_items_and_another_of_its_name_is_not(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    first = written(tmp_path, "posts.csv", "tweet\none\none\n")
    other = written(tmp_path / "other", "posts.csv", "tweet\ntwo\none\n")
    again = [row.item_id for row in rows(first, Layout("tweet"))]
    assert [row.item_id for row in rows(first, Layout("tweet"))] == again
    assert len(set(again)) == 2  # a text that is there twice is two posts
    assert next(rows(other, Layout("tweet"))).item_id not in again


@pytest.mark.parametrize(
    ("name", "text", "layout", "said"),
    [
        ("a.csv", "id,tweet\n1,x\n", Layout("text"), "has no 'text'; it has id, tweet"),
        ("a.csv", "id,tweet\nno id,x\n", Layout("tweet", "id"), "'no id' is no id"),
        ("a.jsonl", '{"text": "a"}\n{"text": \n', Layout("text"), "line 2 is not JSON"),
        ("a.jsonl", "[1]\n", Layout("text"), "no JSON object"),
        ("a.parquet", "", Layout("text"), ".csv, .tsv or .jsonl"),
    ],
)
def test_a_file_that_cannot_be_read_says_what_to_do(
    tmp_path: Path, name: str, text: str, layout: Layout, said: str
) -> None:
    with pytest.raises(UnreadableFile, match=said):
        list(rows(written(tmp_path, name, text), layout))


def test_answers_come_in_order_and_batches_keep_the_limits() -> None:
    sizes: list[int] = []

    def handler(request: httpx.Request) -> httpx.Response:
        assert request.headers["Authorization"] == "Bearer sk_x"
        assert request.url.path == "/v1/items:batch"
        sizes.append(len(request.content.split(b"\n")))
        return accepting(request)

    http, waits = sender(handler)
    assert {answer.status for answer in http.send([item(n) for n in range(2500)])} == {202}
    assert sizes == [1000, 1000, 500] and waits == []


def test_only_what_was_put_off_is_sent_again_and_retry_after_is_honoured() -> None:
    asked: list[list[str]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        ids = [json.loads(line)["item_id"] for line in request.content.split(b"\n")]
        asked.append(ids)
        first = len(asked) == 1
        results = [
            {"status": 503 if first and item_id != "i1" else 202, "detail": "later"} for item_id in ids
        ]
        return httpx.Response(503 if first else 200, headers={"Retry-After": "2"}, json={"results": results})

    http, waits = sender(handler)
    assert [answer.status for answer in http.send([item(0), item(1), item(2)])] == [202, 202, 202]
    assert asked == [["i0", "i1", "i2"], ["i0", "i2"]] and waits == [2.0]


def test_an_ingest_that_is_away_is_waited_for_and_given_up_in_the_end() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    http, waits = sender(handler, patience=3)
    (answer,) = http.send([item(0)])
    assert answer.status == 503 and "refused" in answer.detail
    assert waits == [0.25, 0.5, 1.0, 2.0]


def test_what_is_refused_for_good_is_not_sent_again() -> None:
    calls: list[int] = []

    def handler(request: httpx.Request) -> httpx.Response:
        calls.append(1)
        return httpx.Response(401, json={"title": "no valid key", "detail": "send a key"})

    http, waits = sender(handler)
    assert [(answer.status, answer.detail) for answer in http.send([item(0), item(1)])] == [
        (401, "send a key")
    ] * 2
    assert len(calls) == 1 and waits == []


def test_the_rate_is_kept() -> None:
    now = [0.0]
    http, _ = sender(accepting)
    posts = [Row(f"i{n}", "hi") for n in range(100)]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    summary = play(posts, http, "demo", rate=50, clock=lambda: now[0], sleep=sleep)
    assert summary.accepted == 100
    assert 1.5 <= now[0] <= 2.0


def test_the_command_sums_up_and_fails_where_a_post_was_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        results = [
            {"status": 413, "detail": "too large"} if b'"item_id":"a-2-' in line else {"status": 202}
            for line in request.content.split(b"\n")
        ]
        return httpx.Response(200, json={"results": results})

    real = httpx.Client
    monkeypatch.setattr(
        httpx, "Client", lambda **given: real(**given, transport=httpx.MockTransport(handler))
    )
    file = written(tmp_path, "a.csv", "tweet\none\ntwo\nthree\n")
    answer = CliRunner().invoke(replay, [str(file), "--text-column", "tweet", "--key", "sk_x"])
    assert answer.exit_code == 1
    assert "sent 3, accepted 2, rejected 1" in answer.output and "1 x 413 too large" in answer.output


def test_the_command_wants_a_key(tmp_path: Path) -> None:
    file = written(tmp_path, "a.csv", "tweet\none\n")
    answer = CliRunner().invoke(replay, [str(file), "--text-column", "tweet"], env={"SLUICEGATE_KEY": ""})
    assert answer.exit_code == 2 and "sluicegate keys create" in answer.output


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_refused_stops_it_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    asked: list[int] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(len(request.content.split(b"\n")))
        return httpx.Response(status, json={"title": "no valid key", "detail": "send a key"})

    real = httpx.Client
    monkeypatch.setattr(
        httpx, "Client", lambda **given: real(**given, transport=httpx.MockTransport(handler))
    )
    file = written(tmp_path, "a.csv", "tweet\n" + "one\n" * 1200)
    answer = CliRunner().invoke(replay, [str(file), "--text-column", "tweet", "--key", "sk_x"])
    assert answer.exit_code == 1 and f"stopped after 0 posts: {status} send a key" in answer.output
    assert asked == [500]


def test_a_source_without_a_topic_is_named_and_so_is_what_makes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.cli.replay.known_sources", lambda client: {"demo"})
    monkeypatch.setattr("services.cli.replay.admin", lambda settings: None)
    file = written(tmp_path, "a.csv", "tweet\none\n")
    answer = CliRunner().invoke(
        replay, [str(file), "--text-column", "tweet", "--kafka", "--source", "nosuch"]
    )
    assert answer.exit_code == 1
    assert "sluicegate keys create --source nosuch" in answer.output and "there is demo" in answer.output
