"""The six views through an eye at a finite distance: what the paper warns against.

Cells of a perspective picture lie on the grid's face on the eye's side, so nothing is
cut off; farther in, their rays spread and no longer keep to one column of voxels.
"""

import numpy as np
from jaxtyping import Float, Float64

from voxify3d.render.cast import Caster
from voxify3d.render.mesh import sample_offsets
from voxify3d.render.views import six_views
from voxify3d.types import Frame, Mesh, Render, View, sign_of, vector_of

FIELD_OF_VIEW = 40.0
"""Whole angle over the longest side of the grid, degrees; the paper's cameras have
0.6911 rad."""


def cell_rays(
    shape: tuple[int, int, int],
    view: View,
    place: Float[np.ndarray, "n 2"],
    *,
    perspective: bool = False,
) -> tuple[Float64[np.ndarray, "n 3"], Float64[np.ndarray, "n 3"]]:
    """Return where rays of a view enter the grid, and their unit directions.

    Args:
        shape: Voxels along x, y, z.
        view: The view.
        place: In cell layout, cells: cell [a, b] fills [a, a + 1) × [b, b + 1).
        perspective: Rays come from an eye before the middle of the grid's face.
    """
    axis, toward = view.axis, vector_of(view.toward)
    face = shape[axis] if sign_of(view.toward) > 0 else 0
    origins = np.insert(np.asarray(place, np.float64), axis, face, axis=1)
    if not perspective:
        return origins, np.broadcast_to(-toward, origins.shape).copy()
    half = np.tan(np.radians(FIELD_OF_VIEW) / 2)
    middle = np.array(shape) / 2
    middle[axis] = face
    eye = middle + toward * max(shape) / 2 / half
    directions = origins - eye
    return origins, directions / np.linalg.norm(directions, axis=1, keepdims=True)


def render_perspective(
    mesh: Mesh, frame: Frame, samples: int = 8
) -> tuple[Render, ...]:
    """Render the six views of a mesh in perspective, unlit, in cell layout.

    Depth is along the view's axis from the grid's face, as in `render_mesh`.

    Args:
        mesh: In the world frame.
        frame: The grid.
        samples: Rays along each side of a cell.
    """
    caster = Caster(mesh, frame)
    renders = []
    for view in six_views(frame.front, frame.up):
        a, b = (n for i, n in enumerate(frame.shape) if i != view.axis)
        corner = np.stack(np.meshgrid(np.arange(a), np.arange(b), indexing="ij"), -1)
        place = (corner[:, :, None] + sample_offsets(samples)).reshape(-1, 2)
        origins, directions = cell_rays(frame.shape, view, place, perspective=True)
        # From one voxel outside: the surface may lie in the face itself.
        hits = caster.cast(origins - directions, directions)
        hit = (hits.face >= 0).reshape(a, b, -1)
        slope = np.abs(directions[:, view.axis])
        depth = np.maximum((hits.distance - 1) * slope, 0)
        part = np.where(hits.face >= 0, caster.mesh.part[hits.face], -1)
        renders.append(
            Render(
                view=view,
                rgb=hits.rgb.reshape(*hit.shape, 3),
                hit=hit,
                depth=depth.astype(np.float32).reshape(hit.shape),
                normal=hits.normal.reshape(*hit.shape, 3),
                part=part.reshape(hit.shape),
                coverage=hit.mean(axis=-1, dtype=np.float32),
            )
        )
    return tuple(renders)
