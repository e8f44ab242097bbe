"""A secret that several services share: given as a setting, else made once in the data folder."""

import os
import secrets
from pathlib import Path

BYTES = 32
INLINE = "inline"  # ingest signs verdicts with it, the classifier knows them by it


def shared_secret(given: str, var: Path, name: str) -> bytes:
    """The secret `given`, or where that is empty the one in <var>/<name>.secret, made by who comes first.

    The file is its owner's only. It appears whole or not at all, so that two processes that start at once agree.
    Raises OSError where the folder cannot be written.
    """
    if given:
        return given.encode()
    path = var / f"{name}.secret"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(BYTES))
        try:
            os.link(part, path)
        except FileExistsError:
            pass  # another process was first: its secret counts
        finally:
            part.unlink()
    return path.read_bytes().strip()
