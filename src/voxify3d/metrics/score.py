"""The paper's score: how well CLIP finds a caption in pictures of a result.

100 times the mean cosine between "a voxel art of ..." and renders of the result, by
CLIP ViT-B/32 (Voxify3D, "CLIP-IQA"; not the metric of that name by Wang et al.). The
paper does not give its cameras, light or background; ours are fixed here and the same
for every method:

* 8 orthographic views around the object, 45 degrees apart from the front on, from 20
  degrees above; the diagonal of the object's box spans the picture, its middle is the
  picture's;
* 224 × 224 pixels of 3 × 3 samples, unlit color times 0.62 + 0.38 · |cosine of normal
  and line of sight|;
* white behind.
"""

import json
import math
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Float32
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from voxify3d.encoders.protocol import Encoder
from voxify3d.errors import ConfigError, MeshError
from voxify3d.render.cast import Caster
from voxify3d.render.mesh import frame_of
from voxify3d.render.rays import orthographic_rays
from voxify3d.render.views import default_up
from voxify3d.types import Direction, Mesh, vector_of

PICTURES = 8
PIXELS = 224
_ELEVATION = 20.0
_SAMPLES = 3
_AMBIENT = 0.62

CAPTION = "a voxel art of {}"
"""The paper's."""

_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")


@runtime_checkable
class TextEncoder(Encoder, Protocol):
    """An encoder that also reads."""

    def text_features(self, texts: list[str]) -> Float[Tensor, "b d"]:
        """Return unit vectors of sentences."""
        ...


def caption_score(
    encoder: TextEncoder,
    pictures: Float32[np.ndarray, "n h w 3"],
    prompt: str,
) -> float:
    """Return 100 times the mean cosine of the pictures and "a voxel art of `prompt`".

    Args:
        encoder: CLIP.
        pictures: sRGB, of one result. Range [0, 1].
        prompt: What is shown: "a red fox standing".

    Raises:
        ConfigError: An empty prompt.

    Reference:
        Voxify3D, metric protocol. The paper's captions were written by GPT-4 and are
        not published.
    """
    prompt = " ".join(prompt.split())
    if not prompt:
        raise ConfigError("the prompt is empty, expected what the object is")
    images = torch.from_numpy(pictures).permute(0, 3, 1, 2)
    with torch.no_grad():
        seen = encoder.features(images)
        said = encoder.text_features([CAPTION.format(prompt)])
    return 100 * float((seen @ said.T).mean())


def score_pictures(
    mesh: Mesh, front: Direction = "+z", *, pixels: int = PIXELS
) -> Float32[np.ndarray, "n h w 3"]:
    """Render the pictures that are scored.

    Args:
        mesh: A result as a mesh; one of voxels by `mesh_from_voxels`.
        front: Direction the object's face points to.
        pixels: Rows and columns; scores are made at 224.
    """
    frame = frame_of(mesh, 64, front)  # any size: pictures span the box's diagonal
    caster = Caster(mesh, frame)
    ahead, up = vector_of(front), vector_of(default_up(front))
    side = np.cross(up, ahead)
    low = math.cos(math.radians(_ELEVATION))
    high = math.sin(math.radians(_ELEVATION))
    pictures = []
    for number in range(PICTURES):
        turn = 2 * math.pi * number / PICTURES
        around = math.cos(turn) * ahead + math.sin(turn) * side
        toward = low * around + high * up
        rays = orthographic_rays(frame.shape, toward, up, pixels * _SAMPLES)
        origins, directions = (
            v.reshape(-1, 3) for v in (rays.origins, rays.directions)
        )
        hits = caster.cast(origins, directions)
        facing = np.abs(hits.normal @ toward)[:, None]
        color = hits.rgb * (_AMBIENT + (1 - _AMBIENT) * facing)
        color = np.where(hits.face[:, None] >= 0, color, 1.0)
        fine = color.reshape(pixels, _SAMPLES, pixels, _SAMPLES, 3)
        pictures.append(fine.mean(axis=(1, 3)))
    return np.stack(pictures).astype(np.float32)


def read_pictures(
    folder: str | Path, *, pixels: int = PIXELS
) -> Float32[np.ndarray, "n h w 3"]:
    """Return a folder's pictures in the order of their names, on white.

    For results of other systems that come as pictures. Those that are not square are
    filled up with white.

    Raises:
        MeshError: No folder, no pictures, or one that cannot be read.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise MeshError(f"{folder}: no such folder, expected one with pictures")
    files = sorted(f for f in folder.iterdir() if f.suffix.lower() in _SUFFIXES)
    if not files:
        kinds = ", ".join(_SUFFIXES)
        raise MeshError(f"{folder}: no pictures in this folder ({kinds})")
    return np.stack([_read_picture(file, pixels) for file in files])


def read_prompts(path: str | Path, names: list[str]) -> dict[str, str]:
    """Return the prompt of each result.

    The file holds a line for each result, its name, a tab and the prompt; or is a
    .json object from names to prompts.

    Args:
        path: The file.
        names: Results that need a prompt, without suffixes.

    Raises:
        ConfigError: No file, a line without a tab, a name twice, a result without a
            prompt.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as a file of prompts") from error
    prompts = _prompts_from_json(path, text) if path.suffix == ".json" else {}
    for number, line in enumerate(text.splitlines() if not prompts else (), start=1):
        if not line.strip():
            continue
        name, tab, prompt = line.partition("\t")
        if not tab or not prompt.strip():
            raise ConfigError(
                f"{path}: line {number} is {line!r}, expected NAME, a tab, and a prompt"
            )
        if name.strip() in prompts:
            raise ConfigError(f"{path}: line {number} names {name.strip()!r} again")
        prompts[name.strip()] = prompt.strip()
    if missing := [name for name in names if name not in prompts]:
        rest = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise ConfigError(f"{path}: no prompt for {missing[0]!r}{rest}")
    return {name: prompts[name] for name in names}


def _prompts_from_json(path: Path, text: str) -> dict[str, str]:
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{path}: not JSON ({error})") from error
    if not (
        isinstance(values, dict)
        and values
        and all(isinstance(v, str) and v.strip() for v in values.values())
    ):
        raise ConfigError(f"{path}: expected an object from names to prompts")
    return values


def _read_picture(file: Path, pixels: int) -> Float32[np.ndarray, "h w 3"]:
    try:
        with Image.open(file) as opened:
            image = opened.convert("RGBA")
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise MeshError(f"{file}: cannot be read as a picture") from error
    side = max(image.size)
    square = Image.new("RGBA", (side, side), "white")
    corner = ((side - image.width) // 2, (side - image.height) // 2)
    square.alpha_composite(image, corner)
    small = square.convert("RGB").resize((pixels, pixels), Image.Resampling.BICUBIC)
    return np.asarray(small, np.float32) / 255
