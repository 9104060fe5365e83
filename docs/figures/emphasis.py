"""emphasis.png: the same sizes without and with --emphasize head:1.6.

python docs/figures/emphasis.py

Meshes of ../shared/meshes: skater by Kenney (CC0), spot by Keenan Crane (public
domain), llama by Quaternius (CC0).
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from voxify3d import VoxelizeConfig, load_mesh, voxelize
from voxify3d.render.picture import BACKGROUND, render_picture
from voxify3d.types import Direction, vector_of
from voxify3d.voxels.surface import mesh_from_voxels

OUT = Path(__file__).with_suffix(".png")
MESHES = Path(__file__).parents[3] / "shared" / "meshes"
PANEL, FOOT = 250, 30
INK = (110, 113, 124)
HOW = "head:1.6"
SHOWN: tuple[tuple[str, Direction, int, float], ...] = (
    ("skater-male.gltf", "+z", 28, 0.4),
    ("spot-cow/spot-cow.obj", "-z", 24, 0.7),
    ("llama.fbx", "+z", 28, 0.9),
)
"""File, front, size, and how far from the right it is seen."""


def main() -> None:
    """Make the picture."""
    if not MESHES.is_dir():
        print(f"skipped: no folder {MESHES.name} beside the checkout")
        return
    page = Image.new("RGB", (2 * len(SHOWN) * PANEL, PANEL + FOOT), BACKGROUND)
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(16)
    left = 0
    for name, front, size, right in SHOWN:
        mesh = load_mesh(MESHES / name)
        forward, up = vector_of(front), np.array([0.0, 1.0, 0.0])
        eye = forward + right * np.cross(up, forward) + 0.3 * up
        for emphasize in ("", HOW):
            config = VoxelizeConfig(size=size, front=front, emphasize=emphasize)
            grid = voxelize(mesh, config)
            picture = render_picture(
                mesh_from_voxels(grid), grid.frame, eye, up, size=PANEL, lines=True
            )
            page.paste(Image.fromarray(picture), (left, 0))
            text = f"--emphasize {emphasize}" if emphasize else f"--size {size}"
            place = (left + PANEL / 2, PANEL + FOOT * 0.4)
            draw.text(place, text, INK, font, "mm")
            left += PANEL
    page.quantize(96, dither=Image.Dither.NONE).save(OUT, optimize=True)
    print(OUT.name)


if __name__ == "__main__":
    main()
