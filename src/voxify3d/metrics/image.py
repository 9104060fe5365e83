"""Metrics on pairs of cell views: `mesh` is the truth, `result` the voxel art.

All color distances are in OKLab times 100. Definitions: docs/method.md, "Quality".
Every function returns counts or sums with their weight, so that several views are
pooled by the caller.
"""

import numpy as np
from jaxtyping import Bool, Float
from scipy import ndimage

from voxify3d.color.spaces import oklab_from_srgb
from voxify3d.metrics.cells import CellView

_CROSS = ((0, 1), (0, -1), (1, 0), (-1, 0))


def silhouette_iou(mesh: CellView, result: CellView) -> float:
    """Return intersection over union of the filled cells. 1 is best."""
    union = (mesh.filled | result.filled).sum()
    return float((mesh.filled & result.filled).sum() / union) if union else 1.0


def color_errors(mesh: CellView, result: CellView) -> Float[np.ndarray, " n"]:
    """Return the color distance of every cell filled in both."""
    both = mesh.filled & result.filled
    return np.linalg.norm(mesh.lab[both] - result.lab[both], axis=-1)


def _around(
    lab: Float[np.ndarray, "a b 3"], filled: Bool[np.ndarray, "a b"], size: int
) -> Float[np.ndarray, "a b 3"]:
    """Return the mean color of the filled cells in the window around each cell."""
    kernel = np.ones(size)
    weight = filled.astype(np.float64)
    total = lab * weight[..., None]
    for axis in (0, 1):
        weight = ndimage.convolve1d(weight, kernel, axis=axis, mode="constant")
        total = ndimage.convolve1d(total, kernel, axis=axis, mode="constant")
    return total / np.maximum(weight, 1e-9)[..., None]


def detail(mesh: CellView, result: CellView) -> float:
    """Return the correlation of local contrast over cells filled in both.

    Local contrast is a cell's color minus the mean of its 5 × 5 filled
    neighbors. 1 is best; a result without any contrast has 0.
    """
    both = mesh.filled & result.filled
    if not both.any():
        return 0.0
    truth = (mesh.lab - _around(mesh.lab, mesh.filled, 5))[both].ravel()
    found = (result.lab - _around(result.lab, result.filled, 5))[both].ravel()
    truth, found = truth - truth.mean(), found - found.mean()
    scale = np.sqrt((truth**2).sum() * (found**2).sum())
    if (truth**2).mean() < 1e-3:  # nothing to keep: a mesh of one color
        return 1.0 if (found**2).mean() < 1e-3 else 0.0
    return float((truth * found).sum() / scale) if scale > 0 else 0.0


def _distance_to_neighbors(view: CellView) -> Float[np.ndarray, "4 a b"]:
    """Return the distance to each of four neighbors; NaN where one is not filled."""
    lab = np.pad(view.lab, ((1, 1), (1, 1), (0, 0)))
    filled = np.pad(view.filled, 1)
    center = (slice(1, -1), slice(1, -1))
    distances = []
    for da, db in _CROSS:
        shift = (
            slice(1 + da, lab.shape[0] - 1 + da),
            slice(1 + db, lab.shape[1] - 1 + db),
        )
        distance = np.linalg.norm(lab[center] - lab[shift], axis=-1)
        distances.append(np.where(filled[shift] & view.filled, distance, np.nan))
    return np.stack(distances)


def speckle(mesh: CellView, result: CellView) -> tuple[int, int]:
    """Return (lone-colored result cells that the mesh does not have, filled cells).

    Lone: farther than 6 from all of its filled neighbors. The mesh does not have
    it: its own cell is nearer than 4 to one of its filled neighbors.
    """
    ours = _distance_to_neighbors(result)
    theirs = _distance_to_neighbors(mesh)
    lone = np.where(np.isnan(ours), np.inf, ours).min(axis=0) > 6
    lone &= ~np.isnan(ours).all(axis=0)
    plain = np.where(np.isnan(theirs), np.inf, theirs).min(axis=0) < 4
    return int((lone & plain).sum()), int(result.filled.sum())


def features(mesh: CellView, result: CellView) -> tuple[int, int]:
    """Return (salient cells that are kept, salient cells).

    Salient: a filled cell of the mesh farther than 12 from the mean of its 7 × 7
    surroundings. Kept: the result's cell is nearer to the cell than to them.
    """
    around = _around(mesh.lab, mesh.filled, 7)
    salient = mesh.filled & (np.linalg.norm(mesh.lab - around, axis=-1) > 12)
    to_own = np.linalg.norm(result.lab - mesh.lab, axis=-1)
    to_around = np.linalg.norm(result.lab - around, axis=-1)
    kept = salient & result.filled & (to_own < to_around)
    return int(kept.sum()), int(salient.sum())


def invented(mesh: CellView, result: CellView) -> tuple[int, int]:
    """Return (result cells whose color no sample of the mesh there has, cells seen).

    Has: a sample of the mesh in the cell lies within 5.
    """
    seen = result.filled & mesh.render.hit.any(axis=-1)
    samples = 100 * oklab_from_srgb(mesh.render.rgb[seen])
    distance = np.linalg.norm(samples - result.lab[seen][:, None], axis=-1)
    distance[~mesh.render.hit[seen]] = np.inf
    return int((distance.min(axis=-1, initial=np.inf) > 5).sum()), int(seen.sum())


def tear(mesh: CellView, result: CellView) -> tuple[int, int]:
    """Return (cells where the result lies over 1.5 voxels behind, cells of both)."""
    both = mesh.filled & result.filled
    behind = result.depth[both] - mesh.depth[both] > 1.5
    return int(behind.sum()), int(both.sum())


def depth_errors(mesh: CellView, result: CellView) -> Float[np.ndarray, " n"]:
    """Return |depth difference| of every cell filled in both, voxels."""
    both = mesh.filled & result.filled
    return np.abs(result.depth[both] - mesh.depth[both])
