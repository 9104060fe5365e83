"""pixelize(): six renders → six indexed pictures with one palette.

`k` is the number of palette entries. Costs are OKLab distances times 100, so a
cost of 1 is about one just noticeable difference.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float32, Int

from voxify3d.color.spaces import bytes_from_oklab, oklab_from_bytes
from voxify3d.parallel import each
from voxify3d.pixelart.feature import Feature
from voxify3d.pixelart.features import FIRM, FIRMEST, find_features
from voxify3d.pixelart.gaps import find_gaps
from voxify3d.pixelart.ground import Ground, find_ground
from voxify3d.pixelart.mirror import Mirror, find_mirror
from voxify3d.pixelart.palette import CHROMA, palettes_of
from voxify3d.pixelart.samples import some_of
from voxify3d.pixelart.settings import PixelArtConfig
from voxify3d.pixelart.statistics import (
    CellStatistics,
    cell_statistics,
    contrast,
    dominant_colors,
)
from voxify3d.types import Palette, Render, View

_PRESENT = 0.15
"""A color is present in a cell when this share of its samples is near it."""
_PRESENCE_LIMIT = 20.0
"""Most that a color which is not present can cost extra."""
_CHOSEN, _NEARLY = 0.1, 5.0
"""A color that fewer of a cell's samples would choose than this share is a blend of
others; to choose it, it may be so much farther away than the nearest."""
_BLEND = 8.0
"""What a blend costs extra."""
_CELLS_PER_CALL = 1 << 13
_NOTICEABLE = 0.005
"""Share by which one palette must cost less than another."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One view as pixel art.

    Attributes:
        view: The view.
        index: Palette entry of each cell, -1 where the picture is empty.
        cost: What each palette entry would cost in each cell, weighted by how much
            the cell counts; 0 in empty cells.
        coverage: Share of each cell that the mesh covers. Range [0, 1].
        rescued: Cells filled for the sake of a thin part: its voxels must stay.
        depth: Median depth of the mesh in the cell, voxels; infinite where none.
        depths: Depths of the cell's samples, voxels; infinite where nothing is hit.
        lab: Target color of each cell before the palette, OKLab.
        colors: Colors of the cell's samples, OKLab.
        held: Cells whose color a feature decides.
        weight: How much the view counts.
        emphasis: How much each cell counts: the view's weight and its saliency.
    """

    view: View
    index: Int[np.ndarray, "a b"]
    cost: Float32[np.ndarray, "a b k"]
    coverage: Float32[np.ndarray, "a b"]
    rescued: Bool[np.ndarray, "a b"]
    depth: Float32[np.ndarray, "a b"]
    depths: Float32[np.ndarray, "a b s"]
    lab: Float32[np.ndarray, "a b 3"]
    colors: Float32[np.ndarray, "a b s 3"]
    held: Bool[np.ndarray, "a b"]
    weight: float
    emphasis: Float32[np.ndarray, "a b"]

    @property
    def filled(self) -> Bool[np.ndarray, "a b"]:
        """Cells with a color."""
        return self.index >= 0


Pair = tuple[Int[np.ndarray, "_ 2"], Int[np.ndarray, "_ 2"]]


@dataclass(frozen=True, slots=True)
class PixelArt:
    """Six pictures and the palette they share.

    Attributes:
        pictures: Front first.
        palette: Their colors.
        mirror: Which cells are alike on the left and on the right; None where the
            mesh has no two equal sides.
        pairs: Left and right features of the front: cells of both. Each is there
            twice, once from either side.
        eyes: Those pairs that catch the eye, each once.
        eye_cost: What is wrong in how open eyes are drawn; see `DrawnEyes`.
    """

    pictures: tuple[Picture, ...]
    palette: Palette
    mirror: Mirror | None = None
    pairs: tuple[Pair, ...] = ()
    eyes: tuple[Pair, ...] = ()
    eye_cost: float = 0.0


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
    cells = each(lambda render: cell_statistics(render, config.coverage), renders)
    mirror = find_mirror(cells) if config.symmetry else None
    features = find_features(cells, seed, mirror) if config.feature_weight else []
    grounds = [find_ground(features, i, cell) for i, cell in enumerate(cells)]
    found = {}
    for entries in palettes_of(cells, features, colors, config, seed):
        rgb = bytes_from_oklab(entries)  # shades closer than a byte become one
        rgb = rgb[np.sort(np.unique(rgb, axis=0, return_index=True)[1])]
        found.setdefault(rgb.tobytes(), Palette(rgb))
    palette = _best_palette(list(found.values()), cells, grounds, features, config)
    pictures = _paint(cells, grounds, features, palette, config)
    if config.feature_weight:
        pictures[0] = _parted(pictures[0], cells[0], palette, config)
    if mirror is not None:
        pictures = symmetric(pictures, mirror, config.coverage)
    paired = [f for f in features if f.view == 0 and len(f.other)]
    pairs = tuple((f.cells, f.other) for f in paired)
    lefts = [f for f in paired if f.is_firm and f.cells.tolist() < f.other.tolist()]
    eyes = tuple((f.cells, f.other) for f in lefts)
    eye_cost = sum((feature.cost for feature in features), 0.0)
    return PixelArt(tuple(pictures), palette, mirror, pairs, eyes, eye_cost)


def _best_palette(
    palettes: list[Palette],
    cells: list[CellStatistics],
    grounds: list[Ground],
    features: list[Feature],
    config: PixelArtConfig,
) -> Palette:
    """Return the palette whose pictures cost least; of about equal ones the first.

    Here only colors that cells really hold are worth anything: blends would win by
    a hair wherever entries are left over. A few samples of each cell will do.
    """
    if len(palettes) == 1:
        return palettes[0]
    crisp = replace(config, crispness=1.0)
    some = some_of(cells[0].hit.shape[2])
    few = [
        replace(
            cell,
            hit=cell.hit[..., some],
            lab=cell.lab[..., some, :],
            depths=cell.depths[..., some],
        )
        for cell in cells
    ]
    grounds = [replace(g, samples=g.samples[..., some]) for g in grounds]
    best, least = palettes[0], np.inf
    for palette in palettes:
        pictures = _paint(few, grounds, features, palette, crisp)
        total = 0.0
        for picture in pictures:
            total += float(picture.cost.min(axis=-1).sum(where=picture.filled))
        if total < least * (1 - _NOTICEABLE):
            best, least = palette, total
    return best


def _paint(
    cells: list[CellStatistics],
    grounds: list[Ground],
    features: list[Feature],
    palette: Palette,
    config: PixelArtConfig,
) -> list[Picture]:
    """Return all views in the colors of a palette."""
    lab = oklab_from_bytes(palette.rgb).astype(np.float32)

    def paint(number: int) -> Picture:
        own = [feature for feature in features if feature.view == number]
        weight = config.weight_of(cells[number].view)
        return _paint_view(cells[number], grounds[number], own, lab, weight, config)

    return each(paint, range(len(cells)))


def _paint_view(
    cell: CellStatistics,
    ground: Ground,
    features: list[Feature],
    palette: Float32[np.ndarray, "k 3"],
    weight: float,
    config: PixelArtConfig,
) -> Picture:
    """Return one view in the colors of a palette, OKLab.

    Args:
        cell: The view.
        ground: What should decide its colors where no feature is.
        features: The view's own.
        palette: OKLab.
        weight: How much the view counts.
        config: Settings.
    """
    cost = _costs(cell, ground.samples, palette, config)
    is_held = np.zeros_like(cell.filled)
    for feature in features:
        times = FIRMEST if feature.is_open_eye else FIRM if feature.is_firm else 1
        firm = config.feature_weight * times
        held = (feature.cells, feature.lab), (feature.rim, feature.ground)
        for cells, color in held:
            apart = 100 * np.linalg.norm(palette - color, axis=1)
            cost[tuple(cells.T)] += firm * (apart - apart.min())
            is_held[tuple(cells.T)] = True
    # Around them the ground is held as firmly, or other sides would smear them.
    ground_cost = cost[ground.around]
    firm = config.feature_weight * FIRM
    cost[ground.around] += firm * (ground_cost - ground_cost.min(axis=1, keepdims=True))
    index = np.where(cell.filled, cost.argmin(axis=-1), -1)
    stands_out = np.minimum(contrast(cell.mean, cell.filled) / 0.1, 2)
    emphasis = (weight * (1 + config.saliency * stands_out)).astype(np.float32)
    return Picture(
        view=cell.view,
        index=index,
        cost=cost * emphasis[..., None],
        coverage=cell.coverage,
        rescued=cell.rescued,
        depth=cell.depth,
        depths=cell.depths,
        lab=cell.mean if config.cell_color == "mean" else cell.median,
        colors=cell.lab,
        held=is_held,
        weight=weight,
        emphasis=emphasis,
    )


def _parted(
    picture: Picture, cell: CellStatistics, palette: Palette, config: PixelArtConfig
) -> Picture:
    """Return a picture that keeps gaps between things of one color, and firmly."""
    lab = oklab_from_bytes(palette.rgb)
    index, cost = picture.index.copy(), picture.cost.copy()
    plain = cost / np.maximum(picture.emphasis, 1e-9)[..., None]
    for place, entry in find_gaps(cell, index, plain, lab).items():
        apart = 100 * np.linalg.norm(lab - lab[entry], axis=1)
        held = plain[place] + config.feature_weight * FIRM * apart
        held[entry] = plain[place].min()
        cost[place] = picture.emphasis[place] * held
        index[place] = entry
    return replace(picture, index=index, cost=cost)


def symmetric(
    pictures: list[Picture], mirror: Mirror, coverage: float
) -> list[Picture]:
    """Return pictures whose alike cells are the same on both sides.

    Args:
        pictures: The six views.
        mirror: What is alike in them.
        coverage: Share from which a cell is filled.
    """
    views = [picture.view for picture in pictures]
    result = []
    for number, picture in enumerate(pictures):
        other = pictures[mirror.partner(views, number)]
        alike = mirror.alike[number]
        means = {}
        for name in ("cost", "coverage", "lab", "emphasis"):
            values = getattr(picture, name).copy()
            image = mirror.reflected(getattr(other, name), other.view)
            values[alike] = (values[alike] + image[alike]) / 2
            means[name] = values
        enough = alike & (means["coverage"] >= coverage - 1e-6)
        # A limb on the plane stays one cell wide: there the thin cells are not joined.
        joined = alike & ~mirror.touching(picture.view, alike.shape)
        rescued = picture.rescued
        rescued = rescued | mirror.reflected(other.rescued, other.view) & joined
        filled = np.where(joined, enough | rescued, picture.filled | enough)
        rescued &= filled & ~enough
        index = np.where(filled, means["cost"].argmin(axis=-1), -1)
        held = picture.held | mirror.reflected(other.held, other.view) & alike
        result.append(
            replace(picture, index=index, rescued=rescued, held=held, **means)
        )
    return result


def _costs(
    cell: CellStatistics,
    hit: Bool[np.ndarray, "a b s"],
    palette: Float32[np.ndarray, "k 3"],
    config: PixelArtConfig,
) -> Float32[np.ndarray, "a b k"]:
    """Return what each palette entry costs in each cell; 0 in cells without a hit.

    Args:
        cell: One view.
        hit: Samples that count.
        palette: OKLab.
        config: How a cell gets its color.
    """
    a, b, s = cell.hit.shape
    k = len(palette)
    cost = np.zeros((a * b, k), np.float32)
    seen = np.flatnonzero(hit.any(axis=-1))
    lab, hit = cell.lab.reshape(-1, s, 3), hit.reshape(-1, s)
    if config.cell_color != "vote":
        target = cell.mean.reshape(-1, 3)[seen]
        if config.cell_color == "dominant":
            target = dominant_colors(lab[seen], hit[seen], target)
        cost[seen] = 100 * np.linalg.norm(target[:, None] - palette, axis=-1)
        return cost.reshape(a, b, k)
    # Another hue is worse than another shade, or gray blends would come out blue.
    scale = CHROMA.astype(np.float32)
    lab, palette = lab * scale, palette * scale
    for first in range(0, len(seen), _CELLS_PER_CALL):
        rows = seen[first : first + _CELLS_PER_CALL]
        inside = hit[rows][:, :, None]
        apart = lab[rows][:, :, None] - palette
        distance = 100 * np.sqrt(np.einsum("nskc,nskc->nsk", apart, apart))
        count = inside.sum(axis=1)
        vote = (distance * inside).sum(axis=1) / count
        ordered = np.sort(np.where(inside, distance, np.inf), axis=1)
        rank = np.broadcast_to(
            (_PRESENT * count).astype(int)[:, None], (len(rows), 1, k)
        )
        near = np.take_along_axis(ordered, rank, axis=1)[:, 0]
        absent = np.minimum(near - near.min(axis=1, keepdims=True), _PRESENCE_LIMIT)
        chosen = distance <= distance.min(axis=2, keepdims=True) + _NEARLY
        absent += _BLEND * ((chosen & inside).sum(axis=1) < _CHOSEN * count)
        mean = (lab[rows] * inside).sum(axis=1) / count
        to_mean = 100 * np.linalg.norm(mean[:, None] - palette, axis=-1)
        cost[rows] = (
            config.vote * vote + (1 - config.vote) * to_mean + config.crispness * absent
        )
    return cost.reshape(a, b, k)
