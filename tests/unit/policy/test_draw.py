"""Draws are an item's own, uniform, and nobody without the salt can foresee them."""

from services.policy.draw import draw


def test_the_same_item_always_gets_the_same_draw() -> None:
    assert draw(b"salt", "audit", "demo/1") == draw(b"salt", "audit", "demo/1")


def test_salt_purpose_and_item_each_change_it() -> None:
    draws = {
        draw(b"salt", "audit", "demo/1"),
        draw(b"pepper", "audit", "demo/1"),
        draw(b"salt", "label", "demo/1"),
        draw(b"salt", "audit", "demo/2"),
    }
    assert len(draws) == 4


def test_draws_are_uniform() -> None:
    draws = [draw(b"salt", "audit", f"demo/{n}") for n in range(20_000)]
    assert all(0 <= each < 1 for each in draws)
    shares = [sum(low / 10 <= each < (low + 1) / 10 for each in draws) / len(draws) for low in range(10)]
    assert all(0.09 < share < 0.11 for share in shares)
