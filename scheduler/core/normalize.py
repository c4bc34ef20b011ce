"""Weights of different units made comparable: the worst host gets 0, the best 1, all in between in proportion."""

import numpy as np
from numpy.typing import NDArray

Weights = NDArray[np.float64]


def normalize(weights: Weights, lowest: float, highest: float) -> Weights:
    """Return the weights on a scale from 0 at `lowest` to 1 at `highest`; all 0 where these are equal."""
    if lowest == highest:
        return np.zeros_like(weights)
    scaled: Weights = (weights - lowest) / (highest - lowest)
    return scaled
