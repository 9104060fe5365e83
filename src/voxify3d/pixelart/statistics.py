"""What each cell of a render holds: the distribution of its samples, summed up."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32
from scipy import ndimage

from voxify3d.color.spaces import oklab_from_srgb
from voxify3d.pixelart.patterns import flatten_patterns
from voxify3d.pixelart.samples import sample_cells, sample_image
from voxify3d.pixelart.thin import thin_cells
from voxify3d.types import Render, View

_UNIFORM = 1e-5
"""Mean distance of a cell's samples to their mean (OKLab) up to which it has one color:
rounding."""
_WEISZFELD_STEPS = 12
_CLUSTER_STEPS = 6
ALIKE = 0.05
"""Distance (OKLab) up to which two colors are about the same."""


@dataclass(frozen=True, slots=True)
class CellStatistics:
    """One view's cells. Colors are OKLab and 0 in cells without any hit.

    Attributes:
        view: The view.
        coverage: Covered share. Range [0, 1].
        filled: Cells that pixel art fills.
        rescued: Those of them that are filled for the sake of a thin part.
        depth: Median depth of the hits, voxels; infinite without any.
        lab: The samples' colors; of a pattern finer than a cell, their mean.
        hit: The samples that hit.
        depths: The samples' depths.
        mean: Mean color.
        median: Geometric median: the color with the least sum of distances; where
            most of the hits look like it, theirs.
        spread: Mean distance of the samples to their mean.
        own: Share of the hits whose color about is the median: little where the
            median is a blend of two colors.
    """

    view: View
    coverage: Float32[np.ndarray, "a b"]
    filled: Bool[np.ndarray, "a b"]
    rescued: Bool[np.ndarray, "a b"]
    depth: Float32[np.ndarray, "a b"]
    lab: Float32[np.ndarray, "a b s 3"]
    hit: Bool[np.ndarray, "a b s"]
    depths: Float32[np.ndarray, "a b s"]
    mean: Float32[np.ndarray, "a b 3"]
    median: Float32[np.ndarray, "a b 3"]
    spread: Float32[np.ndarray, "a b"]
    own: Float32[np.ndarray, "a b"]


def cell_statistics(render: Render, coverage: float = 0.5) -> CellStatistics:
    """Sum up a render's samples cell by cell.

    Args:
        render: One view.
        coverage: Share from which a cell is filled.
    """
    a, b, _ = render.hit.shape
    hit = render.hit.reshape(a * b, -1)
    seen = np.flatnonzero(hit.any(axis=1))
    side = math.isqrt(render.hit.shape[2])
    lab = sample_image(oklab_from_srgb(render.rgb).astype(np.float32))
    lab = flatten_patterns(lab, sample_image(render.hit), side)
    samples = sample_cells(lab, side).reshape(a * b, -1, 3)[seen]
    weight = hit[seen].astype(np.float32)
    count = weight.sum(axis=1, keepdims=True)
    mean = np.einsum("nsc,ns->nc", samples, weight) / count
    distance = np.linalg.norm(samples - mean[:, None], axis=-1)
    spread = (distance * weight).sum(axis=1) / count[:, 0]

    # most cells are of one color, and their median is their mean
    mixed = spread > _UNIFORM
    median, own = mean.copy(), np.ones(len(mean), np.float32)
    median[mixed], own[mixed] = _medians(samples[mixed], weight[mixed], mean[mixed])

    def spread_out(values: np.ndarray, fill: float = 0.0) -> np.ndarray:
        out = np.full((a * b, *values.shape[1:]), fill, np.float32)
        out[seen] = values
        return out.reshape(a, b, *values.shape[1:])

    filled = render.coverage >= coverage - 1e-6
    rescued = thin_cells(render.hit, filled, side)
    ordered = np.sort(render.depth, axis=-1)
    middle = np.maximum(render.hit.sum(axis=-1) - 1, 0) // 2
    return CellStatistics(
        view=render.view,
        coverage=render.coverage,
        filled=filled | rescued,
        rescued=rescued,
        depth=np.take_along_axis(ordered, middle[..., None], axis=-1)[..., 0],
        lab=spread_out(samples),
        hit=render.hit,
        depths=render.depth,
        mean=spread_out(mean),
        median=spread_out(median),
        spread=spread_out(spread),
        own=spread_out(own),
    )


def _medians(
    samples: Float32[np.ndarray, "n s 3"],
    weight: Float32[np.ndarray, "n s"],
    mean: Float32[np.ndarray, "n 3"],
) -> tuple[Float32[np.ndarray, "n 3"], Float32[np.ndarray, " n"]]:
    """Return each cell's median color, and the share of its hits that about have it."""
    count = weight.sum(axis=1)
    median = _geometric_median(samples, weight, mean)
    # A cell with nearly as much of another color would end between the two, else.
    away = np.linalg.norm(samples - median[:, None], axis=-1)
    nearest = np.where(weight > 0, away, np.inf).argmin(axis=1)
    alike = _alike(samples, weight, samples[np.arange(len(samples)), nearest])
    most = 2 * alike.sum(axis=1) > count
    median[most] = _geometric_median(samples[most], alike[most], median[most])
    return median, _alike(samples, weight, median).sum(axis=1) / count


