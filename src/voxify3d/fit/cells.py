"""Cells of a view: the column of voxels behind each, and what it shows.

Both second stages look at the same cells; they differ in which voxels they train and
in what they ask of a cell.

Naming used in this file: `l` voxels in the longest column, `p` trained voxels with an
empty one at the end, which fills up shorter columns.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int
from torch import Tensor

from voxify3d.pixelart.pixelize import Picture
from voxify3d.render.columns import column_weights
from voxify3d.render.eye import from_eye
from voxify3d.types import View


@dataclass(frozen=True, slots=True)
class Seen:
    """What some cells see, differentiable.

    Attributes:
        color: Premultiplied by opacity, in the space of the voxels' colors.
        opacity: Range [0, 1].
        depth: Voxels, premultiplied by opacity.
    """

    color: Float[Tensor, "*cell 3"]
    opacity: Float[Tensor, "*cell"]
    depth: Float[Tensor, "*cell"]


@dataclass(frozen=True, slots=True)
class CellPicture:
    """A whole view of the field in cell layout, differentiable.

    Attributes:
        color: OKLab, premultiplied by opacity.
        opacity: Range [0, 1]; 0 where the view sees no trained voxel.
    """

    color: Float[Tensor, "a b 3"]
    opacity: Float[Tensor, "a b"]


Semantic = Callable[[int, list[CellPicture]], Tensor | None]
"""A loss of the six pictures, front first, at a step; None where it rests. Weighted
by its maker."""


def columns_of(
    trained: Bool[np.ndarray, "x y z"], view: View
) -> tuple[Int[np.ndarray, "a b l"], Int[np.ndarray, "a b l"]]:
    """Return the trained voxels of each cell's column, and how far away they are.

    Returns:
        Numbers of the voxels in the order of `trained`, from the eye inwards, the
        number of trained voxels where the column has no more; and the voxels, trained
        or not, between each and the eye's face.
    """
    count = int(trained.sum())
    number = np.full(trained.shape, count)
    number[trained] = np.arange(count)
    columns = from_eye(number, view)
    order = np.argsort(columns == count, axis=2, kind="stable")
    longest = (columns < count).sum(axis=2).max()
    order = order[:, :, :longest]
    return np.take_along_axis(columns, order, axis=2), order


def see_columns(
    voxel: Int[Tensor, "*cell l"],
    distance: Float[Tensor, "*cell l"],
    thickness: Float[Tensor, " p"],
    color: Float[Tensor, "p 3"],
) -> Seen:
    """Return what cells see down their columns, exactly.

    Args:
        voxel: Of `columns_of`.
        distance: From the eye's face to each of them, voxels.
        thickness: Of each trained voxel, and 0 at the end.
        color: Of each trained voxel, and anything at the end.
    """
    weights = column_weights(thickness[voxel])
    return Seen(
        color=(weights[..., None] * color[voxel]).sum(-2),
        opacity=weights.sum(-1),
        depth=(weights * distance).sum(-1),
    )


def target_depth(
    picture: Picture, filled: Bool[np.ndarray, "a b"]
) -> tuple[Float32[np.ndarray, "a b"], Bool[np.ndarray, "a b"]]:
    """Return the mesh's depth in the filled cells, 0 elsewhere, and where it is."""
    sees = np.isfinite(picture.depth) & filled
    return np.where(sees, picture.depth, 0).astype(np.float32), sees


def empty_last(values: Float[Tensor, "n ..."]) -> Float[Tensor, "p ..."]:
    """Return values of the trained voxels, and 0 for the empty one."""
    return torch.cat([values, values.new_zeros(1, *values.shape[1:])])
