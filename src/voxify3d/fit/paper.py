"""Stage two by `paper`: the second stage of the paper, as it stands there.

Density and palette logits of every voxel that stage one leaves open, fitted to the six
views by MSE in sRGB on white, depth, and opacity where the pixel art is empty, on the
paper's schedule. `fine.py` is what this package does by default; this is here to be
compared with it. By default views are rendered by the column scan, which gives the
same pictures as sampled rays.

Naming used in this file: `n` open voxels, `p` = n + 1 with an empty one at the end,
`m` cells of all views one after the other, front first, `l` voxels in the longest
column, `ray` the cells that a step looks at, `k` palette entries.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy import ndimage
from torch import Tensor, nn
from torch.nn import functional

from voxify3d.color.spaces import oklab_from_bytes, oklab_from_srgb, srgb_from_oklab
from voxify3d.field.gumbel import gumbel_noise, palette_weights
from voxify3d.fit.cells import (
    CellPicture,
    Seen,
    Semantic,
    columns_of,
    empty_last,
    see_columns,
    target_depth,
)
from voxify3d.fit.coarse import Occupancy
from voxify3d.fit.loop import FitStep, optimize
from voxify3d.fit.paper_settings import PaperConfig
from voxify3d.fit.radiance import RadianceField, near_matter
from voxify3d.fit.schedule import Phase, paper_phase
from voxify3d.losses.depth import depth_loss
from voxify3d.losses.photometric import photometric_loss
from voxify3d.losses.silhouette import silhouette_loss
from voxify3d.mesh.coverage import Coverage
from voxify3d.pixelart.pixelize import Picture, PixelArt
from voxify3d.render.rays import cell_rays
from voxify3d.render.volume import render_rays

_OPAQUE, _EMPTY = 2.3, 1e-4
"""Thickness of voxels that an exact first stage knows: opacity 0.9, and none."""
_NEAR = 0.05
"""sRGB distance at which a palette entry fades, where the semantic loss is shown
continuous colors."""
_STEP = 0.25
"""Distance of samples on rays, voxels (the paper's second stage)."""


def field_of_occupancy(occupancy: Occupancy, coverage: Coverage) -> RadianceField:
    """Return an exact first stage in the form of the paper's."""
    where = np.asarray(
        ndimage.distance_transform_edt(
            ~coverage.touched, return_distances=False, return_indices=True
        )
    )
    return RadianceField(
        density=np.where(occupancy.occupied, _OPAQUE, _EMPTY).astype(np.float32),
        color=srgb_from_oklab(coverage.lab[tuple(where)]).astype(np.float32),
    )


def fog(shape: tuple[int, int, int], alpha: float) -> RadianceField:
    """Return what is known without a first stage: nothing, everywhere."""
    return RadianceField(
        density=np.full(shape, -np.log1p(-alpha), np.float32),
        color=np.full((*shape, 3), 0.5, np.float32),
    )


def export_field(
    field: RadianceField, art: PixelArt, threshold: float
) -> Int[np.ndarray, "x y z"]:
    """Return the first stage's own result: opaque voxels in the nearest entry."""
    occupied = field.alpha >= threshold
    palette = oklab_from_bytes(art.palette.rgb)
    index = np.full(occupied.shape, -1)
    lab = oklab_from_srgb(field.color[occupied])
    apart = np.linalg.norm(lab[:, None] - palette, axis=-1)
    index[occupied] = apart.argmin(axis=1)
    return index


class PaperField(nn.Module):
    """Density and color of the open voxels.

    `density_raw` a gives a voxel's optical thickness softplus(a), as DVGO's
    activation does. `logits` are palette scores, or, where colors are continuous, the
    three channels before a sigmoid.
    """

    def __init__(
        self, thickness: Float[Tensor, " n"], logits: Float[Tensor, "n k"]
    ) -> None:
        super().__init__()
        # softplus backwards; thin voxels need expm1, thick ones must not overflow
        raw = thickness + torch.log(-torch.expm1(-thickness))
        self.density_raw = nn.Parameter(raw)
        self.logits = nn.Parameter(logits)

    def thickness(self) -> Float[Tensor, " n"]:
        """Return the optical thickness of each voxel along an axis."""
        return functional.softplus(self.density_raw)


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of all views, and what they should show.

    Attributes:
        view: Number of each cell's view.
        place: Cell [a, b] of the view.
        voxel: Open voxels of each cell's column from the eye; n for none.
        distance: From the eye's face to each of them, voxels.
        color: Target, sRGB on white.
        depth: Target, voxels; 0 where there is none.
        sees: 1 where there is a target depth.
        empty: 1 where the pixel art is empty.
    """

    view: Int[Tensor, " m"]
    place: Int[Tensor, "m 2"]
    voxel: Int[Tensor, "m l"]
    distance: Float[Tensor, "m l"]
    color: Float[Tensor, "m 3"]
    depth: Float[Tensor, " m"]
    sees: Float[Tensor, " m"]
    empty: Float[Tensor, " m"]


class PaperFit:
    """The paper's second stage on one object: iterate to train, then read `index`."""

    def __init__(
        self,
        start: RadianceField,
        art: PixelArt,
        config: PaperConfig,
        generator: torch.Generator,
        semantic: Semantic | None = None,
    ) -> None:
        """Prepare the open voxels and the cells.

        Args:
            start: Of the first stage, or of `fog`.
            art: What the six views should show.
            config: Settings.
            generator: Of rays and noise.
            semantic: One more loss, of the six pictures, weighted by its maker.
        """
        self._config, self._generator, self._semantic = config, generator, semantic
        alpha = torch.from_numpy(start.alpha)
        self.open = near_matter(alpha, config.free_alpha).numpy()
        self._size = max(self.open.shape)
        bytes_ = art.palette.rgb
        self._palette = torch.from_numpy(bytes_.astype(np.float32) / 255)
        self._lab = torch.from_numpy(oklab_from_bytes(bytes_).astype(np.float32))
        self._art = art
        self.cells = cells_of(self.open, art, config)
        self._front = int((self.cells.view == 0).sum())
        color = torch.from_numpy(start.color[self.open])
        if config.color == "continuous":
            logits = torch.logit(color, eps=1e-3)
        else:
            logits = -config.logit_scale * torch.cdist(color, self._palette)
        self.field = PaperField(torch.from_numpy(start.density[self.open]), logits)
        self._optimizer = torch.optim.Adam(
            [
                {"params": [self.field.density_raw], "lr": config.density_rate},
                {"params": [self.field.logits], "lr": config.logit_rate},
            ]
        )

    def __iter__(self) -> Iterator[FitStep]:
        """Train, yielding after every step."""
        yield from optimize(self.losses, self._optimizer, self._config.steps)

    def losses(self, step: int) -> dict[str, Float[Tensor, ""]]:
        """Return the weighted losses of a step, and set its learning rates."""
        config = self._config
        phase = paper_phase(step, self._size, config)
        rates = (config.density_rate, config.logit_rate)
        for group, rate in zip(self._optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * phase.rate
        color, lab = self._colors(phase)
        rows = self._draw(phase)
        losses = self._row_losses(rows, color, phase)
        if self._semantic is not None:
            loss = self._semantic(step, self._pictures(lab))
            if loss is not None:
                losses["semantic"] = loss
        return losses

    @torch.no_grad()
    def full_losses(self, step: int) -> dict[str, float]:
        """Return a step's losses over every cell of every view, without noise.

        The semantic loss is left out. For comparing runs: the same fields have the
        same losses, however they were reached.

        Args:
            step: Whose weights and temperature hold.
        """
        phase = paper_phase(step, self._size, self._config)
        if self._config.color == "continuous":
            color = torch.sigmoid(self.field.logits)
        else:
            shares = palette_weights(self.field.logits, phase.temperature)
            color = shares @ self._palette
        rows = torch.arange(len(self.cells.view))
        losses = self._row_losses(rows, color, phase, columns=True)
        return {name: loss.item() for name, loss in losses.items()}

    @torch.no_grad()
    def index(self) -> Int[np.ndarray, "x y z"]:
        """Return the palette entry of every opaque voxel, -1 elsewhere."""
        logits = self.field.logits
        if self._config.color == "continuous":
            lab = torch.from_numpy(oklab_from_srgb(torch.sigmoid(logits).numpy()))
            logits = -torch.cdist(lab, self._lab)
        alpha = -torch.expm1(-self.field.thickness())
        best = torch.where(alpha >= self._config.threshold, logits.argmax(dim=-1), -1)
        index = np.full(self.open.shape, -1)
        index[self.open] = best.numpy()
        return index

    def _colors(self, phase: Phase) -> tuple[Tensor, Tensor]:
        """Return the open voxels' colors in sRGB, and in OKLab for the pictures."""
        logits = self.field.logits
        if self._config.color == "continuous":
            color = torch.sigmoid(logits)
            return color, self._blend(color)
        noise = None
        if self._config.color != "expected":
            noise = gumbel_noise(logits, self._generator)
        sampling = "straight-through" if phase.hard else "expected"
        shares = palette_weights(logits, phase.temperature, sampling, noise)
        return shares @ self._palette, shares @ self._lab

    def _blend(self, color: Tensor) -> Tensor:
        """Return OKLab of continuous colors as a soft mixture of palette entries."""
        near = -torch.cdist(color, self._palette) / _NEAR
        return torch.softmax(near, dim=-1) @ self._lab

    def _draw(self, phase: Phase) -> Int[Tensor, " ray"]:
        """Return the cells that a step looks at."""
        cells = self._front if phase.front_only else len(self.cells.view)
        if not self._config.rays:
            return torch.arange(cells)
        count = round(self._config.rays * (1 - self._config.patch_share))
        return torch.randint(cells, (max(count, 1),), generator=self._generator)

    def _row_losses(
        self, rows: Tensor, color: Tensor, phase: Phase, *, columns: bool = False
    ) -> dict[str, Tensor]:
        """Return weighted means over some cells; `columns` insists on the scan."""
        cells = self.cells
        if columns or self._config.rendering == "columns":
            seen = self._scan(rows, color)
        else:
            seen = self._march(rows, color)
        each = torch.full((len(rows),), 1 / len(rows))
        shown = seen.color + (1 - seen.opacity)[:, None]
        depth, target = seen.depth / self._size, cells.depth[rows] / self._size
        return {
            "pixel": phase.pixel * photometric_loss(shown, cells.color[rows], each / 3),
            "depth": phase.depth
            * depth_loss(depth, torch.ones(len(rows)), target, each * cells.sees[rows]),
            "alpha": phase.alpha
            * silhouette_loss(
                seen.opacity, torch.zeros(len(rows)), each * cells.empty[rows]
            ),
        }

    def _scan(self, rows: Tensor, color: Tensor) -> Seen:
        """Render cells by their columns: exact."""
        return see_columns(
            self.cells.voxel[rows],
            self.cells.distance[rows],
            empty_last(self.field.thickness()),
            empty_last(color),
        )

    def _march(self, rows: Tensor, color: Tensor) -> Seen:
        """Render random rays through cells by samples, the general and slow way."""
        inside = torch.from_numpy(self.open)
        x, y, z = inside.shape
        density = torch.zeros(x, y, z).masked_scatter(inside, self.field.thickness())
        grid = torch.zeros(x, y, z, 3).masked_scatter(inside[..., None], color)
        jitter = torch.rand(len(rows), 2, generator=self._generator)
        place = (self.cells.place[rows] + jitter).numpy()
        origins, directions = np.empty((2, len(rows), 3))
        number = self.cells.view[rows].numpy()
        slope = np.empty(len(rows))
        for view, picture in enumerate(self._art.pictures):
            here = number == view
            origins[here], directions[here] = cell_rays(
                (x, y, z),
                picture.view,
                place[here],
                perspective=self._config.rendering == "perspective",
            )
            slope[here] = np.abs(directions[here][:, picture.view.axis])
        seen = render_rays(
            density,
            grid,
            torch.from_numpy(origins.astype(np.float32)),
            torch.from_numpy(directions.astype(np.float32)),
            step=_STEP,
            occupied=inside,
        )
        depth = seen.depth * torch.from_numpy(slope.astype(np.float32))
        return Seen(seen.color, seen.opacity, depth)

    def _pictures(self, lab: Tensor) -> list[CellPicture]:
        """Return the six whole pictures, OKLab."""
        seen = self._scan(torch.arange(len(self.cells.view)), lab)
        pictures, first = [], 0
        for picture in self._art.pictures:
            a, b = picture.index.shape
            part = slice(first, first + a * b)
            first += a * b
            pictures.append(
                CellPicture(
                    color=seen.color[part].view(a, b, 3),
                    opacity=seen.opacity[part].view(a, b),
                )
            )
        return pictures


def cells_of(
    is_open: Bool[np.ndarray, "x y z"], art: PixelArt, config: PaperConfig
) -> Cells:
    """Return the cells of all views over a grid's open voxels, with their targets."""
    parts: list[dict[str, np.ndarray]] = []
    for view, picture in enumerate(art.pictures):
        a, b = picture.index.shape
        voxel, distance = columns_of(is_open, picture.view)
        filled, color = _target(picture, art, config)
        depth, sees = target_depth(picture, filled)
        parts.append(
            {
                "view": np.full(a * b, view),
                "place": np.argwhere(np.ones((a, b), bool)),
                "voxel": voxel.reshape(a * b, -1),
                "distance": (distance + 0.5).reshape(a * b, -1).astype(np.float32),
                "color": color.reshape(-1, 3).astype(np.float32),
                "depth": depth.ravel(),
                "sees": sees.ravel().astype(np.float32),
                "empty": (~filled).ravel().astype(np.float32),
            }
        )
    longest = max(part["voxel"].shape[1] for part in parts)
    for part in parts:
        short = longest - part["voxel"].shape[1]
        for name, filler in (("voxel", int(is_open.sum())), ("distance", 0)):
            part[name] = np.pad(
                part[name], ((0, 0), (0, short)), constant_values=filler
            )
    table = {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}
    return Cells(**{name: torch.from_numpy(value) for name, value in table.items()})


def _target(
    picture: Picture, art: PixelArt, config: PaperConfig
) -> tuple[Bool[np.ndarray, "a b"], Float[np.ndarray, "a b 3"]]:
    """Return which cells are filled, and their sRGB color on white."""
    if config.target == "downscaled":
        filled, color = picture.coverage >= 0.5, srgb_from_oklab(picture.lab)
    else:
        filled, color = picture.filled, art.palette.rgb[picture.index] / 255
    return filled, np.where(filled[..., None], color, 1.0)
