"""Stanford .ply, as text or binary → Mesh."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Float64, Int

from voxify3d.color.spaces import linear_from_srgb
from voxify3d.errors import MeshError
from voxify3d.mesh.build import Piece, mesh_from_pieces
from voxify3d.mesh.files import read_bytes
from voxify3d.mesh.image import TextureShelf
from voxify3d.mesh.polygons import triangulated
from voxify3d.mesh.settings import LoadConfig
from voxify3d.types import Material, Mesh

_TYPES = {
    "char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1",
    "short": "i2", "int16": "i2", "ushort": "u2", "uint16": "u2",
    "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4",
    "float": "f4", "float32": "f4", "double": "f8", "float64": "f8",
}  # fmt: skip
_FORMATS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}
_MAX_HEADER = 1 << 20
_COLORS = (("red", "green", "blue"), ("diffuse_red", "diffuse_green", "diffuse_blue"))
_COORDINATES = (("s", "t"), ("u", "v"), ("texture_u", "texture_v"))


_Lists = np.ndarray | list[np.ndarray]
"""One array if all lists are of one length."""


@dataclass(frozen=True, slots=True)
class _Property:
    """A number of a row, or, with `length`, a list of them."""

    name: str
    kind: str
    length: str | None = None


@dataclass(frozen=True, slots=True)
class _Element:
    name: str
    count: int
    properties: tuple[_Property, ...]


@dataclass(frozen=True, slots=True)
class _Table:
    """An element's columns: arrays (n,) for numbers, lists of arrays for lists."""

    kinds: dict[str, str]
    columns: dict[str, np.ndarray]
    lists: dict[str, _Lists]


def read_ply(path: Path, config: LoadConfig, shelf: TextureShelf) -> Mesh:
    """Read a .ply file with vertex or face colors, or a texture.

    Colors are sRGB, as is the custom of the format.

    Args:
        path: The file.
        config: No meaning here.
        shelf: Reads the texture, white where it is missing.

    Raises:
        MeshError: The file cannot be read, or holds no faces.
    """
    del config
    source = path.name
    data = read_bytes(path)
    order, elements, textures, start = _header(data, source)
    tables = _tables(data[start:], order, elements, source)
    vertex, face = tables.get("vertex"), tables.get("face")
    if vertex is None or not {"x", "y", "z"} <= vertex.columns.keys():
        raise MeshError(f"{source}: holds no vertices with x, y and z. Re-export it.")
    vertices = np.stack([vertex.columns[axis] for axis in "xyz"], axis=1)
    vertices = vertices.astype(np.float64)
    polygons: _Lists = []
    if face is not None:
        polygons = face.lists.get("vertex_indices", face.lists.get("vertex_index", []))
    flat = _flat(polygons).astype(np.int64)
    if flat.size and (flat.max() >= len(vertices) or flat.min() < 0):
        raise MeshError(
            f"{source}: a face uses vertex {flat.max():,} of {len(vertices):,}. The "
            "file is damaged; re-export it."
        )
    corner, polygon = triangulated(_sizes(polygons), vertices[flat])
    faces = flat[corner]

    texture = shelf.from_file(textures[0], is_uri=False) if textures else None
    shelf.close()
    uv = None
    if texture is not None:
        uv = _texture_coordinates(vertex, face, faces, corner)
    color = None
    if (rgba := _linear_colors(vertex)) is not None:
        color = rgba[faces]
    elif face is not None and (rgba := _linear_colors(face)) is not None:
        color = np.repeat(rgba[polygon][:, None], 3, axis=1)
    if color is not None and (color == 1).all():
        color = None
    material = Material(texture=texture if uv is not None else None)
    piece = Piece(vertices, faces, np.zeros(len(faces), np.int32), uv, color)
    return mesh_from_pieces(
        [piece], [material], name=path.stem, source=source, notes=shelf.notes
    )


