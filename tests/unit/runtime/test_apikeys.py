"""Keys: shown once, kept as a hash, gone within the age of the cache."""

from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from services.runtime.apikeys import ApiKey, KeyCache, KeyStore, UnknownKey, bearer


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    return KeyStore(f"sqlite:///{tmp_path}/var/keys.db")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_secret_finds_its_key_and_is_nowhere_kept(store: KeyStore, tmp_path: Path) -> None:
    key, secret = store.create("mine", "source", "demo", 60)
    assert KeyCache(store, Clock()).find(secret) == key
    assert KeyCache(store, Clock()).find(secret + "x") is None
    assert len(secret) >= 46  # 256 bits and a prefix
    assert secret.encode() not in (tmp_path / "var/keys.db").read_bytes()
    store.close()


def test_a_revoked_key_works_no_longer_than_the_cache_is_old(store: KeyStore) -> None:
    clock = Clock()
    cache = KeyCache(store, clock, max_age=1)
    key, secret = store.create("mine", "source", "demo", 60)
    assert cache.find(secret) == key
    assert store.revoke(key.key_id).revoked_at is not None
    clock.now = 0.9
    assert cache.find(secret) == key
    clock.now = 1.0
    assert cache.find(secret) is None
    assert [each.key_id for each in store.all()] == [key.key_id]
    with pytest.raises(UnknownKey):
        store.revoke("nobody")
    store.close()


def test_a_new_key_works_at_once_and_a_flood_of_unknown_ones_costs_ten_reads_a_second(
    store: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    cache = KeyCache(store, clock, max_age=1)
    assert cache.find("sk_unknown") is None
    key, secret = store.create("mine", "source", "demo", 60)
    clock.now = 0.1
    assert cache.find(secret) == key
    reads = []
    valid = store.valid

    def counted() -> dict[str, ApiKey]:
        reads.append(1)
        return valid()

    monkeypatch.setattr(store, "valid", counted)
    for tick in range(1, 1001):
        clock.now = 0.1 + tick / 1000
        cache.find(f"sk_{tick}")
    assert 9 <= len(reads) <= 11
    store.close()


def test_a_fresh_key_is_told_without_the_database_and_read_again_before_it_is_old(store: KeyStore) -> None:
    clock = Clock()
    cache = KeyCache(store, clock, max_age=1)
    key, secret = store.create("mine", "analyst", None, 60)
    assert cache.fresh(secret) is None and not cache.ageing()  # nothing was read yet
    assert cache.find(secret) == key
    clock.now = 0.4
    assert cache.fresh(secret) == key and cache.fresh("sk_other") is None and not cache.ageing()
    store.revoke(key.key_id)
    clock.now = 0.6
    assert cache.fresh(secret) == key and cache.ageing()
    cache.refresh()
    assert cache.fresh(secret) is None and not cache.ageing()
    clock.now = 1.7
    assert cache.fresh("sk_other") is None and cache.ageing()
    store.close()


def test_keys_stay_valid_while_the_database_is_away(store: KeyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    cache = KeyCache(store, clock, max_age=1)
    key, secret = store.create("mine", "analyst", None, 60)
    cache.find(secret)

    def away() -> None:
        raise OperationalError("select", {}, Exception("gone"))

    monkeypatch.setattr(store, "valid", away)
    clock.now = 60
    assert cache.find(secret) == key
    with pytest.raises(OperationalError):
        KeyCache(store, clock).find(secret)
    store.close()


def test_the_table_may_be_made_by_several_at_once(tmp_path: Path) -> None:
    for _ in range(2):
        KeyStore(f"sqlite:///{tmp_path}/keys.db").close()


@pytest.mark.parametrize(
    ("header", "secret"),
    [
        ("Bearer sk_1", "sk_1"),
        ("bearer  sk_1 ", "sk_1"),
        ("Basic sk_1", ""),
        (None, ""),
        ("", ""),
        ("Bearer", ""),
    ],
)
def test_bearer(header: str | None, secret: str) -> None:
    assert bearer(header) == secret
