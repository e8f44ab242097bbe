"""`sluicegate keys list`, and which key an id or its beginning means."""

import io
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from services.cli import keys
from services.runtime.apikeys import KeyStore, UnknownKey


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    address = f"sqlite:///{tmp_path}/keys.db"
    monkeypatch.setenv("SLUICEGATE_DATABASE_URL", address)
    return address


def test_the_list_is_whole_in_a_pipe(url: str) -> None:
    key, _ = KeyStore(url).create("n" * 100, "source", "s" * 40, 60_000)
    head, line = CliRunner().invoke(keys.keys, ["list"], env={"COLUMNS": "40"}).output.splitlines()
    assert head.split("\t")[0] == "id"
    assert line.split("\t")[:4] == [key.key_id, "n" * 100, "source", "s" * 40]


def test_a_narrow_terminal_never_costs_the_id(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    key, _ = KeyStore(url).create("n" * 100, "source", "s" * 40, 60_000)
    shown = io.StringIO()
    monkeypatch.setattr(keys, "Console", lambda: Console(file=shown, force_terminal=True, width=60))
    assert CliRunner().invoke(keys.keys, ["list"]).exit_code == 0
    assert key.key_id in shown.getvalue()


def test_the_beginning_of_an_id_names_the_key_where_it_names_one(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = iter(["aaaa1111", "aaaa2222", "aaaa"])
    monkeypatch.setattr("services.runtime.apikeys.secrets.token_hex", lambda size: next(ids))
    store = KeyStore(url)
    for name in ("one", "two"):
        store.create(name, "source", "demo", 60)
    assert store.named("aaaa2").name == "two"
    with pytest.raises(UnknownKey, match=r"aaaa1111 \(one\), aaaa2222 \(two\)"):
        store.named("aaaa")
    store.create("exact", "source", "demo", 60)
    assert store.named("aaaa").name == "exact"
    for none in ("", "aaa", "b%"):
        with pytest.raises(UnknownKey, match="keys list"):
            store.named(none)
