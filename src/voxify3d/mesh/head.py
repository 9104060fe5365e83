"""Where a creature's head is: what lies beyond its neck.

The neck is the narrowest section between what is thick on both of its sides. Cut is
straight across the up direction for those who stand upright, and tilted towards the
front for those on four legs.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int
from scipy import ndimage

_TILTS = (0.0, 30.0, 55.0)
"""Degrees from up towards the front in which a head may lie from its body."""
_TILT_COST = 0.12
"""How much narrower a neck must be for each step of tilt to be taken."""
_STICK, _NARROW, _WIDEST = 0.2, 0.8, 0.92
"""Section of a neck, against head and body (geometric mean): below is a ball on a
stick (an antenna), above is no neck. Against neither may it be wider than the last."""
_ONE = 0.7
"""Share of the section that is in one piece; a row of trunks is no neck."""
_SAME = 1.08
"""Of sections this near to the narrowest, the one next to the head is the neck."""
_LEAST, _MOST = 0.04, 0.75
"""Share of the whole volume that a head has."""
_LOWEST = 0.4
"""Share of the whole height under which no head reaches."""
_FLAT = 0.3
"""A head's shortest side is at least this share of its longest."""
_ASIDE = 0.15
"""How far from the middle a head's center may be, in widths of the mesh."""
_EVEN = 0.55
"""Overlap of a head with its mirror image, from which it is even-sided enough."""
_TOUCHING = np.ones((3, 3, 3), bool)


@dataclass(frozen=True, slots=True)
class _Cut:
    cost: float
    section: int
    inside: Bool[np.ndarray, "x y z"]


def find_head(
    solid: Bool[np.ndarray, "x y z"],
    up: Float64[np.ndarray, " 3"],
    forward: Float64[np.ndarray, " 3"],
) -> Bool[np.ndarray, "x y z"] | None:
    """Return the voxels of the head, or None if there is no neck.

    Args:
        solid: The creature, about 64 voxels along its longest side, filled.
        up: Unit vector.
        forward: Unit vector to where the face looks.
    """
    cells = np.argwhere(solid)
    across = np.abs(np.cross(up, forward))
    best: _Cut | None = None
    for number, tilt in enumerate(np.radians(_TILTS)):
        direction = np.cos(tilt) * up + np.sin(tilt) * forward
        height = np.full(solid.shape, -np.inf)
        height[solid] = cells @ direction
        cuts = list(_cuts(solid, height, up, across))
        if not cuts:
            continue
        narrowest = min(cuts, key=lambda cut: cut.cost)
        limit = narrowest.section * _SAME
        # Cuts come from above: the first that is as narrow lies next to the head.
        chosen = next(
            cut
            for cut in cuts
            if cut.section <= limit
            and cut.cost <= narrowest.cost * _SAME
            and not (cut.inside & ~narrowest.inside).any()
        )
        cost = narrowest.cost * (1 + _TILT_COST * number)
        if best is None or cost < best.cost:
            best = _Cut(cost, chosen.section, chosen.inside)
    return best.inside if best else None


def _cuts(
    solid: Bool[np.ndarray, "x y z"],
    height: Float64[np.ndarray, "x y z"],
    up: Float64[np.ndarray, " 3"],
    across: Float64[np.ndarray, " 3"],
) -> Iterator[_Cut]:
    """Yield every way to cut off what could be a head, from above."""
    total, width = int(solid.sum()), float(solid.shape @ across)
    rise = np.moveaxis(np.indices(solid.shape), 0, -1) @ up
    ground = float(rise[solid].min() + _LOWEST * np.ptp(rise[solid]))
    low, high = height[solid].min(), height[solid].max()
    for level in np.arange(np.floor(high) - 1, np.ceil(low) + 1, -1):
        labels, count = ndimage.label(height > level, _TOUCHING)  # pyright: ignore
        sizes = np.bincount(labels[solid], minlength=count + 1)
        for label in range(1, count + 1):
            if not _LEAST * total <= sizes[label] <= _MOST * total:
                continue
            inside = labels == label
            place = np.argwhere(inside)
            sides = np.ptp(place, axis=0) + 1
            aside = abs(float((place.mean(axis=0) + 0.5) @ across) - width / 2)
            if (
                sides.min() < _FLAT * sides.max()
                or aside > _ASIDE * width
                or rise[inside].min() < ground
                or _evenness(inside, int(across.argmax())) < _EVEN
            ):
                continue
            own = _profile(height[inside] - level)
            neck = int(own[0])
            body = _body_below(solid, height, inside, level)
            if not neck or not len(body):
                continue
            shares = neck / own.max(), neck / body.max()
            mean, cost = float(np.sqrt(np.prod(shares))), max(shares)
            if not _STICK <= mean <= _NARROW or cost > _WIDEST:
                continue
            blobs, _ = ndimage.label(inside & (height <= level + 1), _TOUCHING)  # pyright: ignore
            if np.bincount(blobs[blobs > 0]).max() >= _ONE * neck:
                yield _Cut(cost, neck, inside)


def _evenness(inside: Bool[np.ndarray, "x y z"], axis: int) -> float:
    """Return the overlap (IoU) of voxels with their mirror image about their middle."""
    used = np.flatnonzero(inside.any(axis=tuple({0, 1, 2} - {axis})))
    own = np.take(inside, range(used[0], used[-1] + 1), axis=axis)
    image = np.flip(own, axis)
    return float((own & image).sum() / (own | image).sum())


def _profile(height: Float64[np.ndarray, " n"]) -> Int[np.ndarray, " m"]:
    """Return how many voxels lie in each layer of one voxel, the lowest first."""
    return np.bincount(np.maximum(np.ceil(height).astype(int) - 1, 0))


def _body_below(
    solid: Bool[np.ndarray, "x y z"],
    height: Float64[np.ndarray, "x y z"],
    head: Bool[np.ndarray, "x y z"],
    level: float,
) -> Int[np.ndarray, " m"]:
    """Return the layers, from below, of what the head stands on; empty for nothing."""
    rest = solid & (height <= level)
    labels, _ = ndimage.label(rest, _TOUCHING)  # pyright: ignore
    near = ndimage.binary_dilation(head, _TOUCHING)
    touched = np.unique(labels[near & rest])
    if not len(touched):
        return np.zeros(0, int)
    below = height[np.isin(labels, touched) & rest]
    return _profile(below - below.min() + 1e-9)
