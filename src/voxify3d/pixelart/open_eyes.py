"""Open eyes: a dark pupil in white, twice, side by side.

A cartoon's eyes are of two tones, and at few cells each tone drowns the other: the
white becomes a gray bar, or the pupils become holes. So they are sought as wholes, by
what makes them eyes: a dark spot, white all around it, something else all around that.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int
from scipy import ndimage

DARK = (0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75)
"""Lightness (OKLab) under which a sample may be of a pupil or an iris."""
LIGHTER = 0.12
"""How much lighter (OKLab) the white is than that."""
ALIKE = (0.25, 0.18, 0.13)
"""Distances (OKLab) up to which samples belong to the white of one eye, with what is
shaded of it, or less if that is no eye; from the last on the face has another color."""
WHITE = 0.55
"""Least lightness of a white, or of a light iris: a skull's holes have none."""
PUPIL_AREAS = (0.06, 12.0)
"""Areas of a pupil, in cells."""
WHOLE_AREAS = (1.3, 30.0)
"""Areas of a whole eye, in those of its pupil."""
_LONGEST = 2.3
"""How many times longer than wide an eye and a pupil may be."""
_FULL, _FULL_PUPIL = 0.65, 0.55
"""Shares of their boxes that an eye and a pupil fill, at least; a disc fills 0.79."""
_FAINT = 0.12
"""Least distance (OKLab) of a pupil to the face: else its eye is one light spot."""
_RING = 0.35
"""Width of what is looked at around a pupil and around an eye, in the side of a square
of its area: an outline is thinner."""
_WHITE_SHARE, _FACE_SHARE = 0.4, 0.7
"""Shares of the rings around a pupil that is white, and around an eye that is not."""
_LIGHTEST = 0.75
"""Place among what is light around a pupil, by lightness, of what is white: a thin
white is not all of it."""
_REACH = 6
"""How far an eye may reach beyond its pupil, in the side of a square of its area."""
_LEVEL, _APART = 0.5, (0.9, 5.0)
"""How much higher one of two eyes may be, and how far apart they are, in the side of a
square of their area."""
_SAME_WHOLE, _SAME_PUPIL, _SAME_WHITE = 1.67, 2.0, 0.1
"""Ratios of areas, and distance of their whites (OKLab), up to which two eyes are one
pair."""
_SQUARE = np.ones((3, 3), bool)


@dataclass(frozen=True, slots=True)
class OpenEye:
    """A pupil and the white around it.

    Attributes:
        white: Samples of the white in the picture of all samples, [row, column].
        pupil: Those of the pupil, with its iris.
        white_lab: Color of the white, OKLab.
        pupil_lab: Of the pupil.
        ground: Of what is around the eye.
    """

    white: Int[np.ndarray, "n 2"]
    pupil: Int[np.ndarray, "m 2"]
    white_lab: Float64[np.ndarray, " 3"]
    pupil_lab: Float64[np.ndarray, " 3"]
    ground: Float64[np.ndarray, " 3"]

    @property
    def points(self) -> Int[np.ndarray, "_ 2"]:
        """All its samples."""
        return np.concatenate([self.white, self.pupil])

    @property
    def center(self) -> Float64[np.ndarray, " 2"]:
        """Its middle, samples."""
        return self.points.mean(axis=0) + 0.5

    @property
    def area(self) -> int:
        """Its samples."""
        return len(self.white) + len(self.pupil)


def find_open_eyes(
    lab: Float32[np.ndarray, "h w 3"],
    hit: Bool[np.ndarray, "h w"],
    side: int,
    across: int,
) -> list[tuple[OpenEye, OpenEye]]:
    """Return the pairs of eyes of a picture, the first of each with the lower place.

    Args:
        lab: The picture of all samples, OKLab.
        hit: Where it has any.
        side: Samples along a cell.
        across: The picture's horizontal axis.
    """
    pairs: list[tuple[OpenEye, OpenEye]] = []
    for level in reversed(DARK):  # with its iris, if it has one
        eyes = list(_eyes_of(level, lab, hit, side))
        for one in eyes:
            other = _nearest(one, eyes, across)
            if other is None or _nearest(other, eyes, across) is not one:
                continue
            is_known = any(_overlap(one, eye) for pair in pairs for eye in pair)
            if one.center[across] < other.center[across] and not is_known:
                pairs.append((one, other))
    return pairs


def _overlap(one: OpenEye, other: OpenEye) -> bool:
    """Return whether two eyes share ground."""
    apart = np.abs(one.center - other.center).max()
    return bool(apart < max(one.area, other.area) ** 0.5)


def _nearest(one: OpenEye, eyes: list[OpenEye], across: int) -> OpenEye | None:
    """Return the nearest eye beside another that may be its twin."""
    best, least = None, np.inf
    for eye in eyes:
        scale = (one.area * eye.area) ** 0.25
        apart = np.abs(eye.center - one.center) / scale
        is_beside = apart[1 - across] < _LEVEL and _APART[0] < apart[across] < _APART[1]
        sizes = abs(np.log(one.area / eye.area))
        pupils = abs(np.log(len(one.pupil) / len(eye.pupil)))
        colors = np.linalg.norm(one.white_lab - eye.white_lab)
        is_like = sizes < np.log(_SAME_WHOLE) and pupils < np.log(_SAME_PUPIL)
        is_twin = is_beside and is_like and colors < _SAME_WHITE
        if eye is not one and is_twin and apart[across] < least:
            best, least = eye, apart[across]
    return best


