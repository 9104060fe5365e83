"""The semantic loss: do a pretrained network's features of two pictures agree?

L = 1 - cos(E(patch of the render), E(same patch of the mesh's render)), the paper's
L_clip. Radford et al. 2021 for CLIP; any `Encoder` will do.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from voxify3d.encoders import Encoder


def semantic_loss(
    features: Float[Tensor, "b d"], targets: Float[Tensor, "b d"]
) -> Float[Tensor, ""]:
    """Return the mean of 1 - cosine. 0 for equal pictures, at most 2.

    Half the squared distance of unit vectors is 1 - cosine without the rounding of
    a difference of near-equal numbers: a picture against itself gives exactly 0.

    Args:
        features: Unit vectors of the rendered patches.
        targets: Unit vectors of the same patches of the mesh.
    """
    return (features - targets).square().sum(dim=-1).mean() / 2


class SemanticLoss:
    """1 - cosine under an encoder, with bounded memory."""

    def __init__(self, encoder: Encoder, batch: int = 16) -> None:
        """Take an encoder.

        Args:
            encoder: Frozen.
            batch: Most pictures in the encoder at once.
        """
        self.encoder = encoder
        self.batch = batch

    def features(self, images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b d"]:
        """Return features of pictures that nothing is to learn from."""
        with torch.no_grad():
            parts = [self.encoder.features(part) for part in images.split(self.batch)]
        return torch.cat(parts)

    def __call__(
        self,
        images: Float[Tensor, "b 3 h w"],
        targets: Float[Tensor, "b d"],
    ) -> Float[Tensor, ""]:
        """Return the mean loss; its gradient is that of the pictures.

        With gradients, each part of at most `batch` pictures is encoded and
        differentiated before the next, so no more than one part's activations exist.

        Args:
            images: Rendered patches, sRGB. Range [0, 1].
            targets: Features of the mesh's patches.
        """
        pairs = zip(images.split(self.batch), targets.split(self.batch), strict=True)
        if not (torch.is_grad_enabled() and images.requires_grad):
            losses = [
                semantic_loss(self.features(part), target) * len(part)
                for part, target in pairs
            ]
            return torch.stack(losses).sum() / len(images)
        total, gradients = images.new_zeros(()), []
        for part, target in pairs:
            leaf = part.detach().requires_grad_()
            loss = semantic_loss(self.encoder.features(leaf), target) * len(part)
            (gradient,) = torch.autograd.grad(loss, leaf)
            gradients.append(gradient)
            total = total + loss.detach()
        return _Known.apply(
            images, total / len(images), torch.cat(gradients) / len(images)
        )


class _Known(torch.autograd.Function):
    """A value whose gradient has been found already."""

    @staticmethod
    def forward(ctx, images: Tensor, value: Tensor, gradient: Tensor) -> Tensor:  # noqa: ANN001
        ctx.save_for_backward(gradient)
        return value.clone()

    @staticmethod
    def backward(ctx, *grad: Tensor) -> tuple[Tensor, None, None]:  # noqa: ANN001
        (gradient,) = ctx.saved_tensors
        return grad[0] * gradient, None, None
