"""Regions of a picture that stand out: small, of one color, on calm surroundings.

They are found at the resolution of the samples, by their tone and as blobs of any
size, before any averaging can dissolve them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int
from scipy import ndimage, spatial

from voxify3d.color.match import nearest
from voxify3d.pixelart.blobs import find_blobs

CONTRAST = 0.12
"""Distance to the surroundings (OKLab) from which a region stands out."""
MAX_AREA = 9.0
"""Most area of a feature, in cells."""
MAX_EYE_AREA = 36.0
"""The same of each of two eyes in a face."""
LIGHT_AREA = 0.3
"""Least area, in cells, of a light in an eye."""
LARGE_LIGHT = 1.2
"""Area, in cells, from which a light is drawn in any color."""
NOTCH = 0.08
"""Least distance (OKLab) of a light to what is around the eye: else it looks like a
notch."""
FACE_AREA = 0.12
"""Least area, in cells, of each of a left and right pair and of what lies between left
and right: eyes and noses, where a single dot might be dust."""
STRONG = 0.25
"""Contrast (OKLab) from which a feature catches the eye, as eyes do."""
LEVEL = 0.6
"""How much higher one of two eyes may be than the other, in cells."""
MIN_WIDTH = 0.25
"""Thinner regions, in cells, are lines of shading, not features."""
_SOLID = 0.6
"""Share of its convex hull that a compact region fills, and the hull of its box; a disc
fills 0.79 of that."""
_BLEND = 0.06
"""Distance (OKLab) to the line between two colors up to which a third blends them."""
_LONGEST = 6
"""Length, in cells, over which a region is no spot but an area; of a large one the
length of two squares of its area."""
_OVAL, _BLOCK = 0.72, 0.9
"""Shares of its box from which a spot may be an oval, and a block."""
_RING = 0.75
"""Width of the surroundings that are looked at, in cells."""
_CALM = 0.6
"""Spread of the surroundings, against the contrast, up to which they are calm."""
_SQUARE = np.ones((3, 3), bool)


@dataclass(frozen=True, slots=True)
class Region:
    """A region of one color that stands out.

    Attributes:
        points: Its samples in the picture of all samples, [row, column].
        shape: The samples of its outline, if it is compact, as eyes and buttons are;
            None for a line or an arc.
        wanted: Cells that it is worth, if it is a line.
        lab: Its color, OKLab.
        ground: The color of its surroundings, OKLab.
        contrast: Distance to them, OKLab.
        is_light: Whether it is a light in an eye, of which a glimpse will do; a pupil
            in the white of an eye is none.
        is_part: Whether it lies before or behind its surroundings, as an ear does: it
            has a shape of its own.
    """

    points: Int[np.ndarray, "n 2"]
    shape: Int[np.ndarray, "m 2"] | None
    wanted: int
    lab: Float64[np.ndarray, " 3"]
    ground: Float64[np.ndarray, " 3"]
    contrast: float
    is_light: bool = False
    is_part: bool = False

    @property
    def center(self) -> Float64[np.ndarray, " 2"]:
        """Its middle, samples."""
        return self.points.mean(axis=0) + 0.5

    @property
    def box(self) -> tuple[Int[np.ndarray, " 2"], Int[np.ndarray, " 2"]]:
        """Its first and last row and column."""
        return self.points.min(axis=0), self.points.max(axis=0)

    @property
    def extent(self) -> Int[np.ndarray, " 2"] | None:
        """The size of its box, samples; None for a line and for a part."""
        is_block = self.compact and not self.is_part
        return np.ptp(self.points, axis=0) + 1 if is_block else None

    @property
    def compact(self) -> bool:
        """Whether it is a spot: an eye or a button, not a mouth."""
        return self.shape is not None

    @property
    def is_striking(self) -> bool:
        """Whether it catches the eye, as eyes and buttons do."""
        return self.compact and self.contrast >= STRONG

    @property
    def fullness(self) -> float:
        """Share of its box that a spot fills: a block 1, a disc 0.79; 0 for a line."""
        if self.shape is None or self.extent is None:
            return 0.0
        return len(self.shape) / float(self.extent.prod())

    @property
    def is_eye(self) -> bool:
        """Whether it may be a large eye: striking, and a block, a disc or an oval."""
        return self.is_striking and self.fullness >= _OVAL

    @property
    def is_round(self) -> bool:
        """Whether a spot is a disc or an oval rather than a block."""
        return self.fullness < _BLOCK

    def is_large(self, side: int) -> bool:
        """Return whether it is larger than all features but eyes in a face."""
        return len(self.points) > MAX_AREA * side**2

    def is_like(self, other: "Region") -> bool:
        """Return whether another region has about its area and its color."""
        ratio = len(other.points) / len(self.points)
        return 0.7 < ratio < 1.45 and bool(np.linalg.norm(other.lab - self.lab) < 0.06)


def find_regions(
    lab: Float32[np.ndarray, "h w 3"],
    hit: Bool[np.ndarray, "h w"],
    tones: Float64[np.ndarray, "t 3"],
    side: int,
    with_eyes: bool = False,
) -> list[Region]:
    """Return what stands out in a picture, each thing once, what does most first.

    Args:
        lab: The picture of all samples, OKLab.
        hit: Where it has any.
        tones: The colors that samples are sorted into, OKLab.
        side: Samples along a cell.
        with_eyes: Whether of two alike spots, side by side, each may be larger.
    """
    tones_found = _tone_regions(lab, hit, tones, side)
    found = [_region(points, lab, hit, side) for points in tones_found]
    blobs = [_region(p, lab, hit, side, 0.5) for p in find_blobs(lab, hit, side)]
    found += [blob for blob in blobs if blob is not None and blob.contrast >= STRONG]
    regions = [region for region in found if region is not None]
    regions = [
        region
        for region in regions
        if not region.is_large(side) or (with_eyes and _has_twin(region, regions, side))
    ]
    regions = _distinct(regions, side)
    regions = [r for r in regions if not any(_is_glint(r, o, side) for o in regions)]
    lights = [light for region in regions for light in _lights(region, lab, hit, side)]
    return _distinct(regions + lights, side)


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
) -> Region | None:
    """Return what stands out, or None if a set of samples does not.

    Args:
        points: The samples.
        lab: The picture's colors.
        hit: Where it has any.
        side: Samples along a cell.
        rim: Share of the samples, those most like the ground, that have no say in its
            color: blobs have a blurred rim.
    """
    area = len(points) / side**2
    if not FACE_AREA <= area <= MAX_EYE_AREA:
        return None
    window, inside, ring = surroundings(points, hit.shape, side)
    lab, hit = lab[window], hit[window]
    around = ring & hit
    if around.sum() < 0.6 * ring.sum() or not around.any():
        return None
    ground = lab[around].mean(axis=0, dtype=np.float64)
    away = np.linalg.norm(lab[inside] - ground, axis=-1)
    own = away >= np.quantile(away, rim)
    color = lab[inside][own].mean(axis=0, dtype=np.float64)
    contrast = float(np.linalg.norm(color - ground))
    spread = np.linalg.norm(lab[around] - ground, axis=-1).mean()
    if contrast < CONTRAST or spread > _CALM * contrast:
        return None
    length = _length(points) / side
    width = area / length
    if width < MIN_WIDTH:
        return None
    wanted = max(1, round(area if width >= 1 else length))
    shape = _compact_shape(points, side)
    region = Region(points, shape, wanted, color, ground, contrast)
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


def _has_twin(region: Region, regions: list[Region], side: int) -> bool:
    """Return whether another region is like one and at the same height, as eyes are."""
    for other in regions:
        apart = np.abs(region.center - other.center)
        beside = apart.max() > np.sqrt(len(region.points))
        if region.is_like(other) and beside and apart.min() < LEVEL * side:
            return True
    return False


def _is_glint(region: Region, other: Region, side: int) -> bool:
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


def _lights(
    region: Region,
    lab: Float32[np.ndarray, "h w 3"],
    hit: Bool[np.ndarray, "h w"],
    side: int,
) -> Iterator[Region]:
    """Return lights and pupils: what is of another color in a spot like an eye.

    It is a hole in the spot, or a bay of it: near its rim no ring around it is of one
    color.
    """
    if region.shape is None or not region.is_striking:
        return
    low, high = region.box
    inside = np.zeros(high - low + 1, bool)
    inside[tuple((region.points - low).T)] = True
    inside[tuple((region.shape - low).T)] = True
    window = tuple(map(slice, low, high + 1))
    shines = np.linalg.norm(lab[window] - region.lab, axis=-1) >= STRONG
    inside = np.asarray(ndimage.binary_fill_holes(inside), bool) & hit[window]
    lights, count = ndimage.label(inside & shines)
    for label in range(1, count + 1):
        points = np.argwhere(lights == label) + low
        area = len(points) / side**2
        if area >= LIGHT_AREA:
            own = lab[tuple(points.T)].astype(np.float64)
            apart = np.linalg.norm(own - region.lab, axis=-1)
            color = own[apart >= np.median(apart)].mean(axis=0)  # not its blurred rim
            contrast = float(np.linalg.norm(color - region.lab))
            is_notch = np.linalg.norm(color - region.ground) < NOTCH
            if area >= LARGE_LIGHT or not is_notch:
                is_light = bool(color[0] > region.lab[0])
                yield Region(
                    points,
                    shape=None if is_light else points,
                    wanted=max(1, round(area)),
                    lab=color,
                    ground=region.lab,
                    contrast=contrast,
                    is_light=is_light,
                )


def _compact_shape(
    points: Int[np.ndarray, "n 2"], side: int
) -> Int[np.ndarray, "m 2"] | None:
    """Return the convex hull's samples of what is about convex; None for a line.

    So an eye is whole, with the light in it that lies at its rim.
    """
    low = points.min(axis=0)
    box = np.ptp(points, axis=0) + 1
    if box.max() <= 1.25 * side:  # too small to have a shape
        return points
    if box.max() > max(_LONGEST * side, 2 * np.sqrt(len(points))):
        return None
    corners = np.concatenate([points + d for d in ((0, 0), (0, 1), (1, 0), (1, 1))])
    hull = spatial.ConvexHull(corners)
    inside = np.argwhere(np.ones(box, bool)) + low
    out = (inside + 0.5) @ hull.equations[:, :2].T + hull.equations[:, 2]
    shape = inside[(out <= 1e-9).all(axis=1)]
    solid = len(points) > _SOLID * len(shape) and len(shape) > _SOLID * box.prod()
    return shape if solid else None


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


def _length(points: Int[np.ndarray, "n 2"]) -> float:
    """Return the length of the rectangle with the points' principal variance."""
    if len(points) < 2:
        return 1.0
    variance = np.linalg.eigvalsh(np.cov(points.T) + np.eye(2) / 12)
    return float(np.sqrt(12 * variance[-1]))
