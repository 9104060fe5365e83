"""The exact renderer: an axis-aligned view of a voxel grid is a cumulative sum.

Voxel edges lie on cell edges, and density and color are constant inside a voxel,
so all rays of a cell run down one grid column (docs/method.md, section 3). `n` is
the number of voxels in a column, ordered from the eye; `thickness` is optical
thickness, density times voxel edge; `weights[k]` is what voxel k adds to the cell.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor


class _ColumnWeights(torch.autograd.Function):
    """weights_k = exp(-(c_k - s_k)) - exp(-c_k) with c = cumsum(s)."""

    @staticmethod
    def forward(ctx: Any, thickness: Tensor) -> Tensor:  # noqa: ANN401
        reached = torch.cumsum(thickness, dim=-1)
        trans = torch.exp(-reached)
        # expm1 keeps the weights of thin voxels exact
        weights = trans * torch.expm1(thickness)
        weights = torch.where(
            thickness < 20, weights, torch.exp(thickness - reached) - trans
        )
        ctx.save_for_backward(trans, weights)
        return weights

    @staticmethod
    def backward(ctx: Any, *grad: Tensor) -> Tensor:  # noqa: ANN401
        trans, weights = ctx.saved_tensors
        pull = weights * grad[0]
        behind = torch.flip(torch.cumsum(torch.flip(pull, [-1]), dim=-1), [-1]) - pull
        return trans * grad[0] - behind


def column_weights(
    thickness: Float[Tensor, "*column n"],
) -> Float[Tensor, "*column n"]:
    """Return what each voxel adds to its cell: trans times alpha, exactly.

    The picture of anything constant inside voxels is `(weights * value).sum(-1)`,
    accumulated opacity is `weights.sum(-1)`. The gradient is one reversed cumulative
    sum: ∂L/∂s_k = exp(-c_k) h_k - Σ_{j>k} w_j h_j with h_k = ∂L/∂w_k.

    Args:
        thickness: Optical thickness from the eye inwards. Non-negative.

    Reference:
        NeRF (Mildenhall et al. 2020), Eq. 3, for piecewise constant density.
    """
    return _ColumnWeights.apply(thickness)  # type: ignore[return-value]
