"""glTF primitives: accessors or Draco data → triangles before any pose."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32, Float64, Int

from voxify3d.errors import MeshError
from voxify3d.mesh.accessors import unit_from_integers
from voxify3d.mesh.gltf_document import Document


@dataclass(frozen=True, slots=True)
class Primitive:
    """A primitive as stored, before any pose.

    Attributes:
        positions: Of the vertices, morph targets added.
        faces: Vertex numbers.
        uvs: Texture coordinates by the number of their set.
        color: COLOR_0, linear RGBA; None where it changes nothing.
        joints: Which joints each vertex follows, of all sets.
        weights: How much.
    """

    positions: Float64[np.ndarray, "v 3"]
    faces: Int[np.ndarray, "f 3"]
    uvs: dict[int, Float32[np.ndarray, "v 2"]]
    color: Float32[np.ndarray, "v 4"] | None
    joints: Int[np.ndarray, "v j"] | None
    weights: Float64[np.ndarray, "v j"] | None


def read_primitive(
    document: Document, info: dict[str, Any], targets: Sequence[float | int]
) -> Primitive | None:
    """Return a primitive with its morph targets at their weights.

    None stands for one that has no triangles, which is noted.
    """
    mode = info.get("mode", 4)
    if mode not in (4, 5, 6):
        document.notes.append("points and lines are ignored")
        return None
    attributes = info["attributes"]
    draco = info.get("extensions", {}).get("KHR_draco_mesh_compression")
    if draco is not None:
        indices, arrays = _draco(document, draco, attributes)
    elif "POSITION" not in attributes:
        document.notes.append("a primitive without positions is ignored")
        return None
    else:
        wanted = _wanted_attributes(attributes)
        arrays = {name: document.buffers.floats(attributes[name]) for name in wanted}
        indices = None
        if "indices" in info:
            indices = document.buffers.array(info["indices"])[:, 0].astype(np.int64)
    positions = arrays["POSITION"].astype(np.float64)
    count = len(positions)
    for name, array in arrays.items():
        if len(array) != count:
            raise MeshError(
                f"{document.source}: {name} has {len(array):,} entries for {count:,} "
                "vertices. Re-export it."
            )
    if indices is None:
        indices = np.arange(count)
    if len(indices) and indices.max() >= count:
        raise MeshError(
            f"{document.source}: a face uses vertex {indices.max():,} of {count:,}. "
            "The file is damaged; re-export it."
        )
    if targets:
        positions = _morphed(document, positions, info["targets"], targets)
    joints, weights = _influences(arrays)
    return Primitive(
        positions=positions,
        faces=_triangles(indices, mode),
        uvs={
            int(name[9:]): array[:, :2].astype(np.float32)
            for name, array in arrays.items()
            if name.startswith("TEXCOORD_") and name[9:].isdecimal()
        },
        color=_color(arrays.get("COLOR_0")),
        joints=joints,
        weights=weights,
    )


def _draco(
    document: Document, draco: dict[str, Any], attributes: dict[str, int]
) -> tuple[Int[np.ndarray, " i"], dict[str, np.ndarray]]:
    """Return the indices and the attributes of a Draco primitive."""
    import DracoPy

    try:
        decoded = DracoPy.decode(bytes(document.buffers.view(draco["bufferView"])))
    except (DracoPy.FileTypeException, RuntimeError, ValueError) as error:
        raise MeshError(
            f"{document.source}: its Draco data cannot be decoded ({error}). Re-export "
            "it without Draco."
        ) from error
    arrays = {}
    for name in _wanted_attributes(draco["attributes"]):
        found = decoded.get_attribute_by_unique_id(draco["attributes"][name])
        if found is None:
            raise MeshError(
                f"{document.source}: its Draco data lacks {name}. Re-export it."
            )
        array = np.asarray(found["data"])
        array = array.reshape(len(array), -1)
        if name in attributes:
            array = _as_declared(document, array, attributes[name])
        arrays[name] = array
    faces = np.asarray(getattr(decoded, "faces", np.zeros((0, 3))), np.int64)
    return faces.reshape(-1), arrays


def _as_declared(document: Document, array: np.ndarray, accessor: int) -> np.ndarray:
    """Return Draco's raw integers as their accessor declares them."""
    info = document.entry("accessors", accessor)
    if not info.get("normalized") or array.dtype.kind == "f":
        return array.astype(np.float64)
    narrow = {5120: np.int8, 5121: np.uint8, 5122: np.int16, 5123: np.uint16}
    return unit_from_integers(array.astype(narrow[info["componentType"]]))


def _morphed(
    document: Document,
    positions: Float64[np.ndarray, "v 3"],
    targets: Sequence[dict[str, int]],
    weights: Sequence[float | int],
) -> Float64[np.ndarray, "v 3"]:
    """Return positions with the morph targets added at their weights."""
    for target, weight in zip(targets, weights, strict=False):
        if weight and "POSITION" in target:
            offsets = document.buffers.floats(target["POSITION"])
            if offsets.shape != positions.shape:
                raise MeshError(
                    f"{document.source}: a morph target has {len(offsets):,} entries "
                    f"for {len(positions):,} vertices. Re-export it."
                )
            positions = positions + weight * offsets
    return positions


def _color(stored: np.ndarray | None) -> Float32[np.ndarray, "v 4"] | None:
    """Return COLOR_0 as linear RGBA, or None where it changes nothing."""
    if stored is None:
        return None
    color = np.ones((len(stored), 4), np.float32)
    width = min(stored.shape[1], 4)
    color[:, :width] = np.clip(np.nan_to_num(stored[:, :width]), 0, 1)
    return None if (color == 1).all() else color


def _triangles(indices: Int[np.ndarray, " i"], mode: int) -> Int[np.ndarray, "f 3"]:
    """Return triangles of a list (4), a strip (5) or a fan (6)."""
    if mode == 4:
        return indices[: len(indices) // 3 * 3].reshape(-1, 3)
    count = max(len(indices) - 2, 0)
    first = np.arange(count)
    if mode == 6:
        picks = np.stack([np.zeros(count, np.int64), first + 1, first + 2], axis=1)
    else:
        odd = first % 2
        picks = np.stack([first, first + 1 + odd, first + 2 - odd], axis=1)
    return indices[picks].reshape(-1, 3)


def _influences(
    arrays: dict[str, np.ndarray],
) -> tuple[Int[np.ndarray, "v j"] | None, Float64[np.ndarray, "v j"] | None]:
    """Return the joints and weights of all sets, side by side."""
    sets = [
        number
        for number in range(4)
        if f"JOINTS_{number}" in arrays and f"WEIGHTS_{number}" in arrays
    ]
    if not sets:
        return None, None
    joints = np.concatenate([arrays[f"JOINTS_{n}"] for n in sets], axis=1)
    weights = np.concatenate([arrays[f"WEIGHTS_{n}"] for n in sets], axis=1)
    return joints.astype(np.int64), weights.astype(np.float64)


def _wanted_attributes(attributes: dict[str, int]) -> list[str]:
    starts = ("POSITION", "TEXCOORD_", "COLOR_0", "JOINTS_", "WEIGHTS_")
    return [name for name in attributes if name.startswith(starts)]
