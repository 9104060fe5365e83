"""What of the semantic loss does anything: which features, when, and on what.

    python benchmarks/semantic_parts.py --meshes FOLDER [--sizes 24 40]

Sixty steps with 14 evaluations of the loss each, however they are spread. `logits`
results have the colors that the fit trained; the others have colors in closed form, as
every export does. Rows are added to results/semantic-parts.json.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from gains import Results, study
from jaxtyping import Float
from torch import Tensor

from voxify3d import FineConfig, Mesh, VoxelGrid
from voxify3d.encoders import load_encoder
from voxify3d.encoders.protocol import unit
from voxify3d.fit.coarse import coarse_occupancy
from voxify3d.fit.fine import FineFit
from voxify3d.fit.patch_loss import PatchLoss
from voxify3d.fit.polish import polish
from voxify3d.fit.semantic_settings import SemanticConfig
from voxify3d.mesh.coverage import surface_coverage
from voxify3d.pixelart.pixelize import pixelize
from voxify3d.render.mesh import frame_of, render_mesh
from voxify3d.types import Direction

STEPS = 60
POOLED = 1280
"""Numbers of the pooled vector, the last of the encoder's features."""
METHODS = {
    # features, acts on, settings
    "maps and pooled": ("both", "both", {}),
    "pooled only": ("pooled", "both", {}),
    "maps only": ("maps", "both", {}),
    "first 46 % only": ("both", "both", {"every": 2, "stop": 0.46}),
    "last 46 % only": ("both", "both", {"every": 2, "start": 0.46}),
    "on shape only": ("both", "shape", {}),
    "on colors only": ("both", "colors", {}),
}


class Part:
    """Some of an encoder's features."""

    name, low_pass, input_size = "part", True, 96

    def __init__(self, part: str) -> None:
        self._part = part
        self._encoder = load_encoder("efficientnet-lite0", input_size=self.input_size)

    def features(self, images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b d"]:
        """Return unit vectors of the chosen features."""
        assert self._encoder is not None
        found = self._encoder.features(images)
        if self._part == "both":
            return found
        pooled, maps = found[:, -POOLED:], found[:, :-POOLED]
        return unit(pooled if self._part == "pooled" else maps)


class PartFit(FineFit):
    """A fit whose semantic loss reaches the shape only, or the colors only."""

    target = "both"

    def losses(self, step: int) -> dict[str, Tensor]:
        """Return the losses, the semantic one cut off from the other parameter."""
        if self._semantic is None or self.target == "both":
            return super().losses(step)
        semantic, self._semantic = self._semantic, None
        plain = super().losses(step)
        self._semantic = semantic
        still = self.field.logits if self.target == "shape" else self.field.density_raw
        still.requires_grad_(False)
        whole = super().losses(step)
        still.requires_grad_(True)
        if "semantic" in whole:
            plain["semantic"] = whole["semantic"]
        return plain


def make(mesh: Mesh, size: int, front: Direction) -> Results:
    """Yield the result without the loss, and with each kind of it."""
    frame = frame_of(mesh, size, front)
    renders = render_mesh(mesh, frame, 8)
    coverage = surface_coverage(mesh, frame)
    art = pixelize(renders, 8)
    occupancy = coarse_occupancy(coverage, art)
    for name, part in ({"without": None} | METHODS).items():
        loss = None
        if part is not None:
            config = replace(SemanticConfig(), **part[2])
            generator = torch.Generator().manual_seed(1)
            loss = PatchLoss(Part(part[0]), renders, config, STEPS, generator)
        generator = torch.Generator().manual_seed(0)
        fine = FineConfig(steps=STEPS)
        fit = PartFit(occupancy, art, coverage, fine, generator, loss)
        fit.target = part[1] if part else "both"
        for _ in fit:
            pass
        index = polish(fit.occupied(), occupancy, art, coverage)
        yield name, VoxelGrid((index + 1).astype(np.uint8), art.palette, frame)
        if name in ("without", "maps and pooled", "on shape only", "on colors only"):
            trained = np.full(index.shape, -1)
            trained[fit.shell] = fit.field.logits.argmax(-1).numpy()
            index = np.where((index >= 0) & (trained >= 0), trained, index)
            grid = VoxelGrid((index + 1).astype(np.uint8), art.palette, frame)
            yield f"{name}, logits", grid


def main() -> None:
    """Run what is missing, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--meshes", type=Path, required=True)
    parser.add_argument("--sizes", type=int, nargs="+", default=[24, 40])
    args = parser.parse_args()
    torch.set_num_threads(1)
    notes = (
        "# The semantic loss, part by part\n\nFirst row of a size: means without the "
        "loss. Others: mean differences to it over the\nmeshes, likeness with its "
        "standard error. Rows with `logits` have trained colors."
    )
    study("semantic-parts", notes, make, args.meshes, args.sizes)


if __name__ == "__main__":
    main()
