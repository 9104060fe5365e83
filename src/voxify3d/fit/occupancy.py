"""Which voxels exist: an exact discrete descent on what the six views see.

Single flips (`fit/flips.py`), columns that are emptied and what mends that, and whole
parts are made as long as the sum of the tables (`fit/tables.py`) falls.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from jaxtyping import Bool, Int
from scipy import ndimage

from voxify3d.fit.flips import Flips, change_of_all
from voxify3d.fit.tables import ViewTable
from voxify3d.fit.thin import NEIGHBORS_18
from voxify3d.pixelart.mirror import Mirror

FACE_COST = 0.2
"""Of a voxel's face that touches air, against depth in voxels: decides where the views
do not, so that flat tops have no lone cubes on them."""
ADOPTED = 1.0
"""Least gain, in voxels of depth, for which a part of a proposal is adopted: for less,
candles would lose corners and flames that no view sees well."""
_PROPOSALS = 3
"""Times that a proposal is gone through: one part may open the way for another."""


def polish_occupancy(
    occupied: Bool[np.ndarray, "x y z"],
    tables: list[ViewTable],
    free: Bool[np.ndarray, "x y z"],
    index: Int[np.ndarray, "x y z"] | None = None,
    mirror: Mirror | None = None,
    face_cost: float = 0.0,
) -> Bool[np.ndarray, "x y z"]:
    """Flip voxels as long as a flip lowers the cost: monotone, exact, deterministic.

    Args:
        occupied: Where to start.
        tables: The views' costs.
        free: Voxels that may change.
        index: Palette entry of every voxel that is or may become occupied; without
            it colors play no part.
        mirror: Its paired voxels flip together; where only one of two is occupied at
            the start, both are.
        face_cost: Of a voxel's face that touches air; `FACE_COST` once the rest is
            settled, for it holds on to what is there.

    Returns:
        An occupancy that no single flip of a free voxel, or pair, improves; nor does
        emptying the whole column of a cell that should be empty, whatever single flips
        mend after it.
    """
    flips = Flips(occupied, tables, free, index, mirror, face_cost)
    flips.descend()
    fixed = flips.occupied & ~free
    # a list, not any() alone: all columns are tried before the first is tried again
    while any(
        [flips.attempt(v) for v in _wrong_columns(flips.occupied, fixed, tables)]
    ):
        pass
    return flips.occupied


def grow_occupancy(
    occupied: Bool[np.ndarray, "x y z"],
    tables: list[ViewTable],
    free: Bool[np.ndarray, "x y z"],
    index: Int[np.ndarray, "x y z"],
    mirror: Mirror | None = None,
    face_cost: float = 0.0,
) -> Bool[np.ndarray, "x y z"]:
    """Fill voxels beside occupied ones where that lowers the cost; empty none.

    What brought limbs back fills cells that silhouettes left empty. Behind such a cell
    a hole in a sheet can be closed at no cost, and nothing is torn again.

    Args:
        occupied: Where to start.
        tables: The views' costs.
        free: Voxels that may become occupied.
        index: Palette entry of every voxel that is or may become occupied.
        mirror: Its paired voxels change together.
        face_cost: Of a voxel's face that touches air.
    """
    beside = ndimage.binary_dilation(occupied, NEIGHBORS_18)
    room = free & beside & ~occupied
    return polish_occupancy(occupied, tables, room, index, mirror, face_cost)


def _wrong_columns(
    occupied: Bool[np.ndarray, "x y z"],
    fixed: Bool[np.ndarray, "x y z"],
    tables: list[ViewTable],
) -> Iterator[Int[np.ndarray, "n 3"]]:
    """Return the voxels of each column that a view would rather see through.

    While others stand in the column, no flip of one shows in that view. The occupancy
    may change between two of them: each is as it is when its turn comes.
    """
    for table in tables[::2]:  # the opposite view has the same columns
        axis = table.view.axis
        wrong = table.is_empty & occupied.any(axis=axis) & ~fixed.any(axis=axis)
        columns = np.moveaxis(occupied, axis, -1)
        for cell in np.argwhere(wrong):
            along = np.flatnonzero(columns[tuple(cell)])
            if not len(along):
                continue
            ijk = np.tile(np.insert(cell, axis, 0), (len(along), 1))
            ijk[:, axis] = along
            yield ijk


def adopt(
    occupied: Bool[np.ndarray, "x y z"],
    proposed: Bool[np.ndarray, "x y z"],
    tables: list[ViewTable],
    index: Int[np.ndarray, "x y z"],
    mirror: Mirror | None = None,
    face_cost: float = 0.0,
) -> Bool[np.ndarray, "x y z"]:
    """Adopt what clearly lowers the cost of a proposal: monotone, deterministic.

    A part is a set of voxels that differ, connected by faces. Larger changes than
    single flips are found so, without what makes nothing better: pits in flat tops.

    Args:
        occupied: Where to start.
        proposed: Another occupancy.
        tables: The views' costs.
        index: Palette entry of every voxel that is or may become occupied.
        mirror: Its paired voxels change together.
        face_cost: Of a voxel's face that touches air.
    """
    for _ in range(_PROPOSALS):
        parts = _parts(occupied ^ proposed)
        adopted = _adopt_parts(
            occupied, proposed, parts, tables, index, mirror, face_cost
        )
        if (adopted == occupied).all():
            break
        occupied = adopted
    return occupied


def _parts(differs: Bool[np.ndarray, "x y z"]) -> Iterator[Int[np.ndarray, "n 3"]]:
    """Return the voxels of each piece of a set that is connected by faces."""
    labels = np.zeros(differs.shape, np.int32)
    ndimage.label(differs, output=labels)
    for label, box in enumerate(ndimage.find_objects(labels), start=1):
        yield np.argwhere(labels[box] == label) + [part.start for part in box]


def _adopt_parts(
    occupied: Bool[np.ndarray, "x y z"],
    proposed: Bool[np.ndarray, "x y z"],
    parts: Iterable[Int[np.ndarray, "_ 3"]],
    tables: list[ViewTable],
    index: Int[np.ndarray, "x y z"] | None,
    mirror: Mirror | None,
    face_cost: float,
) -> Bool[np.ndarray, "x y z"]:
    """Adopt each part of a proposal, with its mirror image, that gains enough."""
    occupied = occupied.copy()
    for ijk in parts:
        if mirror is not None:
            paired = ijk[mirror.paired[tuple(ijk.T)]]
            ijk = np.unique(np.concatenate([ijk, mirror.image(paired)]), axis=0)
        ijk = ijk[(occupied ^ proposed)[tuple(ijk.T)]]
        if not len(ijk):
            continue
        change = change_of_all(occupied, ijk, tables, index, face_cost)
        if change < -ADOPTED:
            occupied[tuple(ijk.T)] ^= True
    return occupied
