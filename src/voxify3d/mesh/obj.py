"""Wavefront .obj → Mesh; mtl.py reads its materials."""

import itertools
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float64, Int, UInt8

from voxify3d.color.spaces import linear_from_srgb
from voxify3d.errors import MeshError
from voxify3d.mesh.build import Piece, mesh_from_pieces
from voxify3d.mesh.files import read_bytes
from voxify3d.mesh.image import TextureShelf
from voxify3d.mesh.mtl import read_library
from voxify3d.mesh.polygons import triangulated
from voxify3d.mesh.settings import LoadConfig
from voxify3d.types import Material, Mesh

_RUN, _SHORT = 1 << 16, 12
"""Lines that are parsed at once at most, and under which it does not pay."""


@dataclass(slots=True)
class _Raw:
    """An .obj as written, in blocks of rows: numbers from 0, -1 for none.

    Attributes:
        points: Rows of a `v` line each; all of a block have the same width.
        uvs: Rows of a `vt` line each, of width 2.
        corners: Vertex and texture coordinate of each corner of a face.
        counts: Corners of each face.
        materials: Material of each face.
        names: Of the materials.
        libraries: As `mtllib` lines name them.
    """

    points: list[Float64[np.ndarray, "n w"]] = field(default_factory=list)
    uvs: list[Float64[np.ndarray, "n 2"]] = field(default_factory=list)
    corners: list[Int[np.ndarray, "n 2"]] = field(default_factory=list)
    counts: list[Int[np.ndarray, " n"]] = field(default_factory=list)
    materials: list[Int[np.ndarray, " n"]] = field(default_factory=list)
    names: dict[str, int] = field(default_factory=dict)
    libraries: list[str] = field(default_factory=list)
    material: int = 0
    vertex_count: int = 0
    uv_count: int = 0


def read_obj(path: Path, config: LoadConfig, shelf: TextureShelf) -> Mesh:
    """Read a .obj file with its .mtl and textures.

    `Kd` and vertex colors are sRGB, as programs that write them show them.

    Args:
        path: The .obj file.
        config: No meaning here.
        shelf: Reads the textures; `Kd` stands in for a missing one.

    Raises:
        MeshError: The file cannot be read, or holds no faces.
    """
    del config
    raw = _parse(read_bytes(path), path.name)
    if not raw.counts and not raw.points:
        raise MeshError(
            f"{path.name}: holds no vertices and no faces. Check that it is an .obj."
        )
    notes: list[str] = []
    library: dict[str, Material] = {}
    for reference in raw.libraries:
        library |= read_library(reference, path, shelf, notes)
    materials = [library.get(name) or Material(name=name) for name in raw.names]
    lacking = [name for name in raw.names if name and name not in library]
    if lacking:
        notes.append(f"materials not found, white used: {', '.join(lacking)}")
    shelf.close()

    vertices, color = _points(raw, path.name)
    corners = np.concatenate([np.zeros((0, 2), np.int64), *raw.corners])
    for what, index, count in (
        ("vertex", corners[:, 0], raw.vertex_count),
        ("texture coordinate", corners[:, 1], raw.uv_count),
    ):
        if index.size and (index.max() >= count or index.min() < -1):
            raise MeshError(
                f"{path.name}: a face uses {what} {index.max() + 1:,} of {count:,}. "
                "The file is damaged; re-export it."
            )
    counts = np.concatenate([np.zeros(0, np.int64), *raw.counts])
    material = np.concatenate([np.zeros(0, np.int32), *raw.materials])
    triangles, polygon = triangulated(counts, vertices[corners[:, 0]])
    faces, chosen = corners[:, 0][triangles], corners[:, 1][triangles]
    uv = None
    if (chosen >= 0).any():
        table = np.concatenate(raw.uvs).astype(np.float32)
        table[:, 1] = 1 - table[:, 1]  # .obj has v up
        uv = table[np.maximum(chosen, 0)]
        uv[chosen < 0] = 0
    piece = Piece(
        vertices=vertices,
        faces=faces,
        material=material[polygon],
        uv=uv,
        color=None if color is None else color[faces].astype(np.float32),
    )
    return mesh_from_pieces(
        [piece],
        materials,
        name=path.stem,
        source=path.name,
        notes=[*notes, *shelf.notes],
    )


