"""The hosts that satisfy every rule, with their scores, kept true while servers are placed on them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from contracts.scheduling import RequestSpec
from scheduler.core.columns import Columns, Mask
from scheduler.core.failures import WeigherFailedError
from scheduler.core.normalize import Weights, normalize
from scheduler.core.weighers.base import Weigher

Positions = NDArray[np.intp]


class Ranking:
    """The candidates of a decision.

    After a server is placed on a host, only that host's weights are computed anew; all scores are only when the
    scale moved, that is when the best or the worst host changed. So the hundredth choice of a request costs less
    than the first, and is the same as if all had been computed.
    """

    def __init__(self, hosts: Columns, request: RequestSpec, mask: Mask, weighers: Sequence[Weigher]) -> None:
        self._hosts = hosts
        self._request = request
        self._positions: Positions = np.flatnonzero(mask)
        self._size = len(self._positions)
        weighed = [(weigher, _weigh(weigher, hosts, request)) for weigher in weighers]
        self._weighers = [weigher for weigher, weights in weighed if weights is not None]
        self._weights: Weights = np.zeros((len(self._weighers), self._size))
        for row, weights in enumerate(weights for _, weights in weighed if weights is not None):
            self._weights[row] = weights[self._positions]
        self._scores: Weights = np.zeros(self._size)
        self._scale: Weights | None = None
        self._score(None)
        self._first_scale: Weights | None = self._scale

    def __len__(self) -> int:
        return self._size

    def best(self, rng: np.random.Generator) -> int:
        """Return the index of the candidate with the highest score, of several any. There must be one."""
        scores = self._scores[: self._size]
        ties = np.flatnonzero(scores == scores.max())
        return int(ties[rng.integers(len(ties))]) if len(ties) > 1 else int(ties[0])

    def position(self, index: int) -> int:
        """Return the position, among all hosts, of the candidate at the index."""
        return int(self._positions[index])

    @property
    def weighers(self) -> list[str]:
        """Names of the weighers that have a say."""
        return [weigher.name for weigher in self._weighers]

    def parts(self, index: int) -> list[float]:
        """Return what each weigher adds to the candidate's score, on the scale of the beginning, rounded for people."""
        if self._first_scale is None:
            return []
        lowest, highest = self._first_scale.tolist()
        weights = self._weights[:, index].tolist()
        return [
            round(weigher.multiplier * _share(weight, low, high), 3) + 0.0  # never -0
            for weigher, weight, low, high in zip(self._weighers, weights, lowest, highest, strict=True)
        ]

    def refresh(self, index: int) -> None:
        """Weigh the candidate at the index anew, after a server was placed on it."""
        host = self._hosts.only(self.position(index))
        for row, weigher in enumerate(self._weighers):
            weights = _weigh(weigher, host, self._request)
            if weights is not None:
                self._weights[row, index] = weights[0]
        self._score(index)

    def drop(self, index: int) -> None:
        """Take the candidate at the index out; the last one takes its place."""
        last = self._size - 1
        self._positions[index] = self._positions[last]
        self._weights[:, index] = self._weights[:, last]
        self._scores[index] = self._scores[last]
        self._size = last
        self._score(index if index < last else None)

    def narrow(self, mask: Mask) -> None:
        """Keep only the candidates whose host is in the mask."""
        kept = mask[self._positions[: self._size]]
        self._positions = self._positions[: self._size][kept]
        self._weights = self._weights[:, : self._size][:, kept]
        self._scores = self._scores[: self._size][kept]
        self._size = len(self._positions)
        self._scale = None
        self._score(None)

    def top(self, count: int, rng: np.random.Generator) -> list[int]:
        """Return the indices of the best `count` candidates, best first, equals in random order."""
        size = self._size
        scores = self._scores[:size]
        if count < size:
            worst = np.partition(scores, size - count)[size - count]
            better = np.flatnonzero(scores > worst)
            equals = rng.permutation(np.flatnonzero(scores == worst))
            chosen = np.concatenate([better, equals[: count - len(better)]])
        else:
            chosen = np.arange(size)
        chosen = rng.permutation(chosen)
        order = np.argsort(-scores[chosen], kind="stable")
        return [int(index) for index in chosen[order]]

    def _score(self, index: int | None) -> None:
        """Compute the score at the index, and all of them when the scale has moved."""
        if not self._size:
            return
        weights = self._weights[:, : self._size]
        scale = np.stack([weights.min(axis=1), weights.max(axis=1)])
        if self._scale is None or not np.array_equal(scale, self._scale):
            self._scale = scale
            self._scores[: self._size] = self._total(weights, scale)
        elif index is not None:
            self._scores[index] = self._total(weights[:, index : index + 1], scale)[0]

    def _total(self, weights: Weights, scale: Weights) -> Weights:
        total: Weights = np.zeros(weights.shape[1])
        for row, weigher in enumerate(self._weighers):
            total += weigher.multiplier * normalize(weights[row], float(scale[0, row]), float(scale[1, row]))
        return total


def _weigh(weigher: Weigher, hosts: Columns, request: RequestSpec) -> Weights | None:
    try:
        weights = weigher.weigh(hosts, request)
    except Exception as exc:
        raise WeigherFailedError(f"{weigher.name} failed: {exc!r}") from exc
    if weights is not None and (weights.shape != (hosts.size,) or not np.isfinite(weights).all()):
        raise WeigherFailedError(f"{weigher.name} failed: it has no number for each host")
    return weights


def _share(weight: float, lowest: float, highest: float) -> float:
    """Return what `normalize` would, of one weight."""
    return (weight - lowest) / (highest - lowest) if highest > lowest else 0.0
