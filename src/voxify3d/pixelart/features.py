"""Small things that make a face a face: eyes, mouths, buttons, stripes.

Each region that stands out at the resolution of the samples is given whole cells, in
the places that it covers best: what an artist does by hand.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int
from scipy import ndimage

from voxify3d.color.palette import extract_palette
from voxify3d.parallel import each
from voxify3d.pixelart.mirror import Mirror
from voxify3d.pixelart.places import place_regions
from voxify3d.pixelart.region import STRONG, Region
from voxify3d.pixelart.regions import CONTRAST, find_regions, surroundings
from voxify3d.pixelart.relations import enclosing, is_between, is_mirrored, partner_of
from voxify3d.pixelart.samples import cell_counts, sample_image
from voxify3d.pixelart.statistics import CellStatistics
from voxify3d.types import axis_of

FIRM = 3.0
"""How much more firmly what is striking holds its color: then other sides, which see
an eye's voxel too, do not turn it into skin."""
MIN_AREA = 0.25
"""Least area of a feature, in cells."""
LONE_AREA = 0.5
"""Least area, in cells, of what has no partner though the object has two sides: one of
two brows only spoils an eye."""
GRAZED, GRAZED_BY_EYES = 0.6, 0.1
"""Share of a cell from which its ground decides where a feature only grazes it; where
that is a striking one, whose cells show its shape."""
ALIKE, COVERED = 0.3, 0.7
"""Share of a cell from which hair may decide its color, and one of two eyes its."""
BEHIND = 2.0
"""How far before or behind most of a cell's surface, in voxels, a sample is part of
something else."""
PART_AREA = 2.0
"""Least area of a part, in cells, that has a shape of its own."""
_SQUARE = np.ones((3, 3), bool)
_TONES = 24


def _no_cells() -> Int[np.ndarray, "0 2"]:
    return np.zeros((0, 2), np.int64)


@dataclass(frozen=True, slots=True)
class Feature:
    """A small region that stands out, and the cells it is given.

    Attributes:
        view: Number of the view that sees it.
        cells: Its cells, [a, b].
        lab: Its color, OKLab.
        contrast: Distance to its surroundings, OKLab.
        compact: Whether it fills its box, as eyes and buttons do.
        points: Its samples in the picture of all samples, [row, column].
        ground: The color of its surroundings, OKLab.
        other: Of a left and right pair, the cells of the other one, in the order of
            `cells`; none where it has no partner.
        rim: Cells beside it that would else have its color, and take its ground's.
        is_inner: Whether it is a light or a pupil.
    """

    view: int
    cells: Int[np.ndarray, "n 2"]
    lab: Float64[np.ndarray, " 3"]
    contrast: float
    compact: bool
    points: Int[np.ndarray, "p 2"]
    ground: Float64[np.ndarray, " 3"]
    other: Int[np.ndarray, "m 2"] = field(default_factory=_no_cells)
    rim: Int[np.ndarray, "r 2"] = field(default_factory=_no_cells)
    is_inner: bool = False

    @property
    def is_striking(self) -> bool:
        """Whether it catches the eye, as eyes, what is in them, and buttons do."""
        return (self.compact or self.is_inner) and self.contrast >= STRONG


def find_features(
    cells: list[CellStatistics], seed: int = 0, mirror: Mirror | None = None
) -> list[Feature]:
    """Return the features of all views, those that stand out most first.

    Args:
        cells: The six views.
        seed: Of the clustering into tones.
        mirror: Where left and right of the object meet, if it has such.
    """
    tones = _tones(cells, seed)
    found = each(
        lambda number: _view_features(number, cells[number], tones, mirror),
        range(len(cells)),
    )
    features = [feature for view in found for feature in view]
    return sorted(features, key=lambda f: (-f.contrast * len(f.cells), f.view))


