"""A moderator works a queue with the keyboard alone, in a real browser."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.e2e.console.posts import ordinary, plain
from tests.e2e.console.steps import log_in, open_queue
from tests.integration.review.world import RunningApi, World, until


def test_several_posts_are_decided_with_keys_only(page: Page, world: World) -> None:
    for number in range(4):
        world.request(f"post-{number}", **plain(f"Post number {number}, is it fine?"))
    log_in(page)
    open_queue(page, world)
    for number, (keys, said) in enumerate(
        [(["1", "r"], "Removed"), (["a"], "Allowed"), (["3", "l"], "Limited"), (["e"], "Escalated")]
    ):
        expect(page.get_by_text(f"Post number {number}, is it fine?")).to_be_visible()
        for key in keys:
            page.keyboard.press(key)
        page.keyboard.press("Enter")
        expect(page.locator(".toast")).to_contain_text(said)
    expect(page.get_by_role("heading", name="Nothing waits here")).to_be_visible()
    found = sorted((each.item_id, each.action, each.categories) for each in world.verdicts())
    assert found == [
        ("post-0", "remove", ("hate",)),
        ("post-1", "allow", ()),
        ("post-2", "limit", ("toxicity",)),
        ("post-3", "escalate", ()),
    ]
    assert all((each.seconds_spent or 0) > 0 for each in world.verdicts())


def test_undo_by_key_brings_post_and_draft_back(page: Page, world: World) -> None:
    world.request("post-1", **plain("Only one"))
    log_in(page)
    open_queue(page, world)
    expect(page.get_by_text("Only one")).to_be_visible()
    for key in ("1", "r", "Enter"):
        page.keyboard.press(key)
    expect(page.locator(".toast")).to_contain_text("Removed")
    page.keyboard.press("u")
    expect(page.get_by_text("Only one")).to_be_visible()
    remove = page.get_by_role("button", name="Remove")
    expect(remove).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("r")  # its own key keeps it
    page.keyboard.press("r")
    expect(remove).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("a")
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("Allowed")
    kept = [(each.action, each.retraction) for each in world.verdicts()]
    assert kept == [("remove", False), (None, True), ("allow", False)]


def test_a_note_is_written_and_sent_without_the_mouse(page: Page, world: World) -> None:
    world.request("post-1", **plain("Worth a note"))
    log_in(page)
    open_queue(page, world)
    expect(page.get_by_text("Worth a note")).to_be_visible()
    page.keyboard.press("a")
    page.keyboard.press("n")
    page.keyboard.type("rare, see thread")  # r and s are letters here, not commands
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("Allowed")
    (verdict,) = world.verdicts()
    assert (verdict.action, verdict.note) == ("allow", "rare, see thread")


def test_help_blur_and_skip(page: Page, world: World) -> None:
    world.request("post-1", **ordinary())
    world.request("post-2", **plain("The second"), deadline="2030-01-01T00:00:00.000Z")
    log_in(page)
    open_queue(page, world)
    expect(page.get_by_text("My cat cooks better")).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("hate, spam, toxicity")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).not_to_be_visible()
    page.keyboard.press("b")
    expect(page.locator(".body.blurred")).to_be_visible()
    page.keyboard.press("b")
    expect(page.locator(".body.blurred")).not_to_be_visible()
    page.keyboard.press("s")
    expect(page.get_by_text("The second")).to_be_visible()
    assert world.verdicts() == []


def test_help_on_the_queues_page_names_no_categories(page: Page, world: World) -> None:
    world.request("post-1", **plain("Not at hand"))
    log_in(page)
    expect(page.get_by_role("heading", name="Queues")).to_be_visible()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("open that queue")
    expect(dialog).not_to_contain_text("toxicity")
    page.keyboard.press("1")  # opens nothing below the dialog
    page.keyboard.press("Escape")
    expect(dialog).not_to_be_visible()
    expect(page.get_by_role("heading", name="Queues")).to_be_visible()


def test_history_says_why_a_text_is_not_shown(page: Page, world: World) -> None:
    task = world.request("post-1", **plain("Gone soon"))
    log_in(page)
    open_queue(page, world)
    expect(page.get_by_text("Gone soon")).to_be_visible()
    page.keyboard.press("a")
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("Allowed")
    world.settle(task, "allow")
    until(lambda: world.board.body(task) is None, "the feed has it")
    page.get_by_role("link", name="History").click()
    expect(page.get_by_text("Older texts are not shown")).to_be_visible()


def test_the_draft_stays_when_the_server_cannot_record_it_and_is_sent_later(
    page: Page, world: World, api: RunningApi
) -> None:
    world.request("post-1", **plain("Hold on"))
    log_in(page)
    open_queue(page, world)
    expect(page.get_by_text("Hold on")).to_be_visible()
    page.context.route("**/*", lambda route: route.abort("internetdisconnected"))
    page.context.set_offline(True)  # tells the page, but may let what is asked right after it through
    for key in ("2", "r", "Enter"):
        page.keyboard.press(key)
    expect(page.get_by_role("alert")).to_contain_text("No connection")
    expect(page.get_by_role("button", name="Remove")).to_have_attribute("aria-pressed", "true")
    assert world.verdicts() == []
    page.context.unroute("**/*")
    page.context.set_offline(False)
    expect(page.locator(".toast")).to_contain_text("Removed")  # by itself
    (verdict,) = until(world.verdicts, "the verdict is in Kafka")
    assert (verdict.action, verdict.categories) == ("remove", ("spam",))


def test_a_draft_survives_a_reload(page: Page, world: World) -> None:
    world.request("post-1", **plain("Reload me"))
    log_in(page)
    open_queue(page, world)
    expect(page.get_by_text("Reload me")).to_be_visible()
    page.keyboard.press("1")
    page.keyboard.press("r")
    page.reload()
    expect(page.get_by_text("Reload me")).to_be_visible()
    expect(page.get_by_role("button", name="Remove")).to_have_attribute("aria-pressed", "true")


def test_a_refusal_says_what_happened_and_goes_on(page: Page, world: World) -> None:
    task = world.request("post-1", **plain("Soon withdrawn"))
    log_in(page)
    open_queue(page, world)
    expect(page.get_by_text("Soon withdrawn")).to_be_visible()
    world.withdraw("post-1")
    until(lambda: world.board.body(task) is None, "the feed has it")
    page.keyboard.press("a")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("withdrawn by its author")
    expect(page.get_by_role("button", name="Allow")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Nothing waits here")).to_be_visible()
    assert world.verdicts() == []
