"""render_mesh: Mesh → six Renders, the targets of everything that follows."""

from itertools import product

import numpy as np
from jaxtyping import Float64

from voxify3d.render.cast import Caster
from voxify3d.render.views import default_up, six_views
from voxify3d.types import Direction, Frame, Mesh, Render, View, sign_of

_RAYS_PER_CALL = 1 << 20
"""Bounds memory: about 200 bytes a ray."""
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
    caster: Caster, frame: Frame, view: View, samples: int, *, scattered: bool = False
) -> Render:
    """Render one view, `samples` × `samples` rays a cell; see `render_mesh`."""
    axis = view.axis
    others = [i for i in range(3) if i != axis]
    a, b = (frame.shape[i] for i in others)
    offsets = scattered_offsets(samples) if scattered else sample_offsets(samples)
    count = len(offsets)
    total = a * b * count
    rgb = np.zeros((total, 3), np.float32)
    depth = np.full(total, np.inf, np.float32)
    normal = np.zeros((total, 3), np.float32)
    face = np.full(total, -1, np.int64)
    # Rays start one voxel outside the grid, on the eye's side.
    outside = frame.shape[axis] + 1.0 if sign_of(view.toward) > 0 else -1.0
    direction = np.zeros(3, np.float32)
    direction[axis] = -sign_of(view.toward)
    for first in range(0, total, _RAYS_PER_CALL):
        ray = np.arange(first, min(first + _RAYS_PER_CALL, total))
        cell, sample = np.divmod(ray, count)
        origins = np.empty((len(ray), 3), np.float32)
        origins[:, others[0]] = cell // b + offsets[sample, 0]
        origins[:, others[1]] = cell % b + offsets[sample, 1]
        origins[:, axis] = outside
        hits = caster.cast(origins, np.broadcast_to(direction, origins.shape))
        rgb[ray], normal[ray], face[ray] = hits.rgb, hits.normal, hits.face
        depth[ray] = np.maximum(hits.distance - 1, 0)
    part = np.where(face >= 0, caster.mesh.part[face], -1)
    return Render(
        view=view,
        rgb=rgb.reshape(a, b, count, 3),
        hit=(face >= 0).reshape(a, b, count),
        depth=depth.reshape(a, b, count),
        normal=normal.reshape(a, b, count, 3),
        part=part.reshape(a, b, count),
    )


def render_mesh(
    mesh: Mesh, frame: Frame, samples: int = 8, *, scattered: bool = False
) -> tuple[Render, ...]:
    """Render the six views of a mesh on a grid, unlit.

    Args:
        mesh: In the world frame.
        frame: The grid; its front decides which view is called front.
        samples: Rays along each side of a cell.
        scattered: Place rays to measure shares, by `scattered_offsets`, and not as
            the pixels of a picture.

    Returns:
        One Render a view, in the order of `six_views`.
    """
    caster = Caster(mesh, frame)
    return tuple(
        render_view(caster, frame, view, samples, scattered=scattered)
        for view in six_views(frame.front, frame.up)
    )
