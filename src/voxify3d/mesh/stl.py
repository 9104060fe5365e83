"""Stereolithography .stl, as text or binary → Mesh."""

import re
import struct
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from voxify3d.errors import MeshError
from voxify3d.mesh.build import Piece, mesh_from_pieces
from voxify3d.mesh.files import read_bytes
from voxify3d.mesh.image import TextureShelf
from voxify3d.mesh.settings import LoadConfig
from voxify3d.types import Material, Mesh

_HEAD = 84
_ROW = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("flags", "<u2")])
_VERTEX = re.compile(rb"vertex\s+(\S+)\s+(\S+)\s+(\S+)", re.IGNORECASE)


def read_stl(path: Path, config: LoadConfig, shelf: TextureShelf) -> Mesh:
    """Read a .stl file; it has no colors, so the mesh is white.

    Args:
        path: The file.
        config: No meaning here.
        shelf: No meaning here; there are no textures.

    Raises:
        MeshError: The file cannot be read, or holds no faces.
    """
    del config, shelf
    data = read_bytes(path)
    corners = _corners(data, path.name)
    faces = np.arange(len(corners) * 3).reshape(-1, 3)
    piece = Piece(corners.reshape(-1, 3), faces, np.zeros(len(faces), np.int32))
    return mesh_from_pieces([piece], [Material()], name=path.stem, source=path.name)


def _corners(data: bytes, source: str) -> Float64[np.ndarray, "f 3 3"]:
    count = struct.unpack_from("<I", data, 80)[0] if len(data) >= _HEAD else 0
    size = _HEAD + count * _ROW.itemsize
    # Binary files may start with "solid" too: only their size tells.
    is_text = data[:1024].lstrip()[:5].lower() == b"solid" and b"facet" in data[:4096]
    if size == len(data) or (not is_text and count and size < len(data)):
        rows = np.frombuffer(data, _ROW, count, _HEAD)
        return rows["corners"].astype(np.float64)
    if not is_text:
        if data[:5].lower() == b"solid" or len(data) >= _HEAD:
            raise MeshError(
                f"{source}: cannot be read as .stl (a binary one of {count:,} faces "
                f"has {size:,} bytes, this one {len(data):,}). It is truncated, or "
                "another format; get it again."
            )
        raise MeshError(
            f"{source}: cannot be read as .stl ({len(data)} bytes that start with "
            f"{data[:8]!r}). Check the suffix."
        )
    try:
        numbers = np.array(_VERTEX.findall(data), np.float64).reshape(-1, 3)
    except ValueError as error:
        raise MeshError(
            f"{source}: a vertex is no number ({error}). Re-export it."
        ) from error
    if len(numbers) % 3 or b"endsolid" not in data[-4096:].lower():
        raise MeshError(
            f"{source}: ends in the middle of a face ({len(numbers):,} vertices). It "
            "is truncated; get it again."
        )
    return numbers.reshape(-1, 3, 3)
