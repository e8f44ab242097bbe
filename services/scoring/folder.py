"""Folders of bundles: on this machine, or wherever fsspec reaches (s3://, gs://, memory:// …)."""

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

Read = Callable[[str, int], bytes]  # name and most bytes to its content; OSError where there is none


class TooLarge(OSError):
    """A file is larger than a bundle's may be."""


def reader(folder: Path | str) -> Read:
    """How to read files of a folder or URL. Raises ValueError or ImportError for a URL that fsspec does not know."""
    if "://" not in str(folder):
        path = Path(folder)
        return lambda name, most: _bounded(name, (path / name).stat().st_size, most, (path / name).read_bytes)
    import fsspec  # takes a while, and most bundles lie on this machine

    system, root = fsspec.core.url_to_fs(str(folder))

    def read(name: str, most: int) -> bytes:
        url = f"{root.rstrip('/')}/{name}"
        return _bounded(name, int(system.size(url) or 0), most, lambda: bytes(system.cat_file(url)))

    return read


def _bounded(name: str, size: int, most: int, read: Callable[[], bytes]) -> bytes:
    if size > most:
        raise TooLarge(f"{name} has {size} bytes, more than {most}")
    return read()


def write(path: Path, data: bytes) -> None:
    """Whole or not at all: written beside, synced, renamed."""
    beside = path.with_name(path.name + ".part")
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def digest(data: bytes) -> str:
    """SHA-256 in hex."""
    return sha256(data).hexdigest()
