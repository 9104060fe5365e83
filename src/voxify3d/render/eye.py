"""Volumes as an eye meets them: column by column, the nearest voxel first.

No torch here: `draft` does without it, and importing it takes seconds.
"""

import numpy as np
from jaxtyping import Bool, Int

from voxify3d.types import View, sign_of


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
