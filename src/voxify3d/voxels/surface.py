"""The surface of a voxel grid: exposed faces, and few rectangles that cover them.

A face is exposed where a voxel touches an empty cell or the outside. All positions
are whole numbers in the grid frame. Axes in shapes: `q` rectangles.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int32, UInt8

from voxify3d.color.spaces import linear_from_srgb
from voxify3d.types import DIRECTIONS, Direction, Material, Mesh, VoxelGrid, axis_of


@dataclass(frozen=True, slots=True)
class Quads:
    """Rectangles of one color each, facing outwards, that do not overlap.

    Attributes:
        low: Smallest corner, in voxels.
        high: Largest corner; equal to `low` along the axis the rectangle faces.
        side: Entry of `DIRECTIONS` it faces.
        index: As in `VoxelGrid`: 1 + the palette entry.
    """

    low: Int32[np.ndarray, "q 3"]
    high: Int32[np.ndarray, "q 3"]
    side: UInt8[np.ndarray, " q"]
    index: UInt8[np.ndarray, " q"]

    def __len__(self) -> int:
        return len(self.index)

    def corners(self) -> Int32[np.ndarray, "q 4 3"]:
        """Return the corners, counter-clockwise seen from outside."""
        axis, backward = np.divmod(self.side.astype(np.int64), 2)
        across = (axis + 1 + backward) % 3
        along = (axis + 2 - backward) % 3
        corners = np.repeat(self.low[:, None], 4, axis=1)
        rows = np.arange(len(self))
        for corner in (1, 2):
            corners[rows, corner, across] = self.high[rows, across]
        for corner in (2, 3):
            corners[rows, corner, along] = self.high[rows, along]
        return corners

    def normals(self) -> Int32[np.ndarray, "q 3"]:
        """Return the outward unit vectors."""
        axis, backward = np.divmod(self.side.astype(np.int64), 2)
        normals = np.zeros((len(self), 3), np.int32)
        normals[np.arange(len(self)), axis] = 1 - 2 * backward
        return normals


def exposed(
    occupied: Bool[np.ndarray, "x y z"], side: Direction
) -> Bool[np.ndarray, "x y z"]:
    """Return the voxels whose face towards `side` touches an empty cell."""
    axis = axis_of(side)
    free = np.moveaxis(occupied.copy(), axis, 0)
    solid = np.moveaxis(occupied, axis, 0)
    if side[0] == "+":
        free[:-1] &= ~solid[1:]
    else:
        free[1:] &= ~solid[:-1]
    return np.moveaxis(free, 0, axis)


def face_quads(index: UInt8[np.ndarray, "x y z"]) -> Quads:
    """Return one rectangle for each exposed face."""
    return _quads(index, merge=False)


def greedy_quads(index: UInt8[np.ndarray, "x y z"]) -> Quads:
    """Return rectangles that cover exactly the exposed faces, merged by color.

    Faces in one plane are joined to runs along one axis, and equal neighboring runs
    to rectangles; of the two orders the one with fewer rectangles is kept for each
    side.
    """
    return _quads(index, merge=True)


def mesh_from_voxels(grid: VoxelGrid) -> Mesh:
    """Return the surface as triangles in the world, one material for each color."""
    quads = greedy_quads(grid.index)
    corners = grid.frame.world_from_grid(quads.corners().reshape(-1, 3).astype(float))
    faces = 4 * np.arange(len(quads))[:, None] + np.array([0, 1, 2, 0, 2, 3])
    linear = linear_from_srgb(grid.palette.rgb / 255.0)
    materials = tuple(
        Material(f"color {k}", (float(r), float(g), float(b), 1.0))
        for k, (r, g, b) in enumerate(linear)
    )
    return Mesh(
        vertices=corners,
        faces=faces.reshape(-1, 3),
        material=np.repeat(quads.index.astype(np.int64) - 1, 2),
        part=np.zeros(2 * len(quads), np.int64),
        materials=materials,
        name=grid.name,
    )


def _quads(index: np.ndarray, *, merge: bool) -> Quads:
    occupied = index > 0
    lows, highs, sides, colors = [], [], [], []
    for number, side in enumerate(DIRECTIONS):
        axis = axis_of(side)
        across, along = (axis + 1) % 3, (axis + 2) % 3
        cells = np.nonzero(exposed(occupied, side))
        color = index[cells]
        position = [part.astype(np.int64) for part in cells]
        orders = [(across, along), (along, across)] if merge else []
        best = (np.stack(position, axis=1), np.stack(position, axis=1) + 1, color)
        for slow, fast in orders:
            merged = _merge(position, color, index.shape, (axis, slow, fast))
            if len(merged[2]) < len(best[2]):
                best = merged
        low, high, color = best
        # The rectangle lies on the near or far face of its cells.
        plane = low[:, axis] + (side[0] == "+")
        low[:, axis] = high[:, axis] = plane
        order = np.lexsort(low.T[::-1])
        lows.append(low[order])
        highs.append(high[order])
        colors.append(color[order])
        sides.append(np.full(len(color), number, np.uint8))
    return Quads(
        np.concatenate(lows).astype(np.int32),
        np.concatenate(highs).astype(np.int32),
        np.concatenate(sides),
        np.concatenate(colors),
    )


def _merge(
    position: list[np.ndarray],
    color: np.ndarray,
    shape: tuple[int, ...],
    axes: tuple[int, int, int],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Join faces to runs along the last of `axes`, then runs along the second."""
    axis, slow, fast = axes
    plane, row, column = position[axis], position[slow], position[fast]
    order = np.argsort((plane * shape[slow] + row) * shape[fast] + column)
    plane, row, column, color = (a[order] for a in (plane, row, column, color))
    starts = _breaks((plane, row, color), column)
    ends = np.append(starts[1:], len(color)) - 1 if len(color) else starts
    plane, row, first, color = plane[starts], row[starts], column[starts], color[starts]
    last = column[ends]
    key = ((plane * shape[fast] + first) * shape[fast] + last) * 256 + color
    order = np.argsort(key * shape[slow] + row)
    plane, row, first, last, color, key = (
        a[order] for a in (plane, row, first, last, color, key)
    )
    starts = _breaks((key,), row)
    ends = np.append(starts[1:], len(color)) - 1 if len(color) else starts
    low = np.empty((len(starts), 3), np.int64)
    high = np.empty_like(low)
    low[:, axis], high[:, axis] = plane[starts], plane[starts] + 1
    low[:, slow], high[:, slow] = row[starts], row[ends] + 1
    low[:, fast], high[:, fast] = first[starts], last[starts] + 1
    return low, high, color[starts]


def _breaks(same: tuple[np.ndarray, ...], counter: np.ndarray) -> np.ndarray:
    """Return where a run begins: `same` changes or `counter` does not step by one."""
    begins = np.ones(len(counter), bool)
    begins[1:] = counter[1:] != counter[:-1] + 1
    for values in same:
        begins[1:] |= values[1:] != values[:-1]
    return np.flatnonzero(begins)
