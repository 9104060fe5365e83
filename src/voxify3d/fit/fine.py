"""Stage two: fit density and palette logits to the pixel art by the column scan.

Only a shell around the surface is trained: voxels farther in are never seen, and
farther out never needed. `n` voxels of the shell, `m` columns of an axis, `l`
voxels in the longest column, `k` palette entries.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy import ndimage
from torch import Tensor

from voxify3d.color.spaces import oklab_from_bytes
from voxify3d.field.grid import VoxelField
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
from voxify3d.fit.coarse import NEIGHBORS_26, Occupancy
from voxify3d.fit.loop import FitStep, optimize
from voxify3d.fit.schedule import geometric
from voxify3d.fit.settings import FineConfig
from voxify3d.losses.depth import depth_loss
from voxify3d.losses.photometric import photometric_loss
from voxify3d.losses.silhouette import silhouette_loss
from voxify3d.mesh.coverage import Coverage
from voxify3d.pixelart.pixelize import Picture, PixelArt

_LOGIT_SCALE = 30.0
"""Start of the logits: minus this times the distance to the entry (OKLab)."""


@dataclass(frozen=True, slots=True)
class ShellView:
    """One view of the shell: its columns, and what their cells should show.

    Attributes:
        cell: Cell [a, b] of each column, in cell layout.
        shape: Cells of the view, with those that see no shell voxel.
        voxel: Shell voxel of each place in each column from the eye; n for none.
        distance: Voxels between the eye's face and that place.
        color: Target, OKLab, 0 in empty cells.
        depth: Target, voxels, 0 where there is none.
        mask: 1 in filled cells.
        sees: 1 in filled cells whose mesh has a depth.
        weight: Of the view.
    """

    cell: Int[Tensor, "m 2"]
    shape: tuple[int, int]
    voxel: Int[Tensor, "m l"]
    distance: Float[Tensor, "m l"]
    color: Float[Tensor, "m 3"]
    depth: Float[Tensor, " m"]
    mask: Float[Tensor, " m"]
    sees: Float[Tensor, " m"]
    weight: float

    def see(self, thickness: Float[Tensor, " p"], color: Float[Tensor, "p 3"]) -> Seen:
        """Return what the cells see of the shell's voxels and an empty last one."""
        return see_columns(self.voxel, self.distance, thickness, color)


def shell_of(occupancy: Occupancy, art: PixelArt) -> Bool[np.ndarray, "x y z"]:
    """Return the voxels that can matter: one deep on both sides of the surface."""
    occupied = occupancy.occupied
    surface = occupied & ~ndimage.binary_erosion(occupied, NEIGHBORS_26)
    hull = np.ones_like(occupied)
    for picture in art.pictures:
        hull &= np.expand_dims(picture.filled, picture.view.axis)
    near = ndimage.binary_dilation(surface, NEIGHBORS_26)
    return near & (occupied | (hull & (occupancy.free | occupancy.locked)))


def shell_view(
    shell: Bool[np.ndarray, "x y z"],
    locked: Bool[np.ndarray, "x y z"],
    picture: Picture,
    palette: Float[np.ndarray, "k 3"],
) -> ShellView:
    """Gather a view's columns of shell voxels, with the targets of their cells."""
    voxel, distance = columns_of(shell, picture.view)
    a, b = np.nonzero((voxel < shell.sum()).any(axis=2))
    filled = picture.filled
    target = np.where(filled[..., None], palette[picture.index], 0)
    depth, sees = target_depth(picture, filled)
    mask = filled | np.any(locked, axis=picture.view.axis)

    def tensor(values: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values[a, b], np.float32))

    return ShellView(
        cell=torch.from_numpy(np.stack([a, b], axis=1)),
        shape=(picture.index.shape[0], picture.index.shape[1]),
        voxel=torch.from_numpy(voxel[a, b]),
        distance=tensor(distance),
        color=tensor(target),
        depth=tensor(depth),
        mask=tensor(mask),
        sees=tensor(sees),
        weight=picture.weight,
    )


def cell_picture(view: ShellView, seen: Seen) -> CellPicture:
    """Return a view with the cells that see nothing in their places."""
    a, b = view.cell.unbind(dim=1)
    color = seen.color.new_zeros(*view.shape, 3)
    opacity = seen.opacity.new_zeros(view.shape)
    return CellPicture(
        color=color.index_put((a, b), seen.color),
        opacity=opacity.index_put((a, b), seen.opacity),
    )


