"""Volumes as an eye meets them: column by column, the nearest voxel first.

No torch here: `draft` does without it, and importing it takes seconds.
"""

import numpy as np
from jaxtyping import Bool, Int

from voxify3d.types import View, sign_of

_NEAREST = 3
"""Occupied voxels of a column that are known: two may flip."""


def from_eye(volume: np.ndarray, view: View) -> np.ndarray:
    """Return a volume `x y z ...` as columns `a b n ...`, ordered from the eye."""
    columns = np.moveaxis(volume, view.axis, 2)
    return columns[:, :, ::-1] if sign_of(view.toward) > 0 else columns


def to_volume(columns: np.ndarray, view: View) -> np.ndarray:
    """Undo `from_eye`."""
    if sign_of(view.toward) > 0:
        columns = columns[:, :, ::-1]
    return np.moveaxis(columns, 2, view.axis)


def first_occupied(
    occupied: Bool[np.ndarray, "x y z"], view: View
) -> Int[np.ndarray, "a b"]:
    """Return how many empty voxels lie before the first occupied one; n if none."""
    columns = from_eye(occupied, view)
    return np.where(columns.any(axis=2), columns.argmax(axis=2), columns.shape[2])


class Sight:
    """What a view meets in every column of a volume that changes."""

    def __init__(self, occupied: Bool[np.ndarray, "x y z"], view: View) -> None:
        """Look down every column.

        Args:
            occupied: The volume, not copied; after a change `update` must be called.
            view: The view.
        """
        self.view = view
        self._columns = from_eye(occupied, view)
        self._nearest = np.empty((_NEAREST, *self._columns.shape[:2]), np.int64)
        self._look(np.ones(self._columns.shape[:2], bool))

    @property
    def first(self) -> Int[np.ndarray, "a b"]:
        """Return how many empty voxels lie before the first occupied one."""
        return self._nearest[0]

    def update(self, a: Int[np.ndarray, " n"], b: Int[np.ndarray, " n"]) -> None:
        """Look again down the columns of some cells."""
        changed = np.zeros(self._columns.shape[:2], bool)
        changed[a, b] = True
        self._look(changed)

    def first_after(
        self,
        a: Int[np.ndarray, " n"],
        b: Int[np.ndarray, " n"],
        flipped: Int[np.ndarray, "m n"],
    ) -> Int[np.ndarray, " n"]:
        """Return how many empty voxels come first once some voxels have flipped.

        Args:
            a: Cells.
            b: Cells.
            flipped: Voxels that flip in each cell's column, one or two, by how many
                others lie before them.
        """
        length = self._columns.shape[2]
        after = np.full(len(a), length)
        for nearest in self._nearest[::-1]:
            near = nearest[a, b]
            stays = (near != flipped).all(axis=0)
            after = np.where(stays, near, after)
        for d in flipped:
            after = np.where(self._columns[a, b, d], after, np.minimum(after, d))
        return after

    def _look(self, cells: Bool[np.ndarray, "a b"]) -> None:
        columns = self._columns[cells]
        row, length = np.arange(len(columns)), columns.shape[1]
        for i in range(_NEAREST):
            at = columns.argmax(axis=1)
            self._nearest[i, cells] = np.where(columns[row, at], at, length)
            columns[row, at] = False
