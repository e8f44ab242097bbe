"""The database of accounts and keys where it is an SQLite file: made for its owner's eyes only."""

import os
from contextlib import suppress
from pathlib import Path

from sqlalchemy.engine import make_url

MODE = 0o600


def make_private(database_url: str) -> None:
    """Makes an SQLite file, and its folder, where it is missing, readable by its owner only; narrows one that is there.

    SQLite gives its -wal and -shm the mode of the file. Does nothing for another database. To be called before the
    first connection.
    """
    url = make_url(database_url)
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return
    path = Path(url.database)
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, MODE))
    for each in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
        with suppress(FileNotFoundError, PermissionError):  # gone meanwhile, or somebody else's to narrow
            if each.stat().st_mode & 0o077:
                each.chmod(MODE)
