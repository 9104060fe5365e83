"""A picture of a mesh: orthographic, from any side, with soft light and shadow.

All positions are in the grid frame. `basis` is the picture's right, down and
toward-the-eye vectors.
"""

import math
from dataclasses import dataclass

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from jaxtyping import Bool, Float, Float32, Float64, UInt8

from voxify3d.render.cast import Caster, Hits, look_from
from voxify3d.types import Frame, Mesh

_Basis = tuple[np.ndarray, np.ndarray, np.ndarray]

BACKGROUND = (242, 242, 245)
"""sRGB bytes of a picture's empty places."""
_FILL = 0.86
"""Share of the picture that the box's longer extent takes."""
_LAMBERT = 0.32
"""Share of the light that has a direction; the rest comes from everywhere."""
_SKY_RAYS = 48
_SKY_REACH = 0.35
"""How far occluders count, in longest sides of the grid."""
_CROWDED = 0.38
"""How much of the light from everywhere a fully enclosed point loses."""
_GROUND = 0.45
"""How dark the shadow on the ground gets."""
_LINE = 0.08
"""How much darker the line between two voxels is."""


def render_picture(
    mesh: Mesh,
    frame: Frame,
    toward: Float[np.ndarray, " 3"],
    up: Float[np.ndarray, " 3"],
    *,
    size: int = 480,
    samples: int = 3,
    shaded: bool = True,
    lines: bool = False,
    fit: Mesh | None = None,
) -> UInt8[np.ndarray, "h w 3"]:
    """Return a square picture of a mesh on a light ground.

    Looking along an axis, a voxel takes a whole number of pixels (from 4 on), so
    that flat pictures show exact colors.

    Args:
        mesh: What to draw.
        frame: The grid it belongs to.
        toward: From the object to the eye; any length, world axes.
        up: Direction that points up in the picture.
        size: Pixels along each side.
        samples: Rays along each side of a pixel.
        shaded: Light from the upper left, ambient occlusion and a shadow on the
            ground; else the plain colors.
        lines: Draw the borders between voxels (with `shaded`).
        fit: What is centered and fills the picture; `mesh` unless given.
    """
    basis = right, down, toward = look_from(toward, up)
    lens = _lens(fit or mesh, frame, basis, size)
    hits, points, inside = _cast(Caster(mesh, frame), lens, basis, size, samples)
    color = hits.rgb.astype(np.float32)
    if shaded:
        color = color * _directed(hits.normal, right, down, toward)[:, None]
        if lines and lens.scale >= 5:
            color = color * _line_shade(points, hits.normal, lens.scale)[:, None]
    color = color.reshape(size, size, samples * samples, 3)
    solid = inside.reshape(size, size, samples * samples).astype(np.float32)
    cover = solid.mean(axis=2)[..., None]
    color = (color * solid[..., None]).mean(axis=2)
    ground = np.array(BACKGROUND, np.float32) / 255
    if shaded:
        sky, floor = _sky(mesh, frame, lens, basis, size, hits, points)
        color *= sky[..., None]
        ground = ground * floor[..., None]
    image = color + ground * (1 - cover)
    return np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class _Lens:
    """Where a picture lies: `plane = left_top + (column * right + row * down) / scale`.

    `left_top` lies outside the object, on the eye's side. `scale` is in pixels per
    voxel.
    """

    left_top: np.ndarray
    scale: float

    def plane(
        self, rows: np.ndarray, columns: np.ndarray, basis: _Basis
    ) -> Float64[np.ndarray, "rows columns 3"]:
        right, down, _ = basis
        across = columns[None, :, None] / self.scale * right
        return self.left_top + across + rows[:, None, None] / self.scale * down


def _lens(mesh: Mesh, frame: Frame, basis: _Basis, size: int) -> _Lens:
    points = frame.grid_from_world(mesh.vertices[np.unique(mesh.faces)])
    along = points @ np.stack(basis).T
    low, high = along.min(axis=0), along.max(axis=0)
    extent = np.maximum(high - low, 1e-6)[:2]
    scale = _FILL * size / float(extent.max())
    margin = (size - extent * scale) / 2
    if all(np.abs(axis).max() > 1 - 1e-9 for axis in basis) and scale >= 4:
        # Whole pixels for a voxel, and no shift against the pixels.
        scale = float(math.floor(scale))
        low, high = np.floor(low + 1e-6), np.ceil(high - 1e-6)
        margin = np.floor((size - (high - low)[:2] * scale) / 2)
    far = high[2] + 1
    at = np.array([*(low[:2] - margin / scale), far])
    return _Lens(at @ np.stack(basis), scale)


def _cast(
    caster: Caster, lens: _Lens, basis: _Basis, size: int, samples: int
) -> tuple[Hits, Float32[np.ndarray, "n 3"], Bool[np.ndarray, " n"]]:
    """Return the hit, its position and whether there is one, pixel by pixel."""
    at = (np.arange(size)[:, None] + (np.arange(samples) + 0.5) / samples).ravel()
    origins = lens.plane(at, at, basis).reshape(size, samples, size, samples, 3)
    origins = origins.swapaxes(1, 2).reshape(-1, 3).astype(np.float32)
    directions = np.broadcast_to(-basis[2], origins.shape).astype(np.float32)
    hits = caster.cast(origins, directions)
    inside = hits.face >= 0
    distance = np.where(inside, hits.distance, 0)
    return hits, origins + directions * distance[:, None], inside


