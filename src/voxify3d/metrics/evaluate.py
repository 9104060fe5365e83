"""evaluate(): how good a result is, in numbers that pull against each other."""

import dataclasses
from dataclasses import dataclass

import numpy as np

from voxify3d.metrics import image
from voxify3d.metrics.cells import CellView, see
from voxify3d.types import Frame, Mesh


@dataclass(frozen=True, slots=True)
class Scores:
    """Quality of one result, over six views on the cells of one grid.

    Attributes:
        iou: Silhouette intersection over union, mean of six views. Best 1.
        color_error: Mean OKLab distance × 100 of cells filled in both. Best 0.
        detail: Correlation of local contrast in the front view. Best 1.
        features: Share of salient front cells kept; NaN when the mesh has none.
        invented: Share of visible cells whose color the mesh does not have there.
        tear: Share of cells where the result lies over 1.5 voxels behind the mesh.
        speckle: Share of visible cells with a lone color the mesh does not have.
        depth_error: Mean |depth difference| of cells filled in both, voxels.
    """

    iou: float
    color_error: float
    detail: float
    features: float
    invented: float
    tear: float
    speckle: float
    depth_error: float

    def as_dict(self) -> dict[str, float]:
        """Return name → value."""
        return dataclasses.asdict(self)


def _share(pairs: list[tuple[int, int]]) -> float:
    found, total = np.sum(pairs, axis=0)
    return float(found / total) if total else float("nan")


def score_views(mesh: tuple[CellView, ...], result: tuple[CellView, ...]) -> Scores:
    """Return the scores of a result, from its views and the mesh's; front first."""
    pairs = list(zip(mesh, result, strict=True))
    errors = np.concatenate([image.color_errors(m, r) for m, r in pairs])
    depths = np.concatenate([image.depth_errors(m, r) for m, r in pairs])
    return Scores(
        iou=float(np.mean([image.silhouette_iou(m, r) for m, r in pairs])),
        color_error=float(errors.mean()) if len(errors) else float("nan"),
        detail=image.detail(mesh[0], result[0]),
        features=_share([image.features(mesh[0], result[0])]),
        invented=_share([image.invented(m, r) for m, r in pairs]),
        tear=_share([image.tear(m, r) for m, r in pairs]),
        speckle=_share([image.speckle(m, r) for m, r in pairs]),
        depth_error=float(depths.mean()) if len(depths) else float("nan"),
    )


def evaluate(mesh: Mesh, result: Mesh, frame: Frame) -> Scores:
    """Compare a result with the mesh it was made from.

    Args:
        mesh: The input.
        result: The voxel art as a mesh, in the input's world frame.
        frame: The grid whose cells are compared.
    """
    return score_views(see(mesh, frame), see(result, frame))