def _eyes_of(
    level: float,
    lab: Float32[np.ndarray, "h w 3"],
    hit: Bool[np.ndarray, "h w"],
    side: int,
) -> Iterator[OpenEye]:
    """Return what may be eyes whose pupils are darker than some lightness."""
    labels, _ = ndimage.label(hit & (lab[..., 0] < level), _SQUARE)
    sizes = np.bincount(labels.ravel()) / side**2
    for label, box in enumerate(ndimage.find_objects(labels), start=1):
        if PUPIL_AREAS[0] <= sizes[label] <= PUPIL_AREAS[1]:
            pupil = np.argwhere(labels[box] == label) + [part.start for part in box]
            is_pupil = _is_round(pupil, _FULL_PUPIL)
            eye = _eye_around(pupil, level, lab, hit) if is_pupil else None
            if eye is not None:
                yield eye


def _is_round(points: Int[np.ndarray, "n 2"], full: float) -> bool:
    """Return whether samples are about a disc, an oval or a block."""
    extent = np.ptp(points, axis=0) + 1
    is_long = extent.max() > _LONGEST * extent.min() + 1
    return bool(not is_long and len(points) >= full * extent.prod())


def _eye_around(
    pupil: Int[np.ndarray, "n 2"],
    level: float,
    lab: Float32[np.ndarray, "h w 3"],
    hit: Bool[np.ndarray, "h w"],
) -> OpenEye | None:
    """Return the eye of a pupil; None if no white is around it, or only white.

    Args:
        pupil: A dark spot.
        level: Its most lightness.
        lab: The picture of all samples, OKLab.
        hit: Where it has any.
    """
    reach = _REACH * int(len(pupil) ** 0.5) + 2
    low = np.maximum(pupil.min(axis=0) - reach, 0)
    window = tuple(map(slice, low, pupil.max(axis=0) + 1 + reach))
    lab, hit = lab[window], hit[window]
    dark = np.zeros(hit.shape, bool)
    dark[tuple((pupil - low).T)] = True
    dark = ndimage.binary_fill_holes(dark)
    ring = _around(dark)
    light = ring & hit & (lab[..., 0] > level + LIGHTER)
    if light.sum() < _WHITE_SHARE * ring.sum() or not light.any():
        return None
    by_lightness = np.argsort(lab[light][:, 0], kind="stable")
    white = lab[light][by_lightness[int(_LIGHTEST * len(by_lightness))]]
    if white[0] < WHITE:
        return None
    for most in ALIKE:
        whole = _whole(dark, np.linalg.norm(lab - white, axis=-1) < most, hit)
        ring = _around(whole)
        face = ring & hit
        if face.sum() < max(1, _FACE_SHARE * ring.sum()):
            continue
        unlike = np.linalg.norm(lab[face] - white, axis=-1) > ALIKE[-1]
        if unlike.mean() < _FACE_SHARE:
            continue
        own, ground = (np.median(lab[part], axis=0) for part in (dark, face))
        if np.linalg.norm(own - ground) < _FAINT or ground[0] > white[0]:
            return None  # one light spot, or an iris in a white of its own
        return OpenEye(
            white=np.argwhere(whole & ~dark) + low,
            pupil=np.argwhere(dark) + low,
            white_lab=white.astype(np.float64),
            pupil_lab=own.astype(np.float64),
            ground=ground.astype(np.float64),
        )
    return None


def _whole(
    pupil: Bool[np.ndarray, "h w"],
    alike: Bool[np.ndarray, "h w"],
    hit: Bool[np.ndarray, "h w"],
) -> Bool[np.ndarray, "h w"]:
    """Return an eye with its white; nothing if that is no eye.

    Args:
        pupil: The pupil.
        alike: What has the color of the white.
        hit: Where there is anything.
    """
    labels, _ = ndimage.label((alike & hit) | pupil, _SQUARE)
    whole = labels == labels[pupil][0]
    inner = np.zeros_like(whole)
    inner[1:-1, 1:-1] = True
    none = np.zeros_like(whole)
    if (whole & ~inner).any():  # a white face
        return none
    whole = np.asarray(ndimage.binary_fill_holes(whole), bool)
    times = whole.sum() / pupil.sum()
    is_round = _is_round(np.argwhere(whole), _FULL)
    return whole if is_round and WHOLE_AREAS[0] < times < WHOLE_AREAS[1] else none


def _around(inside: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """Return what is around a spot, without its blurred rim."""
    width = max(2, round(_RING * float(inside.sum()) ** 0.5))
    wide = ndimage.binary_dilation(inside, _SQUARE, iterations=width)
    return np.asarray(wide & ~ndimage.binary_dilation(inside, _SQUARE), bool)
