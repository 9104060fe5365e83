"""A glTF file as a document: its JSON, its buffers, and what it asks for."""

import json
import struct
from pathlib import Path
from typing import Any

from voxify3d.errors import ConfigError, MeshError
from voxify3d.mesh.accessors import Buffers, entry
from voxify3d.mesh.files import read_bytes

READ_EXTENSIONS = frozenset(
    {
        "KHR_draco_mesh_compression",
        "KHR_materials_pbrSpecularGlossiness",
        "KHR_materials_unlit",
        "KHR_materials_variants",
        "KHR_mesh_quantization",
        "KHR_texture_transform",
        "KHR_meshopt_compression",
        "EXT_mesh_gpu_instancing",
        "EXT_meshopt_compression",
        "EXT_texture_webp",
    }
)
"""Extensions that change what is seen, and are obeyed."""

_IGNORABLE = (
    "KHR_materials_",
    "KHR_lights_",
    "KHR_xmp",
    "KHR_animation",
    "VRM",
    "MSFT_",
)


class Document:
    """One glTF file: its JSON, its numbers, and what the user should know.

    Attributes:
        source: File name, for messages.
        json: The document; a clip may have moved its nodes.
        buffers: Its numbers.
        notes: What had to be repaired or ignored, one line each.
    """

    def __init__(self, path: Path) -> None:
        """Read a file.

        Raises:
            MeshError: It is no glTF, or needs an extension that is not obeyed.
        """
        self.source = path.name
        self.json, binary = document_from_bytes(read_bytes(path), path.name)
        self.buffers = Buffers(self.json, binary, path.parent, path.name)
        self.notes: list[str] = []
        self._check_extensions()

    def entry(self, kind: str, number: Any) -> dict[str, Any]:  # noqa: ANN401
        """Return `json[kind][number]`.

        Raises:
            MeshError: There is no such entry.
        """
        return entry(self.json, kind, number, self.source)

    def variant(self, wanted: str | None) -> int | None:
        """Return the number of the material variant that is asked for.

        Raises:
            ConfigError: There is no such variant.
        """
        if wanted is None:
            return None
        names = variant_names(self.json)
        folded = [name.casefold() for name in names]
        if wanted in names:
            return names.index(wanted)
        if folded.count(wanted.casefold()) == 1:
            return folded.index(wanted.casefold())
        listed = f"it holds {', '.join(names)}" if names else "it holds none"
        raise ConfigError(f"{self.source}: no variant {wanted!r}; {listed}")

    def _check_extensions(self) -> None:
        required = self.json.get("extensionsRequired", [])
        unknown = [
            name
            for name in required
            if name not in READ_EXTENSIONS and not str(name).startswith(_IGNORABLE)
        ]
        if "KHR_texture_basisu" in unknown:
            raise MeshError(
                f"{self.source}: KTX2 / Basis textures (KHR_texture_basisu) are not "
                "supported. Re-export with PNG, JPEG or WebP textures."
            )
        if unknown:
            raise MeshError(
                f"{self.source}: needs {', '.join(map(str, unknown))}, which is not "
                f"supported ({', '.join(sorted(READ_EXTENSIONS))} are). Re-export "
                "without it."
            )


def document_from_bytes(
    data: bytes, source: str
) -> tuple[dict[str, Any], bytes | None]:
    """Return the JSON document of a .glb or .gltf, and the .glb's binary chunk.

    Raises:
        MeshError: It is neither, or truncated.
    """
    if data[:4] == b"glTF":
        text, binary = _chunks(data, source)
    elif data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        text, binary = data, None
    else:
        raise MeshError(
            f"{source}: is no glTF file (it starts with {data[:8]!r}). Check the "
            "suffix, or export it as .glb."
        )
    try:
        document = json.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise MeshError(
            f"{source}: its JSON cannot be read ({error}). The file is truncated or "
            "damaged; get it again."
        ) from error
    if not isinstance(document, dict):
        raise MeshError(f"{source}: its JSON is no glTF document. Re-export it.")
    version = str(document.get("asset", {}).get("version", "2.0"))
    if not version.startswith("2"):
        raise MeshError(f"{source}: is glTF {version}, expected 2.0. Re-export it.")
    return document, binary


def _chunks(data: bytes, source: str) -> tuple[bytes, bytes | None]:
    if len(data) < 20:
        raise MeshError(
            f"{source}: a GLB of {len(data)} bytes is truncated. Get it again."
        )
    version, length, json_length = struct.unpack("<III", data[4:16])
    if version != 2:
        raise MeshError(
            f"{source}: is GLB version {version}, expected 2. Re-export it."
        )
    end = 20 + json_length
    if length > len(data) or end > len(data):
        raise MeshError(
            f"{source}: should have {max(length, end):,} bytes but has {len(data):,}. "
            "The file is truncated; get it again."
        )
    if data[16:20] != b"JSON":
        raise MeshError(f"{source}: its first chunk is not JSON. Re-export it.")
    binary = None
    start = end + (-end % 4)
    if start + 8 <= len(data):
        size, kind = struct.unpack("<I4s", data[start : start + 8])
        if kind == b"BIN\0":
            binary = data[start + 8 : start + 8 + size]
            if len(binary) < size:
                raise MeshError(
                    f"{source}: its binary chunk should have {size:,} bytes but has "
                    f"{len(binary):,}. The file is truncated; get it again."
                )
    return data[20:end], binary


def variant_names(document: dict[str, Any]) -> list[str]:
    """Return the names of a document's material variants."""
    extension = document.get("extensions", {}).get("KHR_materials_variants", {})
    return [str(variant.get("name", "")) for variant in extension.get("variants", [])]
