"""glTF materials and textures → Material, each read once."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float64

from voxify3d.errors import MeshError
from voxify3d.mesh.accessors import bytes_from_data_uri
from voxify3d.mesh.gltf_document import Document
from voxify3d.mesh.image import Texture, TextureShelf
from voxify3d.types import Material

_Wrap = Literal["repeat", "clamp", "mirror"]
_NEAREST = 9728
_WRAPS: dict[int, _Wrap] = {33071: "clamp", 33648: "mirror", 10497: "repeat"}


@dataclass(frozen=True, slots=True)
class Look:
    """A material, and how texture coordinates reach its texture."""

    material: Material
    uv_set: int = 0
    uv_matrix: Float64[np.ndarray, "2 3"] | None = None


class Looks:
    """The looks of one document, in the order of their first use.

    Attributes:
        all: Those that were asked for.
    """

    def __init__(
        self, document: Document, shelf: TextureShelf, variant: int | None
    ) -> None:
        """Read nothing yet.

        Args:
            document: The file.
            shelf: Reads the textures.
            variant: Number of the material variant that is asked for.
        """
        self.all: list[Look] = []
        self._document, self._shelf, self._variant = document, shelf, variant
        self._known: dict[int | None, int] = {}

    def number_of(self, primitive: dict[str, Any]) -> int:
        """Return which of `all` a primitive has."""
        number = self._material_number(primitive)
        if number not in self._known:
            self._known[number] = len(self.all)
            look = Look(Material()) if number is None else self._read(number)
            self.all.append(look)
        return self._known[number]

    def _material_number(self, primitive: dict[str, Any]) -> int | None:
        extension = primitive.get("extensions", {}).get("KHR_materials_variants", {})
        if self._variant is not None:
            for mapping in extension.get("mappings", []):
                if self._variant in mapping.get("variants", []):
                    return mapping["material"]
        return primitive.get("material")

    def _read(self, number: int) -> Look:
        info = self._document.entry("materials", number)
        rough = info.get("pbrMetallicRoughness", {})
        gloss = info.get("extensions", {}).get("KHR_materials_pbrSpecularGlossiness")
        if gloss is not None:
            factor, texture = gloss.get("diffuseFactor"), gloss.get("diffuseTexture")
        else:
            factor, texture = (
                rough.get("baseColorFactor"),
                rough.get("baseColorTexture"),
            )
        factor = np.array(factor or (1, 1, 1, 1), np.float64)
        factor = np.clip(np.nan_to_num(factor), 0, 1)
        if texture is None and not factor[:3].any():
            # Black that glows: unlit looks are often stored so, and viewers show them.
            glow = np.clip(np.nan_to_num(info.get("emissiveFactor", (0, 0, 0))), 0, 1)
            if glow.any():
                factor[:3], texture = glow, info.get("emissiveTexture")
        mode = info.get("alphaMode", "OPAQUE")
        modes: dict[str, Literal["opaque", "mask", "blend"]] = {
            "MASK": "mask",
            "BLEND": "blend",
        }
        image, sampler, uv_set, matrix = self._texture(texture)
        material = Material(
            name=str(info.get("name", f"material {number}")),
            base_color=(factor[0], factor[1], factor[2], factor[3]),
            texture=image,
            wrap=(
                _WRAPS.get(sampler.get("wrapS", 10497), "repeat"),
                _WRAPS.get(sampler.get("wrapT", 10497), "repeat"),
            ),
            filter="nearest" if sampler.get("magFilter") == _NEAREST else "linear",
            alpha_mode=modes.get(mode, "opaque"),
            alpha_cutoff=float(info.get("alphaCutoff", 0.5)) if mode == "MASK" else 0.5,
        )
        return Look(material, uv_set, matrix)

    def _texture(
        self, info: dict[str, Any] | None
    ) -> tuple[Texture | None, dict[str, Any], int, np.ndarray | None]:
        """Return a texture's image, sampler, coordinate set and transform."""
        if info is None:
            return None, {}, 0, None
        texture = self._document.entry("textures", info["index"])
        extensions = texture.get("extensions", {})
        number = extensions.get("EXT_texture_webp", texture).get("source")
        if number is None:
            number = texture.get("source")
        if number is None:
            if "KHR_texture_basisu" in extensions:
                raise MeshError(
                    f"{self._document.source}: KTX2 / Basis textures "
                    "(KHR_texture_basisu) are not supported. Re-export with PNG, JPEG "
                    "or WebP textures."
                )
            self._document.notes.append(
                f"textures[{info['index']}] names no image, ignored"
            )
            return None, {}, 0, None
        image = self._image(number)
        sampler = {}
        if "sampler" in texture:
            sampler = self._document.entry("samplers", texture["sampler"])
        transform = info.get("extensions", {}).get("KHR_texture_transform", {})
        uv_set = transform.get("texCoord", info.get("texCoord", 0))
        matrix = uv_matrix_from_transform(transform) if transform else None
        return image, sampler, uv_set, matrix

    def _image(self, number: int) -> Texture | None:
        info = self._document.entry("images", number)
        uri = info.get("uri")
        if uri is None:
            view = info["bufferView"]
            return self._shelf.from_bytes(
                f"images[{number}]", lambda: bytes(self._document.buffers.view(view))
            )
        if uri.startswith("data:"):
            return self._shelf.from_bytes(
                f"images[{number}]",
                lambda: bytes_from_data_uri(uri, self._document.source),
            )
        return self._shelf.from_file(uri)


def uv_matrix_from_transform(transform: dict[str, Any]) -> Float64[np.ndarray, "2 3"]:
    """Return KHR_texture_transform as a matrix on (u, v, 1).

    The rotation is counter-clockwise as seen in the picture, where v runs down.
    """
    offset, scale = transform.get("offset", (0, 0)), transform.get("scale", (1, 1))
    angle = float(transform.get("rotation", 0.0))
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array(
        [
            [cos * scale[0], sin * scale[1], offset[0]],
            [-sin * scale[0], cos * scale[1], offset[1]],
        ],
        np.float64,
    )
