"""The console in Debian's Chromium, on a real API, feed, Kafka and Redis."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from infra.browser import chromium
from infra.local.kafka import Kafka
from infra.local.ports import free_ports
from infra.local.redis import Redis
from tests.integration.review.world import PASSWORD, RunningApi, World

CONSOLE = Path(__file__).parents[3] / "services" / "console"
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]
expect.set_options(timeout=60_000)  # ms; its own 5 s are little where everything shares two cores
NOT_TESTED = (
    "the console was NOT tested in a browser: no Chromium here; `apt-get install chromium` brings one"
)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say it last and loudly, where it can be seen."""
    if chromium() is None:
        terminalreporter.section("browser tests", sep="=", red=True)
        terminalreporter.line(NOT_TESTED)


@pytest.fixture(scope="session")
def built() -> Path:
    """The built console; built now where that was not done since its last change."""
    page = CONSOLE / "dist" / "index.html"
    sources = [*(CONSOLE / "src").rglob("*.*"), CONSOLE / "index.html", CONSOLE / "package-lock.json"]
    if not page.exists() or page.stat().st_mtime < max(source.stat().st_mtime for source in sources):
        subprocess.run([sys.executable, "-m", "infra.console"], check=True, timeout=300)
    return CONSOLE / "dist"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium."""
    path = chromium()
    if path is None:
        pytest.skip(NOT_TESTED)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="session")
def console_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """A redis-server that nobody else uses."""
    server = Redis(tmp_path_factory.mktemp("console-redis"), *free_ports(1))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def world(kafka: Kafka, console_redis: Redis, tmp_path: Path) -> Iterator[World]:
    """Review with a queue of its own and a running feed."""
    made = World(kafka.bootstrap, console_redis.url, tmp_path)
    made.redis.flushall()
    made.feed()
    yield made
    made.close()


@pytest.fixture
def api(world: World, built: Path) -> RunningApi:
    """An API that serves the console; `ada` has an account."""
    running = world.api(review_console=built, review_undo_seconds=60)  # no test waits until it is too late
    running.accounts.create("ada", "moderator", PASSWORD)
    running.accounts.create("root", "admin", PASSWORD)
    return running


@pytest.fixture
def page(browser: Browser, api: RunningApi) -> Iterator[Page]:
    """A page on the login; the test fails where the page logs an error."""
    context = browser.new_context(viewport={"width": 1360, "height": 800})
    opened = context.new_page()
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on(
        "console", lambda message: wrong.append(message.text) if "Security Policy" in message.text else None
    )
    opened.goto(api.url)
    yield opened
    context.close()
    assert wrong == []
