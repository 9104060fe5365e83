"""Which whole cells look most like a small region: a block, an oval.

A block (an eye, a button) is a rectangle of cells.
"""

from itertools import combinations

import numpy as np
from jaxtyping import Bool, Float64, Int
from scipy import ndimage

from voxify3d.pixelart.lines import WELL_HELD, thinned
from voxify3d.pixelart.region import Region

STRETCH = 0.5
"""How much a block loses whose proportions are not the region's: the exponent of the
ratio of the two."""
MISSIZED = 0.75
"""How much two large eyes lose whose cells are not of their size: the exponent of the
ratios of lengths along both axes. A narrow oval in the middle of a wide one overlaps
it well, and looks at nobody."""
THORNS = 3
"""Cells along an oval's shorter axis up to which it would end in single cells."""
HUGE, MOSTLY = 32.0, 0.5
"""Area of an eye, in cells, over which those cells show its shape best of which it
covers more than this share."""
MOST = 4.0
"""Cells of a block, for each cell that the region covers, beyond which a smaller one is
taken."""
LIGHT = 1 / 6
"""Most of an eye that its light gets."""

_CROSS = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]])

Size = tuple[int, int]
"""Rows and columns of a block of cells."""
Corner = tuple[int, int]
"""First row and column of a block."""
Rank = tuple[float, float]
"""How well a block suits a region; more is better."""


def best_cells(
    share: Float64[np.ndarray, "a b"],
    wanted: int,
    extent: Int[np.ndarray, " 2"] | None,
    on: tuple[int, int] | None = None,
    size: Size | None = None,
    *,
    is_line: bool = False,
) -> Int[np.ndarray, "m 2"]:
    """Return the cells that a region is given; at least one where it has any.

    A compact region (an eye, a button) gets the rectangle that it fills best: a
    block with a missing corner looks like another shape. A line or an arc gets the
    cells that hold most of it, in one row. Of equal choices the one nearer to the
    middle of the picture is taken.

    Args:
        share: Share of each cell that the region covers.
        wanted: Cells for what is no block.
        extent: Of a block, samples; None for what is none.
        on: An axis, and the sum of the places of the two ends there.
        size: Of the block, if there is one of this size.
        is_line: Whether the region is a line or an arc.
    """
    cells = np.argwhere(share > 0)
    if not len(cells):
        return cells
    if extent is not None:
        blocks = blocks_of(share, extent, on)
        if not blocks:
            return cells
        if size not in blocks:
            size = max(blocks, key=lambda size: blocks[size][0])
        return _cells_of(size, blocks[size][1])
    held = share[tuple(cells.T)]
    off = np.abs(cells + 0.5 - np.array(share.shape) / 2).sum(axis=1)
    order = np.lexsort((off, -held.round(6)))
    order = order[held[order] >= held.max() / 6]
    if is_line:
        cells = thinned(cells[np.sort(order)], held[np.sort(order)], wanted)
    else:
        cells = cells[order[: max(wanted, int((held >= WELL_HELD).sum()))]]
    return cells if on is None else _better_half(cells, share, on)


def _better_half(
    cells: Int[np.ndarray, "n 2"],
    share: Float64[np.ndarray, "a b"],
    on: tuple[int, int],
) -> Int[np.ndarray, "m 2"]:
    """Return the half of some cells that covers more, and its mirror image."""
    axis, ends = on
    held = share[tuple(cells.T)]
    first, last = (sign * (2 * cells[:, axis] - ends) <= 0 for sign in (1, -1))
    is_first = held[first].sum().round(6) >= held[last].sum().round(6)
    half = cells[first if is_first else last]
    image = half.copy()
    image[:, axis] = ends - image[:, axis]
    inside = (image[:, axis] >= 0) & (image[:, axis] < share.shape[axis])
    return np.unique(np.concatenate([half, image[inside]]), axis=0)


