""".3mf → Mesh, in millimeters and Z up as the format has it."""

import io
import posixpath
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from jaxtyping import Float64

from voxify3d.color.spaces import linear_from_srgb
from voxify3d.errors import MeshError
from voxify3d.mesh.archive import ZIP_ERRORS, check_packing
from voxify3d.mesh.build import Piece, mesh_from_pieces
from voxify3d.mesh.files import read_bytes
from voxify3d.mesh.image import TextureShelf
from voxify3d.mesh.settings import LoadConfig
from voxify3d.types import Material, Mesh

MAX_BYTES = 1 << 30
"""Of one member, unpacked."""
_MAX_DEPTH = 64
_MAX_PLACED = 20_000

_Key = tuple[str, str]
"""Model file and id: ids are unique within one file."""


@dataclass(slots=True)
class _Model:
    """What the model files of a package hold."""

    objects: dict[_Key, ElementTree.Element] = field(default_factory=dict)
    colors: dict[_Key, np.ndarray] = field(default_factory=dict)
    coordinates: dict[_Key, tuple[np.ndarray, int]] = field(default_factory=dict)
    materials: list[Material] = field(default_factory=lambda: [Material()])
    items: list[tuple[_Key, np.ndarray]] = field(default_factory=list)
    placed: int = 0


def read_3mf(path: Path, config: LoadConfig, shelf: TextureShelf) -> Mesh:
    """Read a .3mf package: built objects, their base materials, colors and textures.

    Args:
        path: The file.
        config: No meaning here.
        shelf: Reads the textures, white where one is missing.

    Raises:
        MeshError: The file cannot be read, or builds no faces.
    """
    del config
    source = path.name
    try:
        with zipfile.ZipFile(io.BytesIO(read_bytes(path))) as package:
            model = _read_package(package, shelf, source)
    except ZIP_ERRORS as error:
        raise MeshError(
            f"{source}: cannot be read as .3mf ({error}). Check the suffix, or get it "
            "again."
        ) from error
    shelf.close()
    pieces: list[Piece] = []
    for key, matrix in model.items:
        _place(model, key, matrix, pieces, source, _MAX_DEPTH)
    return mesh_from_pieces(
        pieces, model.materials, name=path.stem, source=source, notes=shelf.notes
    )


def _read_package(package: zipfile.ZipFile, shelf: TextureShelf, source: str) -> _Model:
    model = _Model()
    root = "3D/3dmodel.model"
    if "_rels/.rels" in package.namelist():
        for relation in _xml(package, "_rels/.rels", source):
            if relation.get("Type", "").endswith("/3dmodel"):
                root = _member(relation.get("Target", root))
    waiting, seen = [root], set()
    while waiting:
        place = waiting.pop()
        if place in seen:
            continue
        seen.add(place)
        tree = _xml(package, place, source)
        _read_resources(package, tree, place, model, shelf, source)
        for component in tree.iterfind(f".//{_any('component')}"):
            waiting.append(_path_of(component, place))
        for item in tree.iterfind(f"{_any('build')}/{_any('item')}"):
            where = _path_of(item, place)
            waiting.append(where)
            if place == root:
                key = where, item.get("objectid", "")
                model.items.append((key, _matrix(item.get("transform"))))
    return model


def _read_resources(
    package: zipfile.ZipFile,
    tree: ElementTree.Element,
    place: str,
    model: _Model,
    shelf: TextureShelf,
    source: str,
) -> None:
    textures: dict[str, int] = {}
    for entry in tree.iterfind(f"{_any('resources')}/*"):
        kind, key = entry.tag.rpartition("}")[2], (place, entry.get("id", ""))
        if kind == "object":
            model.objects[key] = entry
        elif kind in ("basematerials", "colorgroup"):
            listed = [c.get("displaycolor", c.get("color", "#FFFFFF")) for c in entry]
            model.colors[key] = _colors(listed)
        elif kind == "texture2d":
            name = _member(entry.get("path", ""))
            image = shelf.from_bytes(name, lambda n=name: _bytes(package, n, source))
            textures[key[1]] = len(model.materials)
            model.materials.append(Material(name=name, texture=image))
        elif kind == "texture2dgroup":
            rows = [(float(c.get("u", 0)), 1 - float(c.get("v", 0))) for c in entry]
            uv = np.array(rows, np.float32).reshape(-1, 2)
            model.coordinates[key] = uv, textures.get(entry.get("texid", ""), 0)


