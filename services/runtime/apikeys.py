"""API keys: made once, shown once, kept as a hash, looked up without a query a request.

A key is 256 random bits, so a plain SHA-256 of it is safe to keep: nobody can guess 2^256 keys, and a slow hash, which
protects the short secrets that people choose, would only make every request slow.
"""

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

from sqlalchemy import Column, Engine, Integer, MetaData, String, Table, create_engine, insert, select, update
from sqlalchemy.engine import Row
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import CreateTable

from services.runtime.clock import now_ms
from services.runtime.sqlite import make_private

Role = Literal["source", "analyst"]
SHORTEST_PREFIX = 4  # characters of an id that stand for it: an empty variable in a script must end no key
MISS_AGE = 0.1  # seconds after which an unknown key is looked for again: a new one works at once, a flood costs little

_METADATA = MetaData()
_KEYS = Table(
    "api_keys",
    _METADATA,
    Column("key_id", String(32), primary_key=True),
    Column("secret_sha256", String(64), nullable=False, unique=True),
    Column("name", String(100), nullable=False),
    Column("role", String(10), nullable=False),
    Column("source", String(40)),
    Column("quota", Integer, nullable=False),
    Column("created_at", Integer, nullable=False),
    Column("revoked_at", Integer),
)


@dataclass(frozen=True)
class ApiKey:
    """What a key allows. `quota` is in items per minute; times are in seconds since 1970."""

    key_id: str
    name: str
    role: Role
    source: str | None  # the source it writes and reads; None for an analyst's
    quota: int
    created_at: int
    revoked_at: int | None = None

    @property
    def actor(self) -> str:
        """Who it is in audit.recorded."""
        return f"{self.name} ({self.key_id})"


class UnknownKey(Exception):
    """No key has this id; `sluicegate keys list` shows those there are."""


class KeyStore:
    """The table of keys. Any number of processes may use it at once; it is made where it is missing."""

    def __init__(self, database_url: str) -> None:
        make_private(database_url)
        self._engine: Engine = create_engine(database_url)
        with self._engine.begin() as connection:
            connection.execute(CreateTable(_KEYS, if_not_exists=True))

    def create(self, name: str, role: Role, source: str | None, quota: int) -> tuple[ApiKey, str]:
        """A new key, and its secret: the only time that it is to be had."""
        secret = "sk_" + secrets.token_urlsafe(32)
        key = ApiKey(secrets.token_hex(8), name, role, source, quota, now_ms() // 1000)
        with self._engine.begin() as connection:
            connection.execute(
                insert(_KEYS).values(
                    key_id=key.key_id,
                    secret_sha256=digest(secret),
                    name=name,
                    role=role,
                    source=source,
                    quota=quota,
                    created_at=key.created_at,
                )
            )
        return key, secret

    def all(self) -> list[ApiKey]:
        """Every key, revoked ones included, the oldest first."""
        with self._engine.begin() as connection:
            rows = connection.execute(select(_KEYS).order_by(_KEYS.c.created_at, _KEYS.c.key_id)).all()
        return [_key(row) for row in rows]

    def valid(self) -> dict[str, ApiKey]:
        """The keys that are not revoked, by the hash of their secret."""
        with self._engine.begin() as connection:
            rows = connection.execute(select(_KEYS).where(_KEYS.c.revoked_at.is_(None))).all()
        return {row.secret_sha256: _key(row) for row in rows}

    def named(self, prefix: str) -> ApiKey:
        """The key with this id, or the only one whose id begins so. Raises UnknownKey, naming those it may mean."""
        keys = self.all()
        found = [key for key in keys if key.key_id == prefix]
        if not found and len(prefix) >= SHORTEST_PREFIX:
            found = [key for key in keys if key.key_id.startswith(prefix)]
        if len(found) > 1:
            candidates = ", ".join(f"{key.key_id} ({key.name})" for key in found)
            raise UnknownKey(f"{prefix!r} begins the ids of {len(found)} keys: {candidates}; give more of it")
        if not found:
            raise UnknownKey(
                f"no key has the id {prefix!r}, nor one that begins so (of {SHORTEST_PREFIX} characters at least):"
                " `sluicegate keys list` shows those there are"
            )
        return found[0]

    def revoke(self, key_id: str) -> ApiKey:
        """Ends a key, for good. Doing it again does nothing. Raises UnknownKey."""
        own = _KEYS.c.key_id == key_id
        with self._engine.begin() as connection:
            connection.execute(
                update(_KEYS).where(own, _KEYS.c.revoked_at.is_(None)).values(revoked_at=now_ms() // 1000)
            )
            row = connection.execute(select(_KEYS).where(own)).one_or_none()
        if row is None:
            raise UnknownKey(f"no key has the id {key_id}: `sluicegate keys list` shows those there are")
        return _key(row)

    def close(self) -> None:
        """Give back its connections."""
        self._engine.dispose()


class KeyCache:
    """The valid keys in memory, `max_age` seconds old at most: so long may a revoked key still work.

    Where the database cannot be asked, what was known before stays valid: keys change rarely, items come always.
    """

    def __init__(self, store: KeyStore, monotonic: Callable[[], float], max_age: float = 1.0) -> None:
        self._store = store
        self._monotonic = monotonic
        self._max_age = max_age
        self._lock = threading.Lock()
        self._keys: dict[str, ApiKey] | None = None
        self._read_at = 0.0

    def find(self, secret: str) -> ApiKey | None:
        """The key of this secret; None where there is none or it is revoked.

        Raises SQLAlchemyError where the keys could never be read.
        """
        hashed = digest(secret)
        with self._lock:
            age = self._monotonic() - self._read_at
            unknown = self._keys is None or hashed not in self._keys
            if self._keys is None or age >= (min(MISS_AGE, self._max_age) if unknown else self._max_age):
                self._read()
            return (self._keys or {}).get(hashed)

    def fresh(self, secret: str) -> ApiKey | None:
        """The same where it can be told at once, without asking the database; else None, and `find` must be asked."""
        read_at, keys = self._read_at, self._keys  # in this order, so that old keys never pass for fresh
        if keys is None or self._monotonic() - read_at >= self._max_age:
            return None
        return keys.get(digest(secret))

    def ageing(self) -> bool:
        """Whether it is time to `refresh`, so that nobody has to wait in `find` until the database has answered."""
        return self._keys is not None and self._monotonic() - self._read_at >= self._max_age / 2

    def refresh(self) -> None:
        """Read the keys again. Where the database cannot be asked, what was known before stays valid."""
        with self._lock:
            self._read()

    def _read(self) -> None:
        try:
            self._keys = self._store.valid()
        except SQLAlchemyError:
            if self._keys is None:
                raise
        self._read_at = self._monotonic()


def digest(secret: str) -> str:
    """What is kept of a secret."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def bearer(authorization: str | None) -> str:
    """The secret in an Authorization header, or an empty string."""
    scheme, _, secret = (authorization or "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def _key(row: Row[tuple[object, ...]]) -> ApiKey:
    return ApiKey(row.key_id, row.name, row.role, row.source, row.quota, row.created_at, row.revoked_at)
