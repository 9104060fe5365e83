"""Smoothness: total variation of a grid."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def total_variation(
    grid: Float[Tensor, "x y z *c"],
    mask: Bool[Tensor, "x y z"] | None = None,
) -> Float[Tensor, ""]:
    """Return the mean absolute difference of voxels that share a face.

    Of a field with several channels, the sum over channels. Larger weights fill holes
    and blur edges.

    Args:
        grid: Density or color, raw or not.
        mask: Only pairs with both voxels in it count; None for all. 0 where there
            are no pairs.

    Reference:
        Voxify3D, stage 1, part of L_density. Rudin, Osher and Fatemi (1992), in the
        anisotropic form that DVGO uses, without its smoothing near zero.
    """
    total, pairs = grid.new_zeros(()), grid.new_zeros(())
    for axis in range(3):
        steps = grid.diff(dim=axis).abs()
        while steps.dim() > 3:
            steps = steps.sum(dim=-1)
        if mask is None:
            pairs = pairs + steps.numel()
        else:
            low, high = (
                mask.narrow(axis, first, max(mask.shape[axis] - 1, 0))
                for first in (0, min(1, mask.shape[axis]))
            )
            both = low & high
            steps = torch.where(both, steps, 0)
            pairs = pairs + both.sum()
        total = total + steps.sum()
    return total / pairs.clamp(min=1)
