"""Wavefront .mtl → materials."""

from pathlib import Path
from typing import Literal

import numpy as np

from voxify3d.color.spaces import linear_from_srgb
from voxify3d.errors import MeshError
from voxify3d.mesh.files import OutsideError, find_beside, read_bytes
from voxify3d.mesh.image import TextureShelf
from voxify3d.types import Material

_MAP_OPTIONS = {
    "-blendu": 1, "-blendv": 1, "-boost": 1, "-bm": 1, "-cc": 1, "-clamp": 1,
    "-imfchan": 1, "-mm": 2, "-texres": 1, "-type": 1,
}  # fmt: skip
_VECTOR_OPTIONS = ("-o", "-s", "-t")


def read_library(
    reference: str, path: Path, shelf: TextureShelf, notes: list[str]
) -> dict[str, Material]:
    """Return the materials of a .mtl file by name.

    Args:
        reference: The file, as the .obj names it.
        path: The .obj file.
        shelf: Reads the textures; `Kd` stands in for a missing one.
        notes: Gets a line if the file is missing: it has no materials then.

    Raises:
        MeshError: The file lies outside the folder of the .obj, cannot be read, or
            holds a color that is no number.
    """
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
