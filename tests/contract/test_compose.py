"""docker-compose.yml runs what the local supervisor runs: the same processes, commands, settings and ports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.local.jars import KAFKA_VERSION
from infra.local.processes import PROCESSES, ZEROED_MEMORY, Process
from infra.local.settings import StackSettings

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
SERVERS = {"kafka", "redis", "clickhouse", "prometheus", "grafana"}
SETTINGS = StackSettings()
OWN_ADDRESSES = {"SLUICEGATE_HOST", "SLUICEGATE_KAFKA", "SLUICEGATE_REDIS_URL", "SLUICEGATE_DATABASE_URL"}
OWN_ADDRESSES |= {"SLUICEGATE_CLICKHOUSE_URL", "SLUICEGATE_VAR"}


def test_compose_has_the_same_processes_and_nothing_else_of_ours() -> None:
    assert COMPOSE.keys() == {process.name for process in PROCESSES} | SERVERS | {"bootstrap"}


@pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.name)
def test_a_process_has_the_same_command_settings_and_port(process: Process) -> None:
    service = COMPOSE[process.name]
    assert service["command"] == ["python", *process.arguments]

    local = process.environment(SETTINGS)
    assert service["environment"].keys() == local.keys()
    port = process.port(SETTINGS).number
    for name, value in service["environment"].items():
        if name.endswith("_URL") and name not in OWN_ADDRESSES:
            assert value.rpartition(":")[2] == local[name].rpartition(":")[2], f"{name}: another port"
            assert value.removeprefix("http://").partition(":")[0] in COMPOSE, f"{name}: no such service"
        elif name not in OWN_ADDRESSES:
            assert value == local[name] or value == f"${{{name}:-{local[name]}}}", name
    assert service["ports"] == [f"127.0.0.1:{port}:{port}"]


def test_what_the_stack_runs_only_where_it_is_configured_has_a_profile() -> None:
    for process in PROCESSES:
        assert bool(COMPOSE[process.name].get("profiles")) is bool(process.needs), process.name


def test_all_processes_are_one_image_that_starts_when_what_it_needs_is_there() -> None:
    for process in PROCESSES:
        assert COMPOSE[process.name]["image"] == "sluicegate"
        assert COMPOSE[process.name]["depends_on"].keys() == {"bootstrap", "redis", "clickhouse"}


def test_nothing_is_published_beyond_loopback() -> None:
    published = [port for service in COMPOSE.values() for port in service.get("ports", [])]
    assert published
    assert all(str(port).startswith("127.0.0.1:") for port in published)


def test_the_broker_is_the_one_that_the_tests_run_on() -> None:
    assert COMPOSE["kafka"]["image"] == f"apache/kafka:{KAFKA_VERSION}"


def test_make_starts_everything_with_the_memory_that_services_have() -> None:
    [(name, value)] = ZEROED_MEMORY.items()
    assert f"\nexport {name} := {value}#" in (ROOT / "Makefile").read_text()


def test_prometheus_scrapes_every_process() -> None:
    configuration = yaml.safe_load((ROOT / "infra/prometheus/prometheus.yml").read_text())
    [job] = configuration["scrape_configs"]
    [group] = job["static_configs"]
    wanted = {f"{process.name}:{process.port(SETTINGS).number}" for process in PROCESSES}
    assert set(group["targets"]) == wanted


def test_the_dashboard_asks_for_metrics_that_the_loop_has() -> None:
    from prometheus_client import generate_latest

    from services.runtime.metrics import LoopMetrics

    metrics = generate_latest(LoopMetrics().registry).decode()
    dashboard = json.loads((ROOT / "infra/grafana/dashboards/sluicegate.json").read_text())
    for panel in dashboard["panels"]:
        [target] = panel["targets"]
        name = next(
            word
            for word in target["expr"].replace("(", " ").replace("[", " ").split()
            if "sluicegate_" in word
        )
        base = name.rstrip(")").removesuffix("_bucket").removesuffix("_sum").removesuffix("_total")
        assert f"# HELP {base} " in metrics or f"# HELP {base}_total " in metrics, name
