"""From palette logits to colors: softmax, Gumbel-softmax, straight-through."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from voxify3d.choices import ColorSampling


def gumbel_noise(
    like: Float[Tensor, "n k"], generator: torch.Generator
) -> Float[Tensor, "n k"]:
    """Return standard Gumbel noise, one draw per voxel and entry.

    All views see the same voxels, so they share the draw.
    """
    uniform = torch.rand(like.shape, generator=generator, dtype=like.dtype)
    tiny = torch.finfo(like.dtype).tiny
    return -torch.log(-torch.log(uniform.clamp(tiny, 1 - 1e-7)))


def palette_weights(
    logits: Float[Tensor, "n k"],
    temperature: float,
    sampling: ColorSampling = "expected",
    noise: Float[Tensor, "n k"] | None = None,
) -> Float[Tensor, "n k"]:
    """Return how much of each palette entry a voxel shows; rows sum to 1.

    Args:
        logits: Scores.
        temperature: Above 0; towards 0 the largest score takes all.
        sampling: `expected` is softmax without noise, `gumbel` softmax with noise,
            `straight-through` one-hot forwards and softmax backwards.
        noise: Added to the scores, of `gumbel_noise`.

    Reference:
        Jang et al., "Categorical reparameterization with Gumbel-Softmax" (2017);
        Voxify3D, section on palette-constrained optimization.
    """
    if noise is not None:
        logits = logits + noise
    soft = functional.softmax(logits / temperature, dim=-1)
    if sampling != "straight-through":
        return soft
    hard = functional.one_hot(soft.argmax(dim=-1), soft.shape[-1]).to(soft.dtype)
    return hard + soft - soft.detach()
