"""What every visit to the console begins with, by keys only."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.integration.review.world import PASSWORD, World


def log_in(page: Page, name: str = "ada") -> None:
    """With keys only: the name has the focus."""
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type(name)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Queues")).to_be_visible()


def open_queue(page: Page, world: World) -> None:
    """Tab to the queue, Enter."""
    link = page.get_by_role("link", name=re.compile(world.queue))
    expect(link).to_be_visible()
    for _ in range(20):
        if link.evaluate("link => link === document.activeElement"):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
