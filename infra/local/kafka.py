"""Apache Kafka as one KRaft node on loopback: real jars, formatted once, ready when it answers."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient

from infra.local.errors import NewerData, NotReady
from infra.local.jars import kafka_jars, version_of
from infra.local.java import java
from infra.local.ports import LOOPBACK, accepts
from infra.local.server import Server

CLUSTER_ID = "sluicegate-local-000001"
BEFORE_VERSIONS_WERE_KEPT = "4.3.1"  # the only Kafka of data folders that do not say which
SILENT: dict[str, Any] = {"log_level": 0}  # for clients that only ask whether the broker is there yet
HEAP = ("-Xms256m", "-Xmx1g")
QUIET = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"

PROPERTIES = """\
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
controller.quorum.bootstrap.servers={host}:{controller_port}
log.dirs={data}
num.partitions=4
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=8
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
broker.heartbeat.interval.ms=1000
broker.session.timeout.ms=9000
group.initial.rebalance.delay.ms=0
log.retention.check.interval.ms=300000
log.cleaner.dedupe.buffer.size=33554432
"""


class Kafka(Server):
    """One broker and controller, data in `folder`/data.

    `bootstrap` is what clients connect to. After `kill()`, `start()` recovers the log and keeps what was acknowledged.
    """

    name = "kafka"

    def __init__(self, folder: Path, port: int, controller_port: int, jars: Path | None = None) -> None:
        super().__init__(folder)
        self.port = port
        self.controller_port = controller_port
        self._jars = jars
        self._admin: AdminClient | None = None

    @property
    def bootstrap(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def properties(self) -> Path:
        return self.folder / "kafka.properties"

    def prepare(self) -> None:
        """Fetches the jars, writes kafka.properties, and formats the data folder where it is new.

        Raises JarsUnavailable, JavaUnavailable, NewerData, or NotReady when formatting fails.
        """
        version = version_of(kafka_jars(self._jars))
        self.folder.mkdir(parents=True, exist_ok=True)
        self.properties.write_text(
            PROPERTIES.format(
                host=LOOPBACK, port=self.port, controller_port=self.controller_port, data=self.data
            )
        )
        formatted = self.folder / "formatted"  # written last: a format that was cut off is done again
        if formatted.exists():
            _check_readable(self.data, formatted.read_text(), version)
            return
        command = [
            *self._java("-XX:TieredStopAtLevel=1"),
            "kafka.tools.StorageTool",
            "format",
            "--standalone",
        ]
        command += ["--ignore-formatted", "-t", CLUSTER_ID, "-c", str(self.properties)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        if done.returncode != 0:
            raise NotReady(f"formatting {self.data} for Kafka failed:\n{done.stdout}{done.stderr}")
        formatted.write_text(f"{CLUSTER_ID}\n{version}\n")

    def command(self) -> list[str]:
        return [*self._java(*HEAP), "kafka.Kafka", str(self.properties)]

    def answers(self) -> bool:
        """Whether the broker is registered and serves metadata."""
        if not accepts(self.port):
            return False
        if self._admin is None:
            self._admin = AdminClient({"bootstrap.servers": self.bootstrap} | SILENT)
        try:
            return bool(self._admin.list_topics(timeout=1).brokers)
        except KafkaException:
            return False

    def wait_for_transactions(self, timeout: float = 60) -> None:
        """Until producers get their ids at once: a new cluster first makes the topic of its transaction coordinator
        (1.2 s, measured), one that was killed reads it. Raises NotReady.
        """
        producer = Producer({"bootstrap.servers": self.bootstrap, "transactional.id": "probe"} | SILENT)
        try:
            producer.init_transactions(timeout)
        except KafkaException as error:
            raise NotReady(
                f"kafka's transaction coordinator: {error.args[0].str()}; see {self.log}"
            ) from error

    def _java(self, *options: str) -> list[str]:
        return [str(java()), *options, QUIET, "-cp", f"{kafka_jars(self._jars)}/*"]


def _check_readable(data: Path, formatted: str, version: str) -> None:
    """Raises NewerData where a Kafka newer than `version` formatted `data`: this one would end with a stack trace."""
    _, _, wrote = formatted.strip().partition("\n")
    wrote = wrote or BEFORE_VERSIONS_WERE_KEPT
    if (
        _numbers(wrote)[:2] > _numbers(version)[:2]
    ):  # what is stored changes with the second number at the most
        raise NewerData(
            f"{data} was made by Kafka {wrote}, which Kafka {version} cannot read: move the whole folder of the"
            " stack (SLUICEGATE_VAR) away to begin anew, or have Kafka's newer jars in SLUICEGATE_KAFKA_JARS to go"
            " on with it"
        )


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]
