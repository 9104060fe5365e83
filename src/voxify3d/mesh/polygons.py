"""Polygons → triangles: fans where a fan is right, ears cut off where it is not.

Corners are numbered through, polygon after polygon. `t` is the number of triangles.
"""

import numpy as np
from jaxtyping import Float64, Int

_MAX_CORNERS, _MAX_CLIPPED = 1_000, 20_000
"""Of one concave polygon and of all of them; beyond, fans: ears take 0.1 ms each."""


def triangulated(
    counts: Int[np.ndarray, " n"],
    corners: Float64[np.ndarray, "m 3"],
) -> tuple[Int[np.ndarray, "t 3"], Int[np.ndarray, " t"]]:
    """Cut polygons into triangles.

    Args:
        counts: Corners of each polygon; those of fewer than three give nothing.
        corners: Position of every corner.

    Returns:
        Corner numbers of each triangle, and the polygon it is of, in their order.
    """
    triangles, polygon = fans(counts)
    if len(triangles) == len(counts):  # triangles only, or as good as
        return triangles, polygon
    odd = _misfit(triangles, polygon, counts, corners)
    starts = np.cumsum(counts) - counts
    firsts = np.cumsum(np.maximum(counts - 2, 0)) - np.maximum(counts - 2, 0)
    quads = odd[counts[odd] == 4]  # if one diagonal is wrong, the other one is right
    for row, three in enumerate(([1, 2, 3], [1, 3, 0])):
        triangles[firsts[quads] + row] = starts[quads, None] + np.array(three)
    odd = odd[(counts[odd] > 4) & (counts[odd] <= _MAX_CORNERS)]
    odd = odd[np.cumsum(counts[odd]) <= _MAX_CLIPPED]
    for count, start, first in zip(counts[odd], starts[odd], firsts[odd], strict=True):
        ears = _ears(_flattened(corners[start : start + count]))
        triangles[first : first + count - 2] = start + ears
    return triangles, polygon


def fans(
    counts: Int[np.ndarray, " n"],
) -> tuple[Int[np.ndarray, "t 3"], Int[np.ndarray, " t"]]:
    """Return every polygon as a fan around its first corner; see `triangulated`."""
    counts = counts.astype(np.int64)
    inner = np.maximum(counts - 2, 0)
    polygon = np.repeat(np.arange(len(counts)), inner)
    start = np.repeat(np.cumsum(counts) - counts, inner)
    step = np.arange(len(polygon)) - np.repeat(np.cumsum(inner) - inner, inner)
    return np.stack([start, start + step + 1, start + step + 2], axis=1), polygon


def _misfit(
    triangles: Int[np.ndarray, "t 3"],
    polygon: Int[np.ndarray, " t"],
    counts: Int[np.ndarray, " n"],
    corners: Float64[np.ndarray, "m 3"],
) -> Int[np.ndarray, " k"]:
    """Return the polygons of which some triangle of the fan is turned over."""
    several = counts[polygon] > 3
    of = polygon[several]
    a, b, c = (corners[triangles[several, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    whole = np.stack(
        [np.bincount(of, normal[:, k], minlength=len(counts)) for k in range(3)], axis=1
    )[of]
    along = (normal * whole).sum(axis=1)
    return np.unique(of[along < -1e-6 * (whole * whole).sum(axis=1)])


def _flattened(corners: Float64[np.ndarray, "m 3"]) -> Float64[np.ndarray, "m 2"]:
    """Return a polygon in its own plane, counter-clockwise."""
    spokes = corners - corners[0]
    normal = np.cross(spokes[1:-1], spokes[2:]).sum(axis=0)
    axis = int(np.abs(normal).argmax())
    u, v = (axis + 1) % 3, (axis + 2) % 3
    flat = spokes[:, [u, v]]
    return flat if normal[axis] >= 0 else flat[:, ::-1]


def _ears(flat: Float64[np.ndarray, "m 2"]) -> Int[np.ndarray, "t 3"]:
    """Cut a polygon's ears off, one by one; a fan of what is left if none is found."""
    ring = np.arange(len(flat))
    found = []
    at = tried = 0
    patience = 8 * len(ring)  # of polygons that cross themselves
    while len(ring) > 3 and tried < len(ring) and patience:
        patience -= 1
        at %= len(ring)
        three = ring[[at - 1, at, (at + 1) % len(ring)]]
        if _is_ear(flat, three, ring):
            found.append(three)
            ring = np.delete(ring, at)
            tried = 0
            at += 1  # ears side by side would make slivers
        else:
            at += 1
            tried += 1
    rest = [[ring[0], ring[k], ring[k + 1]] for k in range(1, len(ring) - 1)]
    return np.array([*found, *rest], np.int64).reshape(-1, 3)


def _is_ear(
    flat: Float64[np.ndarray, "m 2"],
    three: Int[np.ndarray, " 3"],
    ring: Int[np.ndarray, " r"],
) -> bool:
    """Return whether a corner sticks out, and no other corner lies in its triangle."""
    a, b, c = flat[three]
    if _side(a, b, c) <= 0:
        return False
    others = flat[ring]
    inside = (_side(a, b, others) >= 0) & (_side(b, c, others) >= 0)
    inside &= _side(c, a, others) >= 0
    for corner in (a, b, c):  # the same place again is no obstacle
        inside &= (others != corner).any(axis=-1)
    return not inside.any()


def _side(
    a: Float64[np.ndarray, " 2"],
    b: Float64[np.ndarray, " 2"],
    points: Float64[np.ndarray, "*n 2"],
) -> Float64[np.ndarray, "*n"]:
    """Return twice the area of (a, b, point): positive left of the line."""
    edge, to = b - a, points - a
    return np.asarray(edge[0] * to[..., 1] - edge[1] * to[..., 0])
