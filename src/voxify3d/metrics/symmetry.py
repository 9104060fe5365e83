"""Symmetry kept: where the mesh equals its mirror image, does the result?

Left and right change places. The views that show both (front, back, top, bottom)
are compared with their own mirror images, cell by cell. Only cells in which the mesh
is its own mirror image count, so a sword in one hand costs nothing.
"""

import numpy as np
from jaxtyping import Bool

from voxify3d.metrics.cells import CellView
from voxify3d.render.views import six_views
from voxify3d.types import Frame, axis_of

ALIKE = 4.0
"""OKLab distance × 100 under which a cell equals its mirror cell."""
_LEAST = 0.45
"""A mesh that equals its mirror image in a smaller share of its cells has none."""


def mirror_plane(mesh: tuple[CellView, ...], frame: Frame) -> int | None:
    """Return the plane about which the mesh is most symmetric; None if about none.

    Args:
        mesh: Its six views.
        frame: Their grid.

    Returns:
        Twice the plane's place on the grid's left-right axis, voxels: cell `i` mirrors
        to `plane - 1 - i`. Tried is the middle quarter of the grid, in half cells.
    """
    axis = axis_of(six_views(frame.front, frame.up)[0].right)
    size = frame.shape[axis]
    # From the middle outwards: the first of equals is the best of them.
    nearest = range(size // 4 + 1)
    planes = [size, *(size + side * step for step in nearest[1:] for side in (1, -1))]
    shares = []
    for plane in planes:
        pairs = [_pairs(view, axis, plane) for view in _both_sides(mesh, axis)]
        alike = sum(int(same.sum()) for _, same in pairs)
        shares.append(alike / max(sum(int(used.sum()) for used, _ in pairs), 1))
    best = int(np.argmax(shares))
    return planes[best] if shares[best] >= _LEAST else None


def symmetry_kept(
    mesh: tuple[CellView, ...],
    result: tuple[CellView, ...],
    frame: Frame,
    plane: int,
) -> tuple[int, int]:
    """Return (cells where mesh and result equal their mirror cells, where mesh does).

    Args:
        mesh: Its six views.
        result: The result's.
        frame: Their grid.
        plane: Of `mirror_plane`.
    """
    axis = axis_of(six_views(frame.front, frame.up)[0].right)
    kept = total = 0
    for truth, found in zip(
        _both_sides(mesh, axis), _both_sides(result, axis), strict=True
    ):
        _, wanted = _pairs(truth, axis, plane)
        _, same = _pairs(found, axis, plane)
        kept += int((wanted & same).sum())
        total += int(wanted.sum())
    return kept, total


def _both_sides(views: tuple[CellView, ...], axis: int) -> list[CellView]:
    return [view for view in views if view.render.view.axis != axis]


def _pairs(
    view: CellView, axis: int, plane: int
) -> tuple[Bool[np.ndarray, "a b"], Bool[np.ndarray, "a b"]]:
    """Return cells that are filled here or in the mirror, and those alike in both."""
    across = 0 if axis < min({0, 1, 2} - {axis, view.render.view.axis}) else 1
    filled = np.moveaxis(view.filled, across, 0)
    lab = np.moveaxis(view.lab, across, 0)
    place = np.arange(len(filled))
    other = plane - 1 - place
    within = (other >= 0) & (other < len(filled))
    other = np.clip(other, 0, len(filled) - 1)
    mirrored = filled[other] & within[:, None]
    near = np.linalg.norm(lab - lab[other], axis=-1) < ALIKE
    apart = (other != place)[:, None]  # a cell on the plane is its own mirror image
    used, alike = (filled | mirrored) & apart, filled & mirrored & near & apart
    return np.moveaxis(used, 0, across), np.moveaxis(alike, 0, across)
