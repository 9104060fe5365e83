"""Grids to export, and slow, obvious readers of what came out."""

import json
import subprocess
from pathlib import Path

import numpy as np

from voxify3d.types import (
    DIRECTIONS,
    Direction,
    Frame,
    Palette,
    VoxelGrid,
    axis_of,
    sign_of,
)

FOREIGN = Path(__file__).parents[1] / "foreign"
FRONTS = [(f, u) for f in DIRECTIONS for u in DIRECTIONS if f[1] != u[1]]
SIX_COLORS = np.array(
    [
        [255, 0, 0],
        [0, 255, 0],
        [0, 0, 255],
        [255, 255, 0],
        [255, 0, 255],
        [0, 255, 255],
    ],
    np.uint8,
)


def grid_of(
    index,
    palette=SIX_COLORS,
    *,
    front: Direction = "+z",
    up: Direction = "+y",
    **fields,
):
    frame = Frame((-1.5, 2.0, 1000.25), 0.125, index.shape, front, up)
    return VoxelGrid(index, Palette(palette), frame, **fields)


def tripod():
    """The golden case: red origin, green along x, blue along y, yellow along z."""
    index = np.zeros((3, 5, 7), np.uint8)
    index[0, 0, 0] = 1
    index[1:, 0, 0] = 2
    index[0, 1:, 0] = 3
    index[0, 0, 1:] = 4
    return index


def six_colored():
    """An odd, asymmetric body with one color for each of the six directions."""
    index = np.zeros((5, 7, 9), np.uint8)
    index[1:4, 2:5, 3:6] = 1
    index[4, 3, 4] = 2
    index[2, 5:7, 4] = 3
    index[2, 6, 3] = 3
    index[2, 3, 6:9] = 4
    index[1, 3, 8] = 4
    index[0, 3, 4] = 5
    index[2, 3, :3] = 6
    return index


def random_grid(shape, colors, seed, share=0.3):
    rng = np.random.default_rng(seed)
    index = rng.integers(1, colors + 1, shape)
    index = np.where(rng.random(shape) < share, index, 0).astype(np.uint8)
    index.flat[0] = colors
    palette = rng.permutation(256**3)[:colors]
    palette = np.stack([palette >> 16, palette >> 8 & 255, palette & 255], axis=1)
    return grid_of(index, palette.astype(np.uint8))


def voxels_in_file_axes(grid):
    """{(x, y, z): rgb} where a `.vox` must show it, voxel by voxel.

    x right as seen from the front, y away, z up; bottom at 0, middle at 0.
    """
    front, up = grid.frame.front, grid.frame.up
    forward = np.zeros(3, int)
    forward[axis_of(front)] = sign_of(front)
    upward = np.zeros(3, int)
    upward[axis_of(up)] = sign_of(up)
    basis = np.stack([np.cross(upward, forward), -forward, upward])
    turned = np.argwhere(np.ones(grid.index.shape, bool)) @ basis.T
    low, size = turned.min(axis=0), np.ptp(turned, axis=0) + 1
    corner = np.array([-(size[0] // 2), -(size[1] // 2), 0])
    return {
        tuple(int(v) for v in basis @ ijk - low + corner): tuple(
            grid.palette.rgb[grid.index[tuple(ijk)] - 1].tolist()
        )
        for ijk in np.argwhere(grid.index)
    }


def faces_of_voxels(voxels):
    """{(cell, outward normal): rgb} of the exposed faces of {cell: rgb}."""
    faces = {}
    for cell, rgb in voxels.items():
        for normal in [(1, 0, 0), (0, 1, 0), (0, 0, 1)]:
            for sign in (1, -1):
                outward = tuple(sign * n for n in normal)
                beside = tuple(c + n for c, n in zip(cell, outward, strict=True))
                if beside not in voxels:
                    faces[cell, outward] = rgb
    return faces


def faces_of_triangles(triangles):
    """{(cell, outward normal): rgb} of axis-aligned triangles, in voxels.

    Args:
        triangles: (corners, rgb) pairs; corners (3, 3), counter-clockwise.

    The total area must be that of the faces, or something is covered twice.
    """
    faces, area = {}, 0.0
    for corners, rgb in triangles:
        corners = np.asarray(corners)
        rounded = np.rint(corners)
        np.testing.assert_allclose(corners, rounded, atol=1e-3)
        turn = np.cross(rounded[1] - rounded[0], rounded[2] - rounded[0])
        axis = int(np.abs(turn).argmax())
        sign = int(np.sign(turn[axis]))
        area += np.linalg.norm(turn) / 2
        low, high = rounded.min(axis=0).astype(int), rounded.max(axis=0).astype(int)
        high[axis] += 1
        for offset in np.ndindex(*(high - low)):
            middle = low + offset + 0.5
            middle[axis] = low[axis]
            if _is_inside(middle, rounded, turn):
                cell = low + np.array(offset)
                cell[axis] -= sign > 0
                normal = [0, 0, 0]
                normal[axis] = sign
                key = tuple(cell.tolist()), tuple(normal)
                assert faces.setdefault(key, tuple(rgb)) == tuple(rgb)
    assert round(area, 6) == len(faces)
    return faces


def _is_inside(point, corners, turn):
    ahead = np.roll(corners, -1, axis=0)
    sides = np.cross(ahead - corners, point - corners) @ turn
    return (sides >= -1e-9).all()


def read_in_node(kind, path):
    """Return what a program by others finds in a file."""
    done = subprocess.run(
        ["node", FOREIGN / "read.mjs", kind, path],
        capture_output=True,
        check=True,
        timeout=120,
    )
    return json.loads(done.stdout)
