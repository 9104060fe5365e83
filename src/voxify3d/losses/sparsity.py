"""Sparsity: rays that are stopped or not, and nothing between."""

import torch
from jaxtyping import Float
from torch import Tensor


def background_entropy(opacity: Float[Tensor, "*ray"]) -> Float[Tensor, ""]:
    """Return the mean binary entropy of rays' opacity, nats.

    Highest, log 2, where half of the background shines through; 0 where all or none
    does. Beyond 1e-6 of either end the gradient is zero, not infinite.

    Args:
        opacity: Range [0, 1]. The remaining transmittance gives the same value.

    Reference:
        Voxify3D, stage 1, L_bg (weight λ_b).
    """
    p = opacity.clamp(1e-6, 1 - 1e-6)
    return -(p * torch.log(p) + (1 - p) * torch.log1p(-p)).mean()
