"""What the command line reads of broadcast topics, where its client lost a leader."""

from typing import Any

import pytest

from services.cli import broadcasts
from services.runtime.errors import Stalled
from services.runtime.settings import Settings


class Looks:
    """Looks of which the first few stall."""

    def __init__(self, stalled: int) -> None:
        self.made, self._stalled = 0, stalled

    def __call__(self, settings: Settings, topics: Any) -> dict[str, dict[bytes, Any]]:
        self.made += 1
        if self.made <= self._stalled:
            raise Stalled("the client lost the leader")
        return {"model.released": {}}


def test_a_client_that_lost_a_leader_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = Looks(stalled=2)
    monkeypatch.setattr(broadcasts, "_look", looks)
    assert broadcasts.look(Settings(), {}) == {"model.released": {}}
    assert looks.made == 3


def test_it_says_so_where_no_client_finds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = Looks(stalled=9)
    monkeypatch.setattr(broadcasts, "_look", looks)
    with pytest.raises(Stalled, match="lost the leader"):
        broadcasts.look(Settings(), {})
    assert looks.made == broadcasts.LOOKS
