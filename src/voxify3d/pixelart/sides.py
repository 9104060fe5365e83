"""Where the cells of a left and a right thing are on the other side."""

import numpy as np
from jaxtyping import Int, Shaped

Image = tuple[Int[np.ndarray, "a b"], Int[np.ndarray, "a b"]]
"""Of each cell the place on the other side, which may be outside the picture."""


def mirrored(shape: tuple[int, ...], across: int, middle: int) -> Image:
    """Return each cell's mirror image, `middle` minus its place along one axis."""
    image = np.indices(shape)
    image[across] = middle - image[across]
    return image[0], image[1]


def moved(shape: tuple[int, ...], across: int, step: int) -> Image:
    """Return where each cell is, moved along one axis."""
    place = np.indices(shape)
    place[across] += step
    return place[0], place[1]


def look_up(
    values: Shaped[np.ndarray, "a b"],
    at: Image,
) -> Shaped[np.ndarray, "a b"]:
    """Return values at cells; 0 outside the picture."""
    a, b = values.shape
    inside = (at[0] >= 0) & (at[0] < a) & (at[1] >= 0) & (at[1] < b)
    return values[at[0].clip(0, a - 1), at[1].clip(0, b - 1)] * inside


def images_of(cells: Int[np.ndarray, "n 2"], at: Image) -> Int[np.ndarray, "m 2"]:
    """Return where cells are on the other side; not those outside the picture."""
    there = np.stack([axis[tuple(cells.T)] for axis in at], axis=1)
    return there[((there >= 0) & (there < at[0].shape)).all(axis=1)]


def in_order(
    one: Int[np.ndarray, "_ 2"], other: Int[np.ndarray, "_ 2"], across: int
) -> tuple[Int[np.ndarray, "n 2"], Int[np.ndarray, "n 2"]] | None:
    """Return the cells of two regions in the same order; None if they are not alike.

    Alike are mirror images, and what is moved.
    """
    if len(one) != len(other):
        return None
    for sign in (-1, 1):
        turned = other.copy()
        turned[:, across] *= sign
        first, last = (cells[np.lexsort(cells.T)] for cells in (one, turned))
        if len(np.unique(last - first, axis=0)) == 1:
            last[:, across] *= sign
            return first, last
    return None
