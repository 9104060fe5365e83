"""What makes a spot an eye: a twin, a light, a pupil, an iris."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float32, Int
from scipy import ndimage

from voxify3d.pixelart.region import (
    NOTCH,
    STRONG,
    Region,
)
from voxify3d.pixelart.samples import grown
from voxify3d.pixelart.shapes import compact_shape, length_of

LIGHT_AREA = 0.3
"""Least area, in cells, of a light in an eye."""
LARGE_LIGHT = 1.2
"""Area, in cells, from which a light is drawn in any color."""
_SECOND = 0.2
"""Contrast (OKLab) from which a spot is an eye for being like a clear one."""
_SECOND_AREA = 0.5
"""Least area of such a spot, in cells: brows, which touch the hair, have less."""
_WHITE = 0.1
"""Distance (OKLab) up to which samples belong to the white of one eye."""
_CROWDED_AREA = 0.2
"""Least area, in cells, of an eye that has its color beside it: a smaller one, in a row
of its own with a rim, would be wider than its face."""
_SLENDER = 2.0
"""Length of a crowded eye against that of a square of its area, squared, from which it
is a brow."""
_SPAN = 8.0
"""Most distance of two crowded eyes, against the side of a square of their area."""
_SKIN = 0.8
"""Share of what lies between two crowded eyes that has the color of their ground."""
_SHADE = 0.4
"""Distance to the ground, against the contrast, up to which a sample has its color."""
_HOLLOW = 0.5
"""Share of its box up to which a spot may be the white around an iris."""


def has_twin(region: Region, regions: list[Region], side: int) -> bool:
    """Return whether another region is like one and at the same height, as eyes are."""
    return any(True for _ in _twins_of(region, regions, side))


def _twins_of(region: Region, regions: list[Region], side: int) -> Iterator[Region]:
    """Return the regions that are like one and lie beside it, or above or below."""
    for other in regions:
        apart = np.abs(region.center - other.center)
        beside = apart.max() > np.sqrt(len(region.points))
        if region.is_like(other) and beside and apart.min() < region.level_with(side):
            yield other


def is_second_eye(region: Region, regions: list[Region], side: int) -> bool:
    """Return whether a spot on a restless ground is like another, on a calm one.

    Args:
        region: The spot.
        regions: Those on a calm ground.
        side: Samples along a cell.
    """
    if not region.compact or len(region.points) < _SECOND_AREA * side**2:
        return False
    clear = [other for other in regions if other.compact and other.contrast >= _SECOND]
    return region.contrast >= _SECOND and has_twin(region, clear, side)


def is_crowded_eye(
    region: Region,
    regions: list[Region],
    lab: Float32[np.ndarray, "h w 3"],
    hit: Bool[np.ndarray, "h w"],
    side: int,
    across: int,
) -> bool:
    """Return whether a dark spot that has its color beside it is one of two eyes.

    Its twin is at its height, and a cell of skin, or more, lies between the two.
    Stripes have another ground there, and brows are longer.

    Args:
        region: The spot.
        regions: What its twin may be.
        lab: The picture of all samples, OKLab.
        hit: Where it has any.
        side: Samples along a cell.
        across: The picture's horizontal axis.
    """
    area = len(region.points)
    if area < _CROWDED_AREA * side**2 or region.is_large(side):
        return False
    is_dark = region.is_striking and region.lab[0] < region.ground[0]
    is_brow = length_of(region.points) ** 2 > _SLENDER * area
    if not is_dark or is_brow:
        return False
    for other in _twins_of(region, regions, side):
        apart = np.abs(region.center - other.center)
        is_near = apart[1 - across] < apart[across] < _SPAN * area**0.5
        if not (other.compact and is_near):
            continue
        (low, high), (least, most) = region.box, other.box
        first, last = np.maximum(low, least), np.minimum(high, most)
        first[across], last[across] = last[across] + 1, first[across] - 1
        between = tuple(map(slice, first, last + 1))
        away = np.linalg.norm(lab[between] - region.ground, axis=-1)
        skin = hit[between] & (away < _SHADE * region.contrast)
        if skin.size and skin.shape[across] >= side and skin.mean() > _SKIN:
            return True
    return False


def as_eye(
    region: Region,
    regions: list[Region],
    lab: Float32[np.ndarray, "h w 3"],
    hit: Bool[np.ndarray, "h w"],
    side: int,
) -> Region:
    """Return a region with the shape of an eye, if it is the white around an iris.

    A ring is no spot; but of two alike, side by side, each is an eye. Its white may
    have two tones, and close around the iris with both of them only.

    Args:
        region: The one.
        regions: All of the front.
        lab: The picture of all samples, OKLab.
        hit: Where it has any.
        side: Samples along a cell.
    """
    low, high = region.box
    is_solid = len(region.points) > _HOLLOW * (high - low + 1).prod()
    if (region.compact and is_solid) or not has_twin(region, regions, side):
        return region
    for points in (region.points, _white_of(region, lab, hit)):
        low, high = points.min(axis=0), points.max(axis=0)
        whole = np.argwhere(_filled(points, low, high)) + low
        shape = compact_shape(whole, side)
        if len(whole) - len(points) >= LIGHT_AREA * side**2 and shape is not None:
            color = lab[tuple(points.T)].mean(axis=0, dtype=np.float64)
            return replace(
                region,
                points=points,
                shape=shape,
                lab=color,
                contrast=float(np.linalg.norm(color - region.ground)),
                is_ring=True,
                is_frame=False,
            )
    return region


def _white_of(
    region: Region, lab: Float32[np.ndarray, "h w 3"], hit: Bool[np.ndarray, "h w"]
) -> Int[np.ndarray, "n 2"]:
    """Return a region with the samples of about its color that touch it.

    The region alone where they lead far away.
    """
    low, high = region.box
    white, leads_away = grown(
        region.points, region.lab, lab, hit, _WHITE, high - low + 1
    )
    return region.points if leads_away else white


def is_glint(region: Region, other: Region, side: int) -> bool:
    """Return whether a region is a light in another that is not to be drawn.

    It is too small for a cell, or has the color of what is around the other one.
    """
    (low, high), (least, most) = region.box, other.box
    inside = (low > least).all() and (high < most).all()
    if not inside or not other.is_striking or region.lab[0] <= other.lab[0]:
        return False
    small = len(region.points) < LIGHT_AREA * side**2
    part = 4 * len(region.points) < len(region.points) + len(other.points)
    notch = np.linalg.norm(region.lab - other.ground) < NOTCH
    large = len(region.points) >= LARGE_LIGHT * side**2
    return bool(small or (part and notch and not large))


def lights_of(
    region: Region,
    lab: Float32[np.ndarray, "h w 3"],
    hit: Bool[np.ndarray, "h w"],
    side: int,
) -> Iterator[Region]:
    """Return lights and pupils: what is of another color in a spot like an eye.

    It is a hole in the spot, or a bay of it: near its rim no ring around it is of one
    color. In a ring it is all that the ring encloses: an iris has many colors.

    Args:
        region: The spot.
        lab: The picture of all samples, OKLab.
        hit: Where it has any.
        side: Samples along a cell.
    """
    low, high = region.box
    window = tuple(map(slice, low, high + 1))
    if region.is_ring:
        other = _filled(region.points, low, high)
        other[tuple((region.points - low).T)] = False
    elif region.shape is not None and region.is_striking:
        spot = np.concatenate([region.points, region.shape])
        other = _filled(spot, low, high)
        other &= np.linalg.norm(lab[window] - region.lab, axis=-1) >= STRONG
    else:
        return
    lights, count = ndimage.label(other & hit[window])
    for label in range(1, count + 1):
        points = np.argwhere(lights == label) + low
        area = len(points) / side**2
        if area >= LIGHT_AREA:
            own = lab[tuple(points.T)].astype(np.float64)
            apart = np.linalg.norm(own - region.lab, axis=-1)
            color = own[apart >= np.median(apart)].mean(axis=0)  # not its blurred rim
            contrast = float(np.linalg.norm(color - region.lab))
            is_notch = np.linalg.norm(color - region.ground) < NOTCH
            if contrast >= STRONG and (area >= LARGE_LIGHT or not is_notch):
                is_light = bool(color[0] > region.lab[0])
                yield Region(
                    points,
                    shape=None if is_light else points,
                    wanted=max(1, round(area)),
                    lab=color,
                    ground=region.lab,
                    contrast=contrast,
                    is_light=is_light,
                    is_inner=True,
                )


def _filled(
    points: Int[np.ndarray, "n 2"],
    low: Int[np.ndarray, " 2"],
    high: Int[np.ndarray, " 2"],
) -> Bool[np.ndarray, "a b"]:
    """Return which samples of a box belong to a set, or lie in holes of it."""
    inside = np.zeros(high - low + 1, bool)
    inside[tuple((points - low).T)] = True
    return np.asarray(ndimage.binary_fill_holes(inside), bool)
