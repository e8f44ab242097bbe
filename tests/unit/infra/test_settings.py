"""What follows from the ports and the folder of a stack, and what the local stack cannot follow."""

from pathlib import Path

import pytest

from infra.local.errors import WrongSetting
from infra.local.processes import PROCESSES
from infra.local.settings import StackSettings
from infra.local.stack import Stack
from infra.local.supervisor import LONGEST_SOCKET, Program, Supervisor, socket_path


def test_urls_and_database_follow_ports_and_folder_unless_they_are_given() -> None:
    settings = StackSettings(var=Path("/srv/sg"), ingest_port=9999, review_url="https://review.example")
    assert settings.ingest_url == "http://127.0.0.1:9999"
    assert settings.review_url == "https://review.example"
    assert settings.database_url == "sqlite:////srv/sg/sluicegate.db"
    assert StackSettings(database_url="postgresql://db/x").database_url == "postgresql://db/x"


def test_a_process_is_told_where_everything_is() -> None:
    settings = StackSettings(var=Path("/srv/sg"), router_metrics_port=9999, kafka="127.0.0.1:7")
    [router] = [process for process in PROCESSES if process.name == "router"]
    environment = router.environment(settings)
    assert environment["SLUICEGATE_METRICS_PORT"] == "9999"
    assert environment["SLUICEGATE_KAFKA"] == "127.0.0.1:7"
    assert environment["SLUICEGATE_VAR"] == "/srv/sg"
    assert router.health_url(settings) == "http://127.0.0.1:9999"


def test_no_two_processes_share_a_name_or_a_port() -> None:
    settings = StackSettings()
    assert len({process.name for process in PROCESSES}) == len(PROCESSES)
    assert len({process.port(settings).number for process in PROCESSES}) == len(PROCESSES)


def test_a_slow_tier_runs_where_it_is_configured_and_nobody_waits_for_it() -> None:
    plain, tiered = StackSettings(), StackSettings(classifier_file="infra/starter/classifier.yaml")
    assert "classifier-slow" not in [process.name for process in Stack(plain).processes]
    [slow] = [process for process in Stack(tiered).processes if process.name == "classifier-slow"]
    assert slow.arguments == ["-m", "services.classifier", "--tier", "slow"] and not slow.awaited
    [fast] = [process for process in Stack(tiered).processes if process.name == "classifier"]
    for process in (fast, slow):
        assert process.environment(tiered)["SLUICEGATE_CLASSIFIER_FILE"] == "infra/starter/classifier.yaml"


@pytest.mark.parametrize("kafka", ["kafka.example:9092", "127.0.0.1", "127.0.0.1:1,127.0.0.1:2"])
def test_kafka_elsewhere_is_refused_with_what_to_do(kafka: str) -> None:
    with pytest.raises(WrongSetting, match="SLUICEGATE_KAFKA"):
        _ = StackSettings(kafka=kafka).kafka_port


def test_redis_elsewhere_is_refused_with_what_to_do() -> None:
    assert StackSettings(redis_url="redis://127.0.0.1:7/3").redis_port == 7
    with pytest.raises(WrongSetting, match="SLUICEGATE_REDIS_URL"):
        _ = StackSettings(redis_url="redis://cache.example:6379/0").redis_port


def test_a_socket_fits_whatever_the_folder() -> None:
    assert socket_path(Path("/srv/var")) == Path("/srv/var/run/supervisor.sock")
    long = Path("/srv") / ("x" * 200)
    assert len(str(socket_path(long))) <= LONGEST_SOCKET
    assert socket_path(long) == socket_path(long) != socket_path(long / "y")


def test_the_supervisor_opens_no_port_of_its_own(tmp_path: Path) -> None:
    configuration = Supervisor(tmp_path).configuration([Program("router", ["true"])])
    assert "unix_http_server" in configuration
    assert "inet_http_server" not in configuration
