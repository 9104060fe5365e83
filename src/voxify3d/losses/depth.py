"""Depth: the render against the mesh."""

import torch
from jaxtyping import Float
from torch import Tensor


def depth_loss(
    depth: Float[Tensor, "*cell"],
    opacity: Float[Tensor, "*cell"],
    target: Float[Tensor, "*cell"],
    weight: Float[Tensor, "*cell"],
    slack: float = 0.0,
) -> Float[Tensor, ""]:
    """Return the weighted sum of |depth - target|, less what voxels cannot show.

    Args:
        depth: Rendered, premultiplied by opacity, voxels.
        opacity: Rendered.
        target: Of the mesh, voxels; finite.
        weight: Of each cell; 0 where the pixel art is empty.
        slack: Difference that costs nothing, voxels. Depth in the mesh is
            continuous and in the grid it is not: without slack, smooth parts
            become bumpy.

    Reference:
        Voxify3D, L_depth; slack is ours (docs/method.md).
    """
    off = (depth - opacity * target).abs() - slack * opacity.detach()
    return (weight * torch.relu(off)).sum()
