"""Which voxels exist: an exact discrete descent on what the six views see.

Flips that share no column do not interact, so many are made at once and the sum of
the tables (`fit/tables.py`) never rises.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from jaxtyping import Bool, Float64, Int
from scipy import ndimage

from voxify3d.fit.tables import ViewTable
from voxify3d.pixelart.mirror import Mirror

FACE_COST = 0.2
"""Of a voxel's face that touches air, against depth in voxels: decides where the views
do not, so that flat tops have no lone cubes on them."""
_ROUNDS = 400
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
        emptying the whole column of a cell that should be empty.
    """
    both = np.zeros_like(free)
    if mirror is not None:
        both = _flip_together(occupied, free, mirror)
        ijk = np.argwhere(both & occupied)
        occupied = occupied.copy()
        occupied[tuple(mirror.image(ijk).T)] = True
    single, pair = np.argwhere(free & ~both), np.argwhere(both)
    if mirror is not None:
        pair = pair[2 * pair[:, mirror.axis] < mirror.plane - 1]
    for _ in range(_ROUNDS):
        before = occupied
        occupied = _flip(occupied, single, pair, tables, index, mirror, face_cost)
        if (occupied == before).all():
            fixed = occupied & ~free
            parts = _wrong_columns(occupied, fixed, tables)
            occupied = _adopt_parts(
                occupied, fixed, parts, tables, index, mirror, face_cost
            )
        if (occupied == before).all():
            break
    return occupied


def _flip(
    occupied: Bool[np.ndarray, "x y z"],
    single: Int[np.ndarray, "n 3"],
    pair: Int[np.ndarray, "m 3"],
    tables: list[ViewTable],
    index: Int[np.ndarray, "x y z"] | None,
    mirror: Mirror | None,
    face_cost: float,
) -> Bool[np.ndarray, "x y z"]:
    """Make the best flips that share no column, if they lower the cost.

    Args:
        occupied: Where to start.
        single: Voxels that flip alone.
        pair: Voxels that flip with their mirror images.
        tables: The views' costs.
        index: Palette entries.
        mirror: For `pair`.
        face_cost: Of a voxel's face that touches air.
    """
    ijk = np.concatenate([single, pair])
    image = ijk.copy()
    if mirror is not None:
        image[len(single) :] = mirror.image(pair)
    faces = _more_faces(occupied, ijk) - _faces_between(ijk, image)
    faces[len(single) :] += _more_faces(occupied, image[len(single) :])
    change = face_cost * faces
    for table in tables:
        change[: len(single)] += table.change(occupied, single, index)
        if mirror is not None and len(pair):
            found = table.change_of_pairs(occupied, pair, mirror, index)
            change[len(single) :] += found
    better = np.flatnonzero(change < -1e-4)
    occupied = occupied.copy()
    if len(better):
        ijk, image, change = ijk[better], image[better], change[better]
        chosen = _independent(ijk, image, change, occupied.shape)
        flip = np.unique(np.concatenate([ijk[chosen], image[chosen]]), axis=0)
        occupied[tuple(flip.T)] ^= True
    return occupied


def _more_faces(
    occupied: Bool[np.ndarray, "x y z"], ijk: Int[np.ndarray, "n 3"]
) -> Float64[np.ndarray, " n"]:
    """Return how many more faces touch air when each voxel alone flips."""
    padded = np.pad(occupied, 1)
    near = np.zeros(len(ijk))
    for axis in range(3):
        for step in (0, 2):
            at = ijk + 1
            at[:, axis] += step - 1
            near += padded[tuple(at.T)]
    return np.where(occupied[tuple(ijk.T)], 2 * near - 6, 6 - 2 * near)


def _faces_between(
    ijk: Int[np.ndarray, "n 3"], image: Int[np.ndarray, "n 3"]
) -> Float64[np.ndarray, " n"]:
    """Return how many faces two voxels count as changed that stay as they are."""
    return 2.0 * (np.abs(ijk - image).sum(axis=1) == 1)


