"""peers.png: our result beside what people use today.

python docs/figures/peers.py

Size 32, 8 colors: trimesh's voxels, Blender's remesh modifier, the median of finer
voxels, and preset default. All by `voxify3d.compare`, as `voxify3d compare` makes them.
Blender is another program; where it is not found, the picture stays as it is. Meshes:
KayKit knight, Kenney's skater and Quaternius' robot (CC0), spot by Keenan Crane (public
domain).
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from voxify3d import load_mesh
from voxify3d.compare import METHODS, Task
from voxify3d.errors import MissingExtraError
from voxify3d.render.mesh import frame_of
from voxify3d.render.picture import BACKGROUND, render_picture
from voxify3d.types import Direction, vector_of

OUT = Path(__file__).with_suffix(".png")
MESHES = OUT.parents[3] / "shared" / "meshes"
SHOWN: dict[str, Direction] = {
    "knight.glb": "+z",
    "skater-male.gltf": "+z",
    "spot-cow/spot-cow.obj": "-z",
    "robot-expressive.glb": "+z",
}
COLUMNS = {
    "plain": "trimesh",
    "blender": "Blender remesh",
    "median": "median of finer voxels",
    "ours": "voxify3d",
}
SIZE = 32
PANEL, HEAD = 280, 30
INK = (110, 113, 124)
ASIDE, ABOVE = 0.55, 0.25
"""How much to the right of the front, and above it, the eye is."""


def main() -> int:
    """Make the picture."""
    if not MESHES.is_dir():
        print(f"skipped: no folder {MESHES.name} beside the checkout")
        return 0
    width, height = (1 + len(COLUMNS)) * PANEL, HEAD + len(SHOWN) * PANEL
    sheet = Image.new("RGB", (width, height), BACKGROUND)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(16)
    for column, label in enumerate(["the mesh", *COLUMNS.values()]):
        place = (column * PANEL + PANEL / 2, HEAD * 0.6)
        draw.text(place, label, INK, font, "mm")
    for row, (name, front) in enumerate(SHOWN.items()):
        mesh = load_mesh(MESHES / name)
        frame = frame_of(mesh, SIZE, front)
        task = Task(size=SIZE, colors=8, front=front)
        try:
            results = [METHODS[method].make(mesh, task) for method in COLUMNS]
        except MissingExtraError as error:
            print(f"skipped: {error}")
            return 0
        forward, up = vector_of(front), np.array([0.0, 1.0, 0.0])
        eye = forward + ASIDE * np.cross(up, forward) + ABOVE * up
        for column, shown in enumerate([mesh, *results]):
            picture = render_picture(
                shown, frame, eye, up, size=PANEL, fit=mesh, lines=column > 0
            )
            place = (column * PANEL, HEAD + row * PANEL)
            sheet.paste(Image.fromarray(picture), place)
    sheet.quantize(128, dither=Image.Dither.NONE).save(OUT, optimize=True)
    print(OUT.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
