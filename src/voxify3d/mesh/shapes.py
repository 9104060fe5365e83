"""Small generated meshes: for tests, docs, benchmarks, and the first try.

All stand with their head to +y and their face to +z; left and right are as seen from
the front, so left is -x. Colors are given in sRGB, range [0, 1].
"""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Float64, Int

from voxify3d.color.spaces import linear_from_srgb
from voxify3d.mesh.build import Piece, mesh_from_pieces
from voxify3d.types import DIRECTIONS, Material, Mesh, axis_of, sign_of, vector_of

Number = float | int
Triple = tuple[Number, Number, Number]
Rgb = Triple

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
    vertices, faces, _ = _ellipsoid(center, radii, segments)
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


# --- the sample character -----------------------------------------------------------

_SKIN: Rgb = (1.0, 0.82, 0.68)
_INK: Rgb = (0.14, 0.13, 0.22)
_HAIR: Rgb = (0.42, 0.22, 0.13)
_SNOW: Rgb = (0.98, 0.97, 0.94)
_RED: Rgb = (0.86, 0.20, 0.22)
_COAT: Rgb = (0.20, 0.42, 0.78)
_GOLD: Rgb = (1.0, 0.80, 0.22)
_LEATHER: Rgb = (0.62, 0.38, 0.20)
_TEAL: Rgb = (0.16, 0.62, 0.56)
_PINK: Rgb = (0.98, 0.58, 0.56)

_ATLAS = 512
_HEAD = (0, 0, 512, 256)
_BODY = (0, 256, 256, 384)
_SCARF = (0, 384, 256, 416)
_TAIL = (256, 256, 320, 384)
_FLAG = (320, 256, 448, 384)
"""Regions of the atlas: left, top, right, bottom, in texels."""

_SWATCHES = (_SKIN, _INK, _SNOW, _RED, _COAT, _GOLD, _LEATHER, _TEAL, _HAIR)
_SWATCH_SIZE = 32
_SWATCH_TOP = 456

_Surface = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Vertices, faces, and texture coordinates in [0, 1] of each face's corners."""


