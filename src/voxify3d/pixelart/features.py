"""Small things that make a face a face: eyes, mouths, buttons, stripes.

They are found at the resolution of the samples, as small regions of one color on
calm surroundings of another, before any averaging can dissolve them. Each is given
whole cells, in the places that it covers best: what an artist does by hand.
"""

from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int
from scipy import ndimage

from voxify3d.color.match import nearest
from voxify3d.color.palette import extract_palette
from voxify3d.pixelart.statistics import CellStatistics
from voxify3d.types import axis_of

CONTRAST = 0.12
"""Distance to the surroundings (OKLab) from which a region stands out."""
MIN_AREA, MAX_AREA = 0.25, 9.0
"""Area of a feature, in cells."""
MIN_WIDTH = 0.25
"""Thinner regions, in cells, are lines of shading, not features."""
WELL_HELD = 0.38
"""Share of a cell from which a feature is worth a whole cell."""
STRETCH = 0.75
"""What a block costs that is e times longer than twice its region's proportions."""
GRAZED = 0.6
"""Share of a cell from which its ground decides where a feature only grazes it."""
_SOLID = 0.6
"""Share of its box from which a region is compact; a disc fills 0.79."""
_SQUARE = np.ones((3, 3), bool)
_TONES = 24
_RING = 0.75
"""Width of the surroundings that are looked at, in cells."""
_CALM = 0.6
"""Spread of the surroundings, against the contrast, up to which they are calm."""


@dataclass(frozen=True, slots=True)
class Feature:
    """A small region that stands out, and the cells it is given.

    Attributes:
        view: Number of the view that sees it.
        cells: Its cells, [a, b].
        lab: Its color, OKLab.
        contrast: Distance to its surroundings, OKLab.
        points: Its samples in the picture of all samples, [row, column].
        other: Of a left and right pair, the cells of the other one, in the order of
            `cells`; none where it has no partner.
    """

    view: int
    cells: Int[np.ndarray, "n 2"]
    lab: Float64[np.ndarray, " 3"]
    contrast: float
    points: Int[np.ndarray, "p 2"]
    other: Int[np.ndarray, "m 2"] = field(
        default_factory=lambda: np.zeros((0, 2), np.int64)
    )


def find_features(cells: list[CellStatistics], seed: int = 0) -> list[Feature]:
    """Return the features of all views, those that stand out most first.

    Args:
        cells: The six views.
        seed: Of the clustering into tones.
    """
    tones = _tones(cells, seed)
    features = []
    for number, cell in enumerate(cells):
        features += _view_features(number, cell, tones)
    return sorted(features, key=lambda f: (-f.contrast * len(f.cells), f.view))


