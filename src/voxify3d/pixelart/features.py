"""Small things that make a face a face: eyes, mouths, buttons, stripes.

Each region that stands out at the resolution of the samples is given whole cells, in
the places that it covers best: what an artist does by hand.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int
from scipy import ndimage, spatial

from voxify3d.color.palette import extract_palette
from voxify3d.parallel import each
from voxify3d.pixelart.apart import beside_others, set_apart
from voxify3d.pixelart.eye_cells import place_eyes
from voxify3d.pixelart.feature import Feature, no_cells
from voxify3d.pixelart.ground import HALF, rim_of
from voxify3d.pixelart.mirror import Mirror
from voxify3d.pixelart.open_eyes import OpenEye, find_open_eyes
from voxify3d.pixelart.places import place_regions
from voxify3d.pixelart.region import STRONG, Region
from voxify3d.pixelart.regions import find_regions, surroundings
from voxify3d.pixelart.relations import enclosing, is_between, is_mirrored, partner_of
from voxify3d.pixelart.samples import cell_counts, sample_image
from voxify3d.pixelart.shapes import is_arc
from voxify3d.pixelart.statistics import CellStatistics
from voxify3d.types import axis_of, sign_of

FIRM, FIRMEST = 3.0, 6.0
"""How much more firmly what is striking holds its color, and what open eyes do: then
other sides, which see an eye's voxel too, do not turn it into skin."""
MIN_AREA = 0.25
"""Least area of a feature, in cells."""
LONE_AREA = 0.5
"""Least area, in cells, of what has no partner though the object has two sides: one of
two brows only spoils an eye."""
BEHIND = 2.0
"""How far before or behind most of a cell's surface, in voxels, a sample is part of
something else."""
PART_AREA = 2.0
"""Least area of a part, in cells, that has a shape of its own."""
_SQUARE = np.ones((3, 3), bool)
_TONES = 24


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
    eyes = find_open_eyes(lab, hit, side, across) if number == 0 else []
    drawn = [f for pair in eyes for f in _eye_features(pair, cell, across, plane)]
    filled = cell.filled.copy()
    for feature in drawn:
        filled[tuple(feature.cells.T)] = False
    regions = find_regions(lab, hit, tones, side, across if number == 0 else None)
    regions = [region for region in regions if not _is_part_of(region, drawn, side)]
    regions = [
        on for region in regions if (on := _on_surface(region, cell, side)) is not None
    ]
    regions = _with_parts(regions, depth, hit, side, across, plane)
    regions = _large_enough(regions, side, across, plane)
    barred = {
        i: beside_others(region, lab, hit, side)
        for i, region in enumerate(regions)
        if region.is_large(side)
    }
    chosen, partner = place_regions(regions, side, filled, across, plane, barred)
    left = [no_cells()] * len(chosen)
    if number == 0:
        chosen, left = set_apart(regions, chosen, partner, side, filled, across)
    taken = cell.filled & ~filled
    for cells in chosen:
        taken[tuple(cells.T)] = True
    arcs = [
        _is_face_arc(region, side, across, plane, is_one_of_two=i in partner)
        for i, region in enumerate(regions)
    ]
    rims = [
        rim_of(
            region, own, taken, cell, is_one_of_two=i in partner, is_face_arc=arcs[i]
        )
        for i, (region, own) in enumerate(zip(regions, chosen, strict=True))
    ]
    return drawn + [
        Feature(
            view=number,
            cells=chosen[i],
            lab=region.lab,
            contrast=region.contrast,
            compact=region.compact,
            points=region.points,
            ground=_ground_of(region, lab, hit, side),
            other=chosen[partner[i]] if i in partner else no_cells(),
            rim=np.concatenate([rims[i], left[i]]),
            is_inner=region.is_inner,
            is_face_arc=arcs[i],
        )
        for i, region in enumerate(regions)
    ]


def _with_parts(
    regions: list[Region],
    depth: Float32[np.ndarray, "h w"],
    hit: Bool[np.ndarray, "h w"],
    side: int,
    across: int,
    plane: int | None,
) -> list[Region]:
    """Return regions that know whether they are parts; no large ones that are."""
    parts = [
        _stands_apart(region.points, depth, hit, side)
        and not _is_middle(region, side, across, plane)
        for region in regions
    ]
    return [
        replace(region, is_part=is_part)
        for region, is_part in zip(regions, parts, strict=True)
        if not (is_part and region.is_large(side))
    ]


def _is_middle(region: Region, side: int, across: int, plane: int | None) -> bool:
    """Return whether a region lies between the object's left and right."""
    return plane is not None and is_between(region, side, across, plane)