def sample_character() -> Mesh:
    """Return a little explorer, the sample of the demo.

    A textured character of about 1.9 x 2.4 x 1.2 units. What is hard for voxel art is
    in it: eyes with highlights, buttons, stripes, a raised arm and a satchel on one
    side only, and a flag pole thinner than a voxel at size 40.
    """
    parts: list[tuple[_Surface, tuple[int, int, int, int]]] = []

    def add(surface: _Surface, look: Rgb | tuple[int, int, int, int]) -> None:
        parts.append((surface, look if len(look) == 4 else _swatch(look)))

    # Head, with hair and face painted on; beanie and pompom.
    add(_ellipsoid((0, 1.47, 0), (0.53, 0.47, 0.49), 64), _HEAD)
    add(_moved(_revolve(_DOME, 48), (0, 1.47, -0.02), (1, 1, 0.95)), _TEAL)
    add(_moved(_revolve(_ring(0.515, 0.075, 0.25), 64), (0, 1.47, -0.02)), _SNOW)
    add(_ellipsoid((0.05, 2.08, -0.03), (0.14, 0.13, 0.14), 24), _SNOW)
    # Ears below the brim.
    for side in (-1, 1):
        add(_ellipsoid((side * 0.53, 1.42, -0.02), (0.07, 0.1, 0.07), 20), _SKIN)

    # Coat, scarf, and the scarf's loose end.
    add(_moved(_revolve(_COAT_PROFILE, 64), (0, 0, 0), (1, 1, 0.86)), _BODY)
    add(_moved(_revolve(_ring(0.235, 0.095, 0.0), 64), (0, 1.05, 0.01)), _SCARF)
    add(_turned(_block((0.17, 0.42, 0.07)), 10, (0.2, 0.83, 0.32)), _TAIL)

    # One arm down, one raised with the flag.
    add(_capsule((0.27, 0.9, 0), (0.55, 0.72, 0.06), 0.115, 0.1), _COAT)
    add(_ellipsoid((0.62, 0.66, 0.08), (0.11, 0.115, 0.11), 24), _RED)
    add(_capsule((-0.25, 0.88, 0), (-0.63, 1.04, 0.1), 0.115, 0.1), _COAT)
    add(_ellipsoid((-0.72, 1.1, 0.13), (0.11, 0.115, 0.11), 24), _RED)
    add(_capsule((-0.74, 0.62, 0.14), (-0.74, 2.36, 0.14), 0.016, 0.016, 12), _INK)
    add(_ellipsoid((-0.74, 2.37, 0.14), (0.045, 0.045, 0.045), 16), _GOLD)
    add(_pennant((-0.74, 2.31, 0.14), 0.46, 0.36), _FLAG)

    # Legs and boots.
    for side in (-1, 1):
        add(_capsule((side * 0.17, 0.42, 0), (side * 0.18, 0.16, 0), 0.13, 0.12), _INK)
        add(_ellipsoid((side * 0.19, 0.11, 0.06), (0.15, 0.11, 0.21), 28), _LEATHER)

    # Satchel at the hip on the right, its strap painted on the coat.
    add(_turned(_block((0.2, 0.26, 0.32)), 6, (0.45, 0.4, 0.08)), _LEATHER)
    add(_turned(_block((0.225, 0.12, 0.34)), 6, (0.445, 0.48, 0.08)), _HAIR)
    add(_turned(_block((0.07, 0.08, 0.04)), 6, (0.45, 0.41, 0.25)), _GOLD)

    vertices, faces, uvs = [], [], []
    total = 0
    for (points, corners, uv), region in parts:
        vertices.append(points)
        faces.append(corners + total)
        uvs.append(_into_region(uv, region))
        total += len(points)
    joined = np.concatenate(faces)
    texture = _paint_atlas()
    piece = Piece(
        np.concatenate(vertices),
        joined,
        np.zeros(len(joined), np.int32),
        np.concatenate(uvs).astype(np.float32),
    )
    material = Material(name="explorer", texture=texture, wrap=("clamp", "clamp"))
    return mesh_from_pieces([piece], [material], name="explorer", source="sample")


def _arc(count: int, start: Number, end: Number) -> Float64[np.ndarray, "2 n"]:
    angle = np.radians(np.linspace(start, end, count))
    return np.stack([np.cos(angle), np.sin(angle)])


def _dome() -> Float64[np.ndarray, "n 2"]:
    """Return the beanie's profile, from its top down to the brim."""
    across, up = _arc(14, 90, 12)
    across[0] = 0.0
    return np.stack([0.55 * across, 0.08 + 0.5 * up], axis=1)


def _ring(radius: Number, tube: Number, height: Number) -> Float64[np.ndarray, "n 2"]:
    """Return the closed profile of a ring."""
    across, up = _arc(21, 180, -180)
    return np.stack([radius + tube * across, height + tube * up], axis=1)


_DOME = _dome()
_COAT_PROFILE = np.array(
    [
        [0.0, 1.08], [0.16, 1.07], [0.25, 1.0], [0.29, 0.9], [0.32, 0.76], [0.36, 0.6],
        [0.405, 0.46], [0.43, 0.38], [0.425, 0.32], [0.38, 0.29], [0.2, 0.28],
        [0.0, 0.28],
    ]
)  # fmt: skip


