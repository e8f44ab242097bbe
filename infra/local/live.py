"""What is live: the model of each tier and the policy, read from their topics; lag and queues, from /metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing

import httpx
import msgspec
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from services.runtime.reading import whole_topics
from services.runtime.settings import Settings

LAG = "sluicegate_lag_records"
OPEN_TASKS = "sluicegate_review_open_tasks"
OLDEST = "sluicegate_review_oldest_seconds"


class _Version(msgspec.Struct):
    model_version: str = ""
    policy_version: str = ""


def live_versions(settings: Settings) -> dict[str, str]:
    """`{"model fast": version, "policy": version}`, without what was never released.

    Raises MissingTopic, Stalled, and KafkaException when Kafka does not answer.
    """
    found: dict[str, str] = {}
    with closing(whole_topics(settings, "status", ["model.released", "policy.released"])) as reader:
        for record in reader.to_end():
            what = (
                f"model {record.key.decode(errors='replace')}"
                if record.base == "model.released"
                else "policy"
            )
            if record.value is None:
                found.pop(what, None)
                continue
            version = msgspec.json.decode(record.value, type=_Version)
            found[what] = version.model_version or version.policy_version
    return found


def lag(client: httpx.Client, health_url: str) -> dict[str, int]:
    """Records that a process has not consumed yet, by topic; empty where it does not say."""
    found: Counter[str] = Counter()
    for sample in _samples(client, health_url, LAG):
        found[sample.labels.get("topic", "")] += int(sample.value)
    return dict(found)


def queues(client: httpx.Client, feed_url: str) -> dict[str, tuple[int, int]]:
    """Of each review queue: tasks with a free seat, age of the oldest in s; empty where the feed does not say."""
    depths = {sample.labels["queue"]: int(sample.value) for sample in _samples(client, feed_url, OPEN_TASKS)}
    ages = {sample.labels["queue"]: int(sample.value) for sample in _samples(client, feed_url, OLDEST)}
    return {queue: (depth, ages.get(queue, 0)) for queue, depth in sorted(depths.items())}


def _samples(client: httpx.Client, health_url: str, name: str) -> Iterator[Sample]:
    try:
        answer = client.get(f"{health_url}/metrics")
    except httpx.HTTPError:
        return
    if answer.status_code != httpx.codes.OK:
        return
    for family in text_string_to_metric_families(answer.text):
        yield from (sample for sample in family.samples if sample.name == name)
