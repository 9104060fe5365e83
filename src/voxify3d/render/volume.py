"""The general volume renderer: any rays through a grid of density and color.

The slow, sampled way, for directions that are not axes, for perspective, for
trilinear fields, and as the twin that proves the column scan.

Naming used in this file: `ray` rays; `s` segments of a ray, ordered from its origin
outwards; `m` the segments that are looked at. `density` is per voxel edge, `thickness`
is density times segment length, `alpha = 1 - exp(-thickness)`, `trans` the share of
light that reaches a segment, `weights = trans * alpha`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

Activation = Callable[[Tensor], Tensor]

SAMPLINGS = ("nearest", "trilinear")


@dataclass(frozen=True, slots=True)
class RayRender:
    """What rays see of a field.

    Attributes:
        color: Σ weights · color, plus the background's share where one was given.
        depth: Σ weights · distance from the ray's origin, voxels; not divided by the
            opacity.
        opacity: Σ weights. Range [0, 1].
    """

    color: Float[Tensor, "ray c"]
    depth: Float[Tensor, " ray"]
    opacity: Float[Tensor, " ray"]


def render_rays(
    density: Float[Tensor, "x y z"],
    color: Float[Tensor, "x y z c"],
    origins: Float[Tensor, "ray 3"],
    directions: Float[Tensor, "ray 3"],
    *,
    step: float | None = 0.5,
    sampling: str = "nearest",
    background: Float[Tensor, " c"] | None = None,
    occupied: Bool[Tensor, "x y z"] | None = None,
    stop: float = 0.0,
    density_activation: Activation | None = None,
    color_activation: Activation | None = None,
    max_samples: int = 1 << 21,
) -> RayRender:
    """Render rays through a field on a grid; differentiable in density and color.

    C = Σ T_k α_k c_k + T_last · background, α_k = 1 - exp(-d_k δ_k),
    T_k = exp(-Σ_{j<k} d_j δ_j). Segments start where the ray enters the grid and the
    last is cut where it leaves, so their lengths always sum to the way inside. With
    `step=None`, or axis-parallel rays and a `step` that divides 1, a nearest-sampled
    field is rendered exactly.

    Args:
        density: Per voxel edge, non-negative after the activation.
        color: Any channels.
        origins: Grid frame (voxel ijk fills [i, i + 1)); inside the grid or out.
        directions: Unit vectors.
        step: Length of a segment, voxels; None cuts rays at every voxel face.
        sampling: One of `SAMPLINGS`: the value of the voxel, or trilinear between
            voxel centers (constant outside the outermost ones).
        background: Color behind everything; None for none (premultiplied color).
        occupied: Voxels that may hold something; others count as empty and are not
            sampled. None for all.
        stop: Segments that less than this share of the light reaches are skipped,
            which changes no color by more than `stop`, nor a depth by more than
            `stop` times the way through the grid. 0 skips nothing.
        density_activation: From the interpolated raw value to density; None for
            values that are densities. Applied after interpolation, as DVGO does.
        color_activation: The same for color.
        max_samples: Segments worked on at once; bounds memory, about 300 bytes each.
            With gradients, each part is rendered again in the backward pass.

    Raises:
        ValueError: A step that is not positive, an unknown sampling, `stop` outside
            [0, 1).

    Reference:
        NeRF (Mildenhall et al. 2020), Eq. 3; Voxify3D, stage 1; DVGO (Sun et al.
        2022) for post-activation and free-space skipping.
    """
    if step is not None and not step > 0:
        raise ValueError(f"step must be positive or None, got {step}")
    if sampling not in SAMPLINGS:
        raise ValueError(f"sampling must be one of {SAMPLINGS}, got {sampling!r}")
    if not 0 <= stop < 1:
        raise ValueError(f"stop must be in [0, 1), got {stop}")

    def render(density: Tensor, color: Tensor, rays: slice) -> tuple[Tensor, ...]:
        ends = segment_ends(origins[rays], directions[rays], density.shape, step)
        field = _Field(density, color, sampling, density_activation, color_activation)
        return _render_part(
            field,
            origins[rays],
            directions[rays],
            ends.to(density.dtype),
            occupied,
            stop,
        )

    parts = list(_parts(len(origins), density.shape, step, max_samples))
    rendered = _each_part(render, density, color, parts)
    seen, depth, opacity = (torch.cat(values) for values in zip(*rendered, strict=True))
    if background is not None:
        seen = seen + (1 - opacity)[:, None] * background
    return RayRender(seen, depth, opacity)


def _each_part(
    render: Callable[[Tensor, Tensor, slice], tuple[Tensor, ...]],
    density: Tensor,
    color: Tensor,
    parts: list[slice],
) -> list[tuple[Tensor, ...]]:
    """Render parts one after the other; several keep no graph, but render again."""
    learns = torch.is_grad_enabled() and (density.requires_grad or color.requires_grad)
    if not learns or len(parts) == 1:
        return [render(density, color, part) for part in parts]
    return [
        checkpoint(render, density, color, part, use_reentrant=False) for part in parts
    ]


def segment_ends(
    origins: Float[Tensor, "ray 3"],
    directions: Float[Tensor, "ray 3"],
    shape: tuple[int, int, int] | torch.Size,
    step: float | None,
) -> Float[Tensor, "ray s_1"]:
    """Return the distances at which a ray's segments begin and end.

    Non-decreasing, from the entry into the grid to the exit; past the exit, and for
    rays that miss the grid or look away from it, segments have length zero.

    Args:
        origins: Voxels.
        directions: Unit vectors.
        shape: Voxels along x, y, z.
        step: Length of a segment, voxels; None for segments that end at voxel faces.
    """
    size = origins.new_tensor(list(shape))
    # A ray along a face plane never crosses it: a tiny slope puts the crossing far off.
    slope = torch.where(directions.abs() < 1e-12, 1e-12, directions)
    low, high = -origins / slope, (size - origins) / slope
    near = torch.minimum(low, high).amax(dim=-1, keepdim=True).clamp(min=0)
    far = torch.maximum(low, high).amin(dim=-1, keepdim=True)
    far = torch.maximum(near, far)
    if step is not None:
        count = _segments_per_ray(shape, step)
        ends = near + step * torch.arange(
            count + 1, dtype=near.dtype, device=near.device
        )
        return torch.minimum(ends, far)
    faces = [
        (
            torch.arange(n + 1, dtype=near.dtype, device=near.device)
            - origins[:, i, None]
        )
        / slope[:, i, None]
        for i, n in enumerate(shape)
    ]
    ends = torch.minimum(torch.maximum(torch.cat(faces, dim=1), near), far)
    return torch.cat([near, ends, far], dim=1).sort(dim=1).values


@dataclass(frozen=True, slots=True)
class _Field:
    density: Tensor
    color: Tensor
    sampling: str
    density_activation: Activation | None
    color_activation: Activation | None

    def density_at(self, xyz: Tensor) -> Tensor:
        value = self._sample(self.density[..., None], xyz)[:, 0]
        return value if not self.density_activation else self.density_activation(value)

    def color_at(self, xyz: Tensor) -> Tensor:
        value = self._sample(self.color, xyz)
        return value if not self.color_activation else self.color_activation(value)

    def _sample(self, grid: Tensor, xyz: Tensor) -> Tensor:
        if self.sampling == "nearest":
            return grid.flatten(0, 2).index_select(0, _voxel_of(xyz, grid.shape))
        size = xyz.new_tensor(list(grid.shape[:3]))
        # grid_sample wants z y x order, each from -1 to 1 between outer voxel faces.
        at = (2 * xyz / size - 1).flip(-1)[None, :, None, None]
        sampled = functional.grid_sample(
            grid.movedim(-1, 0)[None], at, padding_mode="border", align_corners=False
        )
        return sampled[0, :, :, 0, 0].T


def _voxel_of(xyz: Float[Tensor, "m 3"], shape: torch.Size) -> Int[Tensor, " m"]:
    """Return the flat voxel number of positions, those just outside moved inside."""
    top = torch.tensor(shape[:3], device=xyz.device) - 1
    i, j, k = torch.minimum(xyz.floor().long().clamp(min=0), top).unbind(-1)
    return (i * shape[1] + j) * shape[2] + k


_BLOCK = 32
"""Segments of a ray between two looks at whether light is left."""


def _render_part(
    field: _Field,
    origins: Tensor,
    directions: Tensor,
    ends: Tensor,
    occupied: Tensor | None,
    stop: float,
) -> tuple[Tensor, Tensor, Tensor]:
    length = ends.diff(dim=-1)
    middle = (ends[:, :-1] + ends[:, 1:]) / 2
    rays, segments = length.shape

    def place(ray: Tensor, segment: Tensor) -> Tensor:
        return origins[ray] + directions[ray] * middle[ray, segment, None]

    # What is worth a look: inside the grid, and where something may be.
    ray, segment = (length > 0).nonzero(as_tuple=True)
    if occupied is not None:
        inside = occupied.flatten()[_voxel_of(place(ray, segment), field.density.shape)]
        ray, segment = ray[inside], segment[inside]

    # Density, block by block, of the rays that still carry light.
    looked, thickness = [], []
    left = torch.zeros(rays, dtype=length.dtype, device=length.device)
    limit = -torch.log(torch.tensor(stop, dtype=length.dtype, device=length.device))
    for begin, end in _blocks(segments, stop):
        here = (segment >= begin) & (segment < end)
        if stop:
            here &= left[ray] <= limit
        r, s = ray[here], segment[here]
        value = field.density_at(place(r, s)) * length[r, s]
        looked.append(r * segments + s)
        thickness.append(value)
        if stop:
            left = left.index_add(0, r, value.detach())
    at = torch.cat(looked)
    table = length.new_zeros(rays * segments)
    table = table.index_put((at,), torch.cat(thickness)).view(rays, segments)
    reached = torch.cumsum(table, dim=-1)
    trans = torch.exp(-(reached - table))
    weights = trans * -torch.expm1(-table)

    # Color of the segments that add to it.
    if stop:
        weights = torch.where(trans >= stop, weights, 0)
        at = at[trans.detach().flatten()[at] >= stop]
    r, s = at // segments, at % segments
    shades = field.color_at(place(r, s)) * weights.flatten()[at, None]
    seen = shades.new_zeros(rays, shades.shape[1]).index_add(0, r, shades)
    return seen, (weights * middle).sum(dim=-1), weights.sum(dim=-1)


def _segments_per_ray(
    shape: tuple[int, int, int] | torch.Size, step: float | None
) -> int:
    """Return how many segments the longest way through the grid needs."""
    if step is None:
        return sum(shape) + 4
    diagonal = sum(n * n for n in shape) ** 0.5
    return int(diagonal / step) + 1


def _blocks(segments: int, stop: float) -> Iterator[tuple[int, int]]:
    size = _BLOCK if stop else segments
    for begin in range(0, segments, size):
        yield begin, min(begin + size, segments)


def _parts(
    rays: int,
    shape: tuple[int, int, int] | torch.Size,
    step: float | None,
    max_samples: int,
) -> Iterator[slice]:
    """Yield runs of rays with at most `max_samples` segments; one run of no rays."""
    size = max(1, max_samples // _segments_per_ray(shape, step))
    for first in range(0, max(rays, 1), size):
        yield slice(first, first + size)
