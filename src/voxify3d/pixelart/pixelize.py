"""pixelize(): six renders → six indexed pictures with one palette.

`k` is the number of palette entries. Costs are OKLab distances times 100, so a
cost of 1 is about one just noticeable difference.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int

from voxify3d.color.palette import extract_palette
from voxify3d.color.spaces import bytes_from_oklab, oklab_from_bytes
from voxify3d.pixelart.settings import PixelArtConfig
from voxify3d.pixelart.statistics import CellStatistics, cell_statistics, contrast
from voxify3d.types import Palette, Render, View

_PRESENT = 0.15
"""A color is present in a cell when this share of its samples is near it."""
_PRESENCE_LIMIT = 20.0
"""Most that a color which is not present can cost extra."""
_CELLS_PER_CALL = 1 << 13


@dataclass(frozen=True, slots=True)
class Picture:
    """One view as pixel art.

    Attributes:
        view: The view.
        index: Palette entry of each cell, -1 where the picture is empty.
        cost: What each palette entry would cost in each cell, weighted by how much
            the cell counts; 0 in empty cells.
        coverage: Share of each cell that the mesh covers. Range [0, 1].
        depth: Median depth of the mesh in the cell, voxels; infinite where none.
        depths: Depths of the cell's samples, voxels; infinite where nothing is hit.
        lab: Target color of each cell before the palette, OKLab.
        weight: How much the view counts.
        emphasis: How much each cell counts: the view's weight and its saliency.
    """

    view: View
    index: Int[np.ndarray, "a b"]
    cost: Float32[np.ndarray, "a b k"]
    coverage: Float32[np.ndarray, "a b"]
    depth: Float32[np.ndarray, "a b"]
    depths: Float32[np.ndarray, "a b s"]
    lab: Float32[np.ndarray, "a b 3"]
    weight: float
    emphasis: Float32[np.ndarray, "a b"]

    @property
    def filled(self) -> Bool[np.ndarray, "a b"]:
        """Cells with a color."""
        return self.index >= 0


@dataclass(frozen=True, slots=True)
class PixelArt:
    """Six pictures and the palette they share."""

    pictures: tuple[Picture, ...]
    palette: Palette


def pixelize(
    renders: tuple[Render, ...],
    colors: int,
    config: PixelArtConfig | None = None,
    seed: int = 0,
) -> PixelArt:
    """Turn renders into pixel art.

    Args:
        renders: The six views, front first.
        colors: Most palette entries.
        config: Settings.
        seed: Of the palette's search.
    """
    config = config or PixelArtConfig()
    cells = [cell_statistics(render, config.coverage) for render in renders]
    palette = Palette(bytes_from_oklab(palette_of(cells, colors, config, seed)))
    lab = oklab_from_bytes(palette.rgb).astype(np.float32)
    pictures = []
    for number, cell in enumerate(cells):
        weight = config.front_weight if number == 0 else 1.0
        cost = _costs(cell, lab, config)
        index = np.where(cell.filled, cost.argmin(axis=-1), -1)
        stands_out = np.minimum(contrast(cell.mean, cell.filled) / 0.1, 2)
        emphasis = (weight * (1 + config.saliency * stands_out)).astype(np.float32)
        cost *= emphasis[..., None]
        pictures.append(
            Picture(
                view=cell.view,
                index=index,
                cost=cost,
                coverage=cell.coverage,
                depth=cell.depth,
                depths=cell.depths,
                lab=cell.mean if config.cell_color == "mean" else cell.median,
                weight=weight,
                emphasis=emphasis,
            )
        )
    return PixelArt(tuple(pictures), palette)


def palette_of(
    cells: list[CellStatistics], colors: int, config: PixelArtConfig, seed: int
) -> Float64[np.ndarray, "k 3"]:
    """Return the palette of the filled cells of all views, OKLab.

    Cells of one color count more than cells across an edge: an edge's in-between
    colors are nobody's.
    """
    filled = [cell.filled for cell in cells]
    lab = np.concatenate([c.median[f] for c, f in zip(cells, filled, strict=True)])
    spread = np.concatenate([c.spread[f] for c, f in zip(cells, filled, strict=True)])
    if not len(lab):  # thinner than half a cell from every side
        filled = [cell.coverage > 0 for cell in cells]
        lab = np.concatenate([c.median[f] for c, f in zip(cells, filled, strict=True)])
        spread = np.zeros(len(lab), np.float32)
    weight = 1 / (1 + 40 * spread)
    return extract_palette(
        lab.astype(np.float64),
        weight.astype(np.float64),
        colors,
        seed=seed,
        rarity=config.rarity,
    )


def _costs(
    cell: CellStatistics, palette: Float32[np.ndarray, "k 3"], config: PixelArtConfig
) -> Float32[np.ndarray, "a b k"]:
    """Return what each palette entry costs in each cell; 0 in cells without a hit."""
    a, b, s = cell.hit.shape
    cost = np.zeros((a * b, len(palette)), np.float32)
    seen = np.flatnonzero(cell.hit.any(axis=-1))
    if config.cell_color != "vote":
        target = cell.mean if config.cell_color == "mean" else cell.dominant
        apart = target.reshape(-1, 3)[seen][:, None] - palette
        cost[seen] = 100 * np.linalg.norm(apart, axis=-1)
        return cost.reshape(a, b, -1)
    lab, hit = cell.lab.reshape(-1, s, 3), cell.hit.reshape(-1, s)
    mean = cell.mean.reshape(-1, 3)
    for first in range(0, len(seen), _CELLS_PER_CALL):
        rows = seen[first : first + _CELLS_PER_CALL]
        inside = hit[rows][:, :, None]
        apart = lab[rows][:, :, None] - palette
        distance = 100 * np.sqrt(np.einsum("nskc,nskc->nsk", apart, apart))
        count = inside.sum(axis=1)
        vote = (distance * inside).sum(axis=1) / count
        ordered = np.sort(np.where(inside, distance, np.inf), axis=1)
        rank = (_PRESENT * count).astype(np.int64)[:, None]
        near = np.take_along_axis(
            ordered, np.broadcast_to(rank, (*rank.shape[:2], len(palette))), axis=1
        )[:, 0]
        absent = np.minimum(near - near.min(axis=1, keepdims=True), _PRESENCE_LIMIT)
        to_mean = 100 * np.linalg.norm(mean[rows][:, None] - palette, axis=-1)
        cost[rows] = (
            config.vote * vote + (1 - config.vote) * to_mean + config.crispness * absent
        )
    return cost.reshape(a, b, -1)
