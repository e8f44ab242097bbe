"""Which states are behind what broadcast topics said of their group: derived from the states, and done once."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from services.runtime.groups import Behind
from services.runtime.records import Record
from services.runtime.stage import Effect
from services.runtime.states import Shard, States


@dataclass(frozen=True)
class Colour:
    """A member of a group, and the number that it last caught up with."""

    group: str | None
    at: int = 0
    due: int | None = None


class Colours:
    """Groups by colour; a broadcast record says of one how far it is."""

    def __init__(self) -> None:
        self.far: dict[str, int] = {}

    def group_of(self, state: Colour) -> str | None:
        return state.group

    def concerns(self, record: Record) -> str | None:
        return record.key.decode() or None

    def behind(self, state: Colour) -> bool:
        return state.group is not None and state.at < self.far.get(state.group, 0)

    def catch_up(self, shard: int, key: bytes, states: States[Colour], now: int) -> Iterator[Effect]:
        state = states.get(shard, key)
        assert state is not None and state.group is not None
        states.put(shard, key, Colour(state.group, self.far[state.group]))
        yield from ()


def said(group: str) -> Record:
    return Record("news", "news", 0, 0, group.encode(), b"", 0)


class World:
    def __init__(self) -> None:
        self.colours, self.states = Colours(), States[Colour]()
        self.behind = Behind(self.colours, self.states)

    def restore(self, number: int, **states: Colour) -> None:
        shard: Shard[Colour] = Shard(self.colours.group_of)
        for key, state in states.items():
            shard.apply(key.encode(), state)
        self.states.shards[number] = shard
        self.behind.restored(number, shard)

    def hear(self, group: str, far: int) -> None:
        self.colours.far[group] = far
        self.behind.heard(said(group))

    def commit(self) -> list[tuple[int, bytes]]:
        places = self.behind.first(100)
        for place in places:
            list(self.behind.catch_up(place, 0))
        self.states.apply()
        self.behind.done(places)
        return places


@pytest.fixture
def world() -> World:
    world = World()
    world.restore(0, a=Colour("red"), b=Colour("blue"), c=Colour(None))
    world.restore(3, d=Colour("red"))
    return world


def test_all_of_a_group_fall_behind_on_every_shard_and_nobody_else(world: World) -> None:
    assert not world.behind
    world.hear("red", 1)
    assert world.commit() == [(0, b"a"), (3, b"d")]
    assert not world.behind


def test_the_same_again_is_nothing_new(world: World) -> None:
    world.hear("red", 1)
    world.commit()
    world.hear("red", 1)
    assert not world.behind


def test_what_is_not_committed_stays(world: World) -> None:
    world.hear("red", 1)
    for place in world.behind.first(1):
        list(world.behind.catch_up(place, 0))
    world.states.drop()
    assert world.behind.first(5) == [(0, b"a"), (3, b"d")]


def test_a_restored_shard_finds_what_was_said_before(world: World) -> None:
    world.colours.far["green"] = 2
    world.restore(5, e=Colour("green"), f=Colour("green", at=2))
    assert world.behind.first(5) == [(5, b"e")]


def test_a_shard_that_is_gone_takes_its_own_along(world: World) -> None:
    world.hear("red", 1)
    del world.states.shards[0]
    world.behind.gone(0)
    assert world.behind.first(5) == [(3, b"d")]


def test_a_record_of_no_group_concerns_nobody(world: World) -> None:
    world.behind.heard(said(""))
    assert not world.behind


def test_without_groups_nobody_is_behind() -> None:
    states: States[Colour] = States()
    behind: Behind[Colour] = Behind(None, states)
    shard: Shard[Colour] = Shard()
    shard.apply(b"a", Colour("red"))
    behind.restored(0, shard)
    behind.heard(said("red"))
    assert not behind and shard.members("red") == []


def test_members_are_those_of_the_committed_states() -> None:
    shard: Shard[Colour] = Shard(lambda state: state.group)
    shard.apply(b"a", Colour("red"))
    shard.apply(b"b", Colour("red"))
    assert shard.members("red") == [b"a", b"b"]
    shard.apply(b"a", Colour("blue"))
    shard.apply(b"b", None)
    assert shard.members("red") == [] and shard.members("blue") == [b"a"]
    shard.apply(b"a", Colour(None))
    assert shard.members("blue") == []
