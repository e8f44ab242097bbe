"""A broker for each file of tests: services have fixed topics and groups."""

from collections.abc import Iterator

import pytest

from infra.local.kafka import Kafka
from infra.local.ports import free_ports
from tests.integration.router.running import Line


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    """All topics on a broker of its own; no service runs yet."""
    folder = tmp_path_factory.mktemp("line")
    port, controller_port = free_ports(2)
    broker = Kafka(folder / "kafka", port, controller_port)
    broker.start()
    line = Line(broker, folder)
    yield line
    line.stop()
    broker.kill()
