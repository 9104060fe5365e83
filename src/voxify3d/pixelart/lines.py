"""Lines in whole cells: stripes, smiles, smiling eyes."""

import numpy as np
from jaxtyping import Float64, Int
from scipy import ndimage

WELL_HELD = 0.38
"""Share of a cell from which a line is worth that cell."""
COVERED = 0.62
"""Share of a cell from which a line keeps it, even if the line is whole without."""
_SQUARE = np.ones((3, 3), bool)


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
