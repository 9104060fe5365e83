"""Texture images → RGBA bytes, and the list of those that are missing."""

import io
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, UnidentifiedImageError

from voxify3d.errors import MeshError
from voxify3d.mesh.files import OutsideError, find_beside

MAX_PIXELS = 1 << 26
"""Of one image, 8192 x 8192; checked before anything is decoded."""
MAX_PIXELS_IN_ALL = 1 << 28

Texture = UInt8[np.ndarray, "h w 4"]


def decode_image(data: bytes, what: str) -> Texture:
    """Return sRGB color and alpha of an encoded image, first row first.

    Args:
        data: PNG, JPEG, WebP or whatever else pillow reads.
        what: Its name, for messages.

    Raises:
        MeshError: It cannot be decoded, or has more than `MAX_PIXELS`.
    """
    if data[:4] == b"\xabKTX":
        raise MeshError(
            f"{what}: KTX2 / Basis textures (KHR_texture_basisu) are not supported. "
            "Re-export with PNG, JPEG or WebP textures."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pillow's own size warning; ours is below
            with Image.open(io.BytesIO(data)) as image:
                width, height = image.size
                if width * height > MAX_PIXELS:
                    raise MeshError(
                        f"{what}: has {width:,} x {height:,} pixels, at most "
                        f"{MAX_PIXELS:,} are read. Scale the texture down."
                    )
                if image.mode.startswith(
                    "I"
                ):  # 16-bit gray, which convert() would clip
                    gray = np.asarray(image).astype(np.int64) >> 8
                    gray = np.clip(gray, 0, 255).astype(np.uint8)
                    image = Image.fromarray(gray)
                return np.asarray(image.convert("RGBA"), np.uint8).copy()
    except (
        UnidentifiedImageError,
        Image.DecompressionBombError,
        OSError,
        SyntaxError,
        ValueError,
        EOFError,
        IndexError,
    ) as error:
        raise MeshError(
            f"{what}: is no image that can be decoded ({len(data):,} bytes). "
            "Re-export it as PNG."
        ) from error


class TextureShelf:
    """The textures of one mesh file: each decoded once, the missing ones listed.

    Attributes:
        notes: What had to be guessed, one line each.
        found: Names of the textures that were read, in the order of their first use.
        missing: Those that could not be, with the reason if there is more to say.
    """

    def __init__(self, source: str, folder: Path, *, allow_missing: bool) -> None:
        self.notes: list[str] = []
        self.found: list[str] = []
        self.missing: list[str] = []
        self._source, self._folder, self._allow = source, folder, allow_missing
        self._known: dict[str, Texture | None] = {}
        self._pixels = 0

    def from_file(self, reference: str, *, is_uri: bool = True) -> Texture | None:
        """Return the image a mesh file refers to; None when it is missing."""
        return self._once(reference, lambda: self._read(reference, is_uri))

    def from_bytes(self, name: str, data: Callable[[], bytes]) -> Texture | None:
        """Return an embedded image, decoded on first use; None when it is broken."""
        return self._once(name, data)

    def close(self) -> None:
        """Settle the account.

        Raises:
            MeshError: Some textures are missing, and that was not allowed.
        """
        if not self.missing:
            return
        listed = ", ".join(self.missing)
        count = len(self.missing)
        noun = "texture" if count == 1 else "textures"
        if not self._allow:
            raise MeshError(
                f"{self._source}: {count} missing {noun}: {listed}. Put the "
                "files there, or go on with plain colors by allow_missing_textures "
                "(--allow-missing-textures)."
            )
        self.notes.append(f"{count} missing {noun}, plain color used: {listed}")

    def _once(self, name: str, data: Callable[[], bytes]) -> Texture | None:
        if name not in self._known:
            self._known[name] = self._decoded(name, data)
        return self._known[name]

    def _decoded(self, name: str, data: Callable[[], bytes]) -> Texture | None:
        try:
            texture = decode_image(data(), name)
        except FileNotFoundError:
            self.missing.append(name)
            return None
        except OutsideError:
            self.missing.append(f"{name} (refused: outside the file's folder)")
            return None
        except MeshError as error:
            self.missing.append(f"{name} ({str(error).removeprefix(f'{name}: ')})")
            return None
        self._pixels += texture.shape[0] * texture.shape[1]
        if self._pixels > MAX_PIXELS_IN_ALL:
            raise MeshError(
                f"{self._source}: textures have more than {MAX_PIXELS_IN_ALL:,} pixels "
                "in all. Scale them down."
            )
        self.found.append(name)
        return texture

    def _read(self, reference: str, is_uri: bool) -> bytes:
        path = find_beside(self._folder, reference, is_uri=is_uri, search=True)
        if path is None:
            raise FileNotFoundError(reference)
        place = path.relative_to(self._folder).as_posix()
        if place != reference:
            self.notes.append(f"texture {reference} found as {place}")
        return path.read_bytes()
