"""The cells on which a result is judged: those that its own cubes fill.

Where the cells lie on the mesh is the maker's choice, and half a voxel to the side
nobody sees. On other cells every edge of such a result would be half filled.
"""

import numpy as np

from voxify3d.types import Frame, Mesh

_AT_CORNERS = 0.99
"""Length of the mean of the phases of a result's corners, as unit vectors, from which
they lie on a grid."""
_SAME = 0.01
"""Shift, in cells, up to which two grids are the same."""


def aligned(frame: Frame, mesh: Mesh, result: Mesh) -> Frame:
    """Return the grid with cells of a frame that a result's cubes lie on.

    The frame itself for what is not made of such cubes.

    Args:
        frame: Of the mesh.
        mesh: The input; the grid holds its box.
        result: Voxel art as a mesh, in the world frame of the input.
    """
    phases = np.exp(2j * np.pi * frame.grid_from_world(result.vertices)).mean(axis=0)
    shift = np.where(abs(phases) > _AT_CORNERS, np.angle(phases) / (2 * np.pi), 0)
    shift[abs(shift) < _SAME] = 0
    if not shift.any():
        return frame
    low, high = (frame.grid_from_world(corner) - shift for corner in mesh.bounds)
    first = np.floor(low + 1e-4)
    x, y, z = (np.ceil(high - 1e-4) - first).astype(int).tolist()
    origin = frame.world_from_grid(first + shift)
    return Frame(tuple(origin.tolist()), frame.cell, (x, y, z), frame.front, frame.up)
