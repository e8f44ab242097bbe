"""Kafka's jars: resolved once per user by jgo in pure Python, shared by every data folder, checked by a marker."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from rich.console import Console
from rich.progress import Progress

from infra.local.errors import JarsUnavailable

if TYPE_CHECKING:
    from jgo.maven import Artifact, MavenContext

KAFKA_VERSION = "4.2.2"  # not 4.3 or 4.4, which leave transactions open when a broker was killed: decision 82
COORDINATES = (f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}", "org.slf4j:slf4j-simple:1.7.36")
COMPLETE = "complete"  # the marker: written last, so a folder without it is a download that was cut off
ATTEMPTS = 3

T = TypeVar("T")


def cache_folder() -> Path:
    """Where jars are kept between runs: $XDG_CACHE_HOME/sluicegate, else ~/.cache/sluicegate."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sluicegate"


def kafka_jars(given: Path | None = None, cache: Path | None = None) -> Path:
    """The folder with Kafka's jars, fetched when they are not there yet.

    `given` is a folder with jars that somebody brought (Kafka's own `libs`, say) and is taken as it is. Any number of
    processes may call this at once: one fetches, the others wait for it.

    Raises JarsUnavailable when `given` has no jars, or when the package index cannot be reached.
    """
    if given is not None:
        if not any(given.glob("*.jar")):
            raise JarsUnavailable(
                f"no jars in {given}: point SLUICEGATE_KAFKA_JARS at Kafka's libs, or unset it"
            )
        return given
    cache = cache or cache_folder()
    jars = cache / f"kafka-{KAFKA_VERSION}"
    if (jars / COMPLETE).exists():
        return jars
    cache.mkdir(parents=True, exist_ok=True)
    with _locked(cache / f"kafka-{KAFKA_VERSION}.lock"):
        if not (jars / COMPLETE).exists():
            _fetch(jars, cache / f"maven-{os.getpid()}")
    return jars


def version_of(jars: Path) -> str:
    """Kafka's version by the name of its jar, which numbers it; the one we would fetch where none says so."""
    for jar in jars.glob("kafka_*.jar"):
        if found := re.search(r"-(\d+(?:\.\d+)+)", jar.name):
            return found[1]
    return KAFKA_VERSION


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch(jars: Path, repository: Path) -> None:
    shutil.rmtree(jars, ignore_errors=True)
    jars.mkdir(parents=True)
    console = Console(stderr=True)
    try:
        with Progress(console=console, transient=True) as progress:
            task = progress.add_task(f"Kafka {KAFKA_VERSION}: looking up what it needs (once)", total=None)
            context = _context(repository)
            artifacts = _retry(lambda: _resolve(context))
            progress.update(task, description=f"Kafka {KAFKA_VERSION}: fetching jars", total=len(artifacts))
            with ThreadPoolExecutor(max_workers=8) as pool:
                for path in pool.map(_download, artifacts):
                    shutil.move(path, jars / path.name)
                    progress.advance(task)
    except Exception as error:  # jgo lets through whatever its HTTP client or parser raises
        shutil.rmtree(jars, ignore_errors=True)
        raise JarsUnavailable(
            f"Kafka's jars could not be fetched ({type(error).__name__}: {error}). They come once from the Maven"
            f" package index into {jars}: check the network, or unpack a Kafka {KAFKA_VERSION} release and set"
            " SLUICEGATE_KAFKA_JARS to its libs folder."
        ) from error
    finally:
        shutil.rmtree(repository, ignore_errors=True)
    (jars / COMPLETE).write_text("\n".join(sorted(path.name for path in jars.glob("*.jar"))))
    console.print(f"Kafka {KAFKA_VERSION}: {len(artifacts)} jars in {jars}", highlight=False)


def _context(repository: Path) -> MavenContext:
    from jgo.maven import MavenContext, PythonResolver

    return MavenContext(resolver=PythonResolver(), repo_cache=repository, timeout=30)


def _resolve(context: MavenContext) -> list[Artifact]:
    wanted = [context.create_dependency(coordinate) for coordinate in COORDINATES]
    direct, transitive = context.resolver.resolve(wanted)
    needed = [
        *direct,
        *(dependency for dependency in transitive if dependency.scope in ("compile", "runtime")),
    ]
    return [dependency.artifact for dependency in needed]


def _download(artifact: Artifact) -> Path:
    def once() -> Path:
        try:
            path = artifact.resolve()
        except BaseException:
            if artifact.cached_path is not None:  # jgo takes what is there for whole
                artifact.cached_path.unlink(missing_ok=True)
            raise
        return Path(path)

    return _retry(once)


def _retry(attempt: Callable[[], T]) -> T:
    for left in reversed(range(ATTEMPTS)):
        try:
            return attempt()
        except Exception:
            if not left:
                raise
    raise AssertionError("unreachable: the last attempt returns or raises")
