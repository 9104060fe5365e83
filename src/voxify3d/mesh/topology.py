"""What a mesh is as a surface: closed or open, symmetric or not."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from voxify3d.mesh.build import welded
from voxify3d.types import Mesh

_CELLS = 24
"""Of the box's longest side, for the symmetry: fine enough for limbs."""

_STEPS = 12
_SAMPLES = (
    np.array(
        [
            (i, j, _STEPS - i - j)
            for i in range(_STEPS + 1)
            for j in range(_STEPS + 1 - i)
        ]
    )
    / _STEPS
)
"""Barycentric weights of the points that are looked at on a face above one cell."""


@dataclass(frozen=True, slots=True)
class Edges:
    """Edges between faces, equal positions taken as one vertex.

    Attributes:
        open: Edges of one face: holes, sheets.
        crowded: Edges of more than two faces.
        odd: Edges of an odd number of faces; without any, the mesh is watertight.
    """

    open: int
    crowded: int
    odd: int

    @property
    def is_watertight(self) -> bool:
        """Whether the faces enclose something, with no way in."""
        return self.odd == 0


def edges_of(mesh: Mesh) -> Edges:
    """Count the edges of a mesh by how many faces meet there."""
    point = welded(mesh.vertices)[mesh.faces]
    ends = np.sort(point[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    key = ends[:, 0] * (int(point.max()) + 1) + ends[:, 1]
    faces = np.unique(key, return_counts=True)[1]
    return Edges(
        open=int((faces == 1).sum()),
        crowded=int((faces > 2).sum()),
        odd=int((faces % 2).sum()),
    )


def symmetry_of(mesh: Mesh, axis: int) -> float:
    """Return how much of the surface its mirror image covers, in [0, 1].

    The mirror stands in the middle of the box, across `axis`. Cells that the surface
    touches are compared, give or take one cell.
    """
    low, high = mesh.bounds
    cell = (high - low).max() / _CELLS
    corners = mesh.vertices[mesh.faces]
    large = np.ptp(corners, axis=1).max(axis=1) > cell
    inside = np.einsum("sk,fkc->fsc", _SAMPLES, corners[large])
    points = np.concatenate([corners.reshape(-1, 3), inside.reshape(-1, 3)])
    ijk = np.floor((points - (low + high) / 2) / cell + _CELLS / 2)
    ijk = np.clip(ijk.astype(np.int64), 0, _CELLS - 1)
    cells = np.zeros((_CELLS,) * 3, bool)
    cells[tuple(ijk.T)] = True
    near = ndimage.binary_dilation(np.flip(cells, axis))
    return float((cells & near).sum() / cells.sum())
