"""Which port is free, and what is said of one that is not."""

import os
import socket

import pytest

from infra.local.errors import PortTaken
from infra.local.ports import Port, accepts, check, free_ports, is_free


def test_a_port_somebody_listens_on_is_taken_and_named_with_its_owner_and_its_setting() -> None:
    [number] = free_ports(1)
    assert is_free(number) and not accepts(number)
    with socket.create_server(("127.0.0.1", number)):
        assert not is_free(number) and accepts(number)
        with pytest.raises(PortTaken) as refusal:
            check([Port(number, "ingest", "SLUICEGATE_INGEST_PORT")])
    assert f"port {number} for ingest is taken" in str(refusal.value)
    assert f"pid {os.getpid()}" in str(refusal.value)
    assert "SLUICEGATE_INGEST_PORT" in str(refusal.value)
    check([Port(number, "ingest", "SLUICEGATE_INGEST_PORT")])


def test_every_taken_port_is_named_at_once() -> None:
    one, two, three = free_ports(3)
    with (
        socket.create_server(("127.0.0.1", one)),
        socket.create_server(("127.0.0.1", three)),
        pytest.raises(PortTaken) as refusal,
    ):
        check([Port(one, "a", "A"), Port(two, "b", "B"), Port(three, "c", "C")])
    assert str(one) in str(refusal.value) and str(three) in str(refusal.value)
    assert str(two) not in str(refusal.value)


def test_free_ports_are_distinct_and_outside_the_range_of_outgoing_connections() -> None:
    found = free_ports(50)
    assert len(set(found)) == 50
    assert all(12_000 <= number < 32_000 for number in found)
