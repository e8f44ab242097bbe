"""Every refusal says what happened and what to do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from services.events.types import ClosingReason
from services.review import scripts
from services.review.core.answers import REFUSALS, refusal

CODES = re.compile(r"return \{ '([a-z_]+)'")
NOT_REFUSED = {"ok", "recorded", "empty", "gone"}


def test_every_code_that_a_script_answers_has_a_refusal() -> None:
    codes = {code for file in Path(scripts.LUA).glob("*.lua") for code in CODES.findall(file.read_text())}
    assert len(codes) > 8
    for code in codes - NOT_REFUSED:
        assert REFUSALS[code].detail


@pytest.mark.parametrize("reason", get_args(ClosingReason))
def test_every_reason_of_a_closing_is_told(reason: str) -> None:
    told = refusal("gone", reason)
    assert told.status == 409
    assert "It is over." not in told.detail
    assert told.detail.endswith("take the next task.")


def test_a_settlement_tells_what_others_decided() -> None:
    assert "remove" in refusal("gone", "agreed:remove").detail


@pytest.mark.parametrize("code", [code for code, found in REFUSALS.items() if found.status == 503])
def test_what_may_succeed_later_says_when(code: str) -> None:
    assert (REFUSALS[code].retry_after or 0) > 0
