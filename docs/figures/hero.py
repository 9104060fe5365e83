"""hero.png: the sample character, its pixel art, and the voxels made of it.

python docs/figures/hero.py
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from voxify3d import VoxelizeConfig, voxelize
from voxify3d.mesh.shapes import sample_character
from voxify3d.pixelart.pixelize import pixelize
from voxify3d.render.mesh import render_mesh
from voxify3d.render.picture import BACKGROUND, render_picture
from voxify3d.render.views import six_views
from voxify3d.voxels.surface import mesh_from_voxels

OUT = Path(__file__).with_suffix(".png")
PANEL = 420
"""Pixels along each side of a picture."""
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
    renders = render_mesh(mesh, grid.frame, config.pixelart.samples)
    art = pixelize(renders, config.colors, config.pixelart, config.seed)
    corner = {"toward": CORNER, "up": UP, "size": PANEL}
    voxels = mesh_from_voxels(grid)
    panels = [
        ("a mesh", render_picture(mesh, grid.frame, **corner, fit=voxels)),
        ("six views as pixel art", six_pictures(art)),
        ("voxels", render_picture(voxels, grid.frame, **corner, lines=True)),
    ]
    page = Image.new("RGB", (len(panels) * PANEL, PANEL + FOOT), BACKGROUND)
    draw = ImageDraw.Draw(page)
    font = ImageFont.load_default(22)
    for column, (title, picture) in enumerate(panels):
        page.paste(Image.fromarray(picture), (column * PANEL, 0))
        middle = (column + 0.5) * PANEL
        draw.text((middle, PANEL + FOOT * 0.35), title, (52, 54, 62), font, "mm")
    for column in (1, 2):
        at = (column * PANEL, PANEL / 2)
        draw.text(at, "→", (128, 131, 142), ImageFont.load_default(44), "mm")
    page.quantize(128).save(OUT, optimize=True)
    print(OUT)


def six_pictures(art) -> np.ndarray:
    """Return the six pictures in two rows, each cell a whole number of pixels."""
    names = [view.name for view in six_views()]
    shapes = [p.view.image_from_cells(p.index).shape for p in art.pictures]
    scale = min((PANEL - 72) // (3 * max(s[1] for s in shapes)),
                (PANEL - 54) // (2 * max(s[0] for s in shapes)))  # fmt: skip
    page = np.full((PANEL, PANEL, 3), BACKGROUND, np.uint8)
    for name, picture in zip(names, art.pictures, strict=True):
        index = picture.view.image_from_cells(picture.index)
        rgb = art.palette.rgb[np.maximum(index, 0)]
        rgb = np.where((index >= 0)[..., None], rgb, BACKGROUND).astype(np.uint8)
        rgb = rgb.repeat(scale, axis=0).repeat(scale, axis=1)
        row = 0 if name in LAYOUT[0] else 1
        column = LAYOUT[row].index(name)
        top = PANEL * (2 * row + 1) // 4 - len(rgb) // 2
        left = PANEL * (2 * column + 1) // 6 - rgb.shape[1] // 2
        page[top : top + len(rgb), left : left + rgb.shape[1]] = rgb
    return page


if __name__ == "__main__":
    main()
