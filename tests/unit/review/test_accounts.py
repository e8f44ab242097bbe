"""Accounts and sessions on SQLite."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from services.review.accounts import AccountError, Accounts, create_account, open_accounts
from services.review.core.abilities import NONE, Abilities
from services.runtime.settings import Settings

PASSWORD = "correct horse battery"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(database_url=f"sqlite:///{tmp_path}/new/folder/accounts.db")


@pytest.fixture
def accounts(settings: Settings) -> Accounts:
    return open_accounts(settings)


def test_only_the_right_password_is_right(accounts: Accounts) -> None:
    accounts.create("ada", "moderator", PASSWORD)
    found = accounts.verify("ada", PASSWORD)
    assert found is not None and (found.name, found.role) == ("ada", "moderator")
    assert accounts.verify("ada", PASSWORD + " ") is None
    assert accounts.verify("nobody", PASSWORD) is None
    assert accounts.verify("nobody", "nobody") is None


def test_neither_passwords_nor_session_tokens_are_in_the_file(accounts: Accounts, tmp_path: Path) -> None:
    accounts.create("ada", "moderator", PASSWORD)
    token = accounts.open_session("ada", 1)
    raw = b"".join(file.read_bytes() for file in (tmp_path / "new" / "folder").iterdir())
    assert b"ada" in raw and b"argon2id" in raw
    assert PASSWORD.encode() not in raw and token.encode() not in raw


@pytest.mark.parametrize(
    ("name", "role", "password", "says"),
    [
        ("ada", "moderator", PASSWORD, "already"),
        ("Ada Lovelace", "moderator", PASSWORD, "no name"),
        ("", "moderator", PASSWORD, "no name"),
        ("grace", "emperor", PASSWORD, "no role"),
        ("grace", "admin", "short", "8 characters"),
    ],
)
def test_what_cannot_be_an_account_is_refused(
    accounts: Accounts, name: str, role: str, password: str, says: str
) -> None:
    accounts.create("ada", "moderator", PASSWORD)
    with pytest.raises(AccountError, match=says):
        accounts.create(name, role, password)


def test_sessions_outlive_a_restart_and_end(accounts: Accounts, settings: Settings) -> None:
    accounts.create("ada", "moderator", PASSWORD)
    token, old = accounts.open_session("ada", 1), accounts.open_session("ada", -1)
    restarted = open_accounts(settings)
    found = restarted.of_session(token)
    assert found is not None and found.name == "ada"
    assert restarted.of_session(old) is None
    assert restarted.of_session("made-up") is None
    restarted.close_session(token)
    assert accounts.of_session(token) is None


def test_a_disabled_account_is_out_at_once(accounts: Accounts) -> None:
    accounts.create("ada", "moderator", PASSWORD)
    token = accounts.open_session("ada", 1)
    accounts.disable("ada")
    assert accounts.of_session(token) is None
    assert accounts.verify("ada", PASSWORD) is None
    with pytest.raises(AccountError, match="no account"):
        accounts.disable("grace")


def test_the_database_writes_ahead(accounts: Accounts, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "new" / "folder" / "accounts.db") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_a_secret_is_made_once(accounts: Accounts, settings: Settings) -> None:
    assert accounts.secret("leases") == open_accounts(settings).secret("leases")
    assert accounts.secret("leases") != accounts.secret("other")


def test_an_account_with_a_generated_password(settings: Settings) -> None:
    password = create_account(settings, "ada", "admin")
    assert open_accounts(settings).verify("ada", password) is not None


def test_what_somebody_can_do_is_kept_and_replaced(accounts: Accounts) -> None:
    accounts.create("ada", "moderator", PASSWORD)
    accounts.create("grace", "moderator", PASSWORD)
    accounts.describe("ada", ["law", "minors"], ["DE", "pt-br"])
    accounts.describe("ada", ["law"], ["de"])
    found = accounts.get("ada")
    assert found is not None and found.abilities == Abilities(frozenset({"law"}), frozenset({"de"}))
    assert [account.abilities for account in accounts.all()] == [found.abilities, NONE]
    assert accounts.of_session(accounts.open_session("ada", 1)) == found == accounts.verify("ada", PASSWORD)


@pytest.mark.parametrize(
    ("name", "skills", "languages", "says"),
    [
        ("nobody", ["law"], [], "there is no account nobody"),
        ("ada", ["Law,tax"], [], "no skill: take up to 40"),
        ("ada", [], ["german"], "no language: write it as BCP 47"),
    ],
)
def test_what_nobody_can_do_is_refused(
    accounts: Accounts, name: str, skills: list[str], languages: list[str], says: str
) -> None:
    accounts.create("ada", "moderator", PASSWORD)
    with pytest.raises(AccountError, match=says):
        accounts.describe(name, skills, languages)
    found = accounts.get("ada")
    assert found is not None and found.abilities == NONE
