"""Wavefront .obj and .mtl → Mesh."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float64

from voxify3d.color.spaces import linear_from_srgb
from voxify3d.errors import MeshError
from voxify3d.mesh.build import Piece, mesh_from_pieces
from voxify3d.mesh.files import OutsideError, find_beside, read_bytes
from voxify3d.mesh.image import TextureShelf
from voxify3d.mesh.settings import LoadConfig
from voxify3d.types import Material, Mesh

_MAP_OPTIONS = {
    "-blendu": 1, "-blendv": 1, "-boost": 1, "-bm": 1, "-cc": 1, "-clamp": 1,
    "-imfchan": 1, "-mm": 2, "-texres": 1, "-type": 1,
}  # fmt: skip
_VECTOR_OPTIONS = ("-o", "-s", "-t")


@dataclass(slots=True)
class _Raw:
    """An .obj as written: numbers from 0, -1 for none."""

    points: list[list[float]] = field(default_factory=list)
    uvs: list[list[float]] = field(default_factory=list)
    faces: list[tuple[int, int, int]] = field(default_factory=list)
    face_uvs: list[tuple[int, int, int]] = field(default_factory=list)
    face_materials: list[int] = field(default_factory=list)
    names: dict[str, int] = field(default_factory=dict)
    libraries: list[str] = field(default_factory=list)


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
    text = read_bytes(path).decode("utf-8", errors="replace")
    raw = _parse(text, path.name)
    if not raw.faces and not raw.points:
        raise MeshError(
            f"{path.name}: holds no vertices and no faces. Check that it is an .obj."
        )
    notes: list[str] = []
    library: dict[str, Material] = {}
    for reference in raw.libraries:
        library |= _library(reference, path, shelf, notes)
    materials = [library.get(name) or Material(name=name) for name in raw.names]
    lacking = [name for name in raw.names if name and name not in library]
    if lacking:
        notes.append(f"materials not found, white used: {', '.join(lacking)}")
    shelf.close()

    faces = np.array(raw.faces, np.int64).reshape(-1, 3)
    corners = np.array(raw.face_uvs, np.int64).reshape(-1, 3)
    vertices, color = _points(raw, path.name)
    for what, index, count in (
        ("vertex", faces, len(vertices)),
        ("texture coordinate", corners, len(raw.uvs)),
    ):
        if index.size and (index.max() >= count or index.min() < -1):
            raise MeshError(
                f"{path.name}: a face uses {what} {index.max() + 1:,} of {count:,}. "
                "The file is damaged; re-export it."
            )
    uv = None
    if raw.uvs and (corners >= 0).any():
        table = np.array([(*row, 0.0)[:2] for row in raw.uvs], np.float32)
        table[:, 1] = 1 - table[:, 1]  # .obj has v up
        uv = np.where((corners >= 0)[..., None], table[np.maximum(corners, 0)], 0)
    piece = Piece(
        vertices=vertices,
        faces=faces,
        material=np.array(raw.face_materials, np.int32),
        uv=None if uv is None else uv.astype(np.float32),
        color=None if color is None else color[faces].astype(np.float32),
    )
    return mesh_from_pieces(
        [piece],
        materials,
        name=path.stem,
        source=path.name,
        notes=[*notes, *shelf.notes],
    )


def _parse(text: str, source: str) -> _Raw:
    raw = _Raw()
    current = 0
    for number, line in enumerate(text.replace("\\\n", " ").split("\n"), start=1):
        words = line.split()
        if not words:
            continue
        word = words[0]
        try:
            if word == "v":
                raw.points.append([float(value) for value in words[1:]])
            elif word == "vt":
                raw.uvs.append([float(value) for value in words[1:3]])
            elif word == "f":
                current = current if raw.names else raw.names.setdefault("", 0)
                _add_face(raw, words[1:], current)
            elif word == "usemtl":
                name = line.strip()[6:].strip()
                current = raw.names.setdefault(name, len(raw.names))
            elif word == "mtllib":
                raw.libraries.append(line.strip()[6:].strip())
        except ValueError as error:
            raise MeshError(
                f"{source}: line {number} cannot be read: {line.strip()[:60]!r}. "
                "Re-export it."
            ) from error
    return raw


def _add_face(raw: _Raw, words: list[str], material: int) -> None:
    """Add a polygon as a fan."""
    points, uvs = [], []
    for word in words:
        numbers = word.split("/")
        points.append(_from_zero(numbers[0], len(raw.points)))
        has_uv = len(numbers) > 1 and numbers[1]
        uvs.append(_from_zero(numbers[1], len(raw.uvs)) if has_uv else -1)
    for second in range(1, len(points) - 1):
        raw.faces.append((points[0], points[second], points[second + 1]))
        raw.face_uvs.append((uvs[0], uvs[second], uvs[second + 1]))
        raw.face_materials.append(material)


def _from_zero(text: str, count: int) -> int:
    """Return a number from 0; .obj counts from 1, and back from the end."""
    number = int(text)
    number = number - 1 if number > 0 else count + number
    if number < 0:
        raise ValueError(text)
    return number


def _points(
    raw: _Raw, source: str
) -> tuple[Float64[np.ndarray, "v 3"], Float64[np.ndarray, "v 4"] | None]:
    """Return positions, and linear RGBA when every vertex carries a color."""
    widths = {len(point) for point in raw.points}
    if min(widths, default=3) < 3:
        raise MeshError(f"{source}: a vertex has fewer than 3 numbers. Re-export it.")
    positions = np.array([point[:3] for point in raw.points], np.float64)
    positions = positions.reshape(-1, 3)
    if min(widths, default=3) < 6:
        return positions, None
    srgb = np.array([point[3:6] for point in raw.points], np.float64)
    if srgb.max() > 1:  # some programs write bytes
        srgb = srgb / 255.0
    color = np.ones((len(srgb), 4))
    color[:, :3] = linear_from_srgb(np.clip(srgb, 0, 1))
    return positions, None if (color == 1).all() else color


def _library(
    reference: str, path: Path, shelf: TextureShelf, notes: list[str]
) -> dict[str, Material]:
    """Return the materials of a .mtl file by name."""
    try:
        found = find_beside(path.parent, reference, is_uri=False, search=True)
    except OutsideError as error:
        raise MeshError(
            f"{path.name}: material library {reference[:80]} lies outside the file's "
            "folder, which is refused. Put it next to the file."
        ) from error
    if found is None:
        notes.append(f"material library {reference} is missing, white used")
        return {}
    if found.stat().st_size == 0:
        return {}
    text = read_bytes(found).decode("utf-8", errors="replace")
    materials: dict[str, Material] = {}
    lines: list[list[str]] = []
    name: str | None = None
    for line in [*text.split("\n"), "newmtl"]:
        words = line.strip().split(None, 1)
        if not words or words[0].startswith("#"):
            continue
        if words[0].lower() == "newmtl":
            if name is not None:
                materials[name] = _material(name, lines, shelf, found.name)
            name, lines = (words[1].strip() if len(words) > 1 else ""), []
        else:
            lines.append(words)
    return materials


def _material(
    name: str, lines: list[list[str]], shelf: TextureShelf, source: str
) -> Material:
    values = {words[0].lower(): words[1] for words in lines if len(words) > 1}
    color, alpha = np.ones(3), 1.0
    try:
        if "kd" in values:
            color = np.array([float(value) for value in values["kd"].split()[:3]])
        if "d" in values:
            alpha = float(values["d"].split()[-1])
        elif "tr" in values:
            alpha = 1 - float(values["tr"].split()[-1])
    except ValueError as error:
        raise MeshError(
            f"{source}: material {name} has a color that is no number. Re-export it."
        ) from error
    if len(color) < 3:
        color = np.full(3, color[0])
    texture, clamp = None, False
    if "map_kd" in values:
        reference, clamp = _map_reference(values["map_kd"])
        texture = shelf.from_file(reference, is_uri=False)
        # A gray Kd beside a map is the exporter's default (black, 0.64, 0.8), no tint.
        if texture is not None and np.ptp(color) == 0:
            color = np.ones(3)
    if alpha <= 0:  # written by programs that mean the opposite; nothing would be seen
        alpha = 1.0
    linear = linear_from_srgb(np.clip(np.nan_to_num(color), 0, 1))
    blends = alpha < 1 or "map_d" in values
    mode: Literal["opaque", "mask", "blend"] = "blend" if blends else "opaque"
    wrap: Literal["clamp", "repeat"] = "clamp" if clamp else "repeat"
    return Material(
        name=name,
        base_color=(linear[0], linear[1], linear[2], min(alpha, 1.0)),
        texture=texture,
        wrap=(wrap, wrap),
        alpha_mode=mode,
    )


def _map_reference(text: str) -> tuple[str, bool]:
    """Return the path of a map line, and whether it says `-clamp on`."""
    words = text.split()
    at, clamp = 0, False
    while at < len(words) and words[at].startswith("-"):
        option = words[at].lower()
        if option in _VECTOR_OPTIONS:
            at += 1
            while at < len(words) - 1 and _is_number(words[at]):
                at += 1
        elif option in _MAP_OPTIONS:
            if option == "-clamp" and at + 1 < len(words):
                clamp = words[at + 1].lower() == "on"
            at += 1 + _MAP_OPTIONS[option]
        else:
            break
    rest = text
    for word in words[:at]:
        rest = rest.split(word, 1)[1]
    return rest.strip().strip('"'), clamp


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
