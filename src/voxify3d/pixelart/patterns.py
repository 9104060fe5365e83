"""Patterns finer than a cell: stripes of a blanket, leaves of a tree, grain of stone.

A cell shows one color. Where all cells around hold the same mixture, none of its colors
is right: from afar the eye sees their mean. What is at an edge, a line or a spot is no
pattern, for beside it is one color alone, or another mean.

Naming used in this file: `h` and `w` are samples along a picture.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32
from scipy import ndimage

MIXED = 0.03
"""Deviation (OKLab) within a cell from which its colors are a mixture."""
EVERYWHERE = 0.5
"""Least deviation within a cell's breadth of a place of a pattern, against its own."""
STEADY = 0.4
"""Most deviation of the means of half a cell around a place of a pattern, against its
own: what repeats itself once a cell is wide enough to be drawn."""
SPREAD = 6
"""Cells that a piece of a pattern covers at least."""
RIM = 1.2
"""Cells beside places that are of a pattern for certain, within which others may be."""
_KNOWN = 0.25
"""Share of hits around a sample from which its surroundings are known."""


def flatten_patterns(
    lab: Float32[np.ndarray, "h w 3"], hit: Bool[np.ndarray, "h w"], side: int
) -> Float32[np.ndarray, "h w 3"]:
    """Return a picture in which patterns finer than a cell have their mean color.

    All is measured in windows of a cell's size around each sample: where the borders
    of cells run plays no part.

    Args:
        lab: Samples, OKLab.
        hit: Those that hit; others stay as they are.
        side: Samples along a cell.
    """
    own, half = _around(lab, hit, side), _around(lab, hit, max(side // 2, 2))
    known = hit & (own.share > _KNOWN)
    wide = 2 * side + 1
    least = ndimage.minimum_filter(np.where(known, own.deviation, np.inf), wide)
    change = _around(half.mean, hit & (half.share > _KNOWN), wide).deviation
    sure = known & (least > np.maximum(EVERYWHERE * own.deviation, MIXED))
    sure = _large(sure & (change < STEADY * own.deviation), SPREAD * side**2)
    if not sure.any():
        return lab
    away, nearest = ndimage.distance_transform_edt(~sure, return_indices=True)
    mixed = half.deviation > EVERYWHERE * own.deviation[tuple(nearest)]
    pattern = sure | hit & mixed & (away <= RIM * side)
    mean = _around(lab, pattern, side).mean
    return np.where(pattern[..., None], mean, lab)


class _Around(NamedTuple):
    """What the window around each sample holds.

    Attributes:
        mean: Of the colors that count, OKLab.
        deviation: Root of their mean squared distance to it.
        share: Of the window, how much counts.
    """

    mean: Float32[np.ndarray, "h w 3"]
    deviation: Float32[np.ndarray, "h w"]
    share: Float32[np.ndarray, "h w"]


def _around(
    lab: Float32[np.ndarray, "h w 3"], counts: Bool[np.ndarray, "h w"], width: int
) -> _Around:
    """Look at the square window of some width around each sample."""
    weight = counts.astype(np.float32)
    share = _box(weight, width)
    enough = np.maximum(share, 1e-6)
    mean = _box(lab * weight[..., None], width) / enough[..., None]
    square = _box((lab**2).sum(axis=-1) * weight, width) / enough
    variance = np.maximum(square - (mean**2).sum(axis=-1), 0)
    return _Around(mean, np.sqrt(variance), share)


def _box(
    values: Float32[np.ndarray, "h w *channels"], width: int
) -> Float32[np.ndarray, "h w *channels"]:
    """Return the mean over a window; outside the picture all is 0."""
    for axis in (0, 1):
        values = ndimage.uniform_filter1d(values, width, axis=axis, mode="constant")
    return values


def _large(mask: Bool[np.ndarray, "h w"], least: int) -> Bool[np.ndarray, "h w"]:
    """Return the connected pieces of at least so many samples."""
    labels, _ = ndimage.label(mask)
    sizes = np.bincount(labels.ravel())
    return mask & (sizes >= least)[labels]