def _parse(data: bytes, source: str) -> _Raw:
    """Read an .obj in runs of lines of one kind: numpy is quick with many at once."""
    raw = _Raw()
    data = data.replace(b"\r\n", b"\n").replace(b"\\\n", b" ") + b"\n"
    number = 1
    for kind, run, count in _runs(data):
        if kind not in _ADD or count < _SHORT or not _ADD[kind](raw, run, count):
            _add_lines(raw, run.decode("utf-8", "replace"), number, source)
        number += count
    return raw


def _runs(data: bytes) -> Iterator[tuple[bytes, bytes, int]]:
    """Yield lines that start with the same two letters, and how many they are."""
    letters = np.frombuffer(data + b"\n", np.uint8)
    ends = np.flatnonzero(letters[:-1] == _NEWLINE)
    starts = np.concatenate([[0], ends[:-1] + 1])
    kinds = letters[starts].astype(np.uint16) << 8 | letters[starts + 1]
    firsts = np.flatnonzero(np.diff(kinds, prepend=0))
    for first, last in itertools.pairwise([*firsts.tolist(), len(starts)]):
        for line in range(first, last, _RUN):
            end = min(line + _RUN, last)
            run = data[starts[line] : ends[end - 1] + 1]
            yield run[:2], run, end - line


def _add_points(raw: _Raw, run: bytes, count: int) -> bool:
    """Add `v` lines if they can be read at once; return whether they were."""
    rows = _rows(run, count, b"v ")
    if rows is None:
        return False
    raw.points.append(rows)
    raw.vertex_count += count
    return True


def _add_uvs(raw: _Raw, run: bytes, count: int) -> bool:
    """Add `vt` lines if they can be read at once; return whether they were."""
    rows = _rows(run, count, b"vt ")
    if rows is None or rows.shape[1] < 2:
        return False
    raw.uvs.append(rows[:, :2])
    raw.uv_count += count
    return True


def _add_faces(raw: _Raw, run: bytes, count: int) -> bool:
    """Add `f` lines if they can be read at once; return whether they were.

    All corners must have the same form: a, a/b, a//c or a/b/c.
    """
    block = _block(run, count, b"f ")
    if block is None:
        return False
    marks = _marks(block)  # what ends each number
    width = block.split(b"\n", 1)[0].split(b" ", 1)[0].count(b"/") + 1
    if len(marks) % width:
        return False
    ends = marks.reshape(-1, width)
    if (ends[:, :-1] != _SLASH).any() or (ends[:, -1] == _SLASH).any():
        return False
    if width == 3 and block.count(b"//") == len(ends):
        block, width = block.replace(b"//", b"/0/"), 1
    numbers = _numbers(block.replace(b"/", b" "), np.int64)
    if numbers is None or numbers.size != ends.size:
        return False
    numbers = numbers.reshape(ends.shape)
    corners = np.full((len(ends), 2), -1, np.int64)
    known = (raw.vertex_count, raw.uv_count)
    for column in range(min(width, 2)):
        index = numbers[:, column]
        corners[:, column] = np.where(index > 0, index - 1, known[column] + index)
        if corners[:, column].min() < 0:
            return False
    counts = np.diff(np.flatnonzero(ends[:, -1] == _NEWLINE), prepend=-1)
    _keep_faces(raw, corners, counts, np.full(count, _material_of(raw)))
    return True


_SLASH, _NEWLINE = ord("/"), ord("\n")
_IS_MARK = np.zeros(256, bool)
_IS_MARK[[_SLASH, _NEWLINE, ord(" ")]] = True
_ADD: dict[bytes, Callable[[_Raw, bytes, int], bool]] = {
    b"v ": _add_points,
    b"vt": _add_uvs,
    b"f ": _add_faces,
    b"vn": lambda raw, run, count: True,
}


def _keep_faces(
    raw: _Raw,
    corners: Int[np.ndarray, "n 2"],
    counts: Int[np.ndarray, " f"],
    materials: Int[np.ndarray, " f"],
) -> None:
    raw.corners.append(corners)
    raw.counts.append(counts)
    raw.materials.append(materials)


def _material_of(raw: _Raw) -> int:
    """Return the material that the next face has."""
    if not raw.names:
        raw.material = raw.names.setdefault("", 0)
    return raw.material