def _header(data: bytes, source: str) -> tuple[str, list[_Element], list[str], int]:
    """Return byte order, elements, texture names, and where the rows start."""
    end = data.find(b"end_header", 0, _MAX_HEADER)
    if not data.startswith(b"ply") or end < 0:
        raise MeshError(
            f"{source}: cannot be read as .ply (it starts with {data[:8]!r} and has "
            f"{'no' if end < 0 else 'an'} end_header). Check the suffix."
        )
    start = data.find(b"\n", end) + 1 or len(data)
    order: str | None = None
    rows: list[tuple[str, int, list[_Property]]] = []
    textures: list[str] = []
    for line in data[:end].decode("utf-8", errors="replace").splitlines()[1:]:
        words = line.split()
        try:
            match words:
                case ["format", name, *_]:
                    order = _FORMATS[name]
                case ["element", name, count]:
                    rows.append((name, int(count), []))
                case ["property", "list", length, kind, name]:
                    rows[-1][2].append(_Property(name, _TYPES[kind], _TYPES[length]))
                case ["property", kind, name]:
                    rows[-1][2].append(_Property(name, _TYPES[kind]))
                case ["comment", word, *rest] if word.lower() == "texturefile":
                    textures.append(" ".join(rest))
        except (LookupError, ValueError) as error:
            raise MeshError(
                f"{source}: header line {line.strip()[:60]!r} cannot be read. "
                "Re-export it."
            ) from error
    if order is None:
        raise MeshError(f"{source}: its header names no format. Re-export it.")
    elements = [_Element(name, count, tuple(found)) for name, count, found in rows]
    return order, elements, textures, start


def _tables(
    body: bytes, order: str, elements: list[_Element], source: str
) -> dict[str, _Table]:
    tables = {}
    words = None
    if not order:
        try:
            words = np.array(body.split(), np.float64)
        except ValueError as error:
            raise MeshError(
                f"{source}: a row holds what is no number ({error}). Re-export it."
            ) from error
    at = 0
    for element in elements:
        left = (len(body) if words is None else len(words)) - at
        least = sum(
            np.dtype(p.length or p.kind).itemsize if words is None else 1
            for p in element.properties
        )
        if element.count < 0 or element.count * least > left:
            raise MeshError(
                f"{source}: claims {element.count:,} rows of {element.name}, which the "
                "file cannot hold. It is truncated; get it again."
            )
        if words is None:
            table, at = _binary_rows(body, at, order, element, source)
        else:
            table, at = _text_rows(words, at, element, source)
        tables.setdefault(element.name, table)
    return tables


def _binary_rows(
    body: bytes, at: int, order: str, element: _Element, source: str
) -> tuple[_Table, int]:
    lengths = []
    place = at
    if element.count:
        for entry in element.properties:
            if entry.length is not None:
                (number,) = _unpacked(body, place, order + entry.length, 1, source)
                place += np.dtype(entry.length).itemsize
                lengths.append(int(number))
                place += lengths[-1] * np.dtype(entry.kind).itemsize
            else:
                place += np.dtype(entry.kind).itemsize
    if place > len(body):
        return _binary_rows_one_by_one(body, at, order, element, source)
    # Nearly always all lists of a column are as long as the first.
    fields, known = [], iter(lengths or [0] * len(element.properties))
    for number, entry in enumerate(element.properties):
        if entry.length is None:
            fields.append((f"v{number}", order + entry.kind))
        else:
            fields.append((f"n{number}", order + entry.length))
            fields.append((f"v{number}", order + entry.kind, (max(next(known), 0),)))
    row = np.dtype(fields)
    end = at + element.count * row.itemsize
    if end <= len(body):
        rows = np.frombuffer(body, row, element.count, at)
        if all(
            (rows[f"n{number}"] == rows[f"v{number}"].shape[1]).all()
            for number, entry in enumerate(element.properties)
            if entry.length is not None
        ):
            named = {
                entry.name: rows[f"v{number}"]
                for number, entry in enumerate(element.properties)
            }
            return _table(element, named), end
    return _binary_rows_one_by_one(body, at, order, element, source)


