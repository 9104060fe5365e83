"""Small inputs for tests: random pixel art, and meshes put together from boxes."""

import numpy as np

from voxify3d.color.spaces import linear_from_srgb, oklab_from_bytes
from voxify3d.fit.coarse import Occupancy, coarse_occupancy
from voxify3d.mesh.coverage import Coverage, surface_coverage
from voxify3d.pixelart.pixelize import Picture, PixelArt, pixelize
from voxify3d.render.mesh import frame_of, render_mesh
from voxify3d.render.views import six_views
from voxify3d.types import Direction, Frame, Material, Mesh, Palette, View


def random_picture(view: View, shape, palette: Palette, rng, samples: int = 9):
    """Return a picture of noise: cells filled or not, of any depth and color."""
    a, b = (n for i, n in enumerate(shape) if i != view.axis)
    length = shape[view.axis]
    k, own = len(palette), rng.spawn(1)[0]
    coverage = rng.random((a, b)) * (rng.random((a, b)) < 0.8)
    hits = np.ceil(coverage * samples).astype(int)
    depths = rng.uniform(0, length, (a, b, 1)) + rng.normal(0, 0.3, (a, b, samples))
    depths = np.clip(depths, 0, length)
    depths[np.arange(samples) >= hits[..., None]] = np.inf
    depths = rng.permuted(depths, axis=-1).astype(np.float32)
    ordered = np.sort(depths, axis=-1)
    middle = np.maximum(hits - 1, 0) // 2
    depth = np.take_along_axis(ordered, middle[..., None], axis=-1)[..., 0]
    emphasis = rng.uniform(1, 3, (a, b)).astype(np.float32)
    cost = rng.uniform(0, 50, (a, b, k)).astype(np.float32) * emphasis[..., None]
    filled = coverage >= 0.4
    index = np.where(filled, cost.argmin(axis=-1), -1)
    return Picture(
        view=view,
        index=index,
        cost=cost * (hits > 0)[..., None],
        coverage=coverage.astype(np.float32),
        rescued=np.zeros((a, b), bool),
        depth=depth,
        depths=depths,
        lab=oklab_from_bytes(palette.rgb)[index].astype(np.float32),
        colors=own.normal(0.5, 0.2, (a, b, samples, 3)).astype(np.float32),
        held=own.random((a, b)) < 0.2,
        weight=float(rng.uniform(0.5, 3)),
        emphasis=emphasis,
    )


def random_art(shape, colors: int, seed: int, front: Direction = "+z") -> PixelArt:
    """Return six pictures that have nothing to do with one another."""
    rng = np.random.default_rng(seed)
    palette = Palette(rng.integers(0, 256, (colors, 3)).astype(np.uint8))
    up: Direction = "+z" if front[1] == "y" else "+y"
    pictures = [
        random_picture(view, shape, palette, rng) for view in six_views(front, up)
    ]
    return PixelArt(tuple(pictures), palette)


def first_stages(
    mesh: Mesh, size: int, colors: int, samples: int = 10
) -> tuple[Occupancy, PixelArt, Coverage]:
    """Return what comes before the polish."""
    frame = frame_of(mesh, size)
    art = pixelize(render_mesh(mesh, frame, samples), colors)
    coverage = surface_coverage(mesh, frame)
    return coarse_occupancy(coverage, art), art, coverage


def unit_frame(shape: tuple[int, int, int]) -> Frame:
    """Return a grid whose frame is the world."""
    return Frame((0.0, 0.0, 0.0), 1.0, shape)


def mesh_of(triangles, color=(0.8, 0.3, 0.2)) -> Mesh:
    """Return loose triangles of one sRGB color."""
    corners = np.asarray(triangles, np.float64).reshape(-1, 3)
    count = len(corners) // 3
    r, g, b = linear_from_srgb(np.array(color, np.float64)).tolist()
    return Mesh(
        vertices=corners,
        faces=np.arange(3 * count).reshape(-1, 3),
        material=np.zeros(count, np.int64),
        part=np.zeros(count, np.int64),
        materials=(Material("plain", (r, g, b, 1.0)),),
    )


def rod(start, end, width) -> Mesh:
    """A square rod between two points."""
    along = np.subtract(end, start) / np.linalg.norm(np.subtract(end, start))
    side = np.cross(along, (0.31, 0.12, 0.94))
    side *= width / 2 / np.linalg.norm(side)
    other = np.cross(along, side)
    ring = np.array([side + other, side - other, -side - other, other - side])
    low, high = ring + start, ring + end
    corners = [[low[0], low[1], low[2]], [low[0], low[2], low[3]]]
    corners += [[high[0], high[2], high[1]], [high[0], high[3], high[2]]]
    for i, j in ((0, 1), (1, 2), (2, 3), (3, 0)):
        corners += [[low[i], high[i], high[j]], [low[i], high[j], low[j]]]
    return mesh_of(corners, (0.1, 0.1, 0.8))


def joined(*meshes: Mesh) -> Mesh:
    """Return several meshes of plain materials as one, each a part of its own."""
    vertices, faces, material, materials = [], [], [], []
    points = 0
    for mesh in meshes:
        vertices.append(mesh.vertices)
        faces.append(mesh.faces + points)
        material.append(mesh.material + len(materials))
        materials += mesh.materials
        points += len(mesh.vertices)
    return Mesh(
        vertices=np.concatenate(vertices),
        faces=np.concatenate(faces),
        material=np.concatenate(material),
        part=np.repeat(np.arange(len(meshes)), [len(m.faces) for m in meshes]),
        materials=tuple(materials),
        name="joined",
    )


def turned(mesh: Mesh, rotation) -> Mesh:
    """Return a mesh with every position multiplied by a matrix."""
    return Mesh(
        vertices=mesh.vertices @ np.asarray(rotation, np.float64).T,
        faces=mesh.faces,
        material=mesh.material,
        part=mesh.part,
        materials=mesh.materials,
        uv=mesh.uv,
        color=mesh.color,
        name=mesh.name,
    )