def view_losses(
    view: ShellView, seen: Seen, config: FineConfig
) -> dict[str, Float[Tensor, ""]]:
    """Return a view's weighted pixel, depth and alpha losses.

    Args:
        view: Targets.
        seen: What its cells see.
        config: Weights.
    """
    each = torch.full_like(seen.opacity, view.weight)
    return {
        "pixel": config.pixel_weight
        * photometric_loss(seen.color, view.color, each * view.sees),
        "depth": config.depth_weight
        * depth_loss(
            seen.depth,
            seen.opacity,
            view.depth,
            each * view.sees,
            slack=config.depth_slack,
        ),
        "alpha": config.alpha_weight * silhouette_loss(seen.opacity, view.mask, each),
    }


class FineFit:
    """Stage two on one object: iterate to train, then read `occupied`."""

    def __init__(
        self,
        occupancy: Occupancy,
        art: PixelArt,
        coverage: Coverage,
        config: FineConfig,
        generator: torch.Generator,
        semantic: Semantic | None = None,
    ) -> None:
        """Prepare the shell and its views.

        Args:
            occupancy: Of the first stage.
            art: What the six views should show.
            coverage: The surface's own color in each voxel.
            config: Settings.
            generator: Of the noise.
            semantic: One more loss, of the six pictures that a step renders.
        """
        self._config = config
        self._semantic = semantic
        self._generator = generator
        self._before = occupancy.occupied
        self.shell = shell_of(occupancy, art)
        palette = oklab_from_bytes(art.palette.rgb).astype(np.float32)
        self._palette = torch.from_numpy(palette)
        self._views = [
            shell_view(self.shell, occupancy.locked, picture, palette)
            for picture in art.pictures
        ]
        filled = sum(int(picture.filled.sum()) for picture in art.pictures)
        self._scale = 6 / max(filled, 1)
        lab = torch.from_numpy(_start_colors(self.shell, coverage))
        self.field = VoxelField(
            occupied=torch.from_numpy(occupancy.occupied[self.shell]),
            logits=-_LOGIT_SCALE * torch.cdist(lab, self._palette),
            fixed=torch.from_numpy(occupancy.locked[self.shell]),
        )

    def losses(self, step: int) -> dict[str, Float[Tensor, ""]]:
        """Return the weighted losses of a step, summed over the views."""
        config, field = self._config, self.field
        temperature = geometric(
            step, config.steps, config.temperature_start, config.temperature_end
        )
        noise = None
        if config.sampling != "expected":
            # fading noise: what is rendered last is what is exported
            noise = gumbel_noise(field.logits, self._generator)
            noise = noise * (1 - step / max(config.steps, 1))
        shares = palette_weights(field.logits, temperature, config.sampling, noise)
        thickness, color = map(empty_last, (field.thickness(), shares @ self._palette))
        seen = [view.see(thickness, color) for view in self._views]
        total: dict[str, Tensor] = {}
        for view, picture in zip(self._views, seen, strict=True):
            for name, loss in view_losses(view, picture, config).items():
                total[name] = total.get(name, torch.zeros(())) + self._scale * loss
        if self._semantic is not None:
            pictures = map(cell_picture, self._views, seen)
            semantic = self._semantic(step, list(pictures))
            if semantic is not None:
                total["semantic"] = semantic
        return total

    def __iter__(self) -> Iterator[FitStep]:
        """Train, yielding after every step."""
        optimizer = torch.optim.Adam(
            [
                {
                    "params": [self.field.density_raw],
                    "lr": self._config.density_rate,
                },
                {"params": [self.field.logits], "lr": self._config.logit_rate},
            ],
            betas=(0.9, 0.99),
        )
        yield from optimize(self.losses, optimizer, self._config.steps)

    def occupied(self) -> Bool[np.ndarray, "x y z"]:
        """Return the voxels that are more opaque than not."""
        occupied = self._before.copy()
        occupied[self.shell] = self.field.occupied().numpy()
        # No view sees into a closed cavity, so nothing was learned about it.
        return np.asarray(ndimage.binary_fill_holes(occupied))


def _start_colors(
    shell: Bool[np.ndarray, "x y z"], coverage: Coverage
) -> Float[np.ndarray, "n 3"]:
    """Return each shell voxel's surface color, or that of the nearest surface."""
    where = ndimage.distance_transform_edt(
        ~coverage.touched, return_distances=False, return_indices=True
    )
    return coverage.lab[tuple(where)][shell]
