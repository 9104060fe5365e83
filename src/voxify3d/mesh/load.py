"""Any mesh file → Mesh; the suffix chooses the reader."""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np

from voxify3d.errors import MeshError
from voxify3d.mesh.archive import read_zip
from voxify3d.mesh.assimp import read_with_assimp
from voxify3d.mesh.files import read_bytes
from voxify3d.mesh.gltf import read_gltf
from voxify3d.mesh.obj import read_obj
from voxify3d.mesh.other import read_with_trimesh
from voxify3d.mesh.ply import read_ply
from voxify3d.mesh.stl import read_stl
from voxify3d.mesh.threemf import read_3mf
from voxify3d.types import Mesh

READERS: dict[str, Callable[..., Mesh]] = {
    ".glb": read_gltf,
    ".gltf": read_gltf,
    ".vrm": read_gltf,
    ".obj": read_obj,
    ".ply": read_ply,
    ".stl": read_stl,
    ".off": read_with_trimesh,
    ".3mf": read_3mf,
    ".fbx": read_with_assimp,
    ".dae": read_with_assimp,
    ".3ds": read_with_assimp,
}
"""Suffix → function(path, *, allow_missing_textures)."""


def load_mesh(path: str | Path, *, allow_missing_textures: bool = False) -> Mesh:
    """Read a mesh file, posed and in its own world frame.

    Args:
        path: The file; see `READERS` for the suffixes.
        allow_missing_textures: Where a texture is missing or broken, go on with the
            material's plain color and say so in `Mesh.notes`.

    Raises:
        MeshError: The file cannot be read, or there is nothing in it to voxelize.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if path.is_dir() or not path.exists():
        read_bytes(path)  # says which of the two it is
    if suffix not in READERS and suffix != ".zip":
        raise MeshError(
            f"{path.name}: suffix {path.suffix or '(none)'} is not supported, expected "
            f"one of {', '.join(READERS)}, .zip. Export it as .glb."
        )
    try:
        # What is not finite is counted and refused at the end; no need to warn before.
        with np.errstate(all="ignore"):
            if suffix == ".zip":
                return read_zip(
                    path, READERS, allow_missing_textures=allow_missing_textures
                )
            return READERS[suffix](path, allow_missing_textures=allow_missing_textures)
    except (
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
        ArithmeticError,
        RecursionError,
        MemoryError,
        struct.error,
    ) as error:
        # What a damaged file makes of a reader that takes it at its word.
        detail = " ".join(f"{type(error).__name__}: {error}".split())[:120]
        raise MeshError(
            f"{path.name}: is damaged or not valid ({detail}). Re-export it."
        ) from error
