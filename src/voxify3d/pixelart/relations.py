"""How the regions of a picture belong together: pairs, rows, and eyes with pupils."""

from collections.abc import Set
from itertools import combinations

import numpy as np
from scipy.sparse import csgraph

from voxify3d.pixelart.open_eyes import OpenEye
from voxify3d.pixelart.region import NOTCH, STRONG, Region

_BETWEEN = 0.6
"""Distance to the object's middle, in cells, up to which a thing lies in it."""
_STRETCHED = 0.3
"""Difference of two sizes, in logarithms, up to which two spots are alike."""
_IN_ROW, _NEAR = 0.4, 5.0
"""How far apart two spots of a row may be, across it and along it, in their size."""


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
    one: Region | OpenEye, other: Region | OpenEye, side: int, across: int, plane: int
) -> bool:
    """Return whether two regions are mirror images about the object's middle."""
    both = float((one.center + other.center)[across]) / side
    return abs(both - plane) < 2 * _BETWEEN


def partner_of(
    i: int,
    regions: list[Region],
    side: int,
    across: int,
    done: Set[int] = frozenset(),
) -> int | None:
    """Return the region most like region i at the same height, beside it.

    Each of the two is the nearest to the other: a tuft of hair at the end of a row is
    none of a pair.

    Args:
        i: Its number.
        regions: Of one view.
        side: Samples along a cell.
        across: Which of the two cell axes is horizontal in the picture.
        done: Regions that have a partner.
    """
    j = _nearest(i, regions, side, across)
    is_pair = j is not None and _nearest(j, regions, side, across) == i
    return j if is_pair and j not in done else None


def _nearest(i: int, regions: list[Region], side: int, across: int) -> int | None:
    """Return the nearest region beside region i that is like it."""
    best, least = None, np.inf
    for j, other in enumerate(regions):
        gap = np.abs(other.center - regions[i].center)
        is_level = gap[1 - across] < regions[i].level_with(side)
        alike = is_level and regions[i].is_like(other)
        if j != i and alike and 0.9 * side < gap[across] < least:
            best, least = j, gap[across]
    return best


def series_of(regions: list[Region], side: int, across: int) -> list[list[int]]:
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
