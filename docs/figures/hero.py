"""hero.png: the sample character, its pixel art, and the voxels made of it.

python docs/figures/hero.py
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from voxify3d import VoxelizeConfig, voxelize
from voxify3d.mesh.sample import sample_character
from voxify3d.pixelart.pixelize import pixelize
from voxify3d.render.mesh import render_mesh
from voxify3d.render.picture import BACKGROUND, render_picture
from voxify3d.render.views import six_views
from voxify3d.voxels.surface import mesh_from_voxels

OUT = Path(__file__).with_suffix(".png")
PANEL = 420
"""Pixels along each side of a picture."""
MIDDLE = 540
"""Pixels across the pixel art."""
FOOT = 52
CORNER = np.array([0.7, 0.5, 1.0])
"""From the object to the eye."""
UP = np.array([0.0, 1.0, 0.0])
LAYOUT = (("front", "back", "top"), ("left", "right", "bottom"))
"""Where each picture of pixel art goes."""


def main() -> None:
    """Make the picture."""
    config = VoxelizeConfig(size=40, colors=8)
    mesh = sample_character()
    grid = voxelize(mesh, config)
    renders = render_mesh(mesh, grid.frame, config.pixelart.samples_at(config.size))
    art = pixelize(renders, config.colors, config.pixelart, config.seed)
    corner = {"toward": CORNER, "up": UP, "size": PANEL}
    voxels = mesh_from_voxels(grid)
    panels = [
        ("a mesh", render_picture(mesh, grid.frame, **corner, fit=voxels)),
        ("six views as pixel art", six_pictures(art)),
        ("voxels", render_picture(voxels, grid.frame, **corner, lines=True)),
    ]
    widths = [picture.shape[1] for _, picture in panels]
    page = Image.new("RGB", (sum(widths), PANEL + FOOT), BACKGROUND)
    draw = ImageDraw.Draw(page)
    left = 0
    for (title, picture), width in zip(panels, widths, strict=True):
        page.paste(Image.fromarray(picture), (left, 0))
        at = (left + width / 2, PANEL + FOOT * 0.35)
        draw.text(at, title, (52, 54, 62), ImageFont.load_default(22), "mm")
        left += width
    for x in (widths[0], widths[0] + widths[1]):
        y = PANEL // 2
        arrow = [(x - 16, y - 18), (x + 4, y), (x - 16, y + 18)]
        draw.line(arrow, (160, 163, 172), 5, joint="curve")
    page.quantize(128).save(OUT, optimize=True)
    print(OUT)


def six_pictures(art) -> np.ndarray:
    """Return the six pictures in two rows, each cell a whole number of pixels."""
    names = [view.name for view in six_views()]
    shapes = [p.view.image_from_cells(p.index).shape for p in art.pictures]
    wide, high = max(w for _, w in shapes), max(h for h, _ in shapes)
    scale = min(MIDDLE // (3 * wide + 12), PANEL // (2 * high + 8))
    page = np.full((PANEL, MIDDLE, 3), BACKGROUND, np.uint8)
    for name, picture in zip(names, art.pictures, strict=True):
        index = picture.view.image_from_cells(picture.index)
        rgb = art.palette.rgb[np.maximum(index, 0)]
        rgb = np.where((index >= 0)[..., None], rgb, BACKGROUND).astype(np.uint8)
        rgb = rgb.repeat(scale, axis=0).repeat(scale, axis=1)
        row = 0 if name in LAYOUT[0] else 1
        column = LAYOUT[row].index(name)
        top = PANEL * (2 * row + 1) // 4 - len(rgb) // 2
        left = MIDDLE * (2 * column + 1) // 6 - rgb.shape[1] // 2
        page[top : top + len(rgb), left : left + rgb.shape[1]] = rgb
    return page


if __name__ == "__main__":
    main()
