"""Color: the render against the pixel art."""

from jaxtyping import Float
from torch import Tensor


def photometric_loss(
    color: Float[Tensor, "*cell c"],
    target: Float[Tensor, "*cell c"],
    weight: Float[Tensor, "*cell"],
) -> Float[Tensor, ""]:
    """Return the weighted sum of squared color differences.

    Args:
        color: Rendered, premultiplied by opacity (black behind).
        target: Of the pixel art, in the same space.
        weight: Of each cell; 0 where the pixel art is empty.

    Reference:
        Voxify3D, L_pixel.
    """
    return (weight * ((color - target) ** 2).sum(-1)).sum()
