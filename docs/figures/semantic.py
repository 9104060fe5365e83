"""Without semantics, with the loss, and the encoder's choice, beside the mesh.

python docs/figures/semantic.py

Makes semantic.png: four meshes of ../shared/meshes at sizes 24 and 40, made with the
embedded encoder as benchmarks/semantic.py makes them.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from voxify3d import Mesh, load_mesh
from voxify3d.encoders import load_encoder
from voxify3d.fit.choose import Chooser
from voxify3d.fit.semantic_settings import SemanticConfig
from voxify3d.render.mesh import frame_of
from voxify3d.render.picture import render_picture
from voxify3d.types import Frame, vector_of
from voxify3d.voxels.surface import mesh_from_voxels

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MESHES = ROOT.parent / "shared" / "meshes"
SHOWN = (("knight", 24), ("cow", 24), ("knight", 40), ("fox", 40))
_WIDE = 220


def picture(mesh: Mesh, frame: Frame) -> np.ndarray:
    """Return one tile: from the front's right, a little above."""
    front, up = vector_of(frame.front), vector_of(frame.up)
    toward = front + 0.55 * np.cross(up, front) + 0.35 * up
    return render_picture(mesh, frame, toward, up.astype(float), size=_WIDE, samples=2)


def main() -> None:
    """Make the picture."""
    if not MESHES.is_dir():
        print(f"skipped: no folder {MESHES.name} beside the checkout")
        return
    sys.path.insert(0, str(ROOT / "benchmarks"))
    from semantic import MADE, make
    from semantic import MESHES as FILES

    torch.set_num_threads(1)
    loss_encoder = load_encoder("efficientnet-lite0", input_size=96)
    encoder = load_encoder("efficientnet-lite0")
    assert encoder is not None
    rows = []
    for name, size in SHOWN:
        file, front = FILES[name]
        mesh = load_mesh(MESHES / file)
        frame = frame_of(mesh, size, front)
        chooser = Chooser(mesh, frame, encoder)
        semantic = SemanticConfig(every=4)
        made = {
            kind: grid
            for kind, grid, _ in make(mesh, size, front, 60, semantic, loss_encoder)
        }
        best = max((made[kind] for kind in MADE), key=chooser.score)
        shown = [made["without"], made["loss"], best]
        tiles = [picture(mesh, frame)]
        tiles += [picture(mesh_from_voxels(grid), frame) for grid in shown]
        rows.append(np.concatenate(tiles, axis=1))
    image = Image.fromarray(np.concatenate(rows))
    image.quantize(128).save(HERE / "semantic.png", optimize=True)
    print("semantic.png")


if __name__ == "__main__":
    main()
