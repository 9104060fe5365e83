"""render_mesh: Mesh → six Renders, the targets of everything that follows."""

from collections.abc import Iterator
from itertools import product

import numpy as np
from jaxtyping import Float32, Float64, Int

from voxify3d.render.cast import Caster
from voxify3d.render.rays import cell_rays
from voxify3d.render.views import default_up, six_views
from voxify3d.types import Direction, Frame, Mesh, Render, View

_RAYS_PER_CALL = 1 << 20
"""Bounds memory: about 200 bytes a ray."""
_MEASURING = 16
"""Rays along each side of a cell that tell how much of it is covered. A picture's rays
take an edge along an axis for a whole row of them."""
_GOLDEN = (5**0.5 - 1) / 2
"""Its multiples, less their whole parts, are spread evenly, however many there are."""


def frame_of(mesh: Mesh, size: int, front: Direction = "+z") -> Frame:
    """Return the grid that the mesh's box fills: `size` voxels along its longest side.

    The other sides get as many whole voxels as they need (at least one), with the
    box in their middle, so a symmetric mesh stays symmetric on the grid.

    Args:
        mesh: With an extent above zero.
        size: At least 1.
        front: Direction the object's face points to.
    """
    return frames_of(mesh, size, front)[0]


def frames_of(mesh: Mesh, size: int, front: Direction = "+z") -> list[Frame]:
    """Return the grids that hold the mesh's box in their middle, up to four.

    The first is that of `frame_of`. The others have one voxel more along some of the
    shorter sides, which moves the cells by half a voxel there.

    Args:
        mesh: With an extent above zero.
        size: At least 1.
        front: Direction the object's face points to.
    """
    low, high = mesh.bounds
    extent = high - low
    cell = float(extent.max()) / size
    least = np.maximum(np.ceil(extent / cell - 1e-4), 1).astype(int)
    frames = []
    for more in product(*[(0, 1) if side < size else (0,) for side in least]):
        shape = least + more
        origin = (low + high) / 2 - shape * cell / 2
        frames.append(
            Frame(
                origin=tuple(origin.tolist()),
                cell=cell,
                shape=tuple(shape.tolist()),
                front=front,
                up=default_up(front),
            )
        )
    return frames


def sample_offsets(samples: int) -> Float64[np.ndarray, "s 2"]:
    """Return the places of a cell's rays: a regular grid of `samples` × `samples`."""
    at = (np.arange(samples) + 0.5) / samples
    return np.stack(np.meshgrid(at, at, indexing="ij"), axis=-1).reshape(-1, 2)


