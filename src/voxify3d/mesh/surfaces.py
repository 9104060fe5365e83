"""Textured surfaces that shapes are put together from.

Each has vertices in 3-D, faces, and texture coordinates in [0, 1] of the corners of
its faces, with v down. `n` points of a profile, `f` faces.
"""

import numpy as np
from jaxtyping import Float, Float64

from voxify3d.types import DIRECTIONS, vector_of

Number = float | int
Triple = tuple[Number, Number, Number]
Rgb = Triple
"""sRGB, range [0, 1]."""

Surface = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Vertices, faces, and texture coordinates in [0, 1] of each face's corners."""


def arc(count: int, start: Number, end: Number) -> Float64[np.ndarray, "2 n"]:
    """Return points of the unit circle: across and up.

    Args:
        count: Of the points, both ends counted.
        start: Angle of the first, degrees, counter-clockwise from the right.
        end: Of the last.
    """
    angle = np.radians(np.linspace(start, end, count))
    return np.stack([np.cos(angle), np.sin(angle)])


def ring(radius: Number, tube: Number, height: Number) -> Float64[np.ndarray, "n 2"]:
    """Return the closed profile of a ring, for `revolve`.

    Args:
        radius: Of the circle that the middle of the tube runs on.
        tube: Radius of the tube.
        height: Of the middle.
    """
    across, up = arc(21, 180, -180)
    return np.stack([radius + tube * across, height + tube * up], axis=1)


def revolve(profile: Float[np.ndarray, "n 2"], segments: int) -> Surface:
    """Return a surface of revolution around y.

    Args:
        profile: Radius and height, from the top down on the outside. Radius 0 at an end
            closes it with a point.
        segments: Around; u runs left to right as seen from outside, the seam is at -z.
    """
    rows = len(profile)
    lengths = np.r_[0, np.linalg.norm(np.diff(profile, axis=0), axis=1).cumsum()]
    down = lengths / lengths[-1]
    angle = np.linspace(-np.pi, np.pi, segments + 1)
    radius, height = profile[:, :1], np.repeat(profile[:, 1:], segments + 1, axis=1)
    sine, cosine = np.sin(angle), np.cos(angle)
    sine[-1], cosine[-1] = sine[0], cosine[0]  # the seam must close exactly
    grid = np.stack([radius * sine, height, radius * cosine], axis=-1)
    uv = np.stack(np.meshgrid((angle + np.pi) / (2 * np.pi), down), axis=-1)

    number = np.arange(rows * (segments + 1)).reshape(rows, segments + 1)
    a, b = number[:-1, :-1].ravel(), number[:-1, 1:].ravel()
    c, d = number[1:, :-1].ravel(), number[1:, 1:].ravel()
    upper = np.repeat(profile[:-1, 0] > 0, segments)
    lower = np.repeat(profile[1:, 0] > 0, segments)
    faces = np.concatenate(
        [np.stack([a, c, b], axis=1)[upper], np.stack([b, c, d], axis=1)[lower]]
    )
    vertices, corners = grid.reshape(-1, 3), uv.reshape(-1, 2)[faces]
    return vertices, faces, corners


def ellipsoid(
    center: Triple,
    radii: Triple,
    segments: int,
) -> Surface:
    """Return an ellipsoid.

    Args:
        center: Its middle.
        radii: Along x, y, z.
        segments: Around the equator; half as many from pole to pole.
    """
    across, up = arc(segments // 2 + 1, 90, -90)
    profile = np.stack([across, up], axis=1)
    profile[[0, -1]] = [[0, 1], [0, -1]]
    return moved(revolve(profile, segments), center, radii)


def capsule(
    start: Triple,
    end: Triple,
    start_radius: Number,
    end_radius: Number,
    segments: int = 24,
) -> Surface:
    """Return a limb with round ends.

    Args:
        start: Middle of the first end.
        end: Of the other.
        start_radius: Of the first end.
        end_radius: Of the other.
        segments: Around.
    """
    axis = np.subtract(start, end)
    length = np.linalg.norm(axis)
    top, bottom = arc(7, 90, 0), arc(7, 0, -90)
    profile = np.concatenate(
        [
            np.stack([start_radius * top[0], length + start_radius * top[1]], axis=1),
            np.stack([end_radius * bottom[0], end_radius * bottom[1]], axis=1),
        ]
    )
    profile[[0, -1], 0] = 0
    vertices, faces, uv = revolve(profile, segments)
    up = axis / length
    side = np.cross(up, (0.0, 0.0, 1.0) if abs(up[2]) < 0.9 else (1.0, 0.0, 0.0))
    side /= np.linalg.norm(side)
    rotation = np.stack([side, up, np.cross(side, up)], axis=1)
    return vertices @ rotation.T + end, faces, uv


def block(size: Triple) -> Surface:
    """Return a box; each side shows the whole picture upright.

    Args:
        size: Along x, y, z; its middle is the origin.
    """
    half = np.array(size) / 2
    vertices, faces, uvs = [], [], []
    for direction in DIRECTIONS:
        corners = side(direction) * half
        faces.append(np.array([[0, 1, 2], [0, 2, 3]]) + 4 * len(vertices))
        vertices.append(corners)
        square = np.array([[0, 1], [1, 1], [1, 0], [0, 0]], np.float64)
        uvs.append(square[[[0, 1, 2], [0, 2, 3]]])
    return np.concatenate(vertices), np.concatenate(faces), np.concatenate(uvs)


def pennant(top: Triple, length: Number, height: Number) -> Surface:
    """Return a thin flag that flies to -x, wide at the pole.

    Args:
        top: Its upper corner at the pole.
        length: From the pole to the tip.
        height: At the pole.
    """
    depth = 0.012
    outline = np.array([[0, 0], [0, -height], [-length, -height / 2]])
    front = np.column_stack([outline, np.full(3, depth)]) + top
    back = np.column_stack([outline, np.full(3, -depth)]) + top
    uv = np.array([[0, 0], [0, 1], [1, 0.5]])
    vertices = np.concatenate([front, back])
    faces = [[0, 2, 1], [3, 4, 5]]
    for one, two in ((0, 1), (1, 2), (2, 0)):
        faces += [[one, two, two + 3], [one, two + 3, one + 3]]
    corners = np.array(faces)
    return vertices, corners, uv[corners % 3]


def moved(
    surface: Surface,
    offset: Triple,
    scale: Triple = (1, 1, 1),
) -> Surface:
    """Return a surface scaled about the origin, then moved.

    Args:
        surface: The one.
        offset: Added to each vertex.
        scale: Along x, y, z.
    """
    vertices, faces, uv = surface
    return vertices * scale + offset, faces, uv


def turned(surface: Surface, degrees: Number, offset: Triple) -> Surface:
    """Return a surface turned about z, then moved.

    Args:
        surface: The one.
        degrees: Counter-clockwise as seen from +z.
        offset: Added to each vertex.
    """
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    rotation = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])
    vertices, faces, uv = surface
    return vertices @ rotation.T + offset, faces, uv


def side(direction: str) -> Float64[np.ndarray, "4 3"]:
    """Return a side of the cube [-1, 1]: bottom left, then counter-clockwise.

    Args:
        direction: One of `DIRECTIONS`; where the side faces.
    """
    toward = vector_of(direction)  # pyright: ignore[reportArgumentType]
    up = np.array([0.0, 1.0, 0.0] if toward[1] == 0 else [0.0, 0.0, -toward[1]])
    right = np.cross(up, toward)
    return np.array(
        [toward - right - up, toward + right - up, toward + right + up,
         toward - right + up]
    )  # fmt: skip
