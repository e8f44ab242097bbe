"""Local accounts and sessions in the database. Passwords are argon2id hashes, sessions are kept hashed."""

import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from sqlalchemy import BigInteger, Engine, LargeBinary, String, create_engine, delete, event, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from services.review.core.abilities import NONE, Abilities
from services.runtime.clock import now_ms
from services.runtime.settings import Settings
from services.runtime.sqlite import make_private

Role = Literal["moderator", "admin"]
ROLES: tuple[str, ...] = get_args(Role)
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
ABILITIES = {
    "skill": re.compile(r"[a-z][a-z0-9-]{0,39}"),
    "language": re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8}){0,3}"),
}
FORMS = {
    "skill": "take up to 40 of a-z 0-9 - that begin with a letter, as policies name it",
    "language": "write it as BCP 47 has it, as in de or pt-br",
}
SHORTEST = 8  # characters of a password


class AccountError(Exception):
    """An account cannot be made or changed; the text says why and what to do."""


class _Table(DeclarativeBase):
    pass


class _Account(_Table):
    __tablename__ = "accounts"
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    role: Mapped[str] = mapped_column(String(20))
    password: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[int] = mapped_column(BigInteger)  # ms
    disabled_at: Mapped[int | None] = mapped_column(BigInteger)  # ms


class _Ability(_Table):
    __tablename__ = "abilities"
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)  # skill or language
    value: Mapped[str] = mapped_column(String(40), primary_key=True)


class _Session(_Table):
    __tablename__ = "sessions"
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), index=True)
    expires_at: Mapped[int] = mapped_column(BigInteger)  # ms


class _Secret(_Table):
    __tablename__ = "secrets"
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[bytes] = mapped_column(LargeBinary)


@dataclass(frozen=True)
class Account:
    """Who somebody is. `created_at` in ms."""

    name: str
    role: str
    created_at: int
    disabled: bool
    abilities: Abilities = NONE


