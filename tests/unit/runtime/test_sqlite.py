"""The database file is for its owner only, whoever opens it first."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.review.accounts import open_accounts
from services.runtime.apikeys import KeyStore
from services.runtime.settings import Settings
from services.runtime.sqlite import make_private


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}


def test_a_new_file_and_what_sqlite_puts_beside_it_are_private(tmp_path: Path) -> None:
    store = KeyStore(f"sqlite:///{tmp_path}/var/keys.db")
    accounts = open_accounts(Settings(database_url=f"sqlite:///{tmp_path}/var/keys.db"))
    accounts.create("ada", "admin", "a-long-password")
    assert modes(tmp_path / "var") == {"keys.db": 0o600, "keys.db-wal": 0o600, "keys.db-shm": 0o600}
    store.close()


def test_a_file_that_others_could_read_is_narrowed(tmp_path: Path) -> None:
    for name in ("keys.db", "keys.db-wal"):
        (tmp_path / name).touch(0o644)
    make_private(f"sqlite:///{tmp_path}/keys.db")
    assert modes(tmp_path) == {"keys.db": 0o600, "keys.db-wal": 0o600}


def test_another_database_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_private("postgresql+psycopg://ada@db/sluicegate")
    make_private("sqlite://")
    assert modes(tmp_path) == {}
