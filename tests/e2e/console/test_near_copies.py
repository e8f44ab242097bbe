"""Near copies come one after another, and the console says so."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from services.events.types import Item
from tests.e2e.console.steps import log_in, open_queue
from tests.integration.review.world import World


def test_a_post_says_that_it_is_one_of_several(page: Page, world: World) -> None:
    near = [
        world.request(
            f"near-{number}",
            item=Item(kind="post", text=f"WIN a camera, code {number}"),
            deadline=f"2026-01-01T0{number}:00:00.000Z",
        )
        for number in (1, 3, 4)
    ]
    world.request("other", item=Item(kind="post", text="Something else"), deadline="2026-01-01T02:00:00.000Z")
    world.clustered(*near)
    log_in(page)
    open_queue(page, world)
    facts = page.locator(".post .facts")
    for place, code in enumerate((1, 3, 4), 1):
        expect(page.locator(".post .text")).to_have_text(f"WIN a camera, code {code}")
        expect(facts).to_contain_text(f"{place} of 3 like this")
        page.keyboard.press("a")
        page.keyboard.press("Enter")
    expect(page.locator(".post .text")).to_have_text("Something else")
    expect(facts).not_to_contain_text("like this")
