"""Where a feature is drawn: which whole cells a small region gets.

A region never meets the cells exactly. It gets the cells that show its shape best, at
least one, and of a left and right pair both get mirror images.
"""

from collections.abc import Set
from itertools import combinations

import numpy as np
from jaxtyping import Bool, Float64, Int
from scipy.sparse import csgraph

from voxify3d.pixelart.blocks import (
    LIGHT,
    Corner,
    Rank,
    Size,
    best_cells,
    best_eye,
    best_light,
    blocks_of,
    fewer_cells,
)
from voxify3d.pixelart.region import LEVEL, NOTCH, STRONG, Region

LARGE = 6.0
"""Area of a single spot, in cells, over which it need not become a rectangle. Of two
alike both do."""
_BETWEEN = 0.6
"""Distance to the object's middle, in cells, up to which a thing lies in it."""
_STRETCHED = 0.3
"""Difference of two sizes, in logarithms, up to which two spots are alike."""
_IN_ROW, _NEAR = 0.4, 5.0
"""How far apart two spots of a row may be, across it and along it, in their size."""


def place_regions(
    regions: list[Region],
    side: int,
    filled: Bool[np.ndarray, "a b"],
    across: int,
    plane: int | None = None,
) -> tuple[list[Int[np.ndarray, "m 2"]], dict[int, int]]:
    """Return the cells of each region; a left and right pair gets mirror images.

    And each such region's partner, where the two have equally many cells. What stands
    out most comes first.

    Args:
        regions: Of one view.
        side: Samples along a cell.
        filled: Cells that can be colored.
        across: Which of the two cell axes is horizontal in the picture.
        plane: Where left and right of the whole object meet, as `Mirror.plane`; None
            where it has no two sides, or shows one of them.
    """
    board = _Board(regions, side, filled, across, plane)
    # What lies inside another comes after it, and takes cells from it.
    order = sorted(
        range(len(regions)),
        key=lambda i: (
            board.around[i] >= 0,
            -regions[i].contrast * len(regions[i].points),
        ),
    )
    done: set[int] = set()
    for i in order:
        if i in done:
            continue
        done.add(i)
        j = None
        if board.around[i] < 0:
            j = partner_of(i, regions, side, across, done)
        if j is None:
            board.place_alone(i)
        else:
            board.place_pair(i, j)
            done.add(j)
    # A pair that something was taken from stays one only cell by cell.
    kept = [c[board.owner[tuple(c.T)] == i] for i, c in enumerate(board.cells)]
    whole = [len(k) == len(c) for k, c in zip(kept, board.cells, strict=True)]
    partner = {i: j for i, j in board.partner.items() if whole[i] and whole[j]}
    return kept, partner


