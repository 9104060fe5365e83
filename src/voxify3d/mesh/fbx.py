"""What assimp does not hand out of a binary .fbx: its pictures and its skins.

A file is a tree of records: where the record ends, its values, then the records in it.
Nothing is believed before its end has been compared with the end of what holds it.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import numpy as np
from jaxtyping import Float64, Int

_MAGIC = b"Kaydara FBX Binary  \0\x1a\0"
_MAX_RECORDS = 1_000_000

_Record = tuple[str, int, int, int]
"""Name, place of the values, place of what is in it, end."""


def embedded_images(data: bytes) -> dict[str, bytes]:
    """Return the pictures in an .fbx by the file name they had, in lower case.

    Damaged records are left out, and so are the pictures of text files.
    """
    found: dict[str, bytes] = {}
    for kind, _, first, last in _within(data, "Objects"):
        if kind == "Video":
            found |= _video(data, first, last, _is_wide(data))
    return found


@dataclass(slots=True)
class Cluster:
    """The vertices that follow one bone.

    Attributes:
        bone: Name of its node.
        bone_from_mesh: Where the mesh was, seen from the bone, when they were bound.
        index: Vertices.
        weight: How much each follows.
    """

    bone: str
    bone_from_mesh: Float64[np.ndarray, "4 4"]
    index: Int[np.ndarray, " n"]
    weight: Float64[np.ndarray, " n"]


@dataclass(slots=True)
class Skin:
    """A mesh that follows bones.

    Attributes:
        points: Vertices as stored.
        clusters: One a bone.
    """

    points: Float64[np.ndarray, "v 3"]
    clusters: list[Cluster] = field(default_factory=list)


def skins(data: bytes) -> dict[str, Skin]:
    """Return the skins in an .fbx by the name of the node that holds their mesh.

    Those that are damaged, or whose names are not theirs alone, are left out, and so
    are those of text files.
    """
    wide = _is_wide(data)
    objects: dict[int, _Object] = {}
    for kind, values, first, last in _within(data, "Objects"):
        if kind in ("Geometry", "Model", "Deformer"):
            number, name = _identity(data, values, first)
            objects[number] = _Object(kind, name, first, last)
    above: dict[int, list[int]] = {}
    below: dict[int, list[int]] = {}
    for _, values, end, _ in _within(data, "Connections"):
        child, parent = _connection(data, values, end)
        above.setdefault(child, []).append(parent)
        below.setdefault(parent, []).append(child)
    names = [entry.name for entry in objects.values() if entry.kind == "Model"]
    found: dict[str, Skin] = {}
    for number, entry in objects.items():
        if entry.kind != "Geometry":
            continue
        holders = [objects[up] for up in above.get(number, []) if up in objects]
        clusters = [
            (cluster, below.get(cluster, []))
            for skin in below.get(number, [])
            for cluster in below.get(skin, [])
            if cluster in objects and objects[cluster].kind == "Deformer"
        ]
        if not clusters or [holder.kind for holder in holders] != ["Model"]:
            continue
        points = _arrays(data, entry, wide).get("Vertices", np.zeros(0))
        skin = Skin(points[: len(points) // 3 * 3].reshape(-1, 3).astype(np.float64))
        for cluster, under in clusters:
            bones = [objects[k].name for k in under if k in objects]
            arrays = _arrays(data, objects[cluster], wide)
            index = arrays.get("Indexes", np.zeros(0)).astype(np.int64)
            weight = arrays.get("Weights", np.zeros(0)).astype(np.float64)
            matrix = arrays.get("Transform", np.zeros(0))
            if not len(index):
                continue
            if len(bones) != 1 or len(index) != len(weight) or matrix.size != 16:
                break
            if index.min() < 0 or index.max() >= len(skin.points):
                break
            place = matrix.reshape(4, 4).T.astype(np.float64)  # stored by columns
            skin.clusters.append(Cluster(bones[0], place, index, weight))
        else:
            used = [holders[0].name, *(cluster.bone for cluster in skin.clusters)]
            if all(names.count(name) == 1 for name in used):
                found[holders[0].name] = skin
    return found


def posed(
    skin: Skin,
    vertices: Float64[np.ndarray, "n 3"],
    worlds: dict[str, Float64[np.ndarray, "4 4"]],
) -> Float64[np.ndarray, "n 3"] | None:
    """Return vertices where the bones have them, or None where that is not known.

    Args:
        skin: Of the mesh.
        vertices: Of the mesh, in any order, as often as faces use them.
        worlds: Matrices of the nodes by name.
    """
    # Vertices find their own among those of the skin by what is stored of them.
    stored, own = _rows(skin.points), _rows(vertices)
    order = np.argsort(stored)
    at = np.searchsorted(stored, own, sorter=order)
    at = order[np.minimum(at, len(order) - 1)] if len(order) else at
    known = {cluster.bone for cluster in skin.clusters} <= worlds.keys()
    if not known or not len(order) or (stored[at] != own).any():
        return None
    total = np.zeros(len(skin.points))
    moved = np.zeros_like(skin.points)
    for cluster in skin.clusters:
        matrix = worlds[cluster.bone] @ cluster.bone_from_mesh
        rest = skin.points[cluster.index]
        there = rest @ matrix[:3, :3].T + matrix[:3, 3]
        np.add.at(moved, cluster.index, there * cluster.weight[:, None])
        np.add.at(total, cluster.index, cluster.weight)
    if not (total[at] > 0).all():
        return None
    return moved[at] / total[at, None]


def _rows(points: Float64[np.ndarray, "n 3"]) -> np.ndarray:
    """Return one comparable value a point, in the single precision of assimp."""
    rows = np.ascontiguousarray(points, np.float32) + np.float32(0)  # no -0.0
    return rows.view(np.dtype((np.void, 12)))[:, 0]


@dataclass(slots=True)
class _Object:
    kind: str
    name: str
    start: int
    end: int


def _is_wide(data: bytes) -> bool:
    """Return whether sizes have 64 bits, which they do since version 7.5."""
    head = data[len(_MAGIC) : len(_MAGIC) + 4]
    return len(head) == 4 and struct.unpack("<I", head)[0] >= 7500


def _within(data: bytes, wanted: str) -> Iterator[_Record]:
    """Yield the records of a section of a binary file; none of a text file."""
    if not data.startswith(_MAGIC):
        return
    wide = _is_wide(data)
    for name, _, inner, end in _records(data, len(_MAGIC) + 4, len(data), wide):
        if name == wanted:
            yield from _records(data, inner, end, wide)


def _identity(data: bytes, place: int, end: int) -> tuple[int, str]:
    """Return the number and the name of an object; -1 if it has none."""
    if place + 9 > end or data[place : place + 1] != b"L":
        return -1, ""
    name = _bytes_at(data, place + 9, end).partition(b"\0\1")[0]
    return struct.unpack_from("<q", data, place + 1)[0], name.decode("utf-8", "replace")


def _connection(data: bytes, place: int, end: int) -> tuple[int, int]:
    """Return child and parent of a connection of two objects; -1 for others."""
    if _bytes_at(data, place, end) != b"OO" or place + 7 + 18 > end:
        return -1, -1
    child, parent = place + 7, place + 16
    if data[child : child + 1] != b"L" or data[parent : parent + 1] != b"L":
        return -1, -1
    return (
        struct.unpack_from("<q", data, child + 1)[0],
        struct.unpack_from("<q", data, parent + 1)[0],
    )


def _arrays(data: bytes, entry: _Object, is_wide: bool) -> dict[str, np.ndarray]:
    """Return the arrays right below an object, by name."""
    found = {}
    for name, values, inner, _ in _records(data, entry.start, entry.end, is_wide):
        array = _array_at(data, values, inner)
        if array is not None:
            found[name] = array
    return found


def _array_at(data: bytes, place: int, end: int) -> np.ndarray | None:
    kinds = {b"d": "<f8", b"f": "<f4", b"i": "<i4", b"l": "<i8"}
    kind = kinds.get(data[place : place + 1])
    if kind is None or place + 13 > end:
        return None
    count, encoding, length = struct.unpack_from("<III", data, place + 1)
    raw = data[place + 13 : min(place + 13 + length, end)]
    needed = count * np.dtype(kind).itemsize
    if encoding == 1 and needed <= 1100 * len(raw):  # deflate does no better
        try:
            raw = zlib.decompressobj().decompress(raw, needed)
        except zlib.error:
            return None
    elif encoding == 0:
        raw = data[place + 13 : min(place + 13 + needed, end)]
    return np.frombuffer(raw, kind) if len(raw) == needed else None


def file_name(reference: str) -> str:
    """Return the last part of a path of any system, in lower case."""
    return PurePosixPath(reference.replace("\\", "/")).name.casefold()


def _video(data: bytes, start: int, end: int, is_wide: bool) -> dict[str, bytes]:
    names, content = [], b""
    for name, values, inner, _ in _records(data, start, end, is_wide):
        if name in ("Filename", "RelativeFilename"):
            names.append(_bytes_at(data, values, inner).decode("utf-8", "replace"))
        elif name == "Content":
            content = _bytes_at(data, values, inner)
    return {file_name(name): content for name in names if name and content}


def _bytes_at(data: bytes, place: int, end: int) -> bytes:
    """Return a value that is text or raw bytes; nothing for other kinds."""
    if place + 5 > end or data[place : place + 1] not in (b"S", b"R"):
        return b""
    (length,) = struct.unpack_from("<I", data, place + 1)
    return data[place + 5 : place + 5 + length] if place + 5 + length <= end else b""


def _records(data: bytes, start: int, end: int, is_wide: bool) -> Iterator[_Record]:
    """Yield the records from a place on, until one does not fit."""
    head = struct.Struct("<QQQB" if is_wide else "<IIIB")
    for _ in range(_MAX_RECORDS):
        if start + head.size > end:
            return
        stop, _, length, name_length = head.unpack_from(data, start)
        values = start + head.size + name_length
        if stop <= start or stop > end or values + length > stop:
            return
        name = data[values - name_length : values].decode("ascii", "replace")
        yield name, values, values + length, stop
        start = stop