def _place(
    model: _Model,
    key: _Key,
    matrix: Float64[np.ndarray, "4 4"],
    pieces: list[Piece],
    source: str,
    depth: int,
) -> None:
    """Add an object, or what it is composed of, where a matrix puts it."""
    model.placed += 1  # counted even without faces: doubling 64 times must end too
    if depth == 0 or model.placed > _MAX_PLACED:
        raise MeshError(
            f"{source}: object {key[1]} is composed of itself or of too many others. "
            "Re-export it."
        )
    if key not in model.objects:
        raise MeshError(
            f"{source}: object {key[1]} does not exist. The file is damaged; re-export "
            "it."
        )
    entry = model.objects[key]
    for component in entry.iterfind(f"{_any('components')}/{_any('component')}"):
        inner = _path_of(component, key[0]), component.get("objectid", "")
        moved = matrix @ _matrix(component.get("transform"))
        _place(model, inner, moved, pieces, source, depth - 1)
    mesh = entry.find(_any("mesh"))
    if mesh is not None:
        pieces.append(_piece(model, entry, mesh, key[0], matrix, source))


def _piece(
    model: _Model,
    entry: ElementTree.Element,
    mesh: ElementTree.Element,
    place: str,
    matrix: Float64[np.ndarray, "4 4"],
    source: str,
) -> Piece:
    points = mesh.iterfind(f"{_any('vertices')}/{_any('vertex')}")
    rows = [
        (float(p.get("x", 0)), float(p.get("y", 0)), float(p.get("z", 0)))
        for p in points
    ]
    vertices = np.array(rows, np.float64).reshape(-1, 3)
    vertices = vertices @ matrix[:3, :3].T + matrix[:3, 3]
    triangles = list(mesh.iterfind(f"{_any('triangles')}/{_any('triangle')}"))
    faces = np.array(
        [[int(t.get(name, -1)) for name in ("v1", "v2", "v3")] for t in triangles]
    ).reshape(-1, 3)
    if faces.size and (faces.min() < 0 or faces.max() >= len(vertices)):
        raise MeshError(
            f"{source}: a face uses vertex {faces.max():,} of {len(vertices):,}. The "
            "file is damaged; re-export it."
        )
    color = np.ones((len(faces), 3, 4), np.float32)
    uv = np.zeros((len(faces), 3, 2), np.float32)
    material = np.zeros(len(faces), np.int32)
    for number, triangle in enumerate(triangles):
        group = triangle.get("pid", entry.get("pid"))
        if group is None:
            continue
        first = int(triangle.get("p1", entry.get("pindex", 0)))
        second, third = int(triangle.get("p2", first)), int(triangle.get("p3", first))
        if (place, group) in model.colors:
            color[number] = model.colors[place, group][[first, second, third]]
        elif (place, group) in model.coordinates:
            coordinates, material[number] = model.coordinates[place, group]
            uv[number] = coordinates[[first, second, third]]
    if np.linalg.det(matrix[:3, :3]) < 0:
        faces, color, uv = faces[:, ::-1], color[:, ::-1], uv[:, ::-1]
    return Piece(
        vertices,
        faces,
        material,
        np.ascontiguousarray(uv) if material.any() else None,
        None if (color == 1).all() else np.ascontiguousarray(color),
    )


def _any(name: str) -> str:
    return "{*}" + name


def _member(path: str) -> str:
    """Return a package path as the archive names it; it cannot leave the archive."""
    return posixpath.normpath("/" + path).lstrip("/")


def _path_of(entry: ElementTree.Element, place: str) -> str:
    """Return the model file an entry refers to (production extension), or its own."""
    for name, value in entry.attrib.items():
        if name.rpartition("}")[2] == "path":
            return _member(value)
    return place


def _bytes(package: zipfile.ZipFile, name: str, source: str) -> bytes:
    try:
        info = package.getinfo(name)
    except KeyError as error:
        raise FileNotFoundError(name) from error
    if info.file_size > MAX_BYTES:
        raise MeshError(
            f"{source}: {name} unpacks to {info.file_size:,} bytes, at most "
            f"{MAX_BYTES:,} are read. Decimate the mesh first."
        )
    check_packing(package, info, source)
    with package.open(info) as member:
        return member.read(MAX_BYTES)


def _xml(package: zipfile.ZipFile, name: str, source: str) -> ElementTree.Element:
    try:
        data = _bytes(package, name, source)
        if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
            raise MeshError(
                f"{source}: {name} defines XML entities, which is refused. "
                "Re-export it."
            )
        return ElementTree.fromstring(data)
    except (FileNotFoundError, ElementTree.ParseError) as error:
        raise MeshError(
            f"{source}: its part {name} is missing or no XML ({error}). Re-export it."
        ) from error


def _matrix(text: str | None) -> Float64[np.ndarray, "4 4"]:
    """Return a transform; 3MF writes it for row vectors, three to a row."""
    matrix = np.eye(4)
    if text:
        matrix[:3, :] = np.array(text.split(), np.float64).reshape(4, 3).T
    return matrix


def _colors(listed: list[str]) -> np.ndarray:
    """Return linear RGBA of `#RRGGBB` or `#RRGGBBAA`."""
    rows = [
        bytes.fromhex(text.strip().lstrip("#").ljust(8, "F")[:8]) for text in listed
    ]
    rgba = np.array([list(row) for row in rows], np.float32).reshape(-1, 4) / 255
    rgba[:, :3] = linear_from_srgb(rgba[:, :3])
    return rgba