def _tones(cells: list[CellStatistics], seed: int) -> Float64[np.ndarray, "t 3"]:
    """Return the colors that samples are sorted into."""
    lab = np.concatenate([c.lab[c.hit] for c in cells]).astype(np.float64)
    lab = lab[:: max(1, len(lab) // 200_000)]
    return extract_palette(lab, np.ones(len(lab)), _TONES, seed=seed)


def _image(values: np.ndarray, side: int) -> np.ndarray:
    """Return cells of samples `a b s ...` as one picture of samples."""
    a, b = values.shape[:2]
    split = values.reshape(a, b, side, side, *values.shape[3:])
    return np.swapaxes(split, 1, 2).reshape(a * side, b * side, *values.shape[3:])


@dataclass(frozen=True, slots=True)
class _Region:
    """A region that stands out; `points` are samples in the whole picture."""

    points: Int[np.ndarray, "n 2"]
    wanted: int
    compact: bool
    lab: Float64[np.ndarray, " 3"]
    contrast: float

    @property
    def center(self) -> Float64[np.ndarray, " 2"]:
        return self.points.mean(axis=0) + 0.5


def _view_features(
    number: int, cell: CellStatistics, tones: Float64[np.ndarray, "t 3"]
) -> list[Feature]:
    side = int(np.sqrt(cell.hit.shape[2]))
    lab, hit = _image(cell.lab, side), _image(cell.hit, side)
    tone = np.full(hit.shape, -1)
    tone[hit] = nearest(lab[hit], tones)[0]
    labels = _components(tone)
    sizes = np.bincount(labels.ravel()) / side**2
    regions = []
    margin = max(1, round(_RING * side))
    for label, box in enumerate(ndimage.find_objects(labels), start=1):
        if box is None or not MIN_AREA <= sizes[label] <= MAX_AREA:
            continue
        window = tuple(
            slice(max(0, part.start - margin), part.stop + margin) for part in box
        )
        inside = labels[window] == label
        region = _region(inside, lab[window], hit[window], window, side)
        if region is not None:
            regions.append(region)
    across = [i for i in range(3) if i != cell.view.axis].index(
        axis_of(cell.view.right)
    )
    chosen, partner = _choose_cells(regions, side, cell.filled, across)
    features = []
    for i, region in enumerate(regions):
        other = chosen[partner[i]] if i in partner else chosen[i][:0]
        features.append(
            Feature(
                number, chosen[i], region.lab, region.contrast, region.points, other
            )
        )
    return features


def _components(tone: Int[np.ndarray, "h w"]) -> Int[np.ndarray, "h w"]:
    """Label connected samples (8 neighbors) of one tone; 0 where nothing is hit."""
    labels = np.zeros(tone.shape, np.int64)
    count = 0
    for value in range(tone.max() + 1):
        part, found = ndimage.label(tone == value, _SQUARE)
        labels[part > 0] = part[part > 0] + count
        count += found
    return labels


def _region(
    inside: Bool[np.ndarray, "h w"],
    lab: Float32[np.ndarray, "h w 3"],
    hit: Bool[np.ndarray, "h w"],
    window: tuple[slice, ...],
    side: int,
) -> _Region | None:
    """Return what stands out, or None if a component does not."""
    ring = ndimage.binary_dilation(
        inside, _SQUARE, iterations=max(1, round(_RING * side))
    )
    ring &= ~ndimage.binary_dilation(inside, _SQUARE)
    around = ring & hit
    if around.sum() < 0.6 * ring.sum() or not around.any():
        return None
    color = lab[inside].mean(axis=0, dtype=np.float64)
    ground = lab[around].mean(axis=0, dtype=np.float64)
    contrast = float(np.linalg.norm(color - ground))
    spread = np.linalg.norm(lab[around] - ground, axis=-1).mean()
    if contrast < CONTRAST or spread > _CALM * contrast:
        return None
    area = inside.sum() / side**2
    points = np.argwhere(inside) + [part.start for part in window]
    length = _length(points) / side
    width = area / length
    if width < MIN_WIDTH:
        return None
    wanted = max(1, round(area if width >= 1 else length))
    box = np.ptp(points, axis=0) + 1
    compact = bool(len(points) > _SOLID * box.prod() and box.max() <= 4 * side)
    return _Region(points, wanted, compact, color, contrast)


def _length(points: Int[np.ndarray, "n 2"]) -> float:
    """Return the length of the rectangle with the points' principal variance."""
    if len(points) < 2:
        return 1.0
    variance = np.linalg.eigvalsh(np.cov(points.T) + np.eye(2) / 12)
    return float(np.sqrt(12 * variance[-1]))


def _choose_cells(
    regions: list[_Region], side: int, filled: Bool[np.ndarray, "a b"], across: int
) -> tuple[list[Int[np.ndarray, "m 2"]], dict[int, int]]:
    """Return the cells of each region; a left and right pair gets mirror images.

    And each such region's partner, where the two have equally many cells.

    Args:
        regions: Of one view.
        side: Samples along a cell.
        filled: Cells that can be colored.
        across: Which of the two cell axes is horizontal in the picture.
    """
    cells: list[np.ndarray] = [np.zeros((0, 2), np.int64)] * len(regions)
    taken = np.zeros_like(filled)
    single = list(range(len(regions)))
    order = sorted(single, key=lambda i: -regions[i].contrast * len(regions[i].points))
    done: set[int] = set()
    partner: dict[int, int] = {}
    for i in order:
        if i in done:
            continue
        region, count = regions[i], _cell_counts(regions[i].points, side, filled.shape)
        j = _partner(i, regions, side, across, done)
        free = filled & ~taken
        if j is None:
            share = count * free / side**2
            cells[i] = _best_cells(share, region.wanted, region.compact)
            done.add(i)
        else:
            other = _cell_counts(regions[j].points, side, filled.shape)
            middle = (region.center + regions[j].center)[across] / side - 1
            mirror = _mirrored(filled.shape, across, round(middle))
            both = count * free + _look_up(other * free, mirror)
            wanted = max(region.wanted, regions[j].wanted)
            compact = region.compact and regions[j].compact
            cells[i] = _best_cells(both / (2 * side**2), wanted, compact)
            image = cells[i].copy()
            image[:, across] = round(middle) - image[:, across]
            inside = ((image >= 0) & (image < filled.shape)).all(axis=1)
            cells[j] = image[inside]
            done |= {i, j}
            if len(cells[i]) == len(cells[j]):
                partner |= {i: j, j: i}
            taken[tuple(cells[j].T)] = True
        taken[tuple(cells[i].T)] = True
    return cells, partner


def _partner(
    i: int, regions: list[_Region], side: int, across: int, done: set[int]
) -> int | None:
    """Return the region most like region i at the same height, beside it."""
    best, least = None, np.inf
    for j, other in enumerate(regions):
        if j == i or j in done:
            continue
        gap = np.abs(other.center - regions[i].center) / side
        ratio = len(other.points) / len(regions[i].points)
        color = np.linalg.norm(other.lab - regions[i].lab)
        alike = gap[1 - across] < 0.6 and 0.7 < ratio < 1.45 and color < 0.06
        if alike and 0.9 < gap[across] < least:
            best, least = j, gap[across]
    return best


def _cell_counts(
    points: Int[np.ndarray, "n 2"], side: int, shape: tuple[int, ...]
) -> Int[np.ndarray, "a b"]:
    """Return how many of the points lie in each cell."""
    a, b = (points // side).T
    return np.bincount(a * shape[1] + b, minlength=shape[0] * shape[1]).reshape(shape)


def _mirrored(
    shape: tuple[int, ...], across: int, middle: int
) -> tuple[Int[np.ndarray, "a b"], Int[np.ndarray, "a b"]]:
    """Return each cell's mirror image, `middle` minus its place along one axis."""
    image = np.indices(shape)
    image[across] = middle - image[across]
    return image[0], image[1]


def _look_up(
    values: Int[np.ndarray, "a b"],
    at: tuple[Int[np.ndarray, "a b"], Int[np.ndarray, "a b"]],
) -> Int[np.ndarray, "a b"]:
    """Return values at cells; 0 outside the picture."""
    a, b = values.shape
    inside = (at[0] >= 0) & (at[0] < a) & (at[1] >= 0) & (at[1] < b)
    return values[at[0].clip(0, a - 1), at[1].clip(0, b - 1)] * inside


def _best_cells(
    share: Float64[np.ndarray, "a b"], wanted: int, compact: bool
) -> Int[np.ndarray, "m 2"]:
    """Return the cells that a region is given; at least one where it has any.

    A compact region (an eye, a button) gets the rectangle that it fills best: a
    block with a missing corner looks like another shape. A line or an arc gets the
    cells that hold most of it. Of equal choices the one nearer to the middle of the
    picture is taken.

    Args:
        share: Share of each cell that the region covers.
        wanted: Cells for a line.
        compact: Whether the region fills its box.
    """
    cells = np.argwhere(share > 0)
    if not len(cells):
        return cells
    held = share[tuple(cells.T)]
    off = np.abs(cells + 0.5 - np.array(share.shape) / 2).sum(axis=1)
    order = np.lexsort((off, -held.round(6)))
    if compact:
        return _best_block(share, cells)
    order = order[held[order] >= held.max() / 6]
    return cells[order[: max(wanted, int((held >= WELL_HELD).sum()))]]


def _best_block(
    share: Float64[np.ndarray, "a b"], cells: Int[np.ndarray, "m 2"]
) -> Int[np.ndarray, "n 2"]:
    """Return the block of cells with the largest sum of share - `WELL_HELD`.

    Less what its shape differs from the region's: a round eye in the middle of a cell
    would become a bar.
    """
    low, high = cells.min(axis=0), cells.max(axis=0) + 1
    extent = [share.sum(axis=1 - axis)[low[axis] : high[axis]] for axis in (0, 1)]
    long = [values.sum() / values.max() for values in extent]
    middle = np.array(share.shape) / 2
    best, chosen = (-np.inf, -np.inf), (low, high)
    for top, bottom in combinations(range(low[0], high[0] + 1), 2):
        for left, right in combinations(range(low[1], high[1] + 1), 2):
            gain = float((share[top:bottom, left:right] - WELL_HELD).sum())
            stretch = abs(np.log((bottom - top) / (right - left) * long[1] / long[0]))
            gain -= STRETCH * max(0.0, stretch - np.log(2))
            center = np.array([top + bottom, left + right]) / 2
            rank = (round(gain, 6), -float(np.abs(center - middle).sum()))
            if rank > best:
                best, chosen = rank, ((top, left), (bottom, right))
    (top, left), (bottom, right) = chosen
    rows, columns = np.mgrid[top:bottom, left:right]
    return np.stack([rows.ravel(), columns.ravel()], axis=1)


def samples_of_ground(
    features: list[Feature], number: int, cell: CellStatistics
) -> Bool[np.ndarray, "a b s"]:
    """Return the hits that should decide a view's colors.

    Where a feature only grazes a cell that it was not given, its samples (and the
    blurred ones at its border) are left out, so that no halo of in-between colors
    grows around eyes.
    """
    side = int(np.sqrt(cell.hit.shape[2]))
    a, b = cell.filled.shape
    grazed = np.zeros((a * side, b * side), bool)
    given = np.zeros((a, b), bool)
    for feature in features:
        if feature.view == number:
            grazed[tuple(feature.points.T)] = True
            given[tuple(feature.cells.T)] = True
    grazed = ndimage.binary_dilation(grazed, _SQUARE, iterations=max(1, side // 6))
    cells = np.swapaxes(grazed.reshape(a, side, b, side), 1, 2).reshape(a, b, -1)
    ground = cell.hit & ~(cells & ~given[..., None])
    enough = ground.sum(axis=-1) >= GRAZED * cell.hit.sum(axis=-1)
    return np.where(enough[..., None], ground, cell.hit)
