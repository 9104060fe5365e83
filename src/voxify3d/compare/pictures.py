"""Pictures of the input and of every result, from the same fixed views."""

import base64
import io

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from voxify3d.render.picture import render_picture
from voxify3d.render.views import six_views
from voxify3d.types import Frame, Mesh, vector_of

VIEWS = {"front": (0.0, 0.0), "corner": (0.7, 0.5), "back": (-0.8, 0.45)}
"""Name → so much right and up for one towards the front; "back" is turned around.

The front is unlit: exact colors. The others have light, shadow and voxel borders.
"""
_SAMPLES = 3


def take_pictures(
    mesh: Mesh, frame: Frame, fit: Mesh, pixels: int, *, lines: bool
) -> dict[str, UInt8[np.ndarray, "h w 3"]]:
    """Return view → picture.

    Args:
        mesh: What is shown.
        frame: The grid of the comparison.
        fit: What fills the pictures: the input, so that all show the same place.
        pixels: Along each side.
        lines: Draw the borders of voxels.
    """
    front = six_views(frame.front, frame.up)[0]
    forward, up, right = map(vector_of, (front.toward, frame.up, front.right))
    pictures = {}
    for name, (across, above) in VIEWS.items():
        ahead = -forward if name == "back" else forward
        pictures[name] = render_picture(
            mesh,
            frame,
            ahead + across * right + above * up,
            up,
            size=pixels,
            samples=_SAMPLES,
            shaded=name != "front",
            lines=lines,
            fit=fit,
        )
    return pictures


def data_uri(picture: UInt8[np.ndarray, "h w 3"]) -> str:
    """Return a picture as a PNG in a `data:` address, of at most 256 colors."""
    file = io.BytesIO()
    image = Image.fromarray(picture).quantize(
        256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE
    )
    image.save(file, "png", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
