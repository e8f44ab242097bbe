"""The manifest on disk: what was sent is told from what was acknowledged, whatever ended the writer."""

from __future__ import annotations

import threading
from pathlib import Path

from loadtests.manifest import Acknowledged, Key, Manifest, Refused, Retraction, Verdict, read

A = Key("demo", "a", 1)


def test_what_was_sent_and_what_was_acknowledged_are_told_apart(tmp_path: Path) -> None:
    with Manifest(tmp_path / "manifest.jsonl") as manifest:
        first = manifest.publish(A, labels={"spam"}, part="before")
        manifest.note(Acknowledged(first))
        manifest.publish(A, labels={"spam"}, part="before")
        refused = manifest.publish(Key("demo", "b", 1))
        manifest.note(Refused(refused))
        manifest.publish(A, "withdrawal")
    contents = read(tmp_path / "manifest.jsonl")
    assert list(contents.posts) == [A]
    times = contents.posts[A]
    assert (times.sent, times.acknowledged, times.labels, times.part) == (2, 1, ("spam",), "before")
    assert contents.withdrawals[A].sent == 1 and contents.withdrawals[A].acknowledged == 0


def test_a_line_is_on_disk_before_the_post_is_sent(tmp_path: Path) -> None:
    manifest = Manifest(tmp_path / "manifest.jsonl")
    manifest.publish(A)
    assert read(tmp_path / "manifest.jsonl").posts[A].sent == 1
    manifest.close()


def test_a_last_line_that_was_cut_off_is_passed_over_and_numbers_go_on(tmp_path: Path) -> None:
    path = tmp_path / "manifest.jsonl"
    with Manifest(path) as manifest:
        assert manifest.publish(A) == 0
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:-10])
    assert read(path).posts[A].sent == 1


def test_verdicts_and_their_retractions(tmp_path: Path) -> None:
    with Manifest(tmp_path / "m") as manifest:
        manifest.note(Verdict("demo/a@1.1", "f" * 32, "ann", "remove"))
        manifest.note(Retraction("f" * 32))
    contents = read(tmp_path / "m")
    assert contents.verdicts["f" * 32].reviewer == "ann"
    assert contents.retracted == {"f" * 32}


def test_many_threads_write_whole_lines_with_numbers_of_their_own(tmp_path: Path) -> None:
    with Manifest(tmp_path / "m") as manifest:

        def publish(who: int) -> None:
            for i in range(100):
                manifest.note(Acknowledged(manifest.publish(Key("demo", f"{who}-{i}", 1))))

        threads = [threading.Thread(target=publish, args=(who,)) for who in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    posts = read(tmp_path / "m").posts
    assert len(posts) == 400
    assert all(times.sent == times.acknowledged == 1 for times in posts.values())