def _wrong_columns(
    occupied: Bool[np.ndarray, "x y z"],
    fixed: Bool[np.ndarray, "x y z"],
    tables: list[ViewTable],
) -> Iterator[Int[np.ndarray, "n 3"]]:
    """Return the voxels of each column that a view would rather see through.

    While others stand in the column, no flip of one shows in that view.
    """
    for table in tables[::2]:  # the opposite view has the same columns
        axis = table.view.axis
        wrong = table.is_empty & occupied.any(axis=axis) & ~fixed.any(axis=axis)
        columns = np.moveaxis(occupied, axis, -1)
        for cell in np.argwhere(wrong):
            along = np.flatnonzero(columns[tuple(cell)])
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
    """Adopt those parts of a proposal that lower the cost: monotone, deterministic.

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
    """Adopt each part of a proposal, with its mirror image, if that lowers the cost."""
    occupied = occupied.copy()
    for ijk in parts:
        if mirror is not None:
            paired = ijk[mirror.paired[tuple(ijk.T)]]
            ijk = np.unique(np.concatenate([ijk, mirror.image(paired)]), axis=0)
        ijk = ijk[(occupied ^ proposed)[tuple(ijk.T)]]
        if not len(ijk):
            continue
        change = sum(table.change_of_all(occupied, ijk, index) for table in tables)
        change += face_cost * _more_faces_of_all(occupied, ijk)
        if change < -1e-4:
            occupied[tuple(ijk.T)] ^= True
    return occupied


def _more_faces_of_all(
    occupied: Bool[np.ndarray, "x y z"], ijk: Int[np.ndarray, "n 3"]
) -> int:
    """Return how many more faces touch air when all the voxels flip at once."""
    low, high = ijk.min(axis=0), ijk.max(axis=0) + 3
    around = np.pad(occupied, 1)[tuple(map(slice, low, high))]
    flipped = around.copy()
    flipped[tuple((ijk - low + 1).T)] ^= True
    return _faces(flipped) - _faces(around)


def _faces(occupied: Bool[np.ndarray, "x y z"]) -> int:
    """Return how many faces lie between a voxel and an empty one."""
    return sum(int(np.count_nonzero(np.diff(occupied, axis=axis))) for axis in range(3))


def _flip_together(
    occupied: Bool[np.ndarray, "x y z"],
    free: Bool[np.ndarray, "x y z"],
    mirror: Mirror,
) -> Bool[np.ndarray, "x y z"]:
    """Return the free voxels that only flip together with their mirror images.

    Where the two touch and one is empty, as in an antenna on the plane, each flips
    alone: together they would make it twice as thick.
    """
    ijk = np.argwhere(free & mirror.paired)
    image = mirror.image(ijk)
    touching = np.abs(ijk - image).sum(axis=1) == 1
    equal = occupied[tuple(ijk.T)] == occupied[tuple(image.T)]
    together = free[tuple(image.T)] & (equal | ~touching)
    both = np.zeros_like(free)
    both[tuple(ijk[together].T)] = True
    return both


def _independent(
    ijk: Int[np.ndarray, "n 3"],
    image: Int[np.ndarray, "n 3"],
    change: Float64[np.ndarray, " n"],
    shape: tuple[int, ...],
) -> Bool[np.ndarray, " n"]:
    """Return which flips have the best change in all the columns that they touch.

    Args:
        ijk: Voxels that flip.
        image: What flips with them; the voxels themselves where they flip alone.
        change: Of each flip.
        shape: Of the grid.
    """
    order = np.argsort(change.round(9), kind="stable")
    rank = np.empty(len(ijk), np.int64)
    rank[order] = np.arange(len(ijk))
    chosen = np.ones(len(ijk), bool)
    for axis in range(3):
        a, b = (i for i in range(3) if i != axis)
        best = np.full((shape[a], shape[b]), len(ijk))
        for voxels in (ijk, image):
            np.minimum.at(best, (voxels[:, a], voxels[:, b]), rank)
        for voxels in (ijk, image):
            chosen &= best[voxels[:, a], voxels[:, b]] == rank
    return chosen
