"""A result by its path: our files, or what another program made."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from voxify3d.errors import ConfigError, MeshError
from voxify3d.export import read_voxels
from voxify3d.export.vox import grid_from_vox, world_from_vox
from voxify3d.manifest import load_config_of
from voxify3d.mesh.emphasis import emphasized
from voxify3d.mesh.emphasis_settings import emphasis_of
from voxify3d.mesh.load import load_mesh
from voxify3d.mesh.settings import DEFAULT_LOAD, LoadConfig
from voxify3d.render.mesh import frame_of
from voxify3d.render.views import default_up
from voxify3d.types import Direction, Frame, Mesh, VoxelGrid
from voxify3d.voxels.surface import mesh_from_voxels


@dataclass(frozen=True, slots=True)
class Result:
    """Voxel art from a file.

    Attributes:
        mesh: Its surface, in the input's world frame.
        size: Voxels along the longest side; None when the file does not tell.
        front: The object's front; None when the file does not tell.
    """

    mesh: Mesh
    size: int | None = None
    front: Direction | None = None


def load_result(path: str | Path, mesh: Mesh, front: Direction = "+z") -> Result:
    """Return a result that belongs to a mesh.

    Args:
        path: `.vox` or `.glb` of ours, else any mesh file in the mesh's world frame.
            A `.vox` of another program has no world: its box is fitted to the mesh's.
        mesh: The input.
        front: Of the mesh; a foreign `.vox` faces there.

    Raises:
        MeshError: The file cannot be read.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix == ".vox":
        grid = grid_from_vox(path)
        if not grid.occupied.any():
            raise MeshError(f"{path}: holds no voxels; nothing to compare")
        if not _is_ours(grid):
            return _placed(grid, mesh, front)
    else:
        grid = _ours_in_glb(path) if suffix == ".glb" else None
        if grid is None:
            return Result(load_mesh(path))
    return Result(mesh_from_voxels(grid), grid.size, grid.frame.front)


def frame_for(
    mesh: Mesh, results: list[Result], size: int | None, front: Direction | None
) -> Frame:
    """Return the grid on which results are compared.

    Args:
        mesh: The input.
        results: Asked for what is None below; they must agree.
        size: Voxels along the longest side.
        front: Direction the object's face points to.

    Raises:
        ConfigError: No result tells the size, or two tell different ones.
    """
    sizes = {result.size for result in results if result.size is not None}
    if size is None and not sizes:
        raise ConfigError("no result tells its size; give --size N")
    if size is None and len(sizes) > 1:
        found = ", ".join(map(str, sorted(sizes)))
        raise ConfigError(f"results have different sizes ({found}); give --size N")
    fronts: list[Direction] = [r.front for r in results if r.front is not None]
    if front is None:
        front = fronts[0] if fronts else "+z"
    return frame_of(mesh, size or sizes.pop(), front)


def load_config_for(paths: Sequence[Path]) -> LoadConfig:
    """Return how the mesh was read that results were made from.

    A result lies in the world frame of its mesh, in the pose it had: it can only be
    judged against the mesh read the same way. Files that do not tell, or that cannot
    be read, have no say.

    Args:
        paths: Results of one mesh.

    Raises:
        ConfigError: Two results tell different ways, or one that is not known here.
    """
    found: dict[LoadConfig, Path] = {}
    is_bare = False
    for path in paths:
        manifest = _manifest_in(path)
        if manifest:
            load = load_config_of(manifest)
            is_bare |= load.allow_missing_textures
            found.setdefault(replace(load, allow_missing_textures=False), path)
    if len(found) > 1:
        (one, first), (other, second) = list(found.items())[:2]
        raise ConfigError(
            f"{first} and {second} were made of the mesh read differently "
            f"({_difference(one, other)}); judge them one by one"
        )
    load = next(iter(found), DEFAULT_LOAD)
    return replace(load, allow_missing_textures=is_bare)


def emphasis_for(paths: Sequence[Path]) -> tuple[str, Direction | None]:
    """Return which part of the mesh was made larger for results, and the front.

    A result can only be judged against the mesh in the proportions it was made of.
    Files that do not tell have no say.

    Args:
        paths: Results of one mesh.

    Returns:
        As in `VoxelizeConfig.emphasize`, and the front in the world; empty and None
        when nothing was.

    Raises:
        ConfigError: Two results tell different regions or factors.
    """
    found: dict[str, tuple[Path, Direction]] = {}
    for path in paths:
        settings = _manifest_in(path).get("settings")
        if isinstance(settings, dict):
            text = str(settings.get("emphasize") or "")
            found.setdefault(text, (path, read_voxels(path).frame.front))
    if len(found) > 1:
        (one, (first, _)), (other, (second, _)) = list(found.items())[:2]
        raise ConfigError(
            f"{first} and {second} were made of different proportions (--emphasize "
            f"{one or 'nothing'} and {other or 'nothing'}); judge them one by one"
        )
    for text, (_, front) in found.items():
        if text:
            return text, front
    return "", None


def emphasized_mesh(mesh: Mesh, text: str, front: Direction) -> Mesh:
    """Return the mesh in the proportions that `--emphasize` gives it.

    Args:
        mesh: As it was read.
        text: As in `VoxelizeConfig.emphasize`; empty leaves the mesh as it is.
        front: Direction the object's face points to, in the world.

    Raises:
        ConfigError: The mesh has no such region.
    """
    if not text:
        return mesh
    return emphasized(mesh, emphasis_of(text), front, default_up(front))


def _manifest_in(path: Path) -> dict[str, Any]:
    if path.suffix.lower() in (".vox", ".glb"):
        with contextlib.suppress(MeshError):
            return read_voxels(path).manifest
    return {}


def _difference(one: LoadConfig, other: LoadConfig) -> str:
    """Return the fields in which two differ, like `up +z and +y`."""
    return ", ".join(
        f"{name} {getattr(one, name)} and {getattr(other, name)}"
        for name in LoadConfig.__dataclass_fields__
        if getattr(one, name) != getattr(other, name)
    )


def _is_ours(grid: VoxelGrid) -> bool:
    """Return whether the grid came with its place in the world.

    `grid_from_vox` gives foreign files cells of 1 in the file's own axes.
    """
    frame = grid.frame
    foreign = frame.cell == 1 and (frame.front, frame.up) == ("-y", "+z")
    return not foreign or bool(grid.manifest)


def _ours_in_glb(path: Path) -> VoxelGrid | None:
    """Return the grid in a `.glb` of ours; None for other `.glb` files."""
    try:
        return read_voxels(path)
    except MeshError:
        return None


def _placed(grid: VoxelGrid, mesh: Mesh, front: Direction) -> Result:
    """Return a grid in MagicaVoxel's axes where the mesh is, with cubic voxels."""
    used = np.argwhere(grid.occupied)
    low, high = used.min(axis=0), used.max(axis=0) + 1
    index = grid.index[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    size = max(index.shape)
    aim = frame_of(mesh, size, front)
    index = np.ascontiguousarray(world_from_vox(index, aim))
    corner, opposite = mesh.bounds
    origin = (corner + opposite) / 2 - np.array(index.shape) * aim.cell / 2
    x, y, z = map(float, origin)
    frame = Frame((x, y, z), aim.cell, index.shape, aim.front, aim.up)
    placed = VoxelGrid(index, grid.palette, frame, grid.name)
    return Result(mesh_from_voxels(placed), size, front)
