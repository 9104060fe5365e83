"""A view's samples, cell by cell, as one picture, and back."""

import math

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int
from scipy import ndimage


def sample_image(values: np.ndarray) -> np.ndarray:
    """Return cells of samples `a b s ...` as one picture of samples `h w ...`."""
    a, b, s = values.shape[:3]
    side = math.isqrt(s)
    split = values.reshape(a, b, side, side, *values.shape[3:])
    return np.swapaxes(split, 1, 2).reshape(a * side, b * side, *values.shape[3:])


def sample_cells(image: np.ndarray, side: int) -> np.ndarray:
    """Return one picture of samples `h w ...` as cells of samples `a b s ...`."""
    h, w = image.shape[:2]
    split = image.reshape(h // side, side, w // side, side, *image.shape[2:])
    cells = np.swapaxes(split, 1, 2)
    return cells.reshape(h // side, w // side, side**2, *image.shape[2:])


def some_of(samples: int) -> slice:
    """Return every fifth or so of a cell's samples, from all of its rows and columns.

    With a step that is no divisor of its side, and has none in common with it: every
    fifth of ten by ten samples are two columns, between which a post was not seen.

    Args:
        samples: In a cell.
    """
    side = math.isqrt(samples)
    return slice(None, None, next(n for n in (5, 6, 7) if math.gcd(n, side) == 1))


def cell_counts(
    points: Int[np.ndarray, "n 2"], side: int, shape: tuple[int, ...]
) -> Int[np.ndarray, "a b"]:
    """Return how many samples of such a picture lie in each cell.

    Args:
        points: The samples, [row, column].
        side: Samples along a cell.
        shape: Cells along the two axes.
    """
    a, b = (points // side).T
    return np.bincount(a * shape[1] + b, minlength=shape[0] * shape[1]).reshape(shape)


def grown(
    points: Int[np.ndarray, "n 2"],
    color: Float64[np.ndarray, " 3"],
    lab: Float32[np.ndarray, "h w 3"],
    hit: Bool[np.ndarray, "h w"],
    most: float,
    reach: int | Int[np.ndarray, " 2"],
) -> tuple[Int[np.ndarray, "m 2"], bool]:
    """Return samples with those of about a color that touch them, near their box.

    And whether they reach the rim of where was looked.

    Args:
        points: The samples, [row, column].
        color: OKLab.
        lab: The picture's colors, OKLab.
        hit: Where it has any.
        most: Distance (OKLab) from which a sample has another color.
        reach: Samples around the box of the first ones that are looked at.
    """
    first = np.maximum(points.min(axis=0) - reach, 0)
    window = tuple(map(slice, first, points.max(axis=0) + reach + 1))
    alike = hit[window] & (np.linalg.norm(lab[window] - color, axis=-1) < most)
    alike[tuple((points - first).T)] = True
    labels, _ = ndimage.label(alike, np.ones((3, 3)))
    own = labels == labels[tuple(points[0] - first)]
    inner = np.zeros_like(own)
    inner[1:-1, 1:-1] = True
    return np.argwhere(own) + first, bool((own & ~inner).any())
