"""A `.png` preview: the input beside the result, from the front and from the corner."""

import io

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from voxify3d.export.record import json_bytes, record_of
from voxify3d.render.picture import BACKGROUND, render_picture
from voxify3d.render.views import six_views
from voxify3d.types import Mesh, VoxelGrid, vector_of
from voxify3d.voxels.surface import mesh_from_voxels

_INK, _FAINT = (52, 54, 62), (128, 131, 142)
_CORNER = (0.7, 0.5)
"""The corner view: so much right and up for one towards the front."""


def png_bytes(grid: VoxelGrid, mesh: Mesh | None = None, *, panel: int = 480) -> bytes:
    """Return the preview as a `.png` file.

    Front views show plain colors, exactly those of the palette where a voxel is four
    pixels or more; corner views have light, shadow and lines between voxels. The text
    chunk `voxify3d` holds the frame and the manifest as JSON.

    Args:
        grid: The result.
        mesh: What it was made from; shown beside it when given.
        panel: Pixels along the side of each view; at least 64.
    """
    file = io.BytesIO()
    about = PngInfo()
    about.add_itxt("voxify3d", json_bytes(record_of(grid)).decode())
    picture = Image.fromarray(preview(grid, mesh, panel=panel))
    picture.save(file, "png", pnginfo=about)
    return file.getvalue()


def preview(
    grid: VoxelGrid, mesh: Mesh | None = None, *, panel: int = 480
) -> UInt8[np.ndarray, "h w 3"]:
    """Return the picture that `png_bytes` packs."""
    voxels = mesh_from_voxels(grid)
    shown = [("result", voxels)] if mesh is None else [("input", mesh)]
    shown += [] if mesh is None else [("result", voxels)]
    front = six_views(grid.frame.front, grid.frame.up)[0]
    forward, up, right = map(vector_of, (front.toward, grid.frame.up, front.right))
    corner = forward + _CORNER[0] * right + _CORNER[1] * up
    pad = panel // 20
    head, foot = round(panel * 0.11), round(panel * 0.13)
    width = pad + 2 * len(shown) * (panel + pad)
    page = Image.new("RGB", (width, head + panel + foot), BACKGROUND)
    draw = ImageDraw.Draw(page)
    small = ImageFont.load_default(panel / 28)
    views = [("front", forward, False), ("corner", corner, True)]
    cells = [(view, item) for view in views for item in shown]
    for column, ((view, toward, shaded), (name, body)) in enumerate(cells):
        left = pad + column * (panel + pad)
        picture = render_picture(
            body,
            grid.frame,
            toward,
            up,
            size=panel,
            shaded=shaded,
            lines=body is voxels,
            fit=voxels,
        )
        page.paste(Image.fromarray(picture), (left, head))
        middle = left + panel / 2
        draw.text((middle, head * 0.62), f"{name}, {view}", _FAINT, small, "mm")
    _swatches(draw, grid, (pad, head + panel, width - pad, foot))
    return np.asarray(page)


def _swatches(
    draw: ImageDraw.ImageDraw, grid: VoxelGrid, box: tuple[int, int, int, int]
) -> None:
    """Draw the palette strip on the left and one line of facts on the right."""
    left, top, right, height = box
    font = ImageFont.load_default(height * 0.28)
    size = " x ".join(map(str, grid.index.shape))
    used = len(np.unique(grid.index[grid.occupied]))
    name = grid.name if len(grid.name) <= 32 else grid.name[:29] + "..."
    facts = f"{size} voxels, {int(grid.occupied.sum()):,} filled, {used} colors"
    line = top + height * 0.5
    draw.text((right, line), facts, _FAINT, font, "rm")
    taken = draw.textlength(facts, font)
    title = ImageFont.load_default(height * 0.36)
    draw.text((left, line), name, _INK, title, "lm")
    start = left + draw.textlength(name, title) + height * 0.35
    room = right - taken - height * 0.35 - start
    # As many rows as it takes for square swatches to fit.
    colors, strip, rows = len(grid.palette), height * 0.46, 1
    while -(-colors // rows) * strip / rows > max(room, strip) and rows < colors:
        rows += 1
    side = max(strip / rows, 1)
    columns = -(-colors // rows)
    for k, rgb in enumerate(grid.palette.rgb.tolist()):
        x = start + k % columns * side
        y = line - strip / 2 + k // columns * side
        box = round(x), round(y), round(x + side) - 1, round(y + side) - 1
        draw.rectangle(box, fill=tuple(rgb))
