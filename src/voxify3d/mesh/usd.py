""".usd, .usda, .usdc and .usdz, through usd-core → Mesh (the extra `usd`).

usd-core runs in a process of its own, see `apart.py`; `usd_stage.py` is what runs
there. The world is in meters, +y up, whatever the file's unit and axis are.
"""

import importlib.util
import io
import zipfile
from pathlib import Path
from typing import Any, Literal

import numpy as np

from voxify3d.color.spaces import srgb_from_linear
from voxify3d.errors import MeshError, MissingExtraError
from voxify3d.mesh.apart import parsed_apart
from voxify3d.mesh.archive import ZIP_ERRORS, check_packing
from voxify3d.mesh.build import Piece, mesh_from_pieces
from voxify3d.mesh.files import find_beside, read_bytes
from voxify3d.mesh.image import Texture, TextureShelf
from voxify3d.mesh.orient import upright_from_file
from voxify3d.mesh.settings import LoadConfig
from voxify3d.types import Material, Mesh

MAX_FACES = 16_000_000
"""Of all instances together."""


def read_usd(path: Path, config: LoadConfig, shelf: TextureShelf) -> Mesh:
    """Read a USD file: its meshes and instances, as they stand at the earliest time.

    Args:
        path: The file.
        config: With `up`, the file's own word on which way is up is not taken.
        shelf: Reads the textures; the plain color stands in for a missing one.

    Raises:
        MeshError: The file cannot be read, or holds no faces.
        MissingExtraError: usd-core is not installed.
    """
    read_bytes(path)
    if importlib.util.find_spec("pxr") is None:
        raise MissingExtraError(
            f"{path.name}: {path.suffix} files need usd-core: pip install "
            "'voxify3d[usd]', or export the mesh as .glb."
        )
    arrays, scene = parsed_apart("voxify3d.mesh.usd_stage", path, "usd-core")
    if "error" in scene:
        raise MeshError(f"{path.name}: {scene['error']}")
    notes = list(scene["notes"])
    materials = [_material(info, path, shelf, notes) for info in scene["materials"]]
    shelf.close()
    placed = list(zip(arrays["pieces"].tolist(), arrays["matrices"], strict=True))
    total = sum(len(arrays[f"faces{number}"]) for number, _ in placed)
    if total > MAX_FACES:
        raise MeshError(
            f"{path.name}: more than {MAX_FACES:,} faces. Decimate the mesh first."
        )
    turn = np.eye(3)
    if config.up is None and scene["up"] == "Z":
        turn = upright_from_file("+z")
    turn = turn * scene["meters"]
    pieces = [_piece(arrays, number, world, turn) for number, world in placed]
    return mesh_from_pieces(
        pieces,
        materials,
        name=path.stem,
        source=path.name,
        notes=[*notes, *shelf.notes],
    )


def _piece(
    arrays: dict[str, np.ndarray], number: int, world: np.ndarray, turn: np.ndarray
) -> Piece:
    points = arrays[f"vertices{number}"] @ world[:3, :3] + world[3, :3]
    faces, uv = arrays[f"faces{number}"], arrays.get(f"uv{number}")
    color = arrays.get(f"color{number}")
    if np.linalg.det(world[:3, :3]) < 0:
        faces = faces[:, ::-1]
        uv = None if uv is None else uv[:, ::-1]
        color = None if color is None else color[:, ::-1]
    return Piece(points @ turn.T, faces, arrays[f"material{number}"], uv, color)


def _material(
    info: dict[str, Any], path: Path, shelf: TextureShelf, notes: list[str]
) -> Material:
    if not info["known"]:
        notes.append(
            f"material {info['name']} has no UsdPreviewSurface, display color used"
        )
    texture = _texture(info["texture"], path, shelf)
    if texture is not None and info.get("raw"):
        texture = texture.copy()
        shown = srgb_from_linear(texture[..., :3] / 255.0)
        texture[..., :3] = np.round(255 * shown).astype(np.uint8)
    has_alpha = False
    if info["alpha"] is not None:
        place, channel = info["alpha"]
        texture = _with_alpha(texture, _texture(place, path, shelf), channel)
        has_alpha = texture is not None
    red, green, blue = np.clip(np.nan_to_num(info["color"]), 0, 1).tolist()
    opacity = min(max(float(info["opacity"]), 0.0), 1.0)
    mode: Literal["opaque", "mask", "blend"] = "opaque"
    if info["threshold"] > 0:
        mode = "mask"
    elif has_alpha or opacity < 1 or info["shows_display_color"]:
        mode = "blend"
    wrap_u, wrap_v = info["wrap"]
    return Material(
        name=info["name"],
        base_color=(red, green, blue, opacity),
        texture=texture,
        wrap=(wrap_u, wrap_v),
        alpha_mode=mode,
        alpha_cutoff=float(info["threshold"]) if mode == "mask" else 0.5,
    )


def _texture(
    place: list[str] | None, path: Path, shelf: TextureShelf
) -> Texture | None:
    """Return a texture that lies in a package, or in the file's folder."""
    if place is None:
        return None
    package, name = place
    if not package:
        return shelf.from_file(name, is_uri=False)
    return shelf.from_bytes(name, lambda: _member(path.parent, package, name))


def _member(folder: Path, package: str, name: str) -> bytes:
    """Return a file of a .usdz package.

    Raises:
        FileNotFoundError: There is none.
        MeshError: The package is damaged, or the file too large.
    """
    found = find_beside(folder, package, is_uri=False)
    if found is None:
        raise FileNotFoundError(package)
    try:
        with zipfile.ZipFile(io.BytesIO(read_bytes(found))) as opened:
            names = {entry.casefold(): entry for entry in opened.namelist()}
            entry = names.get(name.casefold())
            if entry is None:
                raise FileNotFoundError(name)
            check_packing(opened, opened.getinfo(entry), package)
            return opened.read(entry)
    except ZIP_ERRORS as error:
        raise MeshError(f"{name}: cannot be unpacked ({error}).") from error


def _with_alpha(
    color: Texture | None, alpha: Texture | None, channel: str
) -> Texture | None:
    """Return a texture with another one's channel as its alpha."""
    if alpha is None:
        return color
    opacity = alpha[..., "rgba".find(channel) if channel in "rgba" else 0]
    if color is None:
        color = np.full((*opacity.shape, 4), 255, np.uint8)
    if color.shape[:2] != opacity.shape:
        rows, columns = (
            np.arange(size) * old // size
            for size, old in zip(color.shape[:2], opacity.shape, strict=True)
        )
        opacity = opacity[np.ix_(rows, columns)]
    return np.concatenate([color[..., :3], opacity[..., None]], axis=-1)