def fewer_cells(
    share: Float64[np.ndarray, "a b"],
    most: int,
    extent: Int[np.ndarray, " 2"] | None,
    on: tuple[int, int] | None = None,
) -> Int[np.ndarray, "m 2"]:
    """Return at most so many cells of a region: the best block, or what holds most.

    Args:
        share: Share of each cell that the region covers.
        most: Cells.
        extent: As for `best_cells`.
        on: As for `best_cells`.
    """
    if extent is not None:
        blocks = blocks_of(share, extent, on)
        sizes = [size for size in blocks if size[0] * size[1] <= most]
        if not sizes:
            return np.zeros((0, 2), np.int64)
        size = max(sizes, key=lambda size: blocks[size][0])
        return _cells_of(size, blocks[size][1])
    cells = np.argwhere(share > 0)
    held = share[tuple(cells.T)].round(6)
    return cells[np.argsort(-held, kind="stable")[:most]]


def _cells_of(size: Size, corner: Corner) -> Int[np.ndarray, "m 2"]:
    return np.indices(size).reshape(2, -1).T + np.array(corner)


def best_eyes(
    shares: list[list[Float64[np.ndarray, "a b"]]],
    free: list[Bool[np.ndarray, "a b"]],
    extent: Int[np.ndarray, " 2"],
    side: int,
    is_round: bool,
) -> list[Int[np.ndarray, "_ 2"]]:
    """Return the cells that suit two large eyes best: blocks or ovals of one size.

    Cells that are not free are drawn only if there is no other way.

    Args:
        shares: For each place that is sought, the share of each cell that an eye
            covers: two eyes that are mirror images have one place.
        free: For each place, the cells that may be drawn.
        extent: Samples.
        side: Samples along a cell.
        is_round: Whether an oval is wanted.
    """
    if np.mean([share.sum() for own in shares for share in own]) > HUGE:
        best = [
            _covered(np.mean(own, axis=0) * may)
            for own, may in zip(shares, free, strict=True)
        ]
    else:
        best = _best_of_one_size(shares, free, extent, side, is_round)
    if all(len(cells) for cells in best) or all(may.all() for may in free):
        return best
    every = [np.ones_like(may) for may in free]
    return best_eyes(shares, every, extent, side, is_round)


def _best_of_one_size(
    shares: list[list[Float64[np.ndarray, "a b"]]],
    free: list[Bool[np.ndarray, "a b"]],
    extent: Int[np.ndarray, " 2"],
    side: int,
    is_round: bool,
) -> list[Int[np.ndarray, "_ 2"]]:
    """Return free cells for two eyes, as `best_eyes`; none where no size has room."""
    best, most = [np.zeros((0, 2), np.int64) for _ in shares], 0.0
    found = [
        blocks_of(np.maximum.reduce(own) * may, extent, None)
        for own, may in zip(shares, free, strict=True)
    ]
    for size in found[0]:
        if not all(size in blocks for blocks in found):
            continue
        inside = np.argwhere(oval_of(size) if is_round else np.ones(size, bool))
        cells = [inside + blocks[size][1] for blocks in found]
        if not all(may[tuple(c.T)].all() for c, may in zip(cells, free, strict=True)):
            continue
        overlap = sum(
            _overlap(share, where)
            for own, where in zip(shares, cells, strict=True)
            for share in own
        )
        missized = np.abs(np.log(np.multiply(size, side) / extent)).sum()
        overlap *= float(np.exp(-MISSIZED * missized))
        if overlap > most:
            best, most = cells, overlap
    return best


def _covered(share: Float64[np.ndarray, "a b"]) -> Int[np.ndarray, "m 2"]:
    """Return the cells that a region mostly covers, but for single ones at its ends."""
    own = share >= MOSTLY
    beside = ndimage.convolve(own.astype(int), _CROSS, mode="constant")
    return np.argwhere(own & (beside > 1))


