"""Thin parts in a picture: limbs, tails and antennas narrower than a cell.

A cell is filled when half of it is covered, which cuts every limb that is thinner
than half a cell, or that runs along a border between two cells. What is thin is
decided where it can be seen, at the resolution of the samples.
"""

import numpy as np
from jaxtyping import Bool, Float
from scipy import ndimage

from voxify3d.pixelart.samples import sample_image

WIDTH = 0.95
"""Parts narrower than this, in cells, are thin."""
LEAST = 0.2
"""Covered share, of a cell and its neighbor, under which nothing is rescued."""
_NEARLY = 0.75
"""Share of a cell's coverage from which the one beside it will do."""

_ALONG = np.array([1, 2, 3, 2, 1]) / 9


def thin_cells(
    hit: Bool[np.ndarray, "a b s"],
    filled: Bool[np.ndarray, "a b"],
    side: int,
) -> Bool[np.ndarray, "a b"]:
    """Return unfilled cells that must be filled for thin parts to stay whole.

    Across a thin part, the best-covered cell is taken: one that is covered more than
    both of its neighbors in a row or in a column, with neither of them filled. Between
    two such cells one is taken anyway: a pole that passes an ear stays whole.

    Args:
        hit: Samples that hit the mesh.
        filled: Cells that are filled anyway.
        side: Samples along each side of a cell.
    """
    a, b, _ = hit.shape
    mask = sample_image(hit)
    thin = mask & ~_opened(mask, WIDTH * side / 2)
    cells = thin.reshape(a, side, b, side)
    share = cells.mean(axis=(1, 3))
    covered = hit.mean(axis=-1)
    candidate = ~filled & (share >= LEAST / 3) & (share >= 0.3 * covered)
    # How much of the cell's height and width the part takes says where it runs.
    extent = [cells.any(axis=3).mean(axis=1), cells.any(axis=1).mean(axis=2)]
    # Along the part, a stretch of cells decides: limbs should be straight.
    own = covered * (share >= 0.05)
    stretch = [
        np.asarray(ndimage.convolve1d(own, _ALONG, axis=axis, mode="constant"))
        for axis in (0, 1)
    ]
    chosen = np.zeros_like(filled)
    ridges = []
    for across in (0, 1):
        height = stretch[1 - across]
        runs_along = extent[1 - across] >= extent[across]
        before, after = _neighbors(height, across)
        filled_before, filled_after = _neighbors(filled, across)
        # of two equal cells, the one nearer to the middle
        place = np.expand_dims(np.arange(filled.shape[across]), 1 - across)
        middle = (filled.shape[across] - 1) // 2
        over_before = before - 1e-9 * np.where(place <= middle, 1, -1)
        over_after = after - 1e-9 * np.where(place >= middle, 1, -1)
        ridge = (height >= over_before) & (height >= over_after)
        ridges.append(candidate & runs_along & ridge)
        free = ~filled_before & ~filled_after
        # a part on the border of two cells gives each its half
        free &= share + np.maximum(*_neighbors(share, across)) >= LEAST
        chosen |= ridges[across] & free
    for across, ridge in enumerate(ridges):
        chosen |= ridge & np.logical_and(*_neighbors(chosen, 1 - across))
    return _straightened(chosen, filled, covered)


def _straightened(
    chosen: Bool[np.ndarray, "a b"],
    filled: Bool[np.ndarray, "a b"],
    covered: Float[np.ndarray, "a b"],
) -> Bool[np.ndarray, "a b"]:
    """Return chosen cells, moved one cell aside where that mends a limb's zigzag.

    A cell moves when the one beside it is covered nearly as well and lies between two
    cells of the limb, as it does not itself.
    """
    for along in (0, 1):
        for before in (True, False):
            whole = filled | chosen
            between = np.logical_and(*_neighbors(whole, along))
            beside = 1 - along
            pick = 0 if before else 1
            better = _neighbors(between & ~whole, beside)[pick]
            better &= _neighbors(covered, beside)[pick] >= _NEARLY * covered
            moves = chosen & better & ~between
            # To where `beside` was looked up: one cell before, or one after.
            there = _neighbors(moves, beside)[1 - pick]
            chosen = (chosen & ~moves) | there
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
