"""Ports on loopback: is one free, who has it, and which are free for a test."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Iterable
from dataclasses import dataclass

import psutil

from infra.local.errors import PortTaken

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Port:
    """A port somebody is to listen on."""

    number: int
    purpose: str
    setting: str  # the environment variable that moves it


def is_free(number: int) -> bool:
    """Whether a server could listen on this port of loopback now (connections in TIME_WAIT do not matter)."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, number))
            probe.listen(1)
        except OSError:
            return False
    return True


def accepts(number: int, timeout: float = 0.2) -> bool:
    """Whether somebody accepts connections on this port of loopback."""
    try:
        with socket.create_connection((LOOPBACK, number), timeout=timeout):
            return True
    except OSError:
        return False


def check(ports: Iterable[Port]) -> None:
    """Raises PortTaken, naming every port that is taken, by whom as far as can be seen, and its setting; and when two
    settings name one port.
    """
    problems = []
    purposes: dict[int, Port] = {}
    for port in ports:
        if (other := purposes.setdefault(port.number, port)) is not port:
            problems.append(
                f"port {port.number} is wanted by both {other.purpose} ({other.setting}) and {port.purpose}"
                f" ({port.setting}): give one of them another"
            )
        elif not is_free(port.number):
            problems.append(
                f"port {port.number} for {port.purpose} is taken{_owner(port.number)}: stop what listens there,"
                f" or set {port.setting} to another port"
            )
    if problems:
        raise PortTaken("\n".join(problems))


def free_ports(count: int) -> list[int]:
    """Distinct free ports, below the range that outgoing connections draw from, so that a server which is stopped
    and started again finds its port still free. SLUICEGATE_FREE_PORTS=20000-24000 narrows where they are looked for:
    those who run side by side keep apart.
    """
    found: list[int] = []
    first, _, last = os.environ.get("SLUICEGATE_FREE_PORTS", "20000-32000").partition("-")
    candidates = random.sample(range(int(first), int(last)), 2_000)
    for number in candidates:
        if is_free(number):
            found.append(number)
            if len(found) == count:
                return found
    raise PortTaken(f"fewer than {count} free ports between {first} and {last}: stop some servers")


def _owner(number: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == number and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except psutil.Error:
        pass  # only root may look everywhere; the name is a courtesy
    return ""