def _paint_atlas() -> np.ndarray:
    """Return the character's texture, painted at four times its size and averaged."""
    scale = 4
    canvas = np.ones((_ATLAS * scale, _ATLAS * scale, 3), np.float32)
    canvas[:] = _SKIN
    for region, painter in (
        (_HEAD, _paint_head),
        (_BODY, _paint_body),
        (_SCARF, lambda u, v: _striped(u * 18, (_RED, _SNOW))),
        (_TAIL, lambda u, v: _striped(v * 7, (_RED, _SNOW))),
        (_FLAG, _paint_flag),
    ):
        left, top, right, bottom = (scale * edge for edge in region)
        u, v = np.meshgrid(
            (np.arange(right - left) + 0.5) / (right - left),
            (np.arange(bottom - top) + 0.5) / (bottom - top),
        )
        canvas[top:bottom, left:right] = painter(u, v)
    for color in _SWATCHES:
        left, top, right, bottom = (scale * edge for edge in _swatch(color))
        canvas[top:bottom, left:right] = color
    small = canvas.reshape(_ATLAS, scale, _ATLAS, scale, 3).mean(axis=(1, 3))
    rgba = np.full((_ATLAS, _ATLAS, 4), 255, np.uint8)
    rgba[..., :3] = np.rint(small * 255)
    return rgba


