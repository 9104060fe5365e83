"""The sample character: for the demo, docs, and tests that want a real mesh."""

import numpy as np
from jaxtyping import Float, Float64

from voxify3d.mesh.build import Piece, mesh_from_pieces
from voxify3d.mesh.surfaces import (
    Number,
    Rgb,
    Surface,
    arc,
    block,
    capsule,
    ellipsoid,
    moved,
    pennant,
    revolve,
    ring,
    turned,
)
from voxify3d.types import Material, Mesh

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


def sample_character() -> Mesh:
    """Return a little explorer, the sample of the demo.

    A textured character of about 1.9 x 2.4 x 1.2 units. What is hard for voxel art is
    in it: eyes with highlights, buttons, stripes, a raised arm and a satchel on one
    side only, and a flag pole thinner than a voxel at size 40.
    """
    parts: list[tuple[Surface, tuple[int, int, int, int]]] = []

    def add(surface: Surface, look: Rgb | tuple[int, int, int, int]) -> None:
        parts.append((surface, look if len(look) == 4 else _swatch(look)))

    # Head, with hair and face painted on; beanie and pompom.
    add(ellipsoid((0, 1.47, 0), (0.53, 0.47, 0.49), 64), _HEAD)
    add(moved(revolve(_DOME, 48), (0, 1.47, -0.02), (1, 1, 0.95)), _TEAL)
    add(moved(revolve(ring(0.515, 0.075, 0.25), 64), (0, 1.47, -0.02)), _SNOW)
    add(ellipsoid((0.05, 2.08, -0.03), (0.14, 0.13, 0.14), 24), _SNOW)
    # Ears below the brim.
    for side in (-1, 1):
        add(ellipsoid((side * 0.53, 1.42, -0.02), (0.07, 0.1, 0.07), 20), _SKIN)

    # Coat, scarf, and the scarf's loose end.
    add(moved(revolve(_COAT_PROFILE, 64), (0, 0, 0), (1, 1, 0.86)), _BODY)
    add(moved(revolve(ring(0.235, 0.095, 0.0), 64), (0, 1.05, 0.01)), _SCARF)
    add(turned(block((0.17, 0.42, 0.07)), 10, (0.2, 0.83, 0.32)), _TAIL)

    # One arm down, one raised with the flag.
    add(capsule((0.27, 0.9, 0), (0.55, 0.72, 0.06), 0.115, 0.1), _COAT)
    add(ellipsoid((0.62, 0.66, 0.08), (0.11, 0.115, 0.11), 24), _RED)
    add(capsule((-0.25, 0.88, 0), (-0.63, 1.04, 0.1), 0.115, 0.1), _COAT)
    add(ellipsoid((-0.72, 1.1, 0.13), (0.11, 0.115, 0.11), 24), _RED)
    add(capsule((-0.74, 0.62, 0.14), (-0.74, 2.36, 0.14), 0.016, 0.016, 12), _INK)
    add(ellipsoid((-0.74, 2.37, 0.14), (0.045, 0.045, 0.045), 16), _GOLD)
    add(pennant((-0.74, 2.31, 0.14), 0.46, 0.36), _FLAG)

    # Legs and boots.
    for side in (-1, 1):
        add(capsule((side * 0.17, 0.42, 0), (side * 0.18, 0.16, 0), 0.13, 0.12), _INK)
        add(ellipsoid((side * 0.19, 0.11, 0.06), (0.15, 0.11, 0.21), 28), _LEATHER)

    # Satchel at the hip on the right, its strap painted on the coat.
    add(turned(block((0.2, 0.26, 0.32)), 6, (0.45, 0.4, 0.08)), _LEATHER)
    add(turned(block((0.225, 0.12, 0.34)), 6, (0.445, 0.48, 0.08)), _HAIR)
    add(turned(block((0.07, 0.08, 0.04)), 6, (0.45, 0.41, 0.25)), _GOLD)

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


def _dome() -> Float64[np.ndarray, "n 2"]:
    """Return the beanie's profile, from its top down to the brim."""
    across, up = arc(14, 90, 12)
    across[0] = 0.0
    return np.stack([0.55 * across, 0.08 + 0.5 * up], axis=1)


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
