"""Demo logins and keys, made once, kept in <var>/demo-access.json (readable by its owner only) to be shown again."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import msgspec

from services.runtime.settings import Settings
from services.runtime.sqlite import make_private

ACCOUNTS = {"mira": "moderator", "noah": "moderator", "ada": "admin"}  # name: role
SOURCE = "demo"


class DemoAccess(msgspec.Struct, kw_only=True):
    """What somebody needs to try everything. Passwords by account, the key of the source `demo`, one for SQL."""

    accounts: dict[str, str] = {}
    source_key: str = ""
    analyst_key: str = ""


def demo_access(settings: Settings) -> DemoAccess:
    """What was made so far."""
    try:
        return msgspec.json.decode(_file(settings).read_bytes(), type=DemoAccess)
    except FileNotFoundError:
        return DemoAccess()


def make_demo_access(settings: Settings) -> DemoAccess:
    """Makes the logins and keys that are missing. What is kept is written before an account is made and after a key
    is: a crash between costs at most a key that nobody knows.
    """
    from services.cli.keys import create_analyst_key, create_key
    from services.review.accounts import create_account, open_accounts

    make_private(settings.database_url)
    access = demo_access(settings)
    accounts = open_accounts(settings)
    for name, role in ACCOUNTS.items():
        known = access.accounts.get(name)
        if accounts.get(name) is not None:
            continue  # ours, or somebody's of that name: then its password is not for us to show
        access.accounts[name] = known or secrets.token_urlsafe(9)
        _keep(settings, access)
        create_account(settings, name, role, access.accounts[name])
    if not access.source_key:
        access.source_key = create_key(settings, SOURCE, name="demo")
        _keep(settings, access)
    if not access.analyst_key:
        access.analyst_key = create_analyst_key(settings, "demo")
        _keep(settings, access)
    return access


def _file(settings: Settings) -> Path:
    return settings.var / "demo-access.json"


def _keep(settings: Settings, access: DemoAccess) -> None:
    path = _file(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(access)))
    part.replace(path)