def _directed(
    normal: np.ndarray, right: np.ndarray, down: np.ndarray, toward: np.ndarray
) -> Float32[np.ndarray, " n"]:
    light = -0.45 * right - 0.8 * down + 0.55 * toward
    light /= np.linalg.norm(light)
    lambert = np.maximum(normal @ light.astype(np.float32), 0)
    return (1 - _LAMBERT + _LAMBERT * np.minimum(lambert * 1.25, 1)).astype(np.float32)


def _line_shade(
    points: np.ndarray, normal: np.ndarray, scale: float
) -> Float32[np.ndarray, " n"]:
    """Return the factor that darkens a line of about a pixel along voxel borders."""
    gap = np.abs(points - np.rint(points))
    gap[np.abs(normal) > 0.5] = 1  # the axis the face looks along has no line
    return np.where(gap.min(axis=1) * scale < 0.55, 1 - _LINE, 1).astype(np.float32)


def _sky(
    mesh: Mesh,
    frame: Frame,
    lens: _Lens,
    basis: _Basis,
    size: int,
    hits: Hits,
    points: np.ndarray,
) -> tuple[Float32[np.ndarray, "h w"], Float32[np.ndarray, "h w"]]:
    """Return how much light from everywhere reaches the object, and the ground.

    One test a pixel, for the middle sample.
    """
    _, down, toward = basis
    middle = (len(points) // size**2) // 2
    face = hits.face.reshape(size * size, -1)[:, middle]
    start = points.reshape(size * size, -1, 3)[:, middle].astype(np.float64)
    normal = hits.normal.reshape(size * size, -1, 3)[:, middle].astype(np.float64)
    inside = face >= 0
    # Where nothing is hit: the ground under the object, as far as shadows reach.
    shape = np.array(frame.shape, np.float64)
    upward = np.zeros(3)
    axis = int(np.abs(down).argmax())
    upward[axis] = -np.sign(down[axis])
    floor_at = 0.0 if upward[axis] > 0 else shape[axis]
    slope = float(toward @ upward)
    shadow = np.zeros(len(start), bool)
    if slope > 0.05:
        at = np.arange(size) + 0.5
        plane = lens.plane(at, at, basis).reshape(-1, 3)
        height = (plane[:, axis] - floor_at) * upward[axis]
        ground = plane - toward * (height / slope)[:, None]
        reach = _SKY_REACH * shape.max()
        near = ((ground > -reach) & (ground < shape + reach)).all(axis=1)
        shadow = ~inside & near
        start[shadow], normal[shadow] = ground[shadow], upward
    light = np.ones(len(start), np.float32)
    asked = np.flatnonzero(inside | shadow)
    light[asked] = _open_share(mesh, frame, start[asked], normal[asked])
    sky = np.where(inside, 1 - _CROWDED * (1 - light), 1)
    floor = np.where(shadow, 1 - _GROUND * (1 - light), 1)
    square = (size, size)
    return (
        sky.reshape(square).astype(np.float32),
        floor.reshape(square).astype(np.float32),
    )


def _open_share(
    mesh: Mesh, frame: Frame, start: np.ndarray, normal: np.ndarray
) -> Float32[np.ndarray, " n"]:
    """Return the cosine-weighted share of the half space that nothing near blocks."""
    scene = EmbreeScene()
    vertices = frame.grid_from_world(mesh.vertices).astype(np.float32)
    TriangleMesh(scene, vertices, mesh.faces.astype(np.int32))
    reach = _SKY_REACH * max(frame.shape)
    begin = (start + normal * 0.02).astype(np.float32)
    free, total = np.zeros(len(start)), np.zeros(len(start))
    for direction in _sphere(_SKY_RAYS):
        cosine = normal @ direction
        faced = np.flatnonzero(cosine > 0.05)
        if not len(faced):
            continue
        rays = np.broadcast_to(direction, (len(faced), 3)).astype(np.float32)
        distance = scene.run(begin[faced], rays, query="DISTANCE")
        fade = np.clip(distance / reach, 0, 1) ** 0.5
        total[faced] += cosine[faced]
        free[faced] += cosine[faced] * fade
    # Steps of one voxel are everywhere; they should not gray the whole surface.
    return np.minimum(1.18 * free / np.maximum(total, 1e-9), 1).astype(np.float32)


def _sphere(count: int) -> np.ndarray:
    """Return directions spread evenly: a Fibonacci lattice."""
    at = np.arange(count) + 0.5
    height = 1 - 2 * at / count
    turn = at * math.pi * (3 - math.sqrt(5))
    radius = np.sqrt(1 - height**2)
    return np.stack([radius * np.cos(turn), height, radius * np.sin(turn)], axis=1)