def _tones(cells: list[CellStatistics], seed: int) -> Float64[np.ndarray, "t 3"]:
    """Return the colors that samples are sorted into."""
    lab = np.concatenate([c.lab[c.hit] for c in cells]).astype(np.float64)
    lab = lab[:: max(1, len(lab) // 200_000)]
    return extract_palette(lab, np.ones(len(lab)), _TONES, seed=seed)


def _view_features(
    number: int,
    cell: CellStatistics,
    tones: Float64[np.ndarray, "t 3"],
    mirror: Mirror | None,
) -> list[Feature]:
    side = int(np.sqrt(cell.hit.shape[2]))
    lab, hit, depth = map(sample_image, (cell.lab, cell.hit, cell.depths))
    across = [i for i in range(3) if i != cell.view.axis].index(
        axis_of(cell.view.right)
    )
    plane = None
    if mirror is not None and mirror.axis == axis_of(cell.view.right):
        plane = mirror.plane
    regions = find_regions(lab, hit, tones, side, across if number == 0 else None)
    regions = [
        on for region in regions if (on := _on_surface(region, cell, side)) is not None
    ]
    parts = [
        _stands_apart(region.points, depth, hit, side)
        and not (plane is not None and is_between(region, side, across, plane))
        for region in regions
    ]
    regions = [
        replace(region, is_part=is_part)
        for region, is_part in zip(regions, parts, strict=True)
        if not (is_part and region.is_large(side))
    ]
    least = (MIN_AREA if plane is None else LONE_AREA) * side**2
    large_enough = [
        len(region.points) >= least
        or (plane is not None and _is_of_a_face(i, regions, side, across, plane))
        for i, region in enumerate(regions)
    ]
    eyes = [enclosing(i, regions) for i in range(len(regions))]
    regions = [
        region
        for i, region in enumerate(regions)
        if large_enough[i]
        or (region.is_inner and eyes[i] >= 0 and large_enough[eyes[i]])
    ]
    chosen, partner = place_regions(regions, side, cell.filled, across, plane)
    taken = np.zeros_like(cell.filled)
    for cells in chosen:
        taken[tuple(cells.T)] = True
    return [
        Feature(
            view=number,
            cells=chosen[i],
            lab=region.lab,
            contrast=region.contrast,
            compact=region.compact,
            points=region.points,
            ground=region.ground,
            other=chosen[partner[i]] if i in partner else _no_cells(),
            rim=_rim(region, chosen[i], taken, cell, is_one_of_two=i in partner),
            is_inner=region.is_inner,
        )
        for i, region in enumerate(regions)
    ]


def _rim(
    region: Region,
    cells: Int[np.ndarray, "n 2"],
    taken: Bool[np.ndarray, "a b"],
    cell: CellStatistics,
    *,
    is_one_of_two: bool,
) -> Int[np.ndarray, "r 2"]:
    """Return the cells beside an eye that would make it another shape.

    Those of hair, in which a crowded one would drown; and what one of two covers, but
    was not given for the sake of the other.

    Args:
        region: The eye.
        cells: It was given.
        taken: Cells that any feature was given.
        cell: The view.
        is_one_of_two: Whether another has the same cells on the other side.
    """
    side = int(np.sqrt(cell.hit.shape[2]))
    if not (region.is_crowded or (is_one_of_two and region.is_large(side))):
        return _no_cells()
    own = np.zeros_like(taken)
    own[tuple(cells.T)] = True
    beside = np.argwhere(ndimage.binary_dilation(own) & cell.filled & ~taken)
    at = tuple(beside.T)
    if not region.is_crowded:
        covered = cell_counts(region.points, side, taken.shape)[at] / side**2
        return beside[covered >= COVERED]
    alike = np.linalg.norm(cell.lab[at] - region.lab, axis=-1) < CONTRAST
    share = (alike & cell.hit[at]).sum(axis=1) / cell.hit[at].sum(axis=1)
    return beside[share >= ALIKE]


def _on_surface(region: Region, cell: CellStatistics, side: int) -> Region | None:
    """Return what of a region lies on what its cells mostly show; None for under half.

    A flower that peeps out from behind a wall would be painted on the wall, an eye that
    is seen past a hand on the hand.
    """
    on = _is_on_surface(region.points, cell, side)
    if np.mean(on) < 0.5:
        return None
    shape = region.shape
    if shape is not None:
        shape = shape[_is_on_surface(shape, cell, side)]
    return replace(region, points=region.points[on], shape=shape)


def _stands_apart(
    points: Int[np.ndarray, "n 2"],
    depth: Float32[np.ndarray, "h w"],
    hit: Bool[np.ndarray, "h w"],
    side: int,
) -> bool:
    """Return whether most of what surrounds a region lies far before or behind it.

    So it is a part, an ear or a hand, and no mark on a surface.
    """
    if len(points) < PART_AREA * side**2:
        return False
    window, inside, ring = surroundings(points, hit.shape, side)
    depth, ring = depth[window], ring & hit[window]
    nearest = ndimage.distance_transform_edt(
        ~inside, return_distances=False, return_indices=True
    )
    step = np.abs(depth[ring] - depth[tuple(at[ring] for at in nearest)])
    return bool(2 * (step < BEHIND).sum() < len(step))


def _is_on_surface(
    points: Int[np.ndarray, "n 2"], cell: CellStatistics, side: int
) -> Bool[np.ndarray, " n"]:
    """Return which samples of a picture are about as far away as their cells."""
    row, column = (points // side).T
    sample = points % side @ np.array([side, 1])
    depth = cell.depths[row, column, sample].astype(np.float64)
    hit = cell.hit[row, column, sample]
    depth[hit] -= cell.depth[row, column][hit]
    return hit & (np.abs(depth) < BEHIND)


def _is_of_a_face(
    i: int, regions: list[Region], side: int, across: int, plane: int
) -> bool:
    """Return whether a region is one of two eyes, or a nose between left and right."""
    if regions[i].contrast < STRONG:
        return False
    if is_between(regions[i], side, across, plane):
        return True
    j = partner_of(i, regions, side, across)
    return j is not None and is_mirrored(regions[i], regions[j], side, across, plane)


@dataclass(frozen=True, slots=True)
class Ground:
    """What features leave of a view.

    Attributes:
        samples: Hits that should decide the colors.
        around: Cells that a striking feature grazes and that no feature was given.
    """

    samples: Bool[np.ndarray, "a b s"]
    around: Bool[np.ndarray, "a b"]


def find_ground(features: list[Feature], number: int, cell: CellStatistics) -> Ground:
    """Return what should decide a view's colors where no feature is.

    Where a feature only grazes a cell that it was not given, its samples (and the
    blurred ones at its border) are left out, so that no halo of in-between colors
    grows around eyes.
    """
    side = int(np.sqrt(cell.hit.shape[2]))
    a, b = cell.filled.shape
    grazed = np.zeros((a * side, b * side), bool)
    given = np.zeros((a, b), bool)
    around = np.zeros((a, b), bool)
    for feature in features:
        if feature.view == number:
            grazed[tuple(feature.points.T)] = True
            given[tuple(feature.cells.T)] = True
            if feature.is_striking:
                around[tuple(feature.points.T // side)] = True
    around &= ~given
    grazed = ndimage.binary_dilation(grazed, _SQUARE, iterations=max(1, side // 6))
    cells = np.swapaxes(grazed.reshape(a, side, b, side), 1, 2).reshape(a, b, -1)
    ground = cell.hit & ~(cells & ~given[..., None])
    least = np.where(around, GRAZED_BY_EYES, GRAZED)
    enough = ground.sum(axis=-1) >= least * cell.hit.sum(axis=-1)
    enough &= ground.any(axis=-1)
    return Ground(np.where(enough[..., None], ground, cell.hit), around & enough)
