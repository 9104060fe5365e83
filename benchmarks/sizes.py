"""Whether the sizes of `inspect --suggest-size` are right, on real meshes.

python benchmarks/sizes.py [MESH or FOLDER ...]

Converts every mesh at the suggested size and at 0.6 times it (preset draft, 8 colors),
and counts the features that are really there: in the result's picture from the side
that shows a feature, at least half of its place, or of a place up to half a voxel
beside it, is nearer to its color than to that of its surroundings. The surroundings
are a ring of the mesh's own picture. Prints the table of docs/sizes.md.
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from common import mesh_set
from scipy import ndimage

from voxify3d import PRESETS, load_mesh, voxelize
from voxify3d.color.spaces import oklab_from_srgb
from voxify3d.metrics.judge import Judge
from voxify3d.pixelart.salient import salient_spots
from voxify3d.pixelart.samples import sample_image
from voxify3d.render.cast import Caster
from voxify3d.render.mesh import frame_of, render_view
from voxify3d.suggest import suggest_size
from voxify3d.voxels.surface import mesh_from_voxels

CELLS, SAMPLES = 64, 6
SMALLER = 0.6
SQUARE = np.ones((3, 3), bool)


def picture(mesh, frame, view):
    """Return OKLab and hits of one side, sample by sample, in the cell layout."""
    render = render_view(Caster(mesh, frame), frame, view, SAMPLES)
    return sample_image(oklab_from_srgb(render.rgb)), sample_image(render.hit)


def shifted_share(own, mask, step):
    """Return the largest share of a mask that is `own`, moved by up to `step`."""
    at, last = np.argwhere(mask), np.array(own.shape) - 1
    moves = [np.array([a, b]) for a in (-step, 0, step) for b in (-step, 0, step)]
    return max(float(own[tuple(np.clip(at + m, 0, last).T)].mean()) for m in moves)


def survivors(mesh, front, size):
    """Return how many features a conversion keeps, of how many, and its part recall."""
    frame = frame_of(mesh, CELLS, front)
    grid = voxelize(mesh, replace(PRESETS["draft"], size=size, front=front))
    result = mesh_from_voxels(grid)
    seen, kept = {}, 0
    spots = salient_spots(mesh, front)
    for spot in spots:
        view = spot.view
        if view.name not in seen:
            seen[view.name] = picture(mesh, frame, view), picture(result, frame, view)
        (lab, hit), (made, filled) = seen[view.name]
        axes = [i for i in range(3) if i != view.axis]
        middle = np.array(frame.shape)[axes] / 2
        at = np.floor((spot.xyz[:, axes] * CELLS + middle) * SAMPLES).astype(int)
        mask = np.zeros(hit.shape, bool)
        mask[tuple(np.clip(at, 0, np.array(hit.shape) - 1).T)] = True
        mask = ndimage.binary_closing(np.pad(mask, 3), SQUARE, iterations=2)[3:-3, 3:-3]
        near = ndimage.binary_dilation(mask, SQUARE)
        ring = ndimage.binary_dilation(near, SQUARE, iterations=4) & ~near & hit
        ground = lab[ring].mean(axis=0)
        to_own = np.linalg.norm(made - spot.feature.lab, axis=-1)
        own = (to_own < np.linalg.norm(made - ground, axis=-1)) & filled
        step = round(CELLS * SAMPLES / size / 2)
        kept += shifted_share(own, mask, step) >= 0.5
    judge = Judge(mesh, frame_of(mesh, size, front), with_likeness=False)
    return kept, len(spots), judge.judge(result).part_recall


def main(paths):
    print("| mesh | suggested | features | parts | 0.6 × | features | parts |")
    print("|---|---|---|---|---|---|---|")
    for source in mesh_set(paths):
        try:
            mesh = load_mesh(source.path)
        except Exception as error:  # noqa: BLE001
            print(f"skipped {source.name}: {error}", file=sys.stderr)
            continue
        size = suggest_size(mesh, source.front).size
        row = [source.name]
        for asked in (size, round(SMALLER * size)):
            kept, total, recall = survivors(mesh, source.front, asked)
            parts = "–" if np.isnan(recall) else f"{recall:.2f}"
            row += [str(asked), f"{kept} of {total}" if total else "–", parts]
        print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main([Path(word) for word in sys.argv[1:]])
