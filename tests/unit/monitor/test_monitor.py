"""Half of a window is no measure."""

from services.monitor.monitor import elsewhere

ALL = {("review.settled", 0), ("review.settled", 1), ("scores.summarized", 0)}


def test_a_worker_with_all_partitions_publishes() -> None:
    assert elsewhere(ALL, ALL | {("monitor.changelog", 0)}) is None


def test_one_without_some_says_which() -> None:
    reason = elsewhere(ALL, {("review.settled", 0)})
    assert reason is not None
    assert "review.settled[1], scores.summarized[0]" in reason
    assert "run one monitor" in reason
