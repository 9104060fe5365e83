""".off and more, through trimesh → Mesh."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from voxify3d.color.spaces import linear_from_srgb
from voxify3d.errors import MeshError
from voxify3d.mesh.build import Piece, mesh_from_pieces
from voxify3d.mesh.files import read_bytes
from voxify3d.mesh.image import TextureShelf
from voxify3d.mesh.settings import LoadConfig
from voxify3d.types import Material, Mesh


def read_with_trimesh(path: Path, config: LoadConfig, shelf: TextureShelf) -> Mesh:
    """Read a file of one plain mesh: .off.

    Vertex and face colors are sRGB bytes, as is the custom of these formats.

    Args:
        path: The file.
        config: No meaning here.
        shelf: No meaning here; these formats are read without textures.

    Raises:
        MeshError: The file cannot be read, or holds no faces.
    """
    del config, shelf
    import trimesh  # half a second that other formats need not wait for

    data = read_bytes(path)
    kind = path.suffix.lower().removeprefix(".")
    try:
        loaded = trimesh.load(io.BytesIO(data), file_type=kind, process=False)
    except Exception as error:  # trimesh raises whatever it stumbles on
        raise MeshError(
            f"{path.name}: cannot be read as {path.suffix} "
            f"({type(error).__name__}: {str(error)[:80]}). Check the suffix, or export "
            "it again."
        ) from error
    if not isinstance(loaded, trimesh.Trimesh):
        raise MeshError(
            f"{path.name}: no faces (it holds a {type(loaded).__name__}). Point clouds "
            "and lines are not supported; mesh it first."
        )
    faces = np.asarray(loaded.faces, np.int64).reshape(-1, 3)
    vertices = np.array(loaded.vertices, np.float64).reshape(-1, 3)
    if faces.size and (faces.max() >= len(vertices) or faces.min() < 0):
        raise MeshError(
            f"{path.name}: a face uses vertex {faces.max():,} of {len(vertices):,}. "
            "The file is damaged; re-export it."
        )
    color = _corner_colors(loaded.visual, faces)
    piece = Piece(vertices, faces, np.zeros(len(faces), np.int32), None, color)
    return mesh_from_pieces([piece], [Material()], name=path.stem, source=path.name)


def _corner_colors(
    visual: Any,  # noqa: ANN401
    faces: np.ndarray,
) -> Float32[np.ndarray, "f 3 4"] | None:
    kind = getattr(visual, "kind", None)
    if kind == "vertex":
        stored = np.asarray(visual.vertex_colors)[faces]
    elif kind == "face":
        stored = np.repeat(np.asarray(visual.face_colors)[:, None], 3, axis=1)
    else:
        return None
    if (stored == 255).all():
        return None
    rgba = (stored / 255.0).astype(np.float32)
    rgba[..., :3] = linear_from_srgb(rgba[..., :3])
    return rgba
