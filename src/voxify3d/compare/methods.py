"""METHODS: what can be compared, by name; each turns a mesh into a mesh of cubes."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from voxify3d.config import DEFAULT, PRESETS
from voxify3d.types import Direction, Mesh


@dataclass(frozen=True, slots=True)
class Task:
    """What every method is asked for.

    Attributes:
        size: Voxels along the longest side.
        colors: Most colors.
        front: Direction the object's face points to.
        seed: Of everything random.
    """

    size: int = DEFAULT.size
    colors: int = DEFAULT.colors
    front: Direction = DEFAULT.front
    seed: int = DEFAULT.seed


@dataclass(frozen=True, slots=True)
class Method:
    """A way to make voxel art.

    Attributes:
        summary: One line, for the page.
        make: The method; the result lies in the input's world frame.
    """

    summary: str
    make: Callable[[Mesh, Task], Mesh]


def _of_preset(name: str) -> Callable[[Mesh, Task], Mesh]:
    def make(mesh: Mesh, task: Task) -> Mesh:
        from voxify3d.pipeline import voxelize
        from voxify3d.voxels.surface import mesh_from_voxels

        config = replace(
            PRESETS[name],
            size=task.size,
            colors=task.colors,
            front=task.front,
            seed=task.seed,
        )
        return mesh_from_voxels(voxelize(mesh, config))

    return make


def _plain(mesh: Mesh, task: Task) -> Mesh:
    from voxify3d.metrics.baselines import plain
    from voxify3d.voxels.surface import mesh_from_voxels

    return mesh_from_voxels(plain(mesh, task.size, task.colors, task.seed))


def _median(mesh: Mesh, task: Task) -> Mesh:
    from voxify3d.metrics.median import median
    from voxify3d.render.mesh import frame_of
    from voxify3d.voxels.surface import mesh_from_voxels

    frame = frame_of(mesh, task.size, task.front)
    return mesh_from_voxels(median(mesh, frame, task.colors, task.seed))


def _blender(mesh: Mesh, task: Task) -> Mesh:
    from voxify3d.metrics.blender import blender

    return blender(mesh, task.size, task.colors, task.seed)


METHODS: dict[str, Method] = {
    "ours": Method("voxify3d, preset default", _of_preset("default")),
    **{name: Method(f"voxify3d, preset {name}", _of_preset(name)) for name in PRESETS},
    "plain": Method("trimesh voxelized + fill, closest color, K-means", _plain),
    "median": Method("median of four times finer voxels, K-means", _median),
    "blender": Method("Blender remesh in blocks, closest color, K-means", _blender),
}
"""Name → method. Every preset is one; "ours" is the default."""
