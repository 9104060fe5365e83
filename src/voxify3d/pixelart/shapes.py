"""What shape some samples of a picture have: a spot, a line, an arc."""

import numpy as np
from jaxtyping import Float64, Int
from scipy import spatial

BOW = 0.25
"""How far beside both of its ends the middle of an arc lies, in cells."""
_SOLID = 0.6
"""Share of its convex hull that a compact region fills, and the hull of its box; a disc
fills 0.79 of that."""
_BENT = 0.85
"""Share of its convex hull under which a line is bent, and no block."""
_SLENDER, _BOWED = 2.5, 1.75
"""Length, against its width, from which a line may be bent; of an arc. An eye that is
bitten by a light is shorter."""
_LINE_LENGTH, _LINE_WIDTH = 3.0, 1.6
"""Least length and most width of a line, in cells."""
_LONGEST = 6
"""Length, in cells, over which a region is no spot but an area; of a large one the
length of two squares of its area."""


def compact_shape(
    points: Int[np.ndarray, "n 2"], side: int
) -> Int[np.ndarray, "m 2"] | None:
    """Return the convex hull's samples of what is about convex; None for lines.

    So an eye is whole, with the light in it that lies at its rim. What is bent is none
    either: a smile as a block would be a wide open mouth.

    Args:
        points: Samples.
        side: Samples along a cell.
    """
    low = points.min(axis=0)
    box = np.ptp(points, axis=0) + 1
    if box.max() <= 1.25 * side:  # too small to have a shape
        return points
    if box.max() > max(_LONGEST * side, 2 * np.sqrt(len(points))):
        return None
    corners = np.concatenate([points + d for d in ((0, 0), (0, 1), (1, 0), (1, 1))])
    hull = spatial.ConvexHull(corners)
    inside = np.argwhere(np.ones(box, bool)) + low
    out = (inside + 0.5) @ hull.equations[:, :2].T + hull.equations[:, 2]
    shape = inside[(out <= 1e-9).all(axis=1)]
    least = _BENT if _may_bend(points, box, side) else _SOLID
    solid = len(points) > least * len(shape) and len(shape) > _SOLID * box.prod()
    return shape if solid else None


def _may_bend(
    points: Int[np.ndarray, "n 2"], box: Int[np.ndarray, " 2"], side: int
) -> bool:
    """Return whether what fills little of its hull is bent, and not bitten."""
    ratio = float(box.max() / box.min())
    least = _BOWED if is_arc(points, side) else _SLENDER
    return is_line(points, side) and ratio >= least


def is_line(points: Int[np.ndarray, "n 2"], side: int) -> bool:
    """Return whether samples may be a line or an arc: long, and not wide."""
    is_long = np.ptp(points, axis=0).max() + 1 >= _LINE_LENGTH * side
    return bool(is_long) and len(points) <= _LINE_WIDTH * side * length_of(points)


def length_of(points: Int[np.ndarray, "n 2"]) -> float:
    """Return the length of the rectangle with the points' principal variance."""
    if len(points) < 2:
        return 1.0
    variance = np.linalg.eigvalsh(np.cov(points.T) + np.eye(2) / 12)
    return float(np.sqrt(12 * variance[-1]))


def is_arc(points: Int[np.ndarray, "n 2"], side: int) -> bool:
    """Return whether a line is an arc, as a smile is: bent to one side.

    Args:
        points: Its samples, [row, column].
        side: Samples along a cell.
    """
    return bow_of(points, side) >= BOW * side


def bow_of(points: Int[np.ndarray, "n 2"], side: int) -> float:
    """Return how far the middle of an arc lies beside that end which is nearer.

    In samples; 0 for what is no arc: a spot, a straight line, a slanting one.
    """
    if not is_line(points, side):
        return 0.0
    _, middle = middles_of(points)
    count = len(middle)
    end, third = -(-count // 6), count // 3
    ends = np.array([middle[:end].mean(), middle[-end:].mean()])
    over = middle[third : count - third].mean() - ends
    return 0.0 if over.min() < 0 < over.max() else float(np.abs(over).min())


def middles_of(points: Int[np.ndarray, "n 2"]) -> tuple[int, Float64[np.ndarray, " l"]]:
    """Return along which axis a line runs, and its middle in each step along that."""
    along = int(np.ptp(points, axis=0).argmax())
    at = points[:, along] - points[:, along].min()
    count = np.bincount(at)
    steps = np.flatnonzero(count)
    middle = np.bincount(at, points[:, 1 - along] + 0.5)[steps] / count[steps]
    return along, np.interp(np.arange(len(count)), steps, middle)