class Accounts:
    """Accounts and sessions. Safe to use from several threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._hasher = PasswordHasher()
        self._nobody = self._hasher.hash(
            "nobody"
        )  # verified for names that are none, so that timing tells nothing
        _Table.metadata.create_all(engine)

    def create(self, name: str, role: str, password: str) -> Account:
        """A new account. Raises AccountError where the name is taken or anything is not as it must be."""
        if not NAME.fullmatch(name):
            raise AccountError(
                f"{name!r} is no name: take up to 64 of a-z 0-9 . _ - that begin with a letter or digit"
            )
        if role not in ROLES:
            raise AccountError(f"{role!r} is no role: take {' or '.join(ROLES)}")
        if len(password) < SHORTEST:
            raise AccountError(f"the password must have {SHORTEST} characters or more")
        row = _Account(name=name, role=role, password=self._hasher.hash(password), created_at=now_ms())
        try:
            with Session(self._engine) as session, session.begin():
                session.add(row)
                session.flush()
                return _account(row, session)
        except IntegrityError:
            raise AccountError(f"{name} has an account already: choose another name") from None

    def all(self) -> list[Account]:
        """Every account, by name."""
        with Session(self._engine) as session:
            rows = session.scalars(select(_Account).order_by(_Account.name))
            return [_account(row, session) for row in rows]

    def get(self, name: str) -> Account | None:
        """The account of a name."""
        with Session(self._engine) as session:
            row = session.get(_Account, name)
            return _account(row, session) if row else None

    def disable(self, name: str) -> None:
        """Nobody logs in with it any more, and its sessions end. Raises AccountError where there is none."""
        with Session(self._engine) as session, session.begin():
            row = session.get(_Account, name)
            if row is None:
                raise AccountError(f"there is no account {name}: see `sluicegate accounts list`")
            row.disabled_at = row.disabled_at or now_ms()
            session.execute(delete(_Session).where(_Session.name == name))

    def describe(self, name: str, skills: Iterable[str], languages: Iterable[str]) -> None:
        """Say what somebody can do; it takes the place of what was said before. Raises AccountError."""
        given = {"skill": set(skills), "language": {each.lower() for each in languages}}
        for kind, values in given.items():
            for value in values:
                if not ABILITIES[kind].fullmatch(value):
                    raise AccountError(f"{value!r} is no {kind}: {FORMS[kind]}")
        with Session(self._engine) as session, session.begin():
            if session.get(_Account, name) is None:
                raise AccountError(f"there is no account {name}: see `sluicegate accounts list`")
            session.execute(delete(_Ability).where(_Ability.name == name))
            session.add_all(
                _Ability(name=name, kind=kind, value=value) for kind, of in given.items() for value in of
            )

    def verify(self, name: str, password: str) -> Account | None:
        """The account where name and password are right and it is not disabled."""
        with Session(self._engine) as session:
            row = session.get(_Account, name)
            try:
                self._hasher.verify(row.password if row else self._nobody, password)
            except (Argon2Error, InvalidHashError):
                return None
            return _account(row, session) if row and row.disabled_at is None else None

    def open_session(self, name: str, hours: float) -> str:
        """The token of a new session."""
        token = secrets.token_urlsafe(32)
        with Session(self._engine) as session, session.begin():
            session.execute(delete(_Session).where(_Session.expires_at <= now_ms()))
            session.add(
                _Session(token_hash=_hash(token), name=name, expires_at=now_ms() + int(hours * 3_600_000))
            )
        return token

    def of_session(self, token: str) -> Account | None:
        """Whose session it is; None where it has ended."""
        with Session(self._engine) as session:
            found = session.get(_Session, _hash(token))
            if found is None or found.expires_at <= now_ms():
                return None
            row = session.get(_Account, found.name)
            return _account(row, session) if row and row.disabled_at is None else None

    def close_session(self, token: str) -> None:
        """End a session; harmless where it has ended."""
        with Session(self._engine) as session, session.begin():
            session.execute(delete(_Session).where(_Session.token_hash == _hash(token)))

    def secret(self, name: str) -> bytes:
        """A secret of this installation, made when it is first asked for."""
        with Session(self._engine) as session:
            if (row := session.get(_Secret, name)) is not None:
                return row.value
        try:
            with Session(self._engine) as session, session.begin():
                session.add(_Secret(name=name, value=secrets.token_bytes(32)))
        except IntegrityError:
            pass  # another process was first
        with Session(self._engine) as session:
            return session.get_one(_Secret, name).value


def open_accounts(settings: Settings) -> Accounts:
    """The accounts of an installation; tables and SQLite's folder are made where missing."""
    url = make_url(settings.database_url)
    make_private(settings.database_url)
    engine = create_engine(url, pool_pre_ping=True)
    if url.get_backend_name() == "sqlite":
        if url.database and url.database != ":memory:":
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        event.listen(engine, "connect", _write_ahead)
    return Accounts(engine)


def create_account(settings: Settings, name: str, role: str, password: str | None = None) -> str:
    """Make an account and answer its password, a generated one where none is given. Raises AccountError."""
    password = password or secrets.token_urlsafe(12)
    open_accounts(settings).create(name, role, password)
    return password


def _write_ahead(connection: object, _: object) -> None:
    """Readers do not wait for a writer, and a writer waits for another."""
    cursor = connection.cursor()  # type: ignore[attr-defined]
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA busy_timeout=5000")
    cursor.close()


def _account(row: _Account, session: Session) -> Account:
    found = session.execute(select(_Ability.kind, _Ability.value).where(_Ability.name == row.name)).all()
    own = {kind: frozenset(value for of, value in found if of == kind) for kind in ABILITIES}
    abilities = Abilities(own["skill"], own["language"])
    return Account(row.name, row.role, row.created_at, row.disabled_at is not None, abilities)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
