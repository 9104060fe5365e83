"""Lines and arcs in whole cells: stripes, smiles, smiling eyes."""

import numpy as np
from jaxtyping import Float64, Int
from scipy import ndimage

from voxify3d.pixelart.shapes import BOW, bow_of, middles_of

WELL_HELD = 0.38
"""Share of a cell from which a line is worth that cell."""
COVERED = 0.62
"""Share of a cell from which a line keeps it, even if the line is whole without."""
_STEEP = 2.0
"""Most that an arc is bent, in cells, that has one cell in each column."""
_SQUARE = np.ones((3, 3), bool)


def arc_cells(
    points: Int[np.ndarray, "n 2"],
    share: Float64[np.ndarray, "a b"],
    side: int,
    on: tuple[int, int] | None = None,
) -> Int[np.ndarray, "m 2"] | None:
    """Return the cells of an arc, one in each column that it crosses (or each row).

    It is moved onto whole cells, as hinted letters are, so one that is its own mirror
    image stays so, and bent by at least a cell: a smile that is bent by less would be a
    straight mouth. None for what is no arc, and for what is bent by more than two
    cells, for its ends run the other way.

    Args:
        points: Its samples, [row, column].
        share: Share of each cell that it covers: of a few places near where it is, it
            is drawn where it covers most.
        side: Samples along a cell.
        on: An axis, and the sum of the places of its two ends there, if that is given.
    """
    bow = bow_of(points, side) / side
    along, middle = middles_of(points)
    if not BOW <= bow <= _STEEP or (on is not None and on[0] != along):
        return None
    first, length = points[:, along].min() / side, len(middle) / side
    count = round(length)
    if on is not None and (on[1] + 1 - count) % 2:
        count += 1 if length > count else -1
    start = round(first + (length - count) / 2)
    if on is not None:
        start = (on[1] + 1 - count) // 2
    steps = start + np.arange(count)
    height = np.array([part.mean() for part in np.array_split(middle, count)]) / side
    if np.abs(height - height[::-1]).mean() < BOW:
        height = (height + height[::-1]) / 2
    rows = _steps_of(height)
    base = int(np.floor(height.mean() - rows.mean()))
    best, most = None, 0.0
    for lowest in (base, base + 1, base - 1):
        cells = np.stack([steps, lowest + rows], axis=1)
        cells = cells if along == 0 else cells[:, ::-1]
        inside = bool(((cells >= 0) & (cells < share.shape)).all())
        held = round(float(share[tuple(cells.T)].sum()), 6) if inside else 0.0
        if held > most:
            best, most = cells, held
    return best


def _steps_of(height: Float64[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
    """Return heights in whole cells, from 0 on: at least one between two of them."""
    bend = float(np.ptp(height))
    if bend == 0:
        return np.zeros(len(height), np.int64)
    whole = max(1, round(bend))
    return np.rint((height - height.min()) / bend * whole).astype(np.int64)


def thinned(
    cells: Int[np.ndarray, "n 2"], held: Float64[np.ndarray, " n"], wanted: int
) -> Int[np.ndarray, "m 2"]:
    """Return the cells of a line without those that it is whole without.

    A line along the border of two rows would be two cells wide, and an arc a heap.
    Cells that hold least of it go first, as long as no gap opens (thinning, as Zhang
    and Suen 1984); what holds much of it stays, and so do its ends, if they hold some
    of it or only `wanted` cells are left.

    Args:
        cells: Those that hold any of it.
        held: Share of each that it covers.
        wanted: Cells it is worth.
    """
    low = cells.min(axis=0) - 1
    drawn = np.zeros(np.ptp(cells, axis=0) + 3, bool)
    drawn[tuple((cells - low).T)] = True
    weak = [i for i in np.argsort(held.round(6), kind="stable") if held[i] < COVERED]
    while True:
        before = int(drawn.sum())
        for i in weak:
            a, b = cells[i] - low
            around = drawn[a - 1 : a + 2, b - 1 : b + 2].copy()
            around[1, 1] = False
            near = np.argwhere(around)
            is_end = len(near) < 2 or (len(near) == 2 and _touch(*near))
            stays = is_end and (held[i] >= WELL_HELD or drawn.sum() <= wanted)
            if drawn[a, b] and not stays and ndimage.label(around, _SQUARE)[1] == 1:
                drawn[a, b] = False
        if drawn.sum() == before:
            return np.argwhere(drawn) + low


def _touch(one: Int[np.ndarray, " 2"], other: Int[np.ndarray, " 2"]) -> bool:
    """Return whether two cells share an edge."""
    return bool(np.abs(one - other).sum() == 1)