def _alike(
    samples: Float32[np.ndarray, "n s 3"],
    weight: Float32[np.ndarray, "n s"],
    color: Float32[np.ndarray, "n 3"],
) -> Float32[np.ndarray, "n s"]:
    """Return the weight of the samples that about have a color, 0 for others."""
    return weight * (np.linalg.norm(samples - color[:, None], axis=-1) < ALIKE)


def _geometric_median(
    samples: Float32[np.ndarray, "n s 3"],
    weight: Float32[np.ndarray, "n s"],
    start: Float32[np.ndarray, "n 3"],
) -> Float32[np.ndarray, "n 3"]:
    """Minimize the sum of distances: Weiszfeld (1937)."""
    center = start
    for _ in range(_WEISZFELD_STEPS):
        distance = np.linalg.norm(samples - center[:, None], axis=-1)
        pull = weight / np.maximum(distance, 1e-3)
        center = np.einsum("nsc,ns->nc", samples, pull)
        center /= pull.sum(axis=1, keepdims=True)
    return center


def dominant_colors(
    samples: Float32[np.ndarray, "n s 3"],
    hit: Bool[np.ndarray, "n s"],
    mean: Float32[np.ndarray, "n 3"],
) -> Float32[np.ndarray, "n 3"]:
    """Return the mean of the larger of two clusters (2-means, vectorized).

    Args:
        samples: Colors of each cell's samples.
        hit: Those that count.
        mean: Their mean.
    """
    weight = hit.astype(np.float32)
    away = np.linalg.norm(samples - mean[:, None], axis=-1) * weight
    row = np.arange(len(samples))
    first = samples[row, away.argmax(axis=1)]
    away = np.linalg.norm(samples - first[:, None], axis=-1) * weight
    second = samples[row, away.argmax(axis=1)]
    in_first = in_second = weight
    for _ in range(_CLUSTER_STEPS):
        to_first = np.linalg.norm(samples - first[:, None], axis=-1)
        to_second = np.linalg.norm(samples - second[:, None], axis=-1)
        in_first = weight * (to_first <= to_second)
        in_second = weight - in_first
        first = np.einsum("nsc,ns->nc", samples, in_first)
        first /= np.maximum(in_first.sum(axis=1, keepdims=True), 1e-9)
        second = np.einsum("nsc,ns->nc", samples, in_second)
        second /= np.maximum(in_second.sum(axis=1, keepdims=True), 1e-9)
    larger = in_first.sum(axis=1) >= in_second.sum(axis=1)
    return np.where(larger[:, None], first, second)


def contrast(
    lab: Float32[np.ndarray, "a b 3"], filled: Bool[np.ndarray, "a b"], size: int = 7
) -> Float32[np.ndarray, "a b"]:
    """Return each filled cell's distance to the mean of the filled cells around it.

    Args:
        lab: Colors, OKLab.
        filled: Cells that count.
        size: Width of the square window.
    """
    weight = filled.astype(np.float32)
    total = lab * weight[..., None]
    for axis in (0, 1):
        weight = ndimage.uniform_filter1d(weight, size, axis=axis, mode="constant")
        total = ndimage.uniform_filter1d(total, size, axis=axis, mode="constant")
    around = total / np.maximum(weight, 1e-6)[..., None]
    return np.linalg.norm(lab - around, axis=-1) * filled
