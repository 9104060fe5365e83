"""Nearest palette color, and its distance."""

import numpy as np
from jaxtyping import Float, Float64, Int

_PAIRS_PER_CALL = 1 << 22
"""Color–entry pairs compared at once; bounds memory to about 64 MB."""


def nearest(
    lab: Float[np.ndarray, "n 3"], palette: Float[np.ndarray, "k 3"]
) -> tuple[Int[np.ndarray, " n"], Float64[np.ndarray, " n"]]:
    """Return the nearest palette entry of each color, and how far it is.

    Args:
        lab: Colors, OKLab (any space will do; both arguments in the same).
        palette: At least one entry.

    Returns:
        Index into `palette` (the smallest of equally near ones), and the Euclidean
        distance.

    Raises:
        ValueError: The palette is empty.
    """
    if not len(palette):
        raise ValueError("palette has no entries, expected at least one")
    lab = np.asarray(lab, np.float64)
    palette = np.asarray(palette, np.float64)
    index = np.empty(len(lab), np.int64)
    rows = max(1, _PAIRS_PER_CALL // len(palette))
    # |c - p|² less the |c|² that all entries share; the winner's distance is then
    # taken from the difference itself, so an exact match is exactly 0.
    norm = (palette**2).sum(axis=1) / 2
    for first in range(0, len(lab), rows):
        part = slice(first, first + rows)
        index[part] = (norm - lab[part] @ palette.T).argmin(axis=1)
    return index, np.linalg.norm(lab - palette[index], axis=1)
