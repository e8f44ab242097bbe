"""The trade-off page in a browser: by keys only, in every size and state. Analytics' answers are computed, not served.

With SLUICEGATE_SCREENSHOTS=FOLDER every view is also kept as a picture.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.console.test_looks import SIZES, VIEWS, Scheme, fits, picture
from tests.e2e.console.trading import answer

MANY = [f"category_{n}" for n in range(30)]
STATES: dict[str, dict[str, Any]] = {
    "full": answer(2_000),
    "few": answer(25),
    "overfull": answer(12_000, items=3_000, categories=["toxicity", *MANY]) | {"model_version": "m" * 90},
    "idle": answer(2_000, items=0),
    "none": {"missing": "No policy is live: release one with `sluicegate policy release FILE`."},
}


class Files(SimpleHTTPRequestHandler):
    """The built page, quietly."""

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def url(built: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=str(built)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/tradeoff.html"
    server.shutdown()
    server.server_close()
    thread.join()


def opened(
    browser: Browser, url: str, told: dict[str, Any], size: str = "desktop", scheme: Scheme = "light"
) -> Page:
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    page.route("**/v1/tradeoff*", lambda route: route.fulfill(body=json.dumps(told)))
    page.goto(url)
    return page


@pytest.mark.parametrize(("size", "scheme"), VIEWS)
def test_every_state_fits(browser: Browser, url: str, size: str, scheme: Scheme) -> None:
    for name, told in STATES.items():
        page = opened(browser, url, told, size, scheme)
        expect(page.locator(".notice, .sum")).to_be_visible()
        fits(page)
        picture(page, f"tradeoff-{name}-{size}-{scheme}", whole=True)
        page.context.close()


def test_the_sliders_work_by_keys_and_change_nothing_but_the_page(browser: Browser, url: str) -> None:
    told = STATES["full"]
    page = opened(browser, url, told)
    sliders = page.get_by_role("slider")
    expect(sliders).to_have_count(2)
    wrong, missed = sliders.nth(0), sliders.nth(1)
    recipe = page.locator("pre")
    expect(recipe).to_contain_text("risks: {wrong_removals: 0.02, missed: 0.05, confidence: 0.95}")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for _ in range(20):
        page.keyboard.press("Tab")
        if wrong.evaluate("slider => slider === document.activeElement"):
            break
    page.keyboard.press("Home")
    expect(wrong).to_have_attribute(
        "aria-valuetext", re.compile(r"at most 0.5%, not certified: [\d,]+ more labels among")
    )
    page.keyboard.press("Tab")
    page.keyboard.press("End")
    expect(missed).to_have_attribute(
        "aria-valuetext", re.compile(r"at most 30%, certified: allowed from a score of")
    )
    expect(recipe).to_contain_text("risks: {wrong_removals: 0.005, missed: 0.3, confidence: 0.95}")
    move = told["moves"][0][-1]
    row = page.get_by_role("row", name=re.compile("^removed by machine"))
    expect(row.get_by_role("cell").nth(1)).to_have_text(f"{move['removed']:,}")
    change = move["removed"] - told["today"]["move"]["removed"]
    sign = "+" if change > 0 else "\u2212"
    expect(row.get_by_role("cell").nth(2)).to_have_text(f"{sign}{abs(change):,}")
    assert asked == [], "a slider asks for nothing and sends nothing"
    page.context.close()


def test_too_few_audits_are_a_number_not_a_curve(browser: Browser, url: str) -> None:
    told = STATES["few"]
    page = opened(browser, url, told)
    wanting = told["least_violating"] - told["violating"]
    expect(page.get_by_role("heading", name=f"{wanting} more violating")).to_be_visible()
    expect(page.locator("canvas")).to_have_count(0)
    expect(page.get_by_role("slider")).to_have_count(0)
    page.context.close()