def scattered_offsets(samples: int) -> Float64[np.ndarray, "s 2"]:
    """Return the places of rays that measure: one in each square of a regular grid.

    Not in their middles: an edge along an axis, as most of what people build has, would
    cover a cell in steps of a whole row of rays. Here two rays lie equally far along an
    axis, so that what the edge covers is exact to one ray; if `samples` is odd, but for
    the middle row. There is no chance in it, and mirror images see the same. As a
    picture, edges would look serrated.

    Reference:
        Chiu, Shirley, Wang 1994, "Multi-jittered sampling".
    """
    square = np.arange(samples)
    levels = np.arange((samples + 1) // 2)
    # Far apart in rows that are neighbors: a slanted edge must not follow them.
    order = (levels * _GOLDEN % 1).argsort().argsort()
    shift = (order + 0.5) / len(levels) - 0.5
    shift = shift[np.minimum(square, samples - 1 - square)]
    side = np.sign(samples - 1 - 2 * square)
    at = square[:, None] + 0.5 + side[:, None] * shift
    return np.stack([at, at.T], axis=-1).reshape(-1, 2) / samples


def render_view(
    caster: Caster,
    frame: Frame,
    view: View,
    samples: int,
    *,
    scattered: bool = False,
    perspective: bool = False,
) -> Render:
    """Render one view, `samples` × `samples` rays a cell; see `render_mesh`."""
    a, b = (n for i, n in enumerate(frame.shape) if i != view.axis)
    cells = np.stack(np.meshgrid(np.arange(a), np.arange(b), indexing="ij"), axis=-1)
    offsets = scattered_offsets(samples) if scattered else sample_offsets(samples)
    total = a * b * len(offsets)
    rgb = np.zeros((total, 3), np.float32)
    depth = np.full(total, np.inf, np.float32)
    normal = np.zeros((total, 3), np.float32)
    face = np.full(total, -1, np.int64)
    rays = _rays(frame, view, cells.reshape(-1, 2), offsets, perspective)
    for ray, origins, directions in rays:
        hits = caster.cast(origins, directions)
        rgb[ray], normal[ray], face[ray] = hits.rgb, hits.normal, hits.face
        slope = np.abs(directions[:, view.axis])
        depth[ray] = np.maximum((hits.distance - 1) * slope, 0)
    part = np.where(face >= 0, caster.mesh.part[face], -1)
    hit = (face >= 0).reshape(a, b, -1)
    coverage = hit.mean(axis=-1, dtype=np.float32)
    if not scattered:
        partly = (coverage > 0) & (coverage < 1)
        within = np.argwhere(partly)
        coverage[partly] = _coverage(caster, frame, view, within, perspective)
    return Render(
        view=view,
        rgb=rgb.reshape(*hit.shape, 3),
        hit=hit,
        depth=depth.reshape(hit.shape),
        normal=normal.reshape(*hit.shape, 3),
        part=part.reshape(hit.shape),
        coverage=coverage,
    )


def _coverage(
    caster: Caster,
    frame: Frame,
    view: View,
    cells: Int[np.ndarray, "n 2"],
    perspective: bool,
) -> Float32[np.ndarray, " n"]:
    """Return what share of each cell the mesh covers."""
    offsets = scattered_offsets(_MEASURING)
    hit = np.zeros(len(cells) * len(offsets), bool)
    for ray, origins, directions in _rays(frame, view, cells, offsets, perspective):
        hit[ray] = caster.meets(origins, directions)
    return hit.reshape(-1, len(offsets)).mean(axis=-1, dtype=np.float32)


def _rays(
    frame: Frame,
    view: View,
    cells: Int[np.ndarray, "n 2"],
    offsets: Float64[np.ndarray, "s 2"],
    perspective: bool,
) -> Iterator[tuple[slice, Float64[np.ndarray, "r 3"], Float64[np.ndarray, "r 3"]]]:
    """Return rays through cells, in pieces: which ones, their origins and directions.

    They start one voxel before the grid: the surface may lie in its face.
    """
    total = len(cells) * len(offsets)
    for first in range(0, total, _RAYS_PER_CALL):
        ray = slice(first, min(first + _RAYS_PER_CALL, total))
        cell, sample = np.divmod(np.arange(ray.start, ray.stop), len(offsets))
        place = cells[cell] + offsets[sample]
        origins, directions = cell_rays(
            frame.shape, view, place, perspective=perspective
        )
        yield ray, origins - directions, directions


def render_mesh(
    mesh: Mesh,
    frame: Frame,
    samples: int,
    *,
    scattered: bool = False,
    perspective: bool = False,
) -> tuple[Render, ...]:
    """Render the six views of a mesh on a grid, unlit.

    What covers a cell in part is measured by rays of its own, scattered as if
    `scattered` were set.

    Args:
        mesh: In the world frame.
        frame: The grid; its front decides which view is called front.
        samples: Rays along each side of a cell.
        scattered: Place rays to measure shares, by `scattered_offsets`, and not as
            the pixels of a picture.
        perspective: Look through an eye before the middle of each of the grid's faces.
            Depth still is along the view's axis, from that face.

    Returns:
        One Render a view, in the order of `six_views`.
    """
    caster = Caster(mesh, frame)
    return tuple(
        render_view(
            caster, frame, view, samples, scattered=scattered, perspective=perspective
        )
        for view in six_views(frame.front, frame.up)
    )
