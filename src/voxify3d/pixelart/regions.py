"""Regions of a picture that stand out: small, of one color, on calm surroundings.

They are found at the resolution of the samples, by their tone and as blobs of any
size, before any averaging can dissolve them.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int
from scipy import ndimage

from voxify3d.color.match import nearest
from voxify3d.pixelart.blobs import find_blobs
from voxify3d.pixelart.eyes import (
    as_eye,
    has_twin,
    is_crowded_eye,
    is_glint,
    is_second_eye,
    lights_of,
)
from voxify3d.pixelart.frames import as_frame
from voxify3d.pixelart.region import STRONG, Region
from voxify3d.pixelart.shapes import compact_shape, length_of

CONTRAST = 0.12
"""Distance to the surroundings (OKLab) from which a region stands out."""
MAX_EYE_AREA = 100.0
"""Most area, in cells, of each of two eyes in a face."""
FACE_AREA = 0.12
"""Least area, in cells, of each of a left and right pair and of what lies between left
and right: eyes and noses, where a single dot might be dust."""
MIN_WIDTH = 0.25
"""Thinner regions, in cells, are lines of shading, not features."""
_BLEND = 0.06
"""Distance (OKLab) to the line between two colors up to which a third blends them."""
_RING = 0.75
"""Width of the surroundings that are looked at, in cells."""
_CALM = 0.6
"""Spread of the surroundings, against the contrast, up to which they are calm."""
_RESTLESS = 1.0
"""The same for one of two eyes of which the other one has calm surroundings."""
_SQUARE = np.ones((3, 3), bool)


def find_regions(
    lab: Float32[np.ndarray, "h w 3"],
    hit: Bool[np.ndarray, "h w"],
    tones: Float64[np.ndarray, "t 3"],
    side: int,
    across: int | None = None,
) -> list[Region]:
    """Return what stands out in a picture, each thing once, what does most first.

    Args:
        lab: The picture of all samples, OKLab.
        hit: Where it has any.
        tones: The colors that samples are sorted into, OKLab.
        side: Samples along a cell.
        across: The horizontal axis of a picture with eyes: of two alike spots, side by
            side, each may be larger, or a ring around an iris, or touch what has its
            color, and one of them may lie on a restless ground. None where there are
            no eyes.
    """
    tones_found = [
        (points, _region(points, lab, hit, side))
        for points in _tone_regions(lab, hit, tones, side)
    ]
    found = [region for _, region in tones_found]
    blobs = [_region(p, lab, hit, side, 0.5) for p in find_blobs(lab, hit, side)]
    found += [blob for blob in blobs if blob is not None and blob.contrast >= STRONG]
    regions = [region for region in found if region is not None]
    if across is not None:
        missed = [points for points, region in tones_found if region is None]
        regions += _missed_eyes(missed, regions, lab, hit, side, across)
    kept = []
    for region in regions:
        is_twin = across is not None and has_twin(region, regions, side)
        if region.is_large(side) and not is_twin:
            region = as_frame(region, lab, hit, side)
        if is_twin or not region.is_large(side):
            kept.append(region)
    regions = kept
    if across is not None:
        regions = [as_eye(region, regions, lab, hit, side) for region in regions]
    regions = _distinct(regions, side)
    regions = [r for r in regions if not any(is_glint(r, o, side) for o in regions)]
    lights = [
        light for region in regions for light in lights_of(region, lab, hit, side)
    ]
    return _distinct(regions + lights, side)


def _missed_eyes(
    missed: list[Int[np.ndarray, "_ 2"]],
    regions: list[Region],
    lab: Float32[np.ndarray, "h w 3"],
    hit: Bool[np.ndarray, "h w"],
    side: int,
    across: int,
) -> list[Region]:
    """Return those regions of one tone that only their twin makes eyes.

    Args:
        missed: Samples of regions that do not stand out by themselves.
        regions: Those that do.
        lab: The picture's colors.
        hit: Where it has any.
        side: Samples along a cell.
        across: The picture's horizontal axis.
    """
    restless = [_region(points, lab, hit, side, calm=_RESTLESS) for points in missed]
    found = [r for r in restless if r is not None and is_second_eye(r, regions, side)]
    crowded = [_region(points, lab, hit, side, is_crowded=True) for points in missed]
    spots = [region for region in crowded if region is not None]
    for _ in range(2):  # the second time without twins that are none themselves
        twins = [*spots, *regions]
        spots = [r for r in spots if is_crowded_eye(r, twins, lab, hit, side, across)]
    return found + spots


def _tone_regions(
    lab: Float32[np.ndarray, "h w 3"],
    hit: Bool[np.ndarray, "h w"],
    tones: Float64[np.ndarray, "t 3"],
    side: int,
) -> Iterator[Int[np.ndarray, "_ 2"]]:
    """Return the samples of each small connected region of one tone."""
    tone = np.full(hit.shape, -1)
    tone[hit] = nearest(lab[hit], tones)[0]
    labels = _components(tone)
    sizes = np.bincount(labels.ravel()) / side**2
    for label, box in enumerate(ndimage.find_objects(labels), start=1):
        if box is not None and FACE_AREA <= sizes[label] <= MAX_EYE_AREA:
            yield np.argwhere(labels[box] == label) + [part.start for part in box]


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
    points: Int[np.ndarray, "n 2"],
    lab: Float32[np.ndarray, "h w 3"],
    hit: Bool[np.ndarray, "h w"],
    side: int,
    rim: float = 0.0,
    calm: float = _CALM,
    is_crowded: bool = False,
) -> Region | None:
    """Return what stands out, or None if a set of samples does not.

    Args:
        points: The samples.
        lab: The picture's colors.
        hit: Where it has any.
        side: Samples along a cell.
        rim: Share of the samples, those most like the ground, that have no say in its
            color: blobs have a blurred rim.
        calm: Most spread of its surroundings, against its contrast.
        is_crowded: Whether up to half of its surroundings may have its color, and have
            no say in what its ground is.
    """
    area = len(points) / side**2
    if not FACE_AREA <= area <= MAX_EYE_AREA:
        return None
    window, inside, ring = surroundings(points, hit.shape, side)
    picture, hits = lab, hit
    lab, hit = lab[window], hit[window]
    around = ring & hit
    if around.sum() < 0.6 * ring.sum() or not around.any():
        return None
    if is_crowded:
        own = lab[inside].mean(axis=0, dtype=np.float64)
        unlike = around & (np.linalg.norm(lab - own, axis=-1) >= CONTRAST)
        if 2 * unlike.sum() < around.sum():
            return None
        around = unlike
    ground = lab[around].mean(axis=0, dtype=np.float64)
    away = np.linalg.norm(lab[inside] - ground, axis=-1)
    own = away >= np.quantile(away, rim)
    color = lab[inside][own].mean(axis=0, dtype=np.float64)
    contrast = float(np.linalg.norm(color - ground))
    spread = np.linalg.norm(lab[around] - ground, axis=-1).mean()
    if contrast < CONTRAST or spread > calm * contrast:
        return None
    length = length_of(points) / side
    width = area / length
    if width < MIN_WIDTH:
        return None
    wanted = max(1, round(area if width >= 1 else length))
    shape = compact_shape(points, side)
    region = Region(
        points, shape, wanted, color, ground, contrast, is_crowded=is_crowded
    )
    if not region.is_eye:
        region = as_frame(region, picture, hits, side)
    return None if region.is_large(side) and not region.is_eye else region


def surroundings(
    points: Int[np.ndarray, "n 2"], shape: tuple[int, ...], side: int
) -> tuple[tuple[slice, slice], Bool[np.ndarray, "a b"], Bool[np.ndarray, "a b"]]:
    """Return a window about a region, the region in it, and the ring around it there.

    Args:
        points: The region's samples.
        shape: Of the picture of all samples; the window ends where it does.
        side: Samples along a cell.
    """
    width = max(1, round(_RING * side))
    low = np.maximum(points.min(axis=0) - width, 0)
    high = np.minimum(points.max(axis=0) + 1 + width, shape)
    inside = np.zeros(high - low, bool)
    inside[tuple((points - low).T)] = True
    ring = ndimage.binary_dilation(inside, _SQUARE, iterations=width)
    ring &= ~ndimage.binary_dilation(ndimage.binary_fill_holes(inside), _SQUARE)
    return (slice(low[0], high[0]), slice(low[1], high[1])), inside, ring


def _distinct(regions: list[Region], side: int) -> list[Region]:
    """Return regions without those that are part or the blurred rim of another."""
    kept: list[Region] = []
    for region in sorted(regions, key=lambda r: -r.contrast * len(r.points) ** 0.5):
        mine = set(map(tuple, region.points.tolist()))
        for other in kept:
            if _is_rim(region, other, side):
                break
            apart = np.linalg.norm(region.lab - other.lab)
            if apart < 0.5 * max(region.contrast, other.contrast):
                theirs = set(map(tuple, other.points.tolist()))
                if 2 * len(mine & theirs) > min(len(mine), len(theirs)):
                    break
        else:
            kept.append(region)
    return kept


def _is_rim(region: Region, other: Region, side: int) -> bool:
    """Return whether a region lies about another, and is a blend of it and its ground.

    Args:
        region: What may be a rim.
        other: What it may be a rim of.
        side: Samples along a cell.
    """
    (low, high), (least, most) = region.box, other.box
    near = (low >= least - side / 2).all() and (high <= most + side / 2).all()
    whole = other.lab - other.ground
    part = region.lab - other.ground
    share = float(part @ whole) / float(whole @ whole)
    off = float(np.linalg.norm(part - share * whole))
    return bool(near and 0.1 < share < 0.9 and off < _BLEND)
