"""VoxelField: density and palette logits of the voxels near the surface."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional


class VoxelField(nn.Module):
    """The trainable field on a shell of `n` voxels.

    `density_raw` a gives opacity sigmoid(a) and optical thickness softplus(a) of a
    voxel, so a > 0 is "more opaque than not". `logits` are scores of `k` palette
    entries.

    Attributes:
        density_raw: Raw density of each voxel.
        logits: Palette scores of each voxel.
        fixed: Voxels that stay opaque whatever `density_raw` says.
    """

    fixed: Tensor

    def __init__(
        self,
        occupied: Bool[Tensor, " n"],
        logits: Float[Tensor, "n k"],
        fixed: Bool[Tensor, " n"],
        initial: float = 2.2,
    ) -> None:
        super().__init__()
        sign = torch.where(occupied, 1.0, -1.0).to(logits.dtype)
        self.density_raw = nn.Parameter(initial * sign)
        self.logits = nn.Parameter(logits.clone())
        self.register_buffer("fixed", fixed)

    def thickness(self) -> Float[Tensor, " n"]:
        """Return the optical thickness of each voxel."""
        opaque = torch.full_like(self.density_raw, 10.0)
        return functional.softplus(torch.where(self.fixed, opaque, self.density_raw))

    def occupied(self) -> Bool[Tensor, " n"]:
        """Return the voxels that are more opaque than not."""
        return (self.density_raw > 0) | self.fixed

    def index(self) -> Int[Tensor, " n"]:
        """Return the palette entry with the highest score."""
        return self.logits.argmax(dim=-1)