def _paint_head(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Paint hair and face; positions are those on the unit sphere, seen from ahead."""
    around, down = (2 * u - 1) * np.pi, v * np.pi
    x, y, z = np.sin(down) * np.sin(around), np.cos(down), np.sin(down) * np.cos(around)
    picture = np.empty((*u.shape, 3), np.float32)
    picture[:] = _SKIN
    ahead = z > 0

    fringe = 0.3 + 0.12 * np.abs(np.mod(x * 1.9 + 0.2, 1) * 2 - 1)
    hair = (y > fringe) | (z < np.clip(0.12 + 0.35 * y, -1, 0.3)) & (y > -0.52)
    picture[hair] = _HAIR

    for side in (-1, 1):
        picture[ahead & _inside(x - side * 0.64, y + 0.24, 0.12, 0.085)] = _PINK
        picture[ahead & _inside(x - side * 0.34, y - 0.03, 0.14, 0.22)] = _INK
        picture[ahead & _inside(x - side * 0.34 + 0.05, y - 0.11, 0.07, 0.085)] = _SNOW
        picture[ahead & _inside(x - side * 0.34 - 0.04, y + 0.075, 0.03, 0.035)] = _SNOW
    smile = _inside(x, y + 0.3, 0.15, 0.15) & (y < -0.3)
    picture[ahead & smile] = (0.55, 0.12, 0.16)
    picture[ahead & smile & _inside(x, y + 0.45, 0.1, 0.07)] = _PINK
    return picture


def _paint_body(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Paint hem, opening, buttons and strap; positions are those on the coat."""
    lengths = np.r_[0, np.linalg.norm(np.diff(_COAT_PROFILE, axis=0), axis=1).cumsum()]
    along = v * lengths[-1]
    radius = np.interp(along, lengths, _COAT_PROFILE[:, 0])
    height = np.interp(along, lengths, _COAT_PROFILE[:, 1])
    x, z = radius * np.sin((2 * u - 1) * np.pi), radius * np.cos((2 * u - 1) * np.pi)
    picture = np.empty((*u.shape, 3), np.float32)
    picture[:] = _COAT
    picture[(np.abs(x) < 0.014) & (z > 0)] = (0.13, 0.28, 0.58)
    strap = np.abs(height - (0.76 - 0.75 * x)) < 0.05
    picture[strap] = _LEATHER
    picture[height < 0.4] = _SNOW
    for button in (0.52, 0.66, 0.8):
        picture[(z > 0) & _inside(x + 0.1, height - button, 0.045, 0.045)] = _GOLD
    return picture


def _paint_flag(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    picture = np.empty((*u.shape, 3), np.float32)
    picture[:] = _GOLD
    picture[_inside(u - 0.3, v - 0.5, 0.15, 0.19)] = _RED
    return picture


def _striped(place: np.ndarray, colors: tuple[Rgb, Rgb]) -> np.ndarray:
    return np.array(colors, np.float32)[np.floor(place).astype(int) % 2]


def _inside(x: np.ndarray, y: np.ndarray, across: Number, up: Number) -> np.ndarray:
    return (x / across) ** 2 + (y / up) ** 2 < 1


def _swatch(color: Rgb) -> tuple[int, int, int, int]:
    left = _SWATCH_SIZE * _SWATCHES.index(color)
    return left, _SWATCH_TOP, left + _SWATCH_SIZE, _SWATCH_TOP + _SWATCH_SIZE


def _into_region(
    uv: Float[np.ndarray, "f 3 2"], region: tuple[int, int, int, int]
) -> Float[np.ndarray, "f 3 2"]:
    """Return coordinates inside a region, a texel from its edge so nothing bleeds."""
    low = np.array(region[:2]) + 1.0
    high = np.array(region[2:]) - 1.0
    return (low + uv * (high - low)) / _ATLAS


# --- surfaces -------------------------------------------------------------------------


def _revolve(profile: Float[np.ndarray, "n 2"], segments: int) -> _Surface:
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


def _ellipsoid(
    center: Triple,
    radii: Triple,
    segments: int,
) -> _Surface:
    across, up = _arc(segments // 2 + 1, 90, -90)
    profile = np.stack([across, up], axis=1)
    profile[[0, -1]] = [[0, 1], [0, -1]]
    return _moved(_revolve(profile, segments), center, radii)


def _capsule(
    start: Triple,
    end: Triple,
    start_radius: Number,
    end_radius: Number,
    segments: int = 24,
) -> _Surface:
    """Return a limb with round ends."""
    axis = np.subtract(start, end)
    length = np.linalg.norm(axis)
    top, bottom = _arc(7, 90, 0), _arc(7, 0, -90)
    profile = np.concatenate(
        [
            np.stack([start_radius * top[0], length + start_radius * top[1]], axis=1),
            np.stack([end_radius * bottom[0], end_radius * bottom[1]], axis=1),
        ]
    )
    profile[[0, -1], 0] = 0
    vertices, faces, uv = _revolve(profile, segments)
    up = axis / length
    side = np.cross(up, (0.0, 0.0, 1.0) if abs(up[2]) < 0.9 else (1.0, 0.0, 0.0))
    side /= np.linalg.norm(side)
    rotation = np.stack([side, up, np.cross(side, up)], axis=1)
    return vertices @ rotation.T + end, faces, uv


def _block(size: Triple) -> _Surface:
    """Return a box; each side shows the whole picture upright."""
    half = np.array(size) / 2
    vertices, faces, uvs = [], [], []
    for direction in DIRECTIONS:
        corners = _side(direction) * half
        faces.append(np.array([[0, 1, 2], [0, 2, 3]]) + 4 * len(vertices))
        vertices.append(corners)
        square = np.array([[0, 1], [1, 1], [1, 0], [0, 0]], np.float64)
        uvs.append(square[[[0, 1, 2], [0, 2, 3]]])
    return np.concatenate(vertices), np.concatenate(faces), np.concatenate(uvs)


def _pennant(top: Triple, length: Number, height: Number) -> _Surface:
    """Return a thin flag that flies to -x, wide at the pole."""
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


def _moved(
    surface: _Surface,
    offset: Triple,
    scale: Triple = (1, 1, 1),
) -> _Surface:
    vertices, faces, uv = surface
    return vertices * scale + offset, faces, uv


def _turned(surface: _Surface, degrees: Number, offset: Triple) -> _Surface:
    """Return a surface turned about z, counter-clockwise from ahead, then moved."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    rotation = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])
    vertices, faces, uv = surface
    return vertices @ rotation.T + offset, faces, uv


def _side(direction: str) -> Float64[np.ndarray, "4 3"]:
    """Return a side of the cube [-1, 1]: bottom left, then counter-clockwise."""
    toward = vector_of(direction)  # pyright: ignore[reportArgumentType]
    up = np.array([0.0, 1.0, 0.0] if toward[1] == 0 else [0.0, 0.0, -toward[1]])
    right = np.cross(up, toward)
    return np.array(
        [toward - right - up, toward + right - up, toward + right + up,
         toward - right + up]
    )  # fmt: skip


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
                corners.append(np.array(place) + _side(direction) / 2)
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
