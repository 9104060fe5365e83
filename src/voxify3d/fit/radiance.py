"""Stage one by `radiance`: a field fitted to renders of the mesh from all around.

The paper's first stage: density and color on a grid of the target resolution,
optimized by volume rendering of random pixels of about 100 orthographic pictures.
`surface` (coarse.py) takes the same from the mesh itself, exactly and in less time;
this one is here to be compared with, and for what is only known by its pictures.
"""

import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32
from torch import Tensor, nn
from torch.nn import functional

from voxify3d.fit.loop import FitStep, optimize
from voxify3d.fit.radiance_settings import RadianceConfig
from voxify3d.losses.smoothness import total_variation
from voxify3d.losses.sparsity import background_entropy
from voxify3d.render.cast import Caster, look_from
from voxify3d.render.rays import random_directions
from voxify3d.render.volume import render_rays
from voxify3d.types import Frame, Mesh

DEFAULT = RadianceConfig()

_RAYS_PER_CAST = 1 << 18
_REFRESHES = 20
"""Times in a run that free space is looked up again."""


@dataclass(frozen=True, slots=True)
class RadianceField:
    """What the first stage knows about each voxel.

    Attributes:
        density: Per voxel edge, at the voxel's center.
        color: sRGB. Range [0, 1]. Of voxels no ray saw, the start's grey.
    """

    density: Float32[np.ndarray, "x y z"]
    color: Float32[np.ndarray, "x y z 3"]

    @property
    def alpha(self) -> Float32[np.ndarray, "x y z"]:
        """Opacity of a voxel seen along an axis, 1 - exp(-density)."""
        return -np.expm1(-self.density)


@dataclass(frozen=True, slots=True)
class RayBatch:
    """Pixels of the pictures: their rays and what they show.

    Attributes:
        origins: Voxels.
        directions: Unit vectors.
        rgb: sRGB; 0 where the mesh is not hit.
        hit: 1 where the mesh is hit, else 0.
    """

    origins: Float[Tensor, "ray 3"]
    directions: Float[Tensor, "ray 3"]
    rgb: Float[Tensor, "ray 3"]
    hit: Float[Tensor, " ray"]


def fit_radiance(
    mesh: Mesh,
    frame: Frame,
    config: RadianceConfig = DEFAULT,
    *,
    generator: torch.Generator,
) -> Generator[FitStep, None, RadianceField]:
    """Fit a radiance field to a mesh, yielding after every step; returns the field.

    L = MSE(C, C_mesh) + λ_d (TV(alpha) + TV(color)) + λ_b H(T_last), by Adam. A
    voxel's opacity is alpha = 1 - (1 + exp(d + shift))^(-interval), with the shift
    that gives `initial_alpha` at d = 0.

    Args:
        mesh: In the world frame.
        frame: The grid.
        config: Settings; the paper's by default.
        generator: Of the views and pixels. Its device is where the fit runs.

    Raises:
        FloatingPointError: A loss is not finite.

    Reference:
        Voxify3D, stage 1, on DVGO (Sun et al. 2022). Departures: Adam without DVGO's
        masks and per-voxel rates (nearly every voxel is seen in every step here);
        pixels whose rays miss the grid, which no voxel can change, are not drawn;
        the entropy acts from `entropy_start` on; free space is looked up again
        instead of being lost for good.
    """
    device = generator.device
    field = _RawField(frame.shape, config.initial_alpha, device)
    batches = draw_batches(mesh, frame, config, generator)
    optimizer = torch.optim.Adam(
        [
            {"params": [field.density_raw], "lr": config.density_rate},
            {"params": [field.color_raw], "lr": config.color_rate},
        ],
        # The first gradients are as small as the initial opacity.
        eps=1e-15,
    )
    rates = [group["lr"] for group in optimizer.param_groups]
    occupied: Bool[Tensor, "x y z"] | None = None

    def step_losses(index: int) -> dict[str, Tensor]:
        nonlocal occupied
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * 0.1 ** (index / config.decay_steps)
        if is_refresh(index, config):
            occupied = near_matter(field.alpha().detach(), config.free_alpha)
        batch = next(batches)
        background = torch.ones_like(batch.rgb)
        if config.background == "random":
            background = torch.rand(batch.rgb.shape, generator=generator, device=device)
        return _losses(field, batch, background, occupied, config, index)

    yield from optimize(step_losses, optimizer, config.steps)
    with torch.no_grad():
        density, color = field.activate(field.density_raw), field.color()
    return RadianceField(density.cpu().numpy(), color.cpu().numpy())


