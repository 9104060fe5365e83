"""Turntable likeness: do pretrained features see the same thing from all around?

Eight shaded pictures of the mesh and of the result, none of them along an axis, are
averaged to one pixel per voxel and compared by an encoder that no loss uses.
"""

import functools

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from voxify3d.encoders import Encoder
from voxify3d.encoders.efficientnet import load_lite2
from voxify3d.errors import VoxifyError
from voxify3d.render.cast import Caster, look_from
from voxify3d.types import Frame, Mesh, vector_of

TURNS = 8
ELEVATION = 20.0
"""Degrees above the horizon; the first picture is in front, the others follow."""
_SAMPLES = 4
"""Rays along each side of a pixel."""
_AMBIENT, _DIRECTED = 0.62, 0.38


@functools.cache
def judge() -> Encoder:
    """Return the encoder, loaded once.

    Raises:
        MissingExtraError: Its weights are not installed.
    """
    return load_lite2(input_size=256)


def has_judge() -> bool:
    """Return whether the encoder's weights are on this machine, and can be read."""
    try:
        judge()
    except VoxifyError:
        return False
    return True


def turntable(mesh: Mesh, frame: Frame) -> Float32[np.ndarray, "view h w 3"]:
    """Return the pictures: sRGB on white, one pixel per voxel, samples averaged.

    Shaded with 0.62 + 0.38 |n·l|, `l` from the upper left of the eye.

    Args:
        mesh: The input or a result, in the world frame.
        frame: The grid both belong to; it sets place and scale.
    """
    caster = Caster(mesh, frame)
    middle = np.array(frame.shape) / 2
    width = int(np.ceil(np.linalg.norm(frame.shape))) + 2
    up, front = vector_of(frame.up), vector_of(frame.front)
    side = np.cross(up, front)
    rise = np.radians(ELEVATION)
    at = (np.arange(width * _SAMPLES) + 0.5) / _SAMPLES - width / 2
    pictures = []
    for turn in np.arange(TURNS) * 2 * np.pi / TURNS:
        level = np.cos(turn) * front + np.sin(turn) * side
        toward = np.cos(rise) * level + np.sin(rise) * up
        right, down, toward = look_from(toward, up)
        light = -0.45 * right - 0.8 * down + 0.55 * toward
        light /= np.linalg.norm(light)
        origins = middle + width * toward + at[:, None, None] * down
        origins = (origins + at[None, :, None] * right).reshape(-1, 3)
        hits = caster.cast(origins, np.broadcast_to(-toward, origins.shape))
        shade = _AMBIENT + _DIRECTED * np.abs(hits.normal @ light)
        color = np.where(hits.face[:, None] >= 0, hits.rgb * shade[:, None], 1)
        color = color.reshape(width, _SAMPLES, width, _SAMPLES, 3)
        pictures.append(color.mean(axis=(1, 3), dtype=np.float32))
    return np.stack(pictures)


def features(pictures: Float32[np.ndarray, "view h w 3"]) -> Tensor:
    """Return the judge's unit feature vector of each picture, (view, d)."""
    with torch.no_grad():
        return judge().features(torch.from_numpy(pictures).permute(0, 3, 1, 2))


def likeness(mesh: Tensor, result: Tensor) -> float:
    """Return the mean cosine of the pictures' features. 1 is best.

    Args:
        mesh: Of `features`.
        result: Likewise, of the same views.
    """
    return float((mesh * result).sum(dim=-1).mean())
