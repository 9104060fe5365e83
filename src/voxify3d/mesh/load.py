"""Any mesh file → Mesh; the suffix chooses the reader."""

import contextlib
import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from voxify3d.errors import ConfigError, MeshError
from voxify3d.mesh.archive import unpacked
from voxify3d.mesh.assimp import read_with_assimp
from voxify3d.mesh.files import read_bytes
from voxify3d.mesh.gltf import read_gltf
from voxify3d.mesh.image import TextureShelf
from voxify3d.mesh.obj import read_obj
from voxify3d.mesh.orient import (
    front_in_world,
    rotation_from_angles,
    turned,
    upright_from_file,
)
from voxify3d.mesh.other import read_with_trimesh
from voxify3d.mesh.ply import read_ply
from voxify3d.mesh.settings import DEFAULT_LOAD, LoadConfig
from voxify3d.mesh.stl import read_stl
from voxify3d.mesh.threemf import read_3mf
from voxify3d.mesh.usd import read_usd
from voxify3d.types import Direction, Material, Mesh

Reader = Callable[[Path, LoadConfig, TextureShelf], Mesh]

READERS: dict[str, Reader] = {
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
    ".usd": read_usd,
    ".usda": read_usd,
    ".usdc": read_usd,
    ".usdz": read_usd,
}
"""Suffix → function that reads such a file, not yet turned upright."""

GLTF_SUFFIXES = (".glb", ".gltf", ".vrm")

Z_UP_SUFFIXES = (".stl", ".3mf")
"""Formats of printers, where +z is up; in all others it is +y."""


def load_mesh(
    path: str | Path,
    config: LoadConfig = DEFAULT_LOAD,
    *,
    allow_missing_textures: bool = False,
) -> Mesh:
    """Read a mesh file, posed and upright: +y is up in the world.

    Args:
        path: The file; see `READERS` for the suffixes.
        config: Pose, clip, variant and orientation.
        allow_missing_textures: Where a texture is missing or broken, go on with the
            material's plain color and say so in `Mesh.notes`. As in `config`.

    Raises:
        MeshError: The file cannot be read, or there is nothing in it to voxelize.
        ConfigError: `config` asks for what the file does not hold.
    """
    if allow_missing_textures:
        config = replace(config, allow_missing_textures=True)
    path = Path(path)
    with mesh_file(path) as inside:
        mesh, _ = read_mesh(inside, config)
        if inside != path:
            note = f"read {inside.name} of {path.name}"
            mesh = replace(mesh, notes=(note, *mesh.notes))
    return mesh


@contextlib.contextmanager
def mesh_file(path: Path) -> Iterator[Path]:
    """Give the file that holds the mesh: the path itself, or what a .zip has in it.

    Raises:
        MeshError: There is no such file, or its suffix is unknown.
    """
    suffix = path.suffix.lower()
    if path.is_dir() or not path.exists():
        read_bytes(path)  # says which of the two it is
    if suffix == ".zip":
        with unpacked(path, READERS) as inside:
            yield inside
    elif suffix in READERS:
        yield path
    else:
        raise MeshError(
            f"{path.name}: suffix {path.suffix or '(none)'} is not supported, expected "
            f"one of {', '.join(READERS)}, .zip. Export it as .glb."
        )


def read_mesh(path: Path, config: LoadConfig) -> tuple[Mesh, TextureShelf]:
    """Return the mesh of a file that is no archive, and the account of its textures.

    Raises:
        MeshError: The file cannot be read, or there is nothing in it to voxelize.
        ConfigError: `config` asks for what the file does not hold.
    """
    suffix = path.suffix.lower()
    _check_asked(config, suffix, path.name)
    shelf = TextureShelf(
        path.name, path.parent, allow_missing=config.allow_missing_textures
    )
    try:
        # What is not finite is counted and refused at the end; no need to warn before.
        with np.errstate(all="ignore"):
            mesh = READERS[suffix](path, config, shelf)
    except ConfigError:
        raise
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
    mesh = _with_cutoff(mesh, config.blend_cutoff)
    upright = upright_from_file(up_of(suffix, config))
    return turned(mesh, rotation_from_angles(config.rotate) @ upright), shelf


def _with_cutoff(mesh: Mesh, cutoff: float) -> Mesh:
    """Let what blends be solid from an opacity on, and say what never is.

    Of a mesh that has nothing but clear glass to show, the glass is solid.
    """
    used = [mesh.materials[number] for number in np.unique(mesh.material)]
    shown = [(material, most) for material in used if (most := _most_opacity(material))]
    clear = [
        (m, most) for m, most in shown if m.alpha_mode == "blend" and most < cutoff
    ]
    notes = mesh.notes
    if clear:
        names = ", ".join(f"{m.name or 'a material'} ({most:.2g})" for m, most in clear)
        if len(clear) < len(shown):
            note = (
                f"left out as clear glass: {names}; --blend-cutoff 0.01 makes it solid"
            )
        else:
            note = f"made solid, for all is clear glass: {names}"
            cutoff = min(most for _, most in clear) / 2
        notes = (*notes, note)
    materials = tuple(
        replace(m, alpha_cutoff=cutoff) if m.alpha_mode == "blend" else m
        for m in mesh.materials
    )
    return replace(mesh, materials=materials, notes=notes)


def _most_opacity(material: Material) -> float:
    """Return the opacity of a material where it is most opaque."""
    if material.alpha_mode == "opaque":
        return 1.0
    texture = material.texture
    most = 1.0 if texture is None else texture[..., 3].max() / 255
    return float(material.base_color[3] * most)


def up_of(suffix: str, config: LoadConfig) -> Direction:
    """Return which direction of a file's axes is up.

    Args:
        suffix: Of the mesh file, in lower case; that of the mesh inside a .zip.
        config: What the user says goes before the custom of the format.
    """
    if config.up is not None:
        return config.up
    return "+z" if suffix in Z_UP_SUFFIXES else "+y"


def front_of(path: Path, config: LoadConfig, front: Direction) -> Direction:
    """Return where a front that is named in the file's axes points to in the world.

    `config.rotate` turns the mesh under the front and does not change it.

    Args:
        path: The mesh file.
        config: How it is read.
        front: Direction in the file's axes; one along `up` stands for the default.
    """
    suffix = path.suffix.lower()
    if suffix == ".zip":
        with mesh_file(path) as inside:
            suffix = inside.suffix.lower()
    return front_in_world(front, up_of(suffix, config))


def _check_asked(config: LoadConfig, suffix: str, source: str) -> None:
    asked = {
        "--pose bind": config.pose == "bind",
        "--animation": config.animation is not None,
        "--variant": config.variant is not None,
    }
    for option, is_asked in asked.items():
        if is_asked and suffix not in GLTF_SUFFIXES:
            raise ConfigError(
                f"{source}: {option} is for glTF ({' '.join(GLTF_SUFFIXES)}); leave it "
                "out, or export the mesh as .glb"
            )