def _rows(run: bytes, count: int, word: bytes) -> Float64[np.ndarray, "n w"] | None:
    """Return a row of numbers a line; None if they are not alike or not numbers."""
    block = _block(run, count, word)
    if block is None:
        return None
    marks = _marks(block)
    width = block.split(b"\n", 1)[0].count(b" ") + 1
    if len(marks) != width * count:
        return None
    if (marks.reshape(-1, width)[:, -1] != _NEWLINE).any():
        return None
    numbers = _numbers(block, np.float64)
    if numbers is None or numbers.size != marks.size:
        return None
    return numbers.reshape(-1, width)


def _block(run: bytes, count: int, word: bytes) -> bytes | None:
    """Return lines without their first word, one space between numbers."""
    block = b"\n" + run
    if any(odd in block for odd in (b"  ", b"\t", b" \n")):
        lines = [b" ".join(line.split()) for line in run.splitlines()]
        block = b"\n" + b"\n".join(lines) + b"\n"
    if block.count(b"\n" + word) != count:
        return None
    return block.replace(b"\n" + word, b"\n")[1:]


def _marks(block: bytes) -> UInt8[np.ndarray, " n"]:
    letters = np.frombuffer(block, np.uint8)
    return letters[_IS_MARK[letters]]


def _numbers(block: bytes, kind: type) -> np.ndarray | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # numpy warns of what is no number
            return np.fromstring(block, kind, sep=" ")
    except (ValueError, DeprecationWarning):
        return None


def _add_lines(raw: _Raw, run: str, first: int, source: str) -> None:
    """Add lines of any kind, one by one."""
    points: list[list[float]] = []
    uvs: list[list[float]] = []
    corners: list[tuple[int, int]] = []
    counts: list[int] = []
    materials: list[int] = []
    for number, line in enumerate(run.split("\n"), start=first):
        words = line.split()
        if not words:
            continue
        word = words[0]
        try:
            if word == "v":
                points.append([float(value) for value in words[1:]])
                raw.vertex_count += 1
            elif word == "vt":
                uvs.append([*(float(value) for value in words[1:3]), 0.0, 0.0][:2])
                raw.uv_count += 1
            elif word == "f":
                corners += [_corner(raw, text) for text in words[1:]]
                counts.append(len(words) - 1)
                materials.append(_material_of(raw))
            elif word == "usemtl":
                name = line.strip()[6:].strip()
                raw.material = raw.names.setdefault(name, len(raw.names))
            elif word == "mtllib":
                raw.libraries.append(line.strip()[6:].strip())
        except ValueError as error:
            raise MeshError(
                f"{source}: line {number} cannot be read: {line.strip()[:60]!r}. "
                "Re-export it."
            ) from error
    for _, alike in itertools.groupby(points, key=len):
        raw.points.append(np.array(list(alike), np.float64))
    if uvs:
        raw.uvs.append(np.array(uvs, np.float64))
    if counts:
        places = np.array(corners, np.int64).reshape(-1, 2)
        _keep_faces(raw, places, np.array(counts), np.array(materials))


def _corner(raw: _Raw, text: str) -> tuple[int, int]:
    numbers = text.split("/")
    point = _from_zero(numbers[0], raw.vertex_count)
    has_uv = len(numbers) > 1 and numbers[1]
    return point, _from_zero(numbers[1], raw.uv_count) if has_uv else -1


def _from_zero(text: str, count: int) -> int:
    """Return a number from 0; .obj counts from 1, and back from the end."""
    number = int(text)
    number = number - 1 if number > 0 else count + number
    if not 0 <= number < 1 << 62:
        raise ValueError(text)
    return number


def _points(
    raw: _Raw, source: str
) -> tuple[Float64[np.ndarray, "v 3"], Float64[np.ndarray, "v 4"] | None]:
    """Return positions, and linear RGBA when every vertex carries a color."""
    width = min((block.shape[1] for block in raw.points), default=3)
    if width < 3:
        raise MeshError(f"{source}: a vertex has fewer than 3 numbers. Re-export it.")
    blocks = [np.zeros((0, 3)), *(block[:, :3] for block in raw.points)]
    positions = np.concatenate(blocks)
    if width < 6 or not raw.points:
        return positions, None
    srgb = np.concatenate([block[:, 3:6] for block in raw.points])
    if srgb.max() > 1:  # some programs write bytes
        srgb = srgb / 255.0
    color = np.ones((len(srgb), 4))
    color[:, :3] = linear_from_srgb(np.clip(srgb, 0, 1))
    return positions, None if (color == 1).all() else color
