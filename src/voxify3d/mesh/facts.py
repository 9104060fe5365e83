"""What is in a mesh file, for people who wonder why it looks as it does."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from voxify3d.color.spaces import srgb_from_linear
from voxify3d.mesh.accessors import Buffers
from voxify3d.mesh.animation import clip_names, clip_seconds
from voxify3d.mesh.fbx import skins
from voxify3d.mesh.files import read_bytes
from voxify3d.mesh.gltf_document import document_from_bytes, variant_names
from voxify3d.mesh.load import GLTF_SUFFIXES, mesh_file, read_mesh, up_of
from voxify3d.mesh.settings import LoadConfig
from voxify3d.mesh.topology import Edges, edges_of, symmetry_of
from voxify3d.types import Direction, Material, Mesh

_LOPSIDED = 0.85
"""Mirror symmetry under which nobody would call a mesh symmetric."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What `voxify3d inspect` tells of a file.

    Attributes:
        format: Suffix of the mesh file; that of the mesh inside a .zip.
        mesh: As it is loaded, missing textures replaced by plain colors.
        textures: Those that were read.
        missing: Textures that could not be, with the reason.
        colors: Where colors come from: texture, vertices, materials; empty for none.
        alpha: Of materials that are in use: name → mask or blend.
        skins: Number of skins.
        animations: Name → seconds.
        variants: Names of the material variants.
        extensions: glTF extensions that the file uses.
        up: Direction of the file's axes that is taken as up.
        edges: Open or closed.
        symmetry: Mirror symmetry left to right and front to back, in [0, 1].
        warnings: What the loader had to repair or ignore, and what looks odd.
    """

    format: str
    mesh: Mesh
    textures: tuple[str, ...]
    missing: tuple[str, ...]
    colors: tuple[str, ...]
    alpha: dict[str, str]
    skins: int
    animations: dict[str, float]
    variants: tuple[str, ...]
    extensions: tuple[str, ...]
    up: Direction
    edges: Edges
    symmetry: tuple[float, float]
    warnings: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return JSON types: what `voxify3d inspect --json` prints."""
        low, high = self.mesh.bounds
        return {
            "name": self.mesh.name,
            "format": self.format,
            "triangles": len(self.mesh.faces),
            "vertices": len(self.mesh.vertices),
            "parts": int(self.mesh.part.max()) + 1,
            "box": {
                "low": low.tolist(),
                "high": high.tolist(),
                "size": (high - low).tolist(),
            },
            "materials": [described(entry) for entry in self.mesh.materials],
            "textures": {"found": list(self.textures), "missing": list(self.missing)},
            "colors": list(self.colors),
            "alpha": self.alpha,
            "skins": self.skins,
            "animations": self.animations,
            "variants": list(self.variants),
            "extensions": list(self.extensions),
            "up": self.up,
            "front": "+z",
            "symmetry": [round(value, 3) for value in self.symmetry],
            "watertight": self.edges.is_watertight,
            "open_edges": self.edges.open,
            "crowded_edges": self.edges.crowded,
            "warnings": list(self.warnings),
        }


def facts_of(path: Path, config: LoadConfig) -> Facts:
    """Look into a mesh file.

    Args:
        path: The file.
        config: How to read it; missing textures never stop this.

    Raises:
        MeshError: The file cannot be read, or there is nothing in it to voxelize.
        ConfigError: `config` asks for what the file does not hold.
    """
    with mesh_file(path) as inside:
        suffix = inside.suffix.lower()
        lenient = replace(config, allow_missing_textures=True)
        mesh, shelf = read_mesh(inside, lenient)
        document: dict[str, Any] = {}
        animations: dict[str, float] = {}
        if suffix in GLTF_SUFFIXES:
            document, binary = document_from_bytes(read_bytes(inside), inside.name)
            buffers = Buffers(document, binary, inside.parent, inside.name)
            for number, name in enumerate(clip_names(document)):
                animations[name] = round(clip_seconds(document, buffers, number), 3)
        skin_count = len(document.get("skins", []))
        if suffix == ".fbx":
            skin_count = len(skins(read_bytes(inside)))
    symmetry = (symmetry_of(mesh, 0), symmetry_of(mesh, 2))
    used = [mesh.materials[number] for number in np.unique(mesh.material)]
    facts = Facts(
        format=suffix,
        mesh=mesh,
        textures=tuple(shelf.found),
        missing=tuple(shelf.missing),
        colors=tuple(_color_sources(mesh, used)),
        alpha={m.name: m.alpha_mode for m in used if m.alpha_mode != "opaque"},
        skins=skin_count,
        animations=animations,
        variants=tuple(variant_names(document)),
        extensions=tuple(map(str, document.get("extensionsUsed", []))),
        up=up_of(suffix, config),
        edges=edges_of(mesh),
        symmetry=symmetry,
        warnings=(),
    )
    return replace(facts, warnings=tuple(_warnings(facts)))


def described(material: Material) -> dict[str, Any]:
    """Return a material in JSON types; its color as sRGB, like `#e0a030`."""
    rgb = srgb_from_linear(np.clip(material.base_color[:3], 0, 1))
    texture = material.texture
    return {
        "name": material.name,
        "color": "#" + "".join(f"{round(255 * float(c)):02x}" for c in rgb),
        "texture": None if texture is None else [texture.shape[1], texture.shape[0]],
        "alpha": material.alpha_mode,
    }


def _color_sources(mesh: Mesh, used: list[Material]) -> list[str]:
    sources = []
    if any(material.texture is not None for material in used):
        sources.append("textures")
    if mesh.color is not None:
        sources.append("vertices")
    if any(material.base_color[:3] != (1.0, 1.0, 1.0) for material in used):
        sources.append("materials")
    return sources


def _warnings(facts: Facts) -> list[str]:
    """Return what the loader noted and what is likely to surprise."""
    found = list(facts.mesh.notes)
    if not facts.colors:
        found.append("no colors: the result will be white")
    size = np.ptp(facts.mesh.bounds, axis=0)
    names = np.array(["wide", "high", "deep"])
    thin = size < size.max() / 50
    if thin.any():
        found.append(
            f"less than a fiftieth of its length {' and '.join(names[thin])}: at "
            "--size 40 it is one voxel thin"
        )
    across, along = facts.symmetry
    if across < _LOPSIDED <= along:
        found.append(
            "mirror symmetric front to back but not left to right: it may face +x or "
            "-x (--front)"
        )
    return found