def _is_face_arc(
    region: Region, side: int, across: int, plane: int | None, *, is_one_of_two: bool
) -> bool:
    """Return whether a region is a smile, or one of two smiling eyes."""
    is_of_a_face = is_one_of_two or _is_middle(region, side, across, plane)
    return is_of_a_face and not region.compact and is_arc(region.points, side)


def _large_enough(
    regions: list[Region], side: int, across: int, plane: int | None
) -> list[Region]:
    """Return the regions that are drawn: of a face also small ones."""
    least = (MIN_AREA if plane is None else LONE_AREA) * side**2
    is_drawn = [
        len(region.points) >= least
        or (plane is not None and _is_of_a_face(i, regions, side, across, plane))
        for i, region in enumerate(regions)
    ]
    outer = [enclosing(i, regions) for i in range(len(regions))]
    return [
        region
        for i, region in enumerate(regions)
        if is_drawn[i] or (region.is_inner and outer[i] >= 0 and is_drawn[outer[i]])
    ]


def _eye_features(
    pair: tuple[OpenEye, OpenEye],
    cell: CellStatistics,
    across: int,
    plane: int | None,
) -> list[Feature]:
    """Return the whites and pupils of two open eyes; none if they have no room.

    Args:
        pair: The eyes.
        cell: The front.
        across: Its horizontal axis.
        plane: See `place_regions`.
    """
    side = int(np.sqrt(cell.hit.shape[2]))
    if any(np.mean(_is_on_surface(eye.points, cell, side)) < 0.5 for eye in pair):
        return []
    is_image = plane is not None and is_mirrored(*pair, side, across, plane)
    middle = plane - 1 if is_image and plane is not None else None
    hits, up = cell.hit.sum(axis=-1), -sign_of(cell.view.down)
    depth = np.median([_depth_of(eye, cell, side) for eye in pair])
    near = cell.filled & (np.abs(cell.depth - depth) < BEHIND)
    drawn = place_eyes(pair, side, hits, near, across, up, middle)
    if drawn is None:
        return []
    taken = np.zeros_like(cell.filled)
    for own in drawn.cells:
        taken[tuple(np.concatenate([own.white, own.pupil]).T)] = True
    near = ndimage.binary_dilation(taken, _SQUARE)
    beside = np.argwhere(near & cell.filled & ~taken)
    counts = [cell_counts(eye.points, side, taken.shape) for eye in pair]
    covered = [count[tuple(beside.T)] / side**2 for count in counts]
    is_rim = sum(covered) >= HALF
    features = []
    for number, (eye, own) in enumerate(zip(pair, drawn.cells, strict=True)):
        other = drawn.cells[1 - number]
        white = Feature(
            view=0,
            cells=own.white,
            lab=eye.white_lab,
            contrast=float(np.linalg.norm(eye.white_lab - eye.pupil_lab)),
            compact=True,
            points=eye.white,
            ground=eye.ground,
            other=other.white,
            rim=beside[is_rim & (covered[number] >= covered[1 - number])],
            is_open_eye=True,
            cost=drawn.cost / 2,
        )
        pupil = replace(
            white,
            cells=own.pupil,
            lab=eye.pupil_lab,
            points=eye.pupil,
            ground=eye.white_lab,
            other=other.pupil,
            rim=no_cells(),
            cost=0.0,
        )
        features += [white, pupil]
    return [feature for feature in features if len(feature.cells)]


def _depth_of(eye: OpenEye, cell: CellStatistics, side: int) -> float:
    """Return how far away most of an eye is."""
    return float(np.median(cell.depth[tuple((eye.points // side).T)]))


def _is_part_of(region: Region, eyes: list[Feature], side: int) -> bool:
    """Return whether a region is mostly part of some eyes, or of their rims."""
    if not eyes:
        return False
    points = np.concatenate([feature.points for feature in eyes])
    near, _ = spatial.cKDTree(points).query(region.points)
    return bool(np.mean(near <= side / 4) > 0.5)


def _ground_of(
    region: Region,
    lab: Float32[np.ndarray, "h w 3"],
    hit: Bool[np.ndarray, "h w"],
    side: int,
) -> Float64[np.ndarray, " 3"]:
    """Return the color of what is around a region, but for hair and brows near it."""
    window, _, ring = surroundings(region.points, hit.shape, side)
    around = lab[window][ring & hit[window]]
    own = region.ground if not len(around) or region.is_inner else np.median(around, 0)
    return own.astype(np.float64)


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
