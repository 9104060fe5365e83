"""Small generated meshes: for tests, docs, benchmarks, and the first try.

All stand with their head to +y and their face to +z; left and right are as seen from
the front, so left is -x. Colors are given in sRGB, range [0, 1].
"""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Float64, Int

from voxify3d.color.spaces import linear_from_srgb
from voxify3d.mesh.build import Piece, mesh_from_pieces
from voxify3d.mesh.surfaces import Number, Rgb, Triple, ellipsoid, side
from voxify3d.types import DIRECTIONS, Material, Mesh, axis_of, sign_of, vector_of

TRIPOD_COLORS: tuple[Rgb, ...] = (
    (0.9, 0.1, 0.1),
    (0.1, 0.8, 0.8),
    (0.1, 0.7, 0.1),
    (0.8, 0.1, 0.8),
    (0.1, 0.2, 0.9),
    (0.95, 0.85, 0.1),
)
"""Of the limbs of `six_colored_tripod`, in the order of `DIRECTIONS`."""

TRIPOD_LENGTHS = (6, 3, 7, 2, 5, 4)
"""Of the limbs of `six_colored_tripod`, in cells, in the order of `DIRECTIONS`."""

_WHITE: Rgb = (1.0, 1.0, 1.0)
_BLACK: Rgb = (0.0, 0.0, 0.0)


def box(
    size: Triple = (1.0, 1.0, 1.0),
    center: Triple = (0.0, 0.0, 0.0),
    color: Rgb = (0.8, 0.3, 0.2),
) -> Mesh:
    """Return a closed box of one color.

    Args:
        size: Edge lengths along x, y, z.
        center: Of the box.
        color: sRGB.
    """
    return _mesh_from_cells(
        {(0, 0, 0): 0}, [color], np.array(size, float), center, "box"
    )


def half_box(size: Triple = (2.0, 1.0, 1.0)) -> Mesh:
    """Return a box that is black where x < 0 and white where x > 0.

    Args:
        size: Edge lengths along x, y, z.
    """
    cells = {(0, 0, 0): 0, (1, 0, 0): 1}
    cell = np.array(size, float) / (2, 1, 1)
    return _mesh_from_cells(cells, [_BLACK, _WHITE], cell, (0, 0, 0), "half-box")


def checkered_cube(cells: int = 4) -> Mesh:
    """Return a cube of edge `cells` whose unit cells alternate black and white.

    Cell `ijk`, counted from the smallest corner, is white where i + j + k is odd.
    """
    places = np.argwhere(np.ones((cells,) * 3))
    colors = {(int(i), int(j), int(k)): int(i + j + k) % 2 for i, j, k in places}
    return _mesh_from_cells(
        colors, [_BLACK, _WHITE], np.ones(3), (0, 0, 0), "checkered-cube"
    )


def six_colored_tripod() -> Mesh:
    """Return six limbs of different colors and lengths along the six directions.

    No rotation or mirroring maps it onto itself. Limb `d` of `DIRECTIONS` has color
    `TRIPOD_COLORS[d]` and `TRIPOD_LENGTHS[d]` unit cells beyond the gray middle cell,
    which is centered on the origin.
    """
    cells = {(0, 0, 0): 6}
    for limb, direction in enumerate(DIRECTIONS):
        for step in range(1, TRIPOD_LENGTHS[limb] + 1):
            place = [0, 0, 0]
            place[axis_of(direction)] = step * sign_of(direction)
            cells[(place[0], place[1], place[2])] = limb
    colors = [*TRIPOD_COLORS, (0.5, 0.5, 0.5)]
    return _mesh_from_cells(cells, colors, np.ones(3), None, "six-colored-tripod")


def sphere(
    radius: Number = 1.0,
    center: Triple = (0.0, 0.0, 0.0),
    color: Rgb = (0.2, 0.5, 0.8),
    segments: int = 48,
) -> Mesh:
    """Return a closed sphere of one color.

    Args:
        radius: Of the sphere; all vertices lie on it.
        center: Of the sphere.
        color: sRGB.
        segments: Around the equator; half as many from pole to pole.
    """
    radii = (radius, radius, radius)
    vertices, faces, _ = ellipsoid(center, radii, segments)
    return _plain(vertices, faces, color, "sphere")


def plane(
    size: tuple[Number, Number] = (1.0, 1.0), color: Rgb = (0.8, 0.3, 0.2)
) -> Mesh:
    """Return a flat rectangle at z = 0 that faces +z.

    Args:
        size: Along x and y.
        color: sRGB.
    """
    x, y = size[0] / 2, size[1] / 2
    vertices = np.array([[-x, -y, 0], [x, -y, 0], [x, y, 0], [-x, y, 0]], np.float64)
    return _plain(vertices, np.array([[0, 1, 2], [0, 2, 3]]), color, "plane")


def triangle(color: Rgb = (0.8, 0.3, 0.2)) -> Mesh:
    """Return one triangle at z = 0 that faces +z."""
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float64)
    return _plain(vertices, np.array([[0, 1, 2]]), color, "triangle")


def _mesh_from_cells(
    cells: Mapping[tuple[int, int, int], int],
    colors: list[Rgb],
    cell: Float[np.ndarray, " 3"],
    center: Triple | None,
    name: str,
) -> Mesh:
    """Return the outer faces of colored cells.

    Args:
        cells: Place → entry of `colors`.
        colors: sRGB.
        cell: Edge lengths of a cell.
        center: Of the box around all cells; None puts cell (0, 0, 0) on the origin.
        name: Of the mesh.
    """
    corners, material = [], []
    for place, color in cells.items():
        for direction in DIRECTIONS:
            beside = np.add(place, vector_of(direction)).astype(int)
            if (int(beside[0]), int(beside[1]), int(beside[2])) not in cells:
                corners.append(np.array(place) + side(direction) / 2)
                material += [color, color]
    points = np.concatenate(corners)
    if center is not None:
        points = points - (points.min(axis=0) + points.max(axis=0)) / 2
    first = 4 * np.arange(len(corners))[:, None, None]
    faces = (first + np.array([[0, 1, 2], [0, 2, 3]])).reshape(-1, 3)
    piece = Piece(points * cell + (center or 0), faces, np.array(material, np.int32))
    materials = [_flat(color) for color in colors]
    return mesh_from_pieces([piece], materials, name=name, source=name)


def _plain(
    vertices: Float64[np.ndarray, "v 3"],
    faces: Int[np.ndarray, "f 3"],
    color: Rgb,
    name: str,
) -> Mesh:
    piece = Piece(vertices, faces, np.zeros(len(faces), np.int32))
    return mesh_from_pieces([piece], [_flat(color)], name=name, source=name)


def _flat(color: Rgb) -> Material:
    red, green, blue = linear_from_srgb(np.array(color, np.float64)).tolist()
    return Material(name="plain", base_color=(red, green, blue, 1.0))
