"""What a judge sees: six views of a mesh or a result, averaged over each cell.

Nothing here is shared with the fit: the judge casts its own rays, with its own
number of samples, and treats every result as a mesh, ours as well as others'.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32

from voxify3d.color.spaces import oklab_from_srgb
from voxify3d.render.mesh import render_mesh
from voxify3d.types import Frame, Mesh, Render

SAMPLES = 12
"""Rays along each side of a cell; not the number that the fit uses. With 6 on a regular
grid, mean colors of leaves were noise, and covered shares off by up to a twelfth."""


@dataclass(frozen=True, slots=True)
class CellView:
    """One view, by cells.

    Attributes:
        render: The samples themselves.
        filled: Cells that are at least half covered.
        lab: Mean OKLab color of the covered samples, times 100; 0 where none is.
        depth: Median depth of the covered samples, voxels; infinite where none is.
    """

    render: Render
    filled: Bool[np.ndarray, "a b"]
    lab: Float32[np.ndarray, "a b 3"]
    depth: Float32[np.ndarray, "a b"]


def see(mesh: Mesh, frame: Frame, samples: int = SAMPLES) -> tuple[CellView, ...]:
    """Return the six views of a mesh on the cells of a grid."""
    views = []
    for render in render_mesh(mesh, frame, samples, scattered=True):
        count = render.hit.sum(axis=-1)
        lab = oklab_from_srgb(render.rgb) * render.hit[..., None]
        mean = 100 * lab.sum(axis=2) / np.maximum(count, 1)[..., None]
        ordered = np.sort(render.depth, axis=-1)
        middle = np.maximum(count - 1, 0) // 2
        depth = np.take_along_axis(ordered, middle[..., None], axis=-1)[..., 0]
        filled = render.coverage >= 0.5 - 1e-6
        views.append(CellView(render, filled, mean.astype(np.float32), depth))
    return tuple(views)
