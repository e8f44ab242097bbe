"""A histogram of batches says what one of single values says."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from services.runtime.metrics import SECONDS, BatchHistogram


@given(st.lists(st.lists(st.floats(0, 10_000) | st.sampled_from(SECONDS), max_size=20), max_size=5))
def test_a_batch_at_once_counts_like_one_value_after_the_other(batches: list[list[float]]) -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    at_once = BatchHistogram("age_seconds", "Age", SECONDS, ours)
    one_by_one = Histogram("age_seconds", "Age", buckets=SECONDS, registry=theirs)
    for batch in batches:
        at_once.observe_all(batch)
        for value in batch:
            one_by_one.observe(value)

    def lines(registry: CollectorRegistry) -> dict[str, float]:
        told = [line.rsplit(" ", 1) for line in generate_latest(registry).decode().splitlines()]
        return {
            name: float(value) for name, value in told if name.startswith(("age_seconds_b", "age_seconds_c"))
        }

    assert {name: value for name, value in lines(theirs).items() if "created" not in name} == lines(ours)
