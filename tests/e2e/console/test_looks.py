"""How the console looks: nothing overflows on a phone or a wide screen, in light and dark, empty or overfull.

With SLUICEGATE_SCREENSHOTS=FOLDER every view is also kept as a picture.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.console.posts import ARABIC, ordinary, overfull, plain
from tests.e2e.console.steps import log_in, open_queue
from tests.integration.review.world import RunningApi, World

Scheme = Literal["light", "dark"]
SIZES = {"phone": (375, 760), "desktop": (1360, 800), "wide": (2200, 1100)}
VIEWS: list[tuple[str, Scheme]] = [
    ("phone", "light"),
    ("phone", "dark"),
    ("desktop", "light"),
    ("desktop", "dark"),
    ("wide", "light"),
]

COPY: dict[str, Any] = {"text_hash": "c" * 32, "follows_text": True}


def picture(page: Page, name: str, whole: bool = False) -> None:
    """Keep a picture where that is asked for; `whole`: of all that can be scrolled to."""
    if folder := os.environ.get("SLUICEGATE_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=whole)


def fits(page: Page) -> None:
    """Nothing is wider than the window, so nobody scrolls sideways."""
    widths = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert widths[0] <= widths[1], f"the page is {widths[0]} wide, the window {widths[1]}"


@pytest.mark.parametrize(("size", "scheme"), VIEWS)
def test_every_view_fits(browser: Browser, api: RunningApi, world: World, size: str, scheme: Scheme) -> None:
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    look = f"{size}-{scheme}"
    page.goto(api.url)
    expect(page.get_by_label("Name")).to_be_focused()
    fits(page)
    picture(page, f"login-{look}")
    world.request("post-1", **ordinary(), **COPY, deadline="2026-01-01T00:00:00.000Z")
    for number in range(3):
        world.request(f"copy-{number}", **ordinary(), **COPY, deadline="2026-01-01T00:00:01.000Z")
    world.request("post-2", **overfull(), deadline="2026-01-02T00:00:00.000Z")
    world.request("post-3", **plain(ARABIC, "ar"), deadline="2026-01-03T00:00:00.000Z")
    log_in(page)
    expect(page.get_by_text(world.queue)).to_be_visible()
    expect(page.get_by_text("waiting, +3 copies")).to_be_visible()
    fits(page)
    picture(page, f"queues-{look}")
    open_queue(page, world)
    expect(page.get_by_text("My cat cooks better")).to_be_visible()
    expect(page.get_by_text("3 copies wait for this")).to_be_visible()
    for key in ("3", "r"):
        page.keyboard.press(key)
    fits(page)
    picture(page, f"work-{look}")
    page.keyboard.press("Enter")
    expect(page.get_by_text("All work and no play")).to_be_visible()
    fits(page)
    picture(page, f"overfull-{look}")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    fits(page)
    picture(page, f"help-{look}")
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    page.keyboard.press("Enter")
    text = page.locator(".post .text")
    expect(text).to_contain_text("مرحبا")
    assert text.evaluate("text => getComputedStyle(text).direction") == "rtl"
    page.keyboard.press("b")
    fits(page)
    picture(page, f"rtl-{look}")
    page.keyboard.press("b")
    page.keyboard.press("a")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Nothing waits here")).to_be_visible()
    fits(page)
    picture(page, f"empty-{look}")
    page.goto(f"{api.url}/#/history")
    expect(page.get_by_text("Removed")).to_be_visible()
    fits(page)
    picture(page, f"history-{look}")
    context.close()
