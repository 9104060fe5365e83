"""Mesh → .glb, so that generated shapes can be stored and read back."""

import io
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int
from PIL import Image

from voxify3d.errors import ExportError
from voxify3d.types import Material, Mesh

_WRAPS = {"repeat": 10497, "clamp": 33071, "mirror": 33648}
_FILTERS = {"nearest": 9728, "linear": 9729}
_ARRAY, _ELEMENTS = 34962, 34963


def save_glb(mesh: Mesh, path: str | Path) -> None:
    """Write a mesh as one .glb with its textures inside.

    Positions are stored as single precision around the box's center, which the node's
    translation puts back, so that large coordinates keep their precision.

    Raises:
        ExportError: The file cannot be written.
    """
    path = Path(path)
    data = glb_bytes(mesh)
    try:
        path.write_bytes(data)
    except OSError as error:
        raise ExportError(f"{path}: cannot be written ({error.strerror}).") from error


def glb_bytes(mesh: Mesh) -> bytes:
    """Return the content of `save_glb`'s file."""
    writer = _Writer()
    center = mesh.bounds.mean(axis=0)
    images: dict[int, int] = {}
    materials = [writer.material(material, images) for material in mesh.materials]
    primitives = [
        writer.primitive(mesh, np.flatnonzero(mesh.material == number), center, number)
        for number in np.unique(mesh.material).tolist()
    ]
    node = {"mesh": 0, "name": mesh.name, "translation": center.tolist()}
    document = {
        "asset": {"version": "2.0", "generator": "voxify3d"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [node],
        "meshes": [{"name": mesh.name, "primitives": primitives}],
        "materials": materials,
        **writer.document,
        "buffers": [{"byteLength": len(writer.binary)}],
    }
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text
    chunks += struct.pack("<I4s", len(writer.binary), b"BIN\0") + bytes(writer.binary)
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


class _Writer:
    """A glTF document that grows; every array goes into one buffer."""

    def __init__(self) -> None:
        self.binary = bytearray()
        self.document: dict[str, list[dict[str, Any]]] = {}

    def primitive(
        self, mesh: Mesh, faces: Int[np.ndarray, " n"], center: np.ndarray, number: int
    ) -> dict[str, Any]:
        corners = mesh.faces[faces].reshape(-1)
        columns = {
            "POSITION": (mesh.vertices[corners] - center).astype(np.float32),
        }
        if mesh.uv is not None:
            columns["TEXCOORD_0"] = mesh.uv[faces].reshape(-1, 2)
        if mesh.color is not None:
            columns["COLOR_0"] = mesh.color[faces].reshape(-1, 4)
        rows = np.ascontiguousarray(np.concatenate(list(columns.values()), axis=1))
        keys = rows.view(np.dtype((np.void, rows.strides[0])))[:, 0]
        _, first, index = np.unique(keys, return_index=True, return_inverse=True)
        return {
            "attributes": {
                name: self._accessor(array[first], _ARRAY)
                for name, array in columns.items()
            },
            "indices": self._accessor(index.astype(np.uint32)[:, None], _ELEMENTS),
            "material": number,
        }

    def material(self, material: Material, images: dict[int, int]) -> dict[str, Any]:
        rough: dict[str, Any] = {
            "baseColorFactor": list(material.base_color),
            "metallicFactor": 0.0,
        }
        if material.texture is not None:
            key = id(material.texture)
            if key not in images:
                images[key] = self._image(material.texture)
            wrap = material.wrap
            sampler = {
                "magFilter": _FILTERS[material.filter],
                "wrapS": _WRAPS[wrap[0]],
                "wrapT": _WRAPS[wrap[1]],
            }
            texture = {
                "sampler": self._add("samplers", sampler),
                "source": images[key],
            }
            rough["baseColorTexture"] = {"index": self._add("textures", texture)}
        info: dict[str, Any] = {"name": material.name, "pbrMetallicRoughness": rough}
        if material.alpha_mode != "opaque":
            info["alphaMode"] = material.alpha_mode.upper()
        if material.alpha_mode == "mask":
            info["alphaCutoff"] = material.alpha_cutoff
        return info

    def _image(self, texture: np.ndarray) -> int:
        buffer = io.BytesIO()
        Image.fromarray(texture, "RGBA").save(buffer, "PNG")
        view = self._view(buffer.getvalue())
        return self._add("images", {"bufferView": view, "mimeType": "image/png"})

    def _accessor(self, array: np.ndarray, target: int) -> int:
        kinds = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4"}
        info: dict[str, Any] = {
            "bufferView": self._view(np.ascontiguousarray(array).tobytes(), target),
            "componentType": 5126 if array.dtype == np.float32 else 5125,
            "count": len(array),
            "type": kinds[array.shape[1]],
        }
        if array.shape[1] == 3:
            info["min"] = array.min(axis=0).tolist()
            info["max"] = array.max(axis=0).tolist()
        return self._add("accessors", info)

    def _view(self, data: bytes, target: int | None = None) -> int:
        info = {"buffer": 0, "byteOffset": len(self.binary), "byteLength": len(data)}
        if target is not None:
            info["target"] = target
        self.binary += data + b"\0" * (-len(data) % 4)
        return self._add("bufferViews", info)

    def _add(self, kind: str, info: dict[str, Any]) -> int:
        entries = self.document.setdefault(kind, [])
        entries.append(info)
        return len(entries) - 1
