"""A view's samples, cell by cell, as one picture."""

import math

import numpy as np


def sample_image(values: np.ndarray) -> np.ndarray:
    """Return cells of samples `a b s ...` as one picture of samples `h w ...`."""
    a, b, s = values.shape[:3]
    side = math.isqrt(s)
    split = values.reshape(a, b, side, side, *values.shape[3:])
    return np.swapaxes(split, 1, 2).reshape(a * side, b * side, *values.shape[3:])