def oval_of(size: Size) -> Bool[np.ndarray, "a b"]:
    """Return which cells of a box an oval has: all where it would have thorns."""
    if min(size) <= THORNS:
        return np.ones(size, bool)
    half = np.array(size) / 2
    away = (np.moveaxis(np.indices(size), 0, -1) + 0.5 - half) / half
    return (away**2).sum(axis=-1) <= 1


def _overlap(share: Float64[np.ndarray, "a b"], cells: Int[np.ndarray, "m 2"]) -> float:
    """Return the intersection over union of a region with cells."""
    both = float(share[tuple(cells.T)].sum())
    return both / (len(cells) + float(share.sum()) - both)


def best_light(
    light: Region, eye: Bool[np.ndarray, "a b"], side: int
) -> Int[np.ndarray, "m 2"]:
    """Return the block nearest to a light that the eye surrounds; none if none is.

    A light in the color of what is around the eye would be a bite out of it.
    """
    inner = ndimage.binary_erosion(eye)
    most = max(1, min(int(LIGHT * eye.sum()), int(inner.sum()) // 2))
    high, wide = np.maximum(np.rint((light.box[1] - light.box[0] + 1) / side), 1)
    size = (int(high), int(wide))
    while True:
        fits = np.zeros((0, 2), np.int64)
        if size[0] * size[1] <= most and min(np.array(inner.shape) - size) >= 0:
            windows = np.lib.stride_tricks.sliding_window_view(inner, size)
            fits = np.argwhere(windows.all(axis=(2, 3)))
        if len(fits):
            away = np.abs(fits + np.array(size) / 2 - light.center / side).sum(axis=1)
            row, column = fits[away.round(6).argmin()].tolist()
            return _cells_of(size, (row, column))
        if size == (1, 1):
            return fits
        size = (size[0] - 1, size[1]) if size[0] > size[1] else (size[0], size[1] - 1)


def blocks_of(
    share: Float64[np.ndarray, "a b"],
    extent: Int[np.ndarray, " 2"],
    on: tuple[int, int] | None,
) -> dict[Size, tuple[Rank, Corner]]:
    """Return the block of each size that is most like a region, and how much it is.

    Intersection over union decides, less for a block that is longer than the region:
    a round eye in the middle of a cell would become a bar, and so would one that covers
    a third of a cell, on a border of two. Of equal ones that nearer to the middle of
    the picture.
    """
    cells = np.argwhere(share > 0)
    if not len(cells):
        return {}
    low, high = cells.min(axis=0), cells.max(axis=0) + 1
    area, middle = share.sum(), np.array(share.shape) / 2
    least = 2 if on is not None and on[1] % 2 else 1
    found: dict[Size, tuple[Rank, Corner]] = {}
    for top, bottom in combinations(range(low[0], high[0] + 1), 2):
        for left, right in combinations(range(low[1], high[1] + 1), 2):
            ends = (top + bottom - 1, left + right - 1)
            if on is not None and ends[on[0]] != on[1]:
                continue
            height, width = bottom - top, right - left
            if least < height * width > MOST * area:
                continue
            both = float(share[top:bottom, left:right].sum())
            score = both / (height * width + area - both)
            score *= np.exp(
                -STRETCH * abs(np.log(height / width * extent[1] / extent[0]))
            )
            center = np.array([top + bottom, left + right]) / 2
            rank = (round(float(score), 6), -float(np.abs(center - middle).sum()))
            best = found.get((height, width))
            if best is None or rank > best[0]:
                found[height, width] = rank, (top, left)
    return found


def common_size(blocks: list[dict[Size, tuple[Rank, Corner]]]) -> Size | None:
    """Return the size of block that suits all regions best; None if none fits all.

    Args:
        blocks: Of `blocks_of`, for each region.
    """
    first, *rest = blocks or [{}]
    sizes = [size for size in first if all(size in others for others in rest)]
    if not sizes:
        return None
    return max(sizes, key=lambda size: sum(each[size][0][0] for each in blocks))
