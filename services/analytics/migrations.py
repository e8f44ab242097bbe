"""The tables, from infra/clickhouse/*.sql: numbered, applied once and in order, recorded."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from clickhouse_connect.driver.client import Client

from services.analytics.engine import DATABASE

FOLDER = Path(__file__).resolve().parents[2] / "infra" / "clickhouse"


class ChangedMigration(Exception):
    """A migration that was applied reads otherwise now: put it back, and write the change as a new one."""


@dataclass(frozen=True)
class Migration:
    """One file."""

    number: int
    name: str
    text: str

    @property
    def digest(self) -> str:
        return sha256(self.text.encode()).hexdigest()

    def statements(self) -> list[str]:
        """Its statements; a semicolon at the end of a line ends one, `--` at its beginning is a comment."""
        lines = [line for line in self.text.splitlines() if not line.startswith("--")]
        return [part.strip() for part in "\n".join(lines).split(";\n") if part.strip(" ;\n")]


def load_migrations(folder: Path = FOLDER) -> list[Migration]:
    """All of them, in order. FileNotFoundError where there are none."""
    found = [
        Migration(int(path.name.split("_")[0]), path.stem, path.read_text("utf-8"))
        for path in sorted(folder.glob("[0-9]*.sql"))
    ]
    if not found:
        raise FileNotFoundError(
            f"no migrations in {folder}: a checkout or a wheel has them in infra/clickhouse"
        )
    return found


def migrate(client: Client, migrations: list[Migration]) -> list[str]:
    """Applies what is not applied yet; returns the names. Raises ChangedMigration before anything is changed.

    A migration that was cut off is applied again: each of its statements may be run twice.
    """
    client.command(f"CREATE DATABASE IF NOT EXISTS {DATABASE}")
    client.command(
        f"CREATE TABLE IF NOT EXISTS {DATABASE}.migrations (number UInt32, name String, digest String,"
        " applied_at DateTime64(3, 'UTC') DEFAULT now64(3)) ENGINE = MergeTree ORDER BY number"
    )
    rows = client.query(f"SELECT number, digest FROM {DATABASE}.migrations").result_rows
    applied = {int(number): str(digest) for number, digest in rows}
    for each in migrations:
        if applied.get(each.number, each.digest) != each.digest:
            raise ChangedMigration(
                f"{each.name}.sql was applied and has changed since: put it back, add a new one"
            )
    fresh = [each for each in migrations if each.number not in applied]
    for each in fresh:
        for statement in each.statements():
            client.command(statement)
        client.insert(
            f"{DATABASE}.migrations",
            [[each.number, each.name, each.digest]],
            column_names=["number", "name", "digest"],
        )
    return [each.name for each in fresh]