class _RawField(nn.Module):
    """The trained grids, before their activations: softplus and sigmoid."""

    def __init__(
        self, shape: tuple[int, int, int], initial_alpha: float, device: torch.device
    ) -> None:
        super().__init__()
        self.density_raw = nn.Parameter(torch.zeros(shape, device=device))
        self.color_raw = nn.Parameter(torch.zeros(*shape, 3, device=device))
        # softplus(shift) = -log(1 - alpha), the density of the initial opacity.
        self._shift = math.log(math.expm1(-math.log1p(-initial_alpha)))

    def activate(self, raw: Tensor) -> Tensor:
        return functional.softplus(raw + self._shift)

    def alpha(self) -> Float[Tensor, "x y z"]:
        return -torch.expm1(-self.activate(self.density_raw))

    def color(self) -> Float[Tensor, "x y z 3"]:
        return torch.sigmoid(self.color_raw)


def _losses(
    field: _RawField,
    batch: RayBatch,
    background: Float[Tensor, "ray 3"],
    occupied: Bool[Tensor, "x y z"] | None,
    config: RadianceConfig,
    index: int,
) -> dict[str, Float[Tensor, ""]]:
    """Return the weighted losses of one batch at one step."""
    seen = render_rays(
        field.density_raw,
        field.color_raw,
        batch.origins,
        batch.directions,
        step=config.step,
        sampling=config.sampling,
        occupied=occupied,
        stop=config.stop,
        density_activation=field.activate,
        color_activation=torch.sigmoid,
    )
    shown = seen.color + (1 - seen.opacity)[:, None] * background
    target = batch.rgb + (1 - batch.hit)[:, None] * background
    losses = {"render": functional.mse_loss(shown, target)}
    if config.smoothness_weight:
        rough = total_variation(field.alpha()) + total_variation(field.color())
        losses["smoothness"] = config.smoothness_weight * rough
    if config.entropy_weight and index >= config.entropy_start * config.steps:
        entropy = background_entropy(seen.opacity)
        losses["entropy"] = config.entropy_weight * entropy
    return losses


def draw_batches(
    mesh: Mesh, frame: Frame, config: RadianceConfig, generator: torch.Generator
) -> Iterator[RayBatch]:
    """Yield random pixels of the pictures, without end.

    The pictures are never made: a pixel is rendered when it is drawn, which for
    8000 steps of 8192 is less than half of the work of 100 pictures of 1200².
    """
    device = generator.device
    draw = np.random.default_rng(
        int(torch.randint(2**62, (), generator=generator, device=device))
    )
    caster = Caster(mesh, frame)
    toward = random_directions(config.views, draw)
    axes = np.stack([np.stack(look_from(t, _some_up(t))) for t in toward])
    size = np.array(frame.shape, np.float64)
    span = float(np.linalg.norm(size))
    per_cast = max(1, _RAYS_PER_CAST // config.rays) * config.rays
    while True:
        parts = []
        while sum(len(p[0]) for p in parts) < per_cast:
            parts.append(_draw_rays(draw, axes, size, span, config.pixels, per_cast))
        origins, directions = (
            np.concatenate(part)[:per_cast] for part in zip(*parts, strict=True)
        )
        hits = caster.cast(origins, directions)
        values = (origins, directions, hits.rgb, hits.face >= 0)
        tensors = [
            torch.from_numpy(np.asarray(v, np.float32)).to(device) for v in values
        ]
        for batch in zip(*(t.split(config.rays) for t in tensors), strict=True):
            yield RayBatch(*batch)


def _draw_rays(
    draw: np.random.Generator,
    axes: np.ndarray,
    size: np.ndarray,
    span: float,
    pixels: int,
    count: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rays of random pixels, those left out that miss the grid."""
    view = draw.integers(len(axes), size=count)
    pixel = draw.integers(pixels, size=(count, 2))
    at = ((pixel + 0.5) / pixels - 0.5) * span
    right, down, away = axes[view].swapaxes(0, 1)
    eye = size / 2 + away * (span / 2 + 1)
    origins = eye + at[:, :1] * right + at[:, 1:] * down
    slope = np.where(np.abs(away) < 1e-12, 1e-12, -away)
    ends = np.stack([-origins / slope, (size - origins) / slope])
    meets = ends.min(axis=0).max(axis=1) < ends.max(axis=0).min(axis=1)
    return origins[meets], -away[meets]


def _some_up(toward: np.ndarray) -> np.ndarray:
    """Return an axis that is far from parallel to a direction."""
    return np.eye(3)[np.abs(toward).argmin()]


def is_refresh(index: int, config: RadianceConfig) -> bool:
    """Return whether free space is looked up again before this step."""
    first = round(config.free_start * config.steps)
    every = max(1, config.steps // _REFRESHES)
    return index >= max(first, 1) and (index - first) % every == 0


def near_matter(
    alpha: Float[Tensor, "x y z"], threshold: float
) -> Bool[Tensor, "x y z"]:
    """Return voxels that reach an opacity, with all their neighbors."""
    reached = (alpha >= threshold).to(alpha.dtype)[None, None]
    return functional.max_pool3d(reached, 3, stride=1, padding=1)[0, 0] > 0
