"""What the semantic loss asks of an encoder."""

from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from voxify3d.errors import WeightsError as WeightsError


@runtime_checkable
class Encoder(Protocol):
    """A frozen network that turns pictures into unit feature vectors."""

    @property
    def name(self) -> str:
        """For messages and records."""
        ...

    @property
    def input_size(self) -> int:
        """Rows and columns it works at; other pictures are resized to it."""
        ...

    @property
    def low_pass(self) -> bool:
        """Whether pictures must be averaged to the voxels' size before encoding.

        True where hard-edged cells throw the network off; then target and render are
        both averaged.
        """
        ...

    def features(self, images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b d"]:
        """Return unit vectors; differentiable in the images.

        Args:
            images: sRGB. Range [0, 1].
        """
        ...


def resized(
    images: Float[Tensor, "b 3 h w"], size: int
) -> Float[Tensor, "b 3 size size"]:
    """Return pictures at an encoder's size, smoothed where they shrink."""
    if images.shape[-2:] == (size, size):
        return images
    return functional.interpolate(
        images, (size, size), mode="bicubic", align_corners=False, antialias=True
    ).clamp(0, 1)


def unit(features: Float[Tensor, "b d"]) -> Float[Tensor, "b d"]:
    """Return vectors of length one; zero stays zero."""
    return functional.normalize(features.float(), dim=-1)


def frozen(network: torch.nn.Module) -> torch.nn.Module:
    """Return the network in evaluation mode, its weights out of reach of gradients."""
    return network.eval().requires_grad_(False)
