"""Where to look for near copies of a text: an index of signatures by their bands.

It only makes suggestions. Who asks compares signatures, and knows whether what is suggested is still there.
"""

from collections import Counter
from collections.abc import Iterator
from typing import TypeAlias

from services.clusters.core.signatures import bands

Place: TypeAlias = tuple[int, bytes]  # shard, key
CROWD = 64  # in one band, and to be compared with one text: texts that share boilerplate fill bands without being alike


class Index:
    """Places of signatures by band. A band holds the latest CROWD."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._bands: dict[
            int, tuple[Place, ...]
        ] = {}  # most have one place, and there are many: tuples are small
        self._of: dict[Place, tuple[int, ...]] = {}

    def __len__(self) -> int:
        return len(self._of)

    def add(self, place: Place, signature: bytes) -> None:
        """Suggest a place to whoever asks for something alike; once more does nothing."""
        if place in self._of:
            return
        self._of[place] = found = bands(signature, self._rows)
        for band in found:
            self._bands[band] = (*self._bands.get(band, ())[1 - CROWD :], place)

    def remove(self, place: Place) -> None:
        """Suggest it no more."""
        for band in self._of.pop(place, ()):
            if members := tuple(member for member in self._bands.get(band, ()) if member != place):
                self._bands[band] = members
            else:
                self._bands.pop(band, None)

    def remove_shard(self, shard: int) -> None:
        """Suggest nothing of a shard any more."""
        for place in [place for place in self._of if place[0] == shard]:
            self.remove(place)

    def suggestions(self, signature: bytes) -> Iterator[Place]:
        """At most CROWD places, those that share the most bands first."""
        shared: Counter[Place] = Counter()
        for band in bands(signature, self._rows):
            shared.update(self._bands.get(band, ()))
        return (place for place, _ in shared.most_common(CROWD))
