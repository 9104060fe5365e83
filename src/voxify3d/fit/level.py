"""Eyes lie level with the face around them: no rounding hides them from aside.

A face that is half a voxel nearer between the eyes than in them becomes, by rounding, a
slab that stands a whole voxel before them. From the front nothing is wrong; from half
left one eye is gone.

Naming used in this file: a *step* lies between two cells beside each other of the front
that see voxels not equally deep; it is *invented* where the mesh is about level.
"""

from collections.abc import Iterator, Mapping

import numpy as np
from jaxtyping import Bool, Float32, Int

from voxify3d.fit.tables import ViewTable, total_cost
from voxify3d.pixelart.pixelize import PixelArt
from voxify3d.render.eye import first_occupied, from_eye
from voxify3d.types import View

LEVEL = 0.5
"""Voxels between the depths of two cells up to which the mesh is level there."""
STEP_COST = 1.0
"""Of an invented step, against depth in voxels."""
HIDING_COST = 8.0
"""Of one behind which an eye lies: enough for a silhouette of two views to give way."""

_BESIDE = ((1, 0), (-1, 0), (0, 1), (0, -1))

Cell = tuple[int, int]


def level_eyes(
    occupied: Bool[np.ndarray, "x y z"],
    tables: list[ViewTable],
    free: Bool[np.ndarray, "x y z"],
    art: PixelArt,
) -> Bool[np.ndarray, "x y z"]:
    """Return an occupancy in which no invented steps hide pairs of eyes.

    The two come forward to what stands before them, as a whole or as far as they are
    hidden, or what stands there goes back, whichever costs least; nothing happens where
    all cost more than the steps.

    Args:
        occupied: The voxels.
        tables: The views' costs, front first.
        free: Voxels that may change.
        art: With pairs of eyes.
    """
    depth, view = art.pictures[0].depth, art.pictures[0].view
    for pair in art.eyes:
        two = [[(int(a), int(b)) for a, b in cells] for cells in pair]
        eyes = set(two[0] + two[1])
        first = first_occupied(occupied, view)
        hiding = {cell: _hiding(cell, eyes, first, depth) for cell in sorted(eyes)}
        if not all(any(hiding[cell] for cell in one) for one in two):
            continue
        hidden = [cell for cell in hiding if hiding[cell]]
        ahead = min(int(first[cell]) for cell in hidden) - 1
        moves = (
            {cell: ahead for cell in hiding if first[cell] == ahead + 1},
            {cell: int(first[cell]) - 1 for cell in hidden},
            _back(hiding, eyes, first, depth),
        )
        options = [occupied, *(_moved(occupied, view, move) for move in moves)]
        options = [option for option in options if free[option ^ occupied].all()]
        around = eyes.union(*moves)
        costs = [
            total_cost(tables, option)
            + _relief(around, eyes, first_occupied(option, view), depth)
            for option in options
        ]
        occupied = options[int(np.argmin(np.round(costs, 6)))]
    return occupied


def _beside(cell: Cell, shape: tuple[int, ...]) -> Iterator[Cell]:
    """Yield the cells beside one, inside the picture."""
    for da, db in _BESIDE:
        a, b = cell[0] + da, cell[1] + db
        if 0 <= a < shape[0] and 0 <= b < shape[1]:
            yield a, b


def _stands_before(
    beside: Cell,
    cell: Cell,
    first: Int[np.ndarray, "a b"],
    depth: Float32[np.ndarray, "a b"],
) -> bool:
    """Return whether an invented step of one voxel leads down to a cell."""
    before = first[beside] == first[cell] - 1
    return bool(before and _is_level(cell, beside, depth))


def _is_level(one: Cell, other: Cell, depth: Float32[np.ndarray, "a b"]) -> bool:
    """Return whether the mesh is about equally deep in two cells."""
    return bool(np.isfinite(depth[one]) and abs(depth[one] - depth[other]) < LEVEL)


def _hiding(
    cell: Cell,
    eyes: set[Cell],
    first: Int[np.ndarray, "a b"],
    depth: Float32[np.ndarray, "a b"],
) -> list[Cell]:
    """Return the cells beside a cell of an eye that stand before it."""
    return [
        beside
        for beside in _beside(cell, first.shape)
        if beside not in eyes and _stands_before(beside, cell, first, depth)
    ]


def _back(
    hiding: Mapping[Cell, list[Cell]],
    eyes: set[Cell],
    first: Int[np.ndarray, "a b"],
    depth: Float32[np.ndarray, "a b"],
) -> dict[Cell, int]:
    """Return where first voxels lie when the rows beside the eyes go back.

    A row goes back as far as it stands before the eye: to the other eye, to the edge of
    the face, or to what the mesh has there as well, a nose.
    """
    back = {}
    for cell, before in hiding.items():
        for a, b in before:
            da = a - cell[0]
            while (
                da
                and 0 <= a < len(first)
                and (a, b) not in eyes
                and _stands_before((a, b), cell, first, depth)
            ):
                back[a, b] = int(first[cell])
                a += da
    return back


def _moved(
    occupied: Bool[np.ndarray, "x y z"], view: View, to: Mapping[Cell, int]
) -> Bool[np.ndarray, "x y z"]:
    """Return an occupancy whose first voxels of some cells lie elsewhere."""
    occupied = occupied.copy()
    columns = from_eye(occupied, view)
    for cell, place in to.items():
        columns[cell][:place] = False
        columns[cell][place] = True
    return occupied


def _relief(
    cells: set[Cell],
    eyes: set[Cell],
    first: Int[np.ndarray, "a b"],
    depth: Float32[np.ndarray, "a b"],
) -> float:
    """Return what invented steps between cells and those beside them cost."""
    cost = 0.0
    for cell in cells:
        for beside in _beside(cell, first.shape):
            if beside in cells and beside < cell:
                continue  # counted from there
            if first[beside] == first[cell] or not _is_level(cell, beside, depth):
                continue
            ahead, behind = sorted((cell, beside), key=lambda c: first[c])
            hides = behind in eyes and ahead not in eyes
            cost += HIDING_COST if hides else STEP_COST
    return cost
