"""Thin parts in a picture: limbs, tails and antennas narrower than a cell.

A cell is filled when half of it is covered, which cuts every limb that is thinner
than half a cell, or that runs along a border between two cells. What is thin is
decided where it can be seen, at the resolution of the samples.
"""

import numpy as np
from jaxtyping import Bool
from scipy import ndimage

WIDTH = 0.95
"""Parts narrower than this, in cells, are thin."""
LEAST = 0.25
"""Covered share of a cell under which nothing is rescued."""

_ALONG = np.array([1, 2, 3, 2, 1]) / 9


def thin_cells(
    hit: Bool[np.ndarray, "a b s"],
    filled: Bool[np.ndarray, "a b"],
    side: int,
) -> Bool[np.ndarray, "a b"]:
    """Return unfilled cells that must be filled for thin parts to stay whole.

    Across a thin part, the best-covered cell is taken: one that is covered more than
    both of its neighbors in a row or in a column, with neither of them filled.

    Args:
        hit: Samples that hit the mesh.
        filled: Cells that are filled anyway.
        side: Samples along each side of a cell.
    """
    a, b, _ = hit.shape
    split = hit.reshape(a, b, side, side)
    mask = np.swapaxes(split, 1, 2).reshape(a * side, b * side)
    thin = mask & ~_opened(mask, WIDTH * side / 2)
    share = thin.reshape(a, side, b, side).mean(axis=(1, 3))
    covered = hit.mean(axis=-1)
    candidate = ~filled & (share >= LEAST) & (share >= 0.3 * covered)
    chosen = np.zeros_like(filled)
    for axis in (0, 1):
        # along the part, a stretch of cells decides: limbs should be straight
        height = ndimage.convolve1d(covered, _ALONG, axis=1 - axis, mode="constant")
        before, after = _neighbors(height, axis)
        filled_before, filled_after = _neighbors(filled, axis)
        # of two equal cells, the one nearer to the middle
        place = np.expand_dims(np.arange(filled.shape[axis]), 1 - axis)
        first_half = place < (filled.shape[axis] - 1) / 2
        more_than_before = np.where(first_half, height > before, height >= before)
        more_than_after = np.where(first_half, height >= after, height > after)
        free = ~filled_before & ~filled_after
        chosen |= candidate & free & more_than_before & more_than_after
    return chosen


def _opened(mask: Bool[np.ndarray, "h w"], radius: float) -> Bool[np.ndarray, "h w"]:
    """Return what discs of a radius can cover without leaving the mask."""
    padded = np.pad(mask, 1)
    inside = ndimage.distance_transform_edt(padded)
    centers = np.asarray(inside) > radius
    if not centers.any():
        return np.zeros_like(mask)
    reach = np.asarray(ndimage.distance_transform_edt(~centers))
    return (reach <= radius + 1)[1:-1, 1:-1]


def _neighbors(values: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Return each cell's neighbors before and after it on an axis; 0 outside."""
    padded = np.pad(values, [(1, 1) if i == axis else (0, 0) for i in (0, 1)])
    size = values.shape[axis]
    return (
        np.take(padded, range(size), axis=axis),
        np.take(padded, range(2, size + 2), axis=axis),
    )
