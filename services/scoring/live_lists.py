"""The lists that policies name, read again while they change. Only reading the files is not pure."""

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

import msgspec
import structlog

from services.events.types import Listed
from services.scoring.text_list import InvalidList, TextList, key_of, read

log = structlog.get_logger()
LOOK_SECONDS = 0.5
FOLDER = "lists"  # below the data folder


class Gauges(Protocol):
    """Who is told what is live; services.runtime.metrics.ListMetrics."""

    def entries(self, name: str, count: int) -> None:
        """So many texts of a list are live."""

    def stale(self, name: str, stale: bool) -> None:
        """Whether the file of a list is another than what is live, and cannot be read."""


class _Text(msgspec.Struct, gc=False):
    text: str | None = None


class _Kept(msgspec.Struct, frozen=True):
    """A list: what is live of it, the file that was read last, and why not that."""

    live: TextList | None
    read: tuple[int, ...] | None  # the file's signature; None: there was none
    reason: str
    changed: tuple[int, ...] | None = None  # the signature at the last look


_text = msgspec.json.Decoder(_Text).decode


def file_of(var: Path, name: str) -> Path:
    """Where a list lies, `var` being the data folder."""
    return var / FOLDER / f"{name}.txt"


class LiveLists:
    """Follows the files of lists. `of` may be called from any thread, while another looks for changes.

    A file that cannot be read leaves what is live of its list in place. It is read once it has stayed as it is from
    one look to the next, so that hardly ever half of it is read while somebody writes.
    """

    def __init__(self, var: Path, gauges: Gauges | None = None) -> None:
        self._var, self._gauges = var, gauges
        self._lock = threading.Lock()
        self._wanted: dict[str, tuple[str, ...]] = {}  # by who follows them
        self._kept: dict[str, _Kept] = {}
        self._found: dict[bytes, tuple[Listed, ...]] = {}

    def lacking(self, who: str, names: Iterable[str]) -> str:
        """Follow these lists for `who` from now on, and no others for it; why some of them cannot be had, empty where
        all can.
        """
        with self._lock:
            self._wanted[who] = tuple(names)
            wanted = dict.fromkeys(name for each in self._wanted.values() for name in each)
            if wanted.keys() != self._kept.keys():
                for name in self._kept.keys() - wanted.keys():
                    self._tell(name, None)
                self._kept = {name: self._kept.get(name) or self._read(name, None) for name in wanted}
                self._index()
            needed = (self._kept[name] for name in self._wanted[who])
            return "\n".join(kept.reason for kept in needed if kept.live is None)

    def of(self, text: str | None) -> tuple[Listed, ...]:
        """The lists that have a text."""
        found = self._found
        return found.get(key, ()) if found and (key := key_of(text)) else ()

    def of_item(self, item: msgspec.Raw) -> tuple[Listed, ...]:
        """The lists that have the text of an item, which is JSON with a `text`."""
        return self.of(_text(item).text) if self._found else ()

    def look(self) -> None:
        """Read again what has changed."""
        with self._lock:
            before = [kept.live for kept in self._kept.values()]
            self._kept = {name: self._looked(name, kept) for name, kept in self._kept.items()}
            if any(kept.live is not was for kept, was in zip(self._kept.values(), before, strict=True)):
                self._index()

    def follow(self, stopping: threading.Event) -> None:
        """Look again and again, until `stopping` is set. Never raises."""
        while not stopping.wait(LOOK_SECONDS):
            try:
                self.look()
            except Exception as error:
                log.error("lists cannot be followed", reason=str(error), exc_info=error)

    def _looked(self, name: str, kept: _Kept) -> _Kept:
        now = _signature(file_of(self._var, name))
        if now == kept.read or (now is not None and now != kept.changed):
            return msgspec.structs.replace(kept, changed=now)
        return self._read(name, kept.live)

    def _read(self, name: str, live: TextList | None) -> _Kept:
        path = file_of(self._var, name)
        signature = _signature(path)
        try:
            found = read(path)
        except InvalidList as error:
            stays = live.version if live else "none"
            log.error("list refused", list=name, live=stays, reason=str(error))
            kept = _Kept(live, signature, str(error))
        else:
            log.info("list live", list=name, version=found.version, texts=len(found.texts))
            kept = _Kept(found, signature, "")
        self._tell(name, kept)
        return kept

    def _tell(self, name: str, kept: _Kept | None) -> None:
        if self._gauges is not None:
            self._gauges.entries(name, len(kept.live.texts) if kept and kept.live else 0)
            self._gauges.stale(name, bool(kept and kept.reason))

    def _index(self) -> None:
        """One look-up for all lists, put in place at once."""
        found: dict[bytes, tuple[Listed, ...]] = {}
        for name, kept in self._kept.items():
            if kept.live is not None:
                one = (Listed(name=name, version=kept.live.version),)
                for text in kept.live.texts:
                    before = found.get(text)
                    found[text] = one if before is None else before + one
        self._found = found


def _signature(path: Path) -> tuple[int, ...] | None:
    """What changes when a file does; None where there is none."""
    try:
        seen = path.stat()
    except OSError:
        return None
    return seen.st_mtime_ns, seen.st_size, seen.st_ino
