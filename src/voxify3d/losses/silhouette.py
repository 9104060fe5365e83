"""Silhouette: opacity against the mask."""

from jaxtyping import Float
from torch import Tensor


def silhouette_loss(
    opacity: Float[Tensor, "*cell"],
    mask: Float[Tensor, "*cell"],
    weight: Float[Tensor, "*cell"],
) -> Float[Tensor, ""]:
    """Return the weighted sum of squared differences of opacity and mask.

    Args:
        opacity: Rendered. Range [0, 1].
        mask: 1 where the pixel art is filled, else 0.
        weight: Of each cell. The paper's L_alpha has weight only where the mask is 0.

    Reference:
        Voxify3D, L_alpha.
    """
    return (weight * (opacity - mask) ** 2).sum()
