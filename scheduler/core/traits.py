"""Which host has which trait: one bit each, packed in words, so that 300 traits of 100,000 hosts take 4 MB."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

_BITS = 64
# More different traits than any real cloud has. What comes later counts as absent: a host cannot fill our memory.
MAX_TRAITS = 4096


class TraitBits:
    """A matrix of bits, traits by hosts. The table tells it when rows are added, moved and overwritten."""

    def __init__(self, capacity: int) -> None:
        self._indexes: dict[str, int] = {}
        self._words: NDArray[np.uint64] = np.zeros((1, capacity), dtype=np.uint64)

    def reserve(self, capacity: int) -> None:
        """Make room for this many hosts."""
        self._resize(self._words.shape[0], capacity)

    def write(self, row: int, traits: Iterable[str]) -> None:
        """Make these the traits of the host in the row."""
        indexes = [index for index in map(self._index, traits) if index is not None]
        needed = max(indexes, default=0) // _BITS + 1
        if needed > self._words.shape[0]:
            self._resize(needed, self._words.shape[1])
        bits = [0] * self._words.shape[0]
        for index in indexes:
            bits[index // _BITS] |= 1 << (index % _BITS)
        self._words[:, row] = np.array(bits, dtype=np.uint64)

    def move(self, source: int, target: int) -> None:
        """Give the row `target` the traits of the row `source`."""
        self._words[:, target] = self._words[:, source]

    def have_all(self, traits: Iterable[str], first: int, size: int) -> NDArray[np.bool_]:
        """Return for each of `size` hosts, from the row `first` on, whether it has every one of the traits."""
        mask = np.ones(size, dtype=np.bool_)
        for trait in traits:
            index = self._indexes.get(trait)
            if index is None:
                return np.zeros(size, dtype=np.bool_)
            bit = np.uint64(1 << (index % _BITS))
            mask &= (self._words[index // _BITS, first : first + size] & bit) != 0
        return mask

    def _index(self, trait: str) -> int | None:
        index = self._indexes.get(trait)
        if index is None and len(self._indexes) < MAX_TRAITS:
            index = self._indexes[trait] = len(self._indexes)
        return index

    def _resize(self, words: int, capacity: int) -> None:
        grown = np.zeros((words, capacity), dtype=np.uint64)
        grown[: self._words.shape[0], : self._words.shape[1]] = self._words
        self._words = grown
