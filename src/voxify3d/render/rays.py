"""Cameras to rays, in the grid frame: orthographic and perspective.

Pictures from anywhere are in image layout: row 0 at the top, column 0 at the left, rays
through the centers of pixels. The six views are in cell layout. In perspective, which
the paper warns against, their cells lie on the grid's face on the eye's side: nothing
is cut off, but farther in, rays spread and no longer keep to one column of voxels.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from voxify3d.render.cast import look_from
from voxify3d.types import View, sign_of, vector_of

FIELD_OF_VIEW = 40.0
"""Whole angle over the longest side of the grid, degrees; the paper's cameras have
0.6911 rad."""


@dataclass(frozen=True, slots=True)
class Rays:
    """The rays of a picture.

    Attributes:
        origins: Where rays start, voxels.
        directions: Unit vectors.
    """

    origins: Float64[np.ndarray, "h w 3"]
    directions: Float64[np.ndarray, "h w 3"]


def orthographic_rays(
    shape: tuple[int, int, int],
    toward: Float[np.ndarray, " 3"],
    up: Float[np.ndarray, " 3"],
    pixels: int,
    *,
    span: float | None = None,
) -> Rays:
    """Return parallel rays around the grid's center, starting outside the grid.

    Args:
        shape: Voxels along x, y, z.
        toward: From the object to the eye; any length.
        up: What points up in the picture; not parallel to `toward`.
        pixels: Rows and columns of the picture.
        span: Side of the picture, voxels; as long as the grid's diagonal if None, so
            that nothing is cut off.
    """
    right, down, away = look_from(toward, up)
    diagonal = float(np.linalg.norm(shape))
    at = ((np.arange(pixels) + 0.5) / pixels - 0.5) * (span or diagonal)
    eye = np.asarray(shape) / 2 + away * (diagonal / 2 + 1)
    origins = eye + at[:, None, None] * down + at[None, :, None] * right
    return Rays(origins, np.broadcast_to(-away, origins.shape).copy())


def perspective_rays(
    shape: tuple[int, int, int],
    toward: Float[np.ndarray, " 3"],
    up: Float[np.ndarray, " 3"],
    pixels: int,
    *,
    field_of_view: float = FIELD_OF_VIEW,
) -> Rays:
    """Return the rays of an eye from which the grid's bounding ball fills the picture.

    Args:
        shape: Voxels along x, y, z.
        toward: From the object to the eye; any length.
        up: What points up in the picture; not parallel to `toward`.
        pixels: Rows and columns of the picture.
        field_of_view: Whole angle, degrees; above 0 and below 180. The smaller, the
            farther the eye and the nearer to an orthographic picture.
    """
    if not 0 < field_of_view < 180:
        raise ValueError(f"field of view must be in (0, 180) deg, got {field_of_view}")
    right, down, away = look_from(toward, up)
    half = np.radians(field_of_view) / 2
    eye = np.asarray(shape) / 2 + away * np.linalg.norm(shape) / 2 / np.sin(half)
    at = ((np.arange(pixels) + 0.5) / pixels - 0.5) * 2 * np.tan(half)
    directions = at[:, None, None] * down + at[None, :, None] * right - away
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    return Rays(np.broadcast_to(eye, directions.shape).copy(), directions)


def cell_rays(
    shape: tuple[int, int, int],
    view: View,
    place: Float[np.ndarray, "n 2"],
    *,
    perspective: bool = False,
) -> tuple[Float64[np.ndarray, "n 3"], Float64[np.ndarray, "n 3"]]:
    """Return where rays of a view enter the grid, and their unit directions.

    Args:
        shape: Voxels along x, y, z.
        view: The view.
        place: In cell layout, cells: cell [a, b] fills [a, a + 1) × [b, b + 1).
        perspective: Rays come from an eye before the middle of the grid's face.
    """
    axis, toward = view.axis, vector_of(view.toward)
    face = shape[axis] if sign_of(view.toward) > 0 else 0
    origins = np.insert(np.asarray(place, np.float64), axis, face, axis=1)
    if not perspective:
        return origins, np.broadcast_to(-toward, origins.shape).copy()
    half = np.tan(np.radians(FIELD_OF_VIEW) / 2)
    middle = np.array(shape) / 2
    middle[axis] = face
    eye = middle + toward * max(shape) / 2 / half
    directions = origins - eye
    return origins, directions / np.linalg.norm(directions, axis=1, keepdims=True)


def random_directions(
    count: int, generator: np.random.Generator
) -> Float64[np.ndarray, "n 3"]:
    """Return unit vectors, uniform on the sphere."""
    height = generator.uniform(-1, 1, count)
    angle = generator.uniform(0, 2 * np.pi, count)
    flat = np.sqrt(1 - height**2)
    return np.stack([flat * np.cos(angle), height, flat * np.sin(angle)], axis=1)