def _binary_rows_one_by_one(
    body: bytes, at: int, order: str, element: _Element, source: str
) -> tuple[_Table, int]:
    found: dict[str, list] = {entry.name: [] for entry in element.properties}
    for _ in range(element.count):
        for entry in element.properties:
            count = 1
            if entry.length is not None:
                (count,) = _unpacked(body, at, order + entry.length, 1, source)
                at += np.dtype(entry.length).itemsize
            values = _unpacked(body, at, order + entry.kind, int(count), source)
            at += len(values) * np.dtype(entry.kind).itemsize
            found[entry.name].append(values if entry.length else values[0])
    return _table(element, found), at


def _unpacked(body: bytes, at: int, kind: str, count: int, source: str) -> np.ndarray:
    dtype = np.dtype(kind)
    if count < 0 or at + count * dtype.itemsize > len(body):
        raise MeshError(
            f"{source}: ends in the middle of its rows ({len(body):,} bytes). It is "
            "truncated; get it again."
        )
    return np.frombuffer(body, dtype, count, at)


def _text_rows(
    words: Float64[np.ndarray, " n"], at: int, element: _Element, source: str
) -> tuple[_Table, int]:
    if all(entry.length is None for entry in element.properties):
        end = at + element.count * len(element.properties)
        rows = words[at:end].reshape(element.count, len(element.properties))
        named = {e.name: rows[:, i] for i, e in enumerate(element.properties)}
        return _table(element, named), end
    found: dict[str, list] = {entry.name: [] for entry in element.properties}
    for _ in range(element.count):
        for entry in element.properties:
            count = 1
            if entry.length is not None:
                count = int(words[at]) if at < len(words) else 0
                at += 1
            values = words[at : at + max(count, 0)]
            if len(values) != count:
                raise MeshError(
                    f"{source}: ends in the middle of its rows ({len(words):,} "
                    "numbers). It is truncated; get it again."
                )
            at += count
            found[entry.name].append(values if entry.length else values[0])
    return _table(element, found), at


def _table(element: _Element, named: dict[str, np.ndarray] | dict[str, list]) -> _Table:
    lists: dict[str, _Lists] = {
        e.name: named[e.name] for e in element.properties if e.length
    }
    columns = {
        e.name: np.asarray(named[e.name]) for e in element.properties if not e.length
    }
    return _Table({e.name: e.kind for e in element.properties}, columns, lists)


def _flat(polygons: _Lists) -> np.ndarray:
    if isinstance(polygons, np.ndarray):
        return polygons.reshape(-1)
    return np.concatenate(polygons) if len(polygons) else np.zeros(0, np.int64)


def _sizes(polygons: _Lists) -> Int[np.ndarray, " n"]:
    if isinstance(polygons, np.ndarray):
        return np.full(len(polygons), polygons.shape[1])
    return np.array([len(polygon) for polygon in polygons], np.int64)


def _linear_colors(table: _Table) -> Float32[np.ndarray, "n 4"] | None:
    for names in _COLORS:
        if all(name in table.columns for name in names):
            break
    else:
        return None
    rgba = np.ones((len(table.columns[names[0]]), 4), np.float32)
    for channel, name in enumerate((*names, "alpha")):
        if name in table.columns:
            kind = table.kinds[name]
            top = 1.0 if kind[0] == "f" else float(np.iinfo(kind).max)
            rgba[:, channel] = table.columns[name] / top
    rgba = np.clip(np.nan_to_num(rgba), 0, 1)
    rgba[:, :3] = linear_from_srgb(rgba[:, :3])
    return rgba


def _texture_coordinates(
    vertex: _Table,
    face: _Table | None,
    faces: Int[np.ndarray, "f 3"],
    corner: Int[np.ndarray, "f 3"],
) -> Float32[np.ndarray, "f 3 2"] | None:
    """Return coordinates of each face's corners, v down; .ply has v up."""
    uv = None
    for names in _COORDINATES:
        if all(name in vertex.columns for name in names):
            uv = np.stack([vertex.columns[name] for name in names], axis=1)[faces]
    if face is not None and len(face.lists.get("texcoord", ())):
        stored = _flat(face.lists["texcoord"]).reshape(-1, 2)
        if len(corner) and corner.max() < len(stored):
            uv = stored[corner]
    if uv is None:
        return None
    uv = uv.astype(np.float32)
    uv[..., 1] = 1 - uv[..., 1]
    return uv
