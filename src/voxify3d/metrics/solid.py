"""Which voxels are inside a mesh, by winding numbers; for closed meshes of any maker.

Every triangle is projected along an axis and its crossings with the columns through
the voxels' centers are counted with the sign of its direction. Nothing is stepped
along rays, so coinciding faces (cubes drawn one by one) cancel exactly.

`p` is the number of pairs of a triangle and a column in its box.
"""

import numpy as np
from jaxtyping import Bool, Float64, Int

from voxify3d.types import Frame, Mesh

_OFF_CENTER = np.array([0.0137, -0.0173, 0.0111])
"""Shift of the columns from the centers, voxels: edges of other grids lie there."""
_PAIRS_PER_CHUNK = 1 << 20


def inside(mesh: Mesh, frame: Frame) -> Bool[np.ndarray, "x y z"]:
    """Return which voxels' centers a mesh encloses.

    Columns along all three axes vote, so that a hole in one side does no harm. Faces
    turned inside out as a whole count as well; open sheets enclose nothing.

    Args:
        mesh: In the world frame. Alpha is ignored.
        frame: The grid.
    """
    corners = frame.grid_from_world(mesh.vertices)[mesh.faces]
    votes = np.zeros(frame.shape, np.uint8)
    for axis in range(3):
        votes += _winding(corners, frame.shape, axis) != 0
    return votes >= 2


def _winding(
    corners: Float64[np.ndarray, "f 3 3"], shape: tuple[int, int, int], axis: int
) -> Int[np.ndarray, "x y z"]:
    """Return the winding number of every voxel's center, seen along one axis."""
    a, b = (i for i in range(3) if i != axis)
    across = corners[:, :, [a, b]] - 0.5 - _OFF_CENTER[[a, b]]
    along = corners[:, :, axis]
    # Columns are at the integers of `across`.
    first = np.maximum(np.ceil(across.min(axis=1)), 0).astype(np.int64)
    limit = np.array([shape[a], shape[b]])
    last = np.minimum(np.floor(across.max(axis=1)), limit - 1).astype(np.int64)
    span = np.maximum(last - first + 1, 0)
    count = span.prod(axis=1)
    crossings = np.zeros(shape[a] * shape[b] * (shape[axis] + 1), np.int64)
    faces = np.flatnonzero(count)
    chunk = np.cumsum(count[faces]) // _PAIRS_PER_CHUNK
    for part in np.split(faces, np.flatnonzero(np.diff(chunk)) + 1):
        face = np.repeat(part, count[part])
        begin = np.repeat(np.cumsum(count[part]) - count[part], count[part])
        row, column = np.divmod(np.arange(len(face)) - begin, span[face, 1])
        at = first[face] + np.stack([row, column], axis=1)
        sign, depth = _crossing(across[face], along[face], at)
        # A crossing changes every center beyond it.
        level = np.clip(np.ceil(depth - 0.5 - _OFF_CENTER[axis]), 0, shape[axis])
        column_of = at[:, 0] * shape[b] + at[:, 1]
        place = column_of * (shape[axis] + 1) + level.astype(np.int64)
        np.add.at(crossings, place, sign)
    crossings = crossings.reshape(shape[a], shape[b], shape[axis] + 1)
    return np.moveaxis(np.cumsum(crossings, axis=2)[:, :, :-1], 2, axis)


def _crossing(
    triangle: Float64[np.ndarray, "p 3 2"],
    along: Float64[np.ndarray, "p 3"],
    at: Int[np.ndarray, "p 2"],
) -> tuple[Int[np.ndarray, " p"], Float64[np.ndarray, " p"]]:
    """Return +1, -1 or 0 for each pair, and how far along the column they meet."""
    edge = triangle[:, [1, 2, 0]] - triangle
    away = at[:, None] - triangle
    side = edge[..., 0] * away[..., 1] - edge[..., 1] * away[..., 0]
    area = side.sum(axis=1)
    hit = ((side >= 0).all(axis=1) | (side <= 0).all(axis=1)) & (area != 0)
    # `side` of an edge is the weight of the corner opposite to it.
    weights = side[:, [1, 2, 0]] / np.where(area, area, 1)[:, None]
    depth = np.where(hit, (weights * along).sum(axis=1), 0)
    return np.where(hit, np.sign(area), 0).astype(np.int64), depth
