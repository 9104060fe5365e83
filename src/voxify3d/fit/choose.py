"""Which of several finished results looks most like the mesh, to an encoder.

The results are final: what is compared is what is exported, so nothing can be
stained to please the encoder, as a gradient can. Pictures are shaded, from eight
directions around the object, none of them an axis.
"""

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from voxify3d.encoders import Encoder
from voxify3d.render.cast import Caster, look_from
from voxify3d.types import Frame, Mesh, VoxelGrid, vector_of
from voxify3d.voxels.surface import mesh_from_voxels

_TURNS = 8
_ELEVATIONS = (35.0, 5.0)
"""Degrees above the horizon, in turn."""
_SAMPLES = 4
"""Rays along each side of a voxel-sized pixel."""
_AMBIENT, _DIRECTED = 0.62, 0.38


class Chooser:
    """A mesh as an encoder sees it from around, to compare results with."""

    def __init__(self, mesh: Mesh, frame: Frame, encoder: Encoder) -> None:
        """Look at the mesh.

        Args:
            mesh: In the world frame.
            frame: The grid of all results.
            encoder: Frozen.
        """
        self._frame = frame
        self._encoder = encoder
        self._mesh = self._features(mesh)

    def score(self, result: VoxelGrid) -> float:
        """Return the mean cosine of the pictures' features. 1 is best."""
        features = self._features(mesh_from_voxels(result))
        return float((features * self._mesh).sum(dim=-1).mean())

    def _features(self, mesh: Mesh) -> Float[Tensor, "view d"]:
        pictures = around(mesh, self._frame)
        with torch.no_grad():
            return self._encoder.features(torch.from_numpy(pictures))


def around(mesh: Mesh, frame: Frame) -> Float32[np.ndarray, "view 3 h w"]:
    """Return shaded sRGB pictures on white, one pixel per voxel, samples averaged.

    Shaded with 0.62 + 0.38 |n·l|, `l` from the upper left of the eye. The first is
    from the front's right; the judge's (metrics/likeness.py) are from elsewhere.

    Args:
        mesh: In the world frame.
        frame: Its grid; it sets place and scale.
    """
    caster = Caster(mesh, frame)
    middle = np.array(frame.shape) / 2
    width = int(np.ceil(np.linalg.norm(frame.shape))) + 2
    up, front = vector_of(frame.up), vector_of(frame.front)
    side = np.cross(up, front)
    at = (np.arange(width * _SAMPLES) + 0.5) / _SAMPLES - width / 2
    pictures = []
    for number in range(_TURNS):
        turn = (number + 0.5) * 2 * np.pi / _TURNS
        rise = np.radians(_ELEVATIONS[number % len(_ELEVATIONS)])
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
    return np.ascontiguousarray(np.stack(pictures).transpose(0, 3, 1, 2))
