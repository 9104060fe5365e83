"""The six axis-aligned views of an object that faces `front` with its head `up`."""

import numpy as np

from voxify3d.types import DIRECTIONS, Direction, View, opposite, vector_of

VIEW_NAMES = ("front", "back", "left", "right", "top", "bottom")


def default_up(front: Direction) -> Direction:
    """Return +y, or +z for objects that face ±y (files with Z up)."""
    return "+z" if front in ("+y", "-y") else "+y"


def _cross(a: Direction, b: Direction) -> Direction:
    vector = np.cross(vector_of(a), vector_of(b))
    axis = int(np.abs(vector).argmax())
    return DIRECTIONS[2 * axis + (0 if vector[axis] > 0 else 1)]


def six_views(front: Direction = "+z", up: Direction = "+y") -> tuple[View, ...]:
    """Return the views in the order of `VIEW_NAMES`.

    Left and right are the object's own as seen from its front: the `left` view is
    taken from the side that is left in the front image. In `top`, the object's front
    points down in the image; in `bottom`, up.

    Raises:
        ValueError: `front` and `up` lie on one axis.
    """
    if front[1] == up[1]:
        raise ValueError(f"front {front} and up {up} lie on one axis")
    right = _cross(up, front)
    left, back, down = opposite(right), opposite(front), opposite(up)
    return (
        View("front", front, right, down),
        View("back", back, left, down),
        View("left", left, front, down),
        View("right", right, back, down),
        View("top", up, right, front),
        View("bottom", down, right, back),
    )