class _Board:
    """One view's cells while regions are given theirs.

    Attributes:
        cells: Of each region; none as long as it has not been placed.
        owner: Number of the region that each cell was given to last, -1 for none.
        partner: Left and right pairs that were given equally many cells.
        around: Number of the region that encloses each one, -1 for none.
    """

    def __init__(
        self,
        regions: list[Region],
        side: int,
        filled: Bool[np.ndarray, "a b"],
        across: int,
        plane: int | None,
    ) -> None:
        """See `place_regions`."""
        self.cells = [np.zeros((0, 2), np.int64)] * len(regions)
        self.owner = np.full(filled.shape, -1)
        self.partner: dict[int, int] = {}
        self.around = [enclosing(i, regions) for i in range(len(regions))]
        self._regions, self._side, self._filled = regions, side, filled
        self._across, self._plane = across, plane
        self._sizes: dict[int, Size] = {}
        for series in _series(regions, side, across):
            blocks = [self._blocks(i) for i in series]
            size = _common_size([found for found in blocks if found])
            if size is not None:
                self._sizes |= dict.fromkeys(series, size)

    def place_alone(self, i: int) -> None:
        """Give a region cells; in the middle of the object, alike on both sides."""
        region, outer = self._regions[i], self.around[i]
        share, on = self._single(i)
        extent = region.extent
        if len(region.points) > LARGE * self._side**2:
            extent = None  # one such spot may have its own shape
        cells = best_cells(
            share,
            region.wanted,
            extent,
            on,
            self._sizes.get(i),
            is_line=not region.compact,
        )
        room = int((self.owner == outer).sum()) if outer >= 0 else 0
        if region.is_light and self._is_notch(i):
            cells = best_light(region, self.owner == outer, self._side)
        elif region.is_light:
            cells = cells[: int(LIGHT * room)]
        elif room == 1 and self._stands_for(i, outer):
            cells = np.argwhere(self.owner == outer)
        elif outer >= 0 and 2 * len(cells) > room:  # most of the outer one must stay
            cells = fewer_cells(share, room // 2, extent, on)
        self._give(i, cells)

    def place_pair(self, i: int, j: int) -> None:
        """Give a left and a right region cells that are mirror images."""
        one, other = self._regions[i], self._regions[j]
        middle = _middle(one, other, self._side, self._across, self._plane)
        image = _mirrored(self.owner.shape, self._across, middle)
        share = (self._share(i) + _look_up(self._share(j), image)) / 2
        extent = one.extent if other.compact else None
        wanted = max(one.wanted, other.wanted)
        if one.is_large(self._side) and extent is not None:
            both = [self._share(i), _look_up(self._share(j), image)]
            here = best_eye(both, extent, one.is_round)
        else:
            size, is_line = self._sizes.get(i), not one.compact
            here = best_cells(share, wanted, extent, None, size, is_line=is_line)
        there = here.copy()
        there[:, self._across] = middle - there[:, self._across]
        there = there[((there >= 0) & (there < self.owner.shape)).all(axis=1)]
        if len(here) == len(there):
            self.partner |= {i: j, j: i}
        self._give(j, there)
        self._give(i, here)

    def _single(
        self, i: int
    ) -> tuple[Float64[np.ndarray, "a b"], tuple[int, int] | None]:
        """Return the share of each cell that a region covers, and where its middle is.

        The latter for one in the middle of the object: an axis, and the sum of the
        places of its two ends there.
        """
        share, across, plane = self._share(i), self._across, self._plane
        if plane is None or not is_between(self._regions[i], self._side, across, plane):
            return share, None
        image = _mirrored(share.shape, across, plane - 1)
        return (share + _look_up(share, image)) / 2, (across, plane - 1)

    def _stands_for(self, i: int, outer: int) -> bool:
        """Return whether a pupil stands out more than the eye, which has one cell."""
        pupil, eye = self._regions[i], self._regions[outer]
        apart = float(np.linalg.norm(pupil.lab - eye.ground))
        is_dark = bool(pupil.lab[0] < eye.lab[0])
        return is_dark and pupil.is_striking and apart > eye.contrast

    def _is_notch(self, i: int) -> bool:
        """Return whether a light has the color of what is around its eye."""
        outer = self.around[i]
        if outer < 0:  # its eye lies behind something else
            return False
        ground = self._regions[outer].ground
        return bool(np.linalg.norm(self._regions[i].lab - ground) < NOTCH)

    def _blocks(self, i: int) -> dict[Size, tuple[Rank, Corner]]:
        """Return the best block of each size for a single compact region."""
        share, on = self._single(i)
        extent = self._regions[i].extent
        return {} if extent is None else blocks_of(share, extent, on)

    def _share(self, i: int) -> Float64[np.ndarray, "a b"]:
        """Return the share of each cell that a region covers; 0 if it is not free."""
        region = self._regions[i]
        free = self._filled & ((self.owner < 0) | (self.owner == self.around[i]))
        points = region.points if region.shape is None else region.shape
        return _cell_counts(points, self._side, free.shape) * free / self._side**2

    def _give(self, i: int, cells: Int[np.ndarray, "m 2"]) -> None:
        self.cells[i] = cells
        self.owner[tuple(cells.T)] = i


def enclosing(i: int, regions: list[Region]) -> int:
    """Return the number of the region that encloses another, -1 for none."""
    low, high = regions[i].box
    found = []
    for j, other in enumerate(regions):
        rim = 0 if _may_touch(regions[i], other) else 1
        least, most = other.box
        if j != i and (least + rim <= low).all() and (most - rim >= high).all():
            found.append((len(other.points), j))
    return min(found)[1] if found else -1


def _may_touch(region: Region, other: Region) -> bool:
    """Return whether one may reach the rim of another that encloses it.

    Lights may, and pupils; what has the color of the surroundings would be a notch.
    """
    apart = np.linalg.norm(region.lab - other.ground)
    is_pupil = region.contrast >= STRONG and apart >= NOTCH
    return region.is_light or bool(is_pupil and len(region.points) < len(other.points))


def is_between(region: Region, side: int, across: int, plane: int) -> bool:
    """Return whether a region lies where left and right meet, as noses do."""
    return bool(abs(2 * region.center[across] / side - plane) < 2 * _BETWEEN)


def is_mirrored(
    region: Region, other: Region, side: int, across: int, plane: int
) -> bool:
    """Return whether two regions are mirror images about the object's middle."""
    both = float((region.center + other.center)[across]) / side
    return abs(both - plane) < 2 * _BETWEEN


def _middle(
    region: Region, other: Region, side: int, across: int, plane: int | None
) -> int:
    """Return the sum of the places of two cells that are mirror images.

    That of the whole object, if the pair is about there: then what is alike on its two
    sides stays so. A head held askew has a middle of its own.
    """
    if plane is not None and is_mirrored(region, other, side, across, plane):
        return plane - 1
    return round(float((region.center + other.center)[across]) / side - 1)


def partner_of(
    i: int,
    regions: list[Region],
    side: int,
    across: int,
    done: Set[int] = frozenset(),
) -> int | None:
    """Return the region most like region i at the same height, beside it.

    Args:
        i: Its number.
        regions: Of one view.
        side: Samples along a cell.
        across: Which of the two cell axes is horizontal in the picture.
        done: Regions that have a partner.
    """
    best, least = None, np.inf
    for j, other in enumerate(regions):
        if j == i or j in done:
            continue
        gap = np.abs(other.center - regions[i].center) / side
        alike = gap[1 - across] < LEVEL and regions[i].is_like(other)
        if alike and 0.9 < gap[across] < least:
            best, least = j, gap[across]
    return best


def _cell_counts(
    points: Int[np.ndarray, "n 2"], side: int, shape: tuple[int, ...]
) -> Int[np.ndarray, "a b"]:
    """Return how many of the points lie in each cell."""
    a, b = (points // side).T
    return np.bincount(a * shape[1] + b, minlength=shape[0] * shape[1]).reshape(shape)


def _mirrored(
    shape: tuple[int, ...], across: int, middle: int
) -> tuple[Int[np.ndarray, "a b"], Int[np.ndarray, "a b"]]:
    """Return each cell's mirror image, `middle` minus its place along one axis."""
    image = np.indices(shape)
    image[across] = middle - image[across]
    return image[0], image[1]


def _look_up(
    values: Float64[np.ndarray, "a b"],
    at: tuple[Int[np.ndarray, "a b"], Int[np.ndarray, "a b"]],
) -> Float64[np.ndarray, "a b"]:
    """Return values at cells; 0 outside the picture."""
    a, b = values.shape
    inside = (at[0] >= 0) & (at[0] < a) & (at[1] >= 0) & (at[1] < b)
    return values[at[0].clip(0, a - 1), at[1].clip(0, b - 1)] * inside


def _series(regions: list[Region], side: int, across: int) -> list[list[int]]:
    """Return groups of alike spots in a row, as buttons are; one pair alone is none."""
    if not regions:
        return []
    near = np.zeros((len(regions), len(regions)), bool)
    for i, j in combinations(range(len(regions)), 2):
        near[i, j] = _is_next(regions[i], regions[j])
    count, group = csgraph.connected_components(near, directed=False)
    found = [np.flatnonzero(group == number).tolist() for number in range(count)]
    return [
        one
        for one in found
        if len(one) > 2
        or (len(one) == 2 and partner_of(one[0], regions, side, across) != one[1])
    ]


def _is_next(one: Region, other: Region) -> bool:
    """Return whether two spots look the same and lie side by side."""
    if not one.is_like(other) or one.extent is None or other.extent is None:
        return False
    stretch = np.abs(np.log(other.extent / one.extent)).max()
    apart = np.abs(other.center - one.center) / np.maximum(one.extent, other.extent)
    in_row = apart.min() < _IN_ROW and apart.max() < _NEAR
    return bool(in_row and stretch < _STRETCHED)


def _common_size(blocks: list[dict[Size, tuple[Rank, Corner]]]) -> Size | None:
    """Return the size of block that suits all regions best; None if none fits all."""
    first, *rest = blocks or [{}]
    sizes = [size for size in first if all(size in others for others in rest)]
    if not sizes:
        return None
    return max(sizes, key=lambda size: sum(each[size][0][0] for each in blocks))
