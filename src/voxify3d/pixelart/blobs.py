"""Blobs: small spots that stand out, whatever they are made of.

A painted eye has a pupil, a rim and a light in it; fur is never of one tone. What makes
both stand out is that the mean of a disc differs from the mean around it, so the discs
are sought where that difference is largest, in place and in size: a difference of
Gaussians in scale space (Lindeberg 1998), of three color channels.

`r` radii; pictures are of samples, `h w`. Colors are OKLab.
"""

import numpy as np
from jaxtyping import Bool, Float32, Int
from scipy import ndimage

RADII = (0.25, 0.36, 0.5, 0.71, 1.0, 1.41)
"""Of the discs, in cells."""
FAINT = 0.08
"""Least difference of two Gaussians; that of a disc is 0.6 of its contrast."""
NOISE = 4.0
"""Least difference, against what is usual at this radius in this picture: fur and
gravel are full of blobs."""
_INNER, _OUTER = 0.6, 1.8
"""Standard deviations of the two Gaussians, in radii."""
_NEAR, _FAR = 1.6, 3.5
"""Where the ground around a blob begins and ends, in radii."""
_REACH = 3.0
"""How far a blob may reach, in radii."""
_WIDER = 3
"""Radii that are tried for an outline, from the one that stands out most."""
_MOST = 60
"""Blobs of a picture that are looked at, those that stand out most."""


def find_blobs(
    lab: Float32[np.ndarray, "h w 3"], hit: Bool[np.ndarray, "h w"], side: int
) -> list[Int[np.ndarray, "_ 2"]]:
    """Return the samples [row, column] of each blob, what stands out most first.

    Args:
        lab: Colors.
        hit: Where there are any.
        side: Samples along a cell.
    """
    if not hit.any():
        return []
    low, high = _cells_around(hit, side)
    window = tuple(map(slice, low, high))
    response = _responses(lab[window], hit[window], side)
    top = response == ndimage.maximum_filter(response, size=(3, 3, 3))
    top &= response >= FAINT
    found = np.argwhere(top)
    found = found[np.argsort(-response[top], kind="stable")][:_MOST]
    blobs: dict[bytes, Int[np.ndarray, "_ 2"]] = {}  # many centers have one outline
    for scale, center in zip(found[:, 0], found[:, 1:] + low, strict=True):
        for radius in RADII[scale : scale + _WIDER]:  # an iris on one side of a pupil
            points = _outline(lab, hit, center, radius * side)
            if len(points):
                blobs.setdefault(points.tobytes(), points)
                break
    return list(blobs.values())


def _cells_around(
    hit: Bool[np.ndarray, "h w"], side: int
) -> tuple[Int[np.ndarray, " 2"], Int[np.ndarray, " 2"]]:
    """Return the first and last sample of the cells that hold all hits."""
    at = np.argwhere(hit) // side
    return at.min(axis=0) * side, (at.max(axis=0) + 1) * side


def _responses(
    lab: Float32[np.ndarray, "h w 3"], hit: Bool[np.ndarray, "h w"], side: int
) -> Float32[np.ndarray, "r h w"]:
    """Return how much each disc differs from its surroundings; 0 where it is usual."""
    weight = hit.astype(np.float32)[..., None]
    # What is blurred a lot needs few samples.
    steps = [step for step in (1, 2, 4, 8) if side % step == 0]
    levels = {1: np.concatenate([lab * weight, weight], axis=-1)}
    for step in steps[1:]:
        levels[step] = _halved(levels[step // 2])

    def blurred(sigma: float) -> Float32[np.ndarray, "h w 3"]:
        step = max(step for step in steps if step == 1 or 2 * step <= sigma)
        scale = (sigma / step, sigma / step, 0)
        total = ndimage.gaussian_filter(levels[step], scale, mode="constant")
        mean = total[..., :3] / np.maximum(total[..., 3:], 1e-6)
        return mean.repeat(step, axis=0).repeat(step, axis=1)

    response = np.zeros((len(RADII), *hit.shape), np.float32)
    for number, radius in enumerate(RADII):
        apart = blurred(_INNER * radius * side) - blurred(_OUTER * radius * side)
        apart = np.sqrt(np.einsum("hwc,hwc->hw", apart, apart)) * hit
        apart[apart < NOISE * np.median(apart[hit])] = 0
        response[number] = apart
    return response


def _halved(values: Float32[np.ndarray, "h w c"]) -> Float32[np.ndarray, "_ _ c"]:
    """Return the means of blocks of two by two."""
    values = (values[::2] + values[1::2]) / 2
    return (values[:, ::2] + values[:, 1::2]) / 2


def _outline(
    lab: Float32[np.ndarray, "h w 3"],
    hit: Bool[np.ndarray, "h w"],
    center: Int[np.ndarray, " 2"],
    radius: float,
) -> Int[np.ndarray, "n 2"]:
    """Return the samples around a center that are more like it than like the ground.

    None where they reach far away: that is a stripe or an edge, and no blob.
    """
    reach = int(np.ceil(_FAR * radius))
    low = np.maximum(center - reach, 0)
    window = tuple(map(slice, low, center + reach + 1))
    lab, hit, at = lab[window], hit[window], center - low
    rows, columns = np.indices(hit.shape)
    away = np.hypot(rows - at[0], columns - at[1])
    ring, core = hit & (away >= _NEAR * radius), hit & (away <= radius / 2)
    none = np.zeros((0, 2), np.int64)
    if not ring.any() or not core.any():
        return none
    ground = np.median(lab[ring], axis=0)
    toward = lab[core].mean(axis=0) - ground
    length = float(toward @ toward)
    if length < FAINT**2:
        return none
    alike = hit & ((lab - ground) @ toward > length / 2)
    labels, _ = ndimage.label(alike, np.ones((3, 3)))
    near = labels[core]
    near = near[near > 0]
    if not len(near):
        return none
    inside = labels == np.bincount(near).argmax()
    if away[inside].max() > _REACH * radius:
        return none
    return np.argwhere(ndimage.binary_fill_holes(inside) & hit) + low
