"""Frames: the upright borders of windows, doors, screens and buckles."""

from dataclasses import replace
from itertools import product

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int
from scipy import ndimage

from voxify3d.pixelart.region import Region
from voxify3d.pixelart.samples import grown

UPRIGHT = 0.9
"""Share of its box that a frame fills with what it encloses, and that its hole fills: a
disc fills 0.79."""
THIN, THICK = 0.25, 1.6
"""Least and most width of a frame's bars, in cells."""
SAME = 0.1
"""Distance (OKLab) up to which samples have the color of a frame; at most half of its
contrast."""
FRAME_AREA = 25.0
"""Most area of a frame's bars, in cells."""
LEAST = 1.5
"""Least distance of two bars' middles, in cells."""


def as_frame(
    region: Region,
    lab: Float32[np.ndarray, "h w 3"],
    hit: Bool[np.ndarray, "h w"],
    side: int,
) -> Region:
    """Return a region with all that has about its color, if that is a frame.

    Args:
        region: The one; a small spot is none.
        lab: The picture of all samples, OKLab.
        hit: Where it has any.
        side: Samples along a cell.
    """
    if region.compact and not region.is_large(side):
        return region
    most = min(SAME, 0.5 * region.contrast)
    whole, _ = grown(region.points, region.lab, lab, hit, most, side // 2)
    for points in (whole, region.points):
        is_small = len(points) <= FRAME_AREA * side**2
        if is_small and _span_of(points, side) is not None:
            return replace(region, points=points, shape=None, is_frame=True)
    return region


def frame_cells(
    points: Int[np.ndarray, "n 2"],
    share: Float64[np.ndarray, "a b"],
    side: int,
    on: tuple[int, int] | None = None,
) -> Int[np.ndarray, "m 2"] | None:
    """Return the border of a rectangle of cells for a frame; None for what is none.

    The middles of its bars decide how large the rectangle is, and what the border
    covers where it lies. Cell by cell it would lose its corners.

    Args:
        points: Its samples, [row, column].
        share: Share of each cell that it covers.
        side: Samples along a cell.
        on: An axis, and the sum of the places of its two ends there, if that is given.
    """
    span = _span_of(points, side)
    if span is None:
        return None
    size = np.maximum(np.rint(span).astype(int) + 1, 3)
    if on is not None and (on[1] + 1 - size[on[0]]) % 2:
        size[on[0]] += 1 if span[on[0]] + 1 > size[on[0]] or size[on[0]] == 3 else -1
    low, high = points.min(axis=0), points.max(axis=0) + 1
    first = np.floor((low + high) / 2 / side - size / 2).astype(int)
    border = np.ones(size, bool)
    border[1:-1, 1:-1] = False
    best, most = None, 0.0
    for step in product((0, 1), repeat=2):
        corner = first + step
        if on is not None:
            corner[on[0]] = (on[1] + 1 - size[on[0]]) // 2
        cells = np.argwhere(border) + corner
        inside = bool(((cells >= 0) & (cells < share.shape)).all())
        held = round(float(share[tuple(cells.T)].sum()), 6) if inside else 0.0
        if held > most:
            best, most = cells, held
    return best


def _span_of(
    points: Int[np.ndarray, "n 2"], side: int
) -> Float64[np.ndarray, " 2"] | None:
    """Return how far apart the middles of a frame's bars lie, in cells."""
    box = np.ptp(points, axis=0) + 1
    inside = np.zeros(box + 2, bool)
    inside[tuple((points - points.min(axis=0) + 1).T)] = True
    inside = ndimage.binary_closing(inside, np.ones((3, 3), bool))
    whole = np.asarray(ndimage.binary_fill_holes(inside), bool)
    labels, count = ndimage.label(whole & ~inside)
    if count == 0:
        return None
    area = np.bincount(labels.ravel())[1:]
    hole = np.argwhere(labels == 1 + area.argmax())
    opening = np.ptp(hole, axis=0) + 1
    bars = (box - opening) / 2 / side
    is_upright = (
        whole.sum() >= UPRIGHT * box.prod() and len(hole) >= UPRIGHT * opening.prod()
    )
    span = box / side - bars
    is_frame = is_upright and bars.min() >= THIN and bars.max() <= THICK
    return span if is_frame and span.min() >= LEAST else None


def pane_of(cells: Int[np.ndarray, "n 2"]) -> Int[np.ndarray, "m 2"]:
    """Return the cells that the border of a rectangle encloses; none if it is none.

    Args:
        cells: Perhaps a border.
    """
    if not len(cells):
        return cells
    low = cells.min(axis=0)
    free = np.ones(np.ptp(cells, axis=0) + 1, bool)
    free[tuple((cells - low).T)] = False
    pane = np.argwhere(free) + low
    is_border = free[1:-1, 1:-1].all() and len(pane) == free[1:-1, 1:-1].size
    return pane if is_border else pane[:0]
