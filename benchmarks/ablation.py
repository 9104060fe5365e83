"""The paper's method, and the same without each of its parts.

    python benchmarks/ablation.py MESHES... [--size 32] [--steps 300] [--coarse 300]

The paper's 6500 steps are shortened to `--steps`: times of its schedule shrink alike
and the density's learning rate grows alike, so that a voxel can go as far. Stage one
has `--coarse` steps of the settings for a CPU, once a mesh. Writes
benchmarks/results/ablation.md and .json, with the paper's score where CLIP's weights
are on this machine.
"""

import argparse
import json
import math
import time
import warnings
from dataclasses import replace
from pathlib import Path

import torch
from common import mesh_set
from means import write

from voxify3d.config import ABLATIONS, PRESETS, VoxelizeConfig, without
from voxify3d.encoders.clip import has_clip, load_clip
from voxify3d.fit.paper import PaperFit, export_field, fog
from voxify3d.fit.paper_settings import PAPER_STEPS
from voxify3d.fit.radiance import fit_radiance
from voxify3d.fit.radiance_settings import QUICK_RADIANCE
from voxify3d.mesh.load import load_mesh
from voxify3d.metrics.judge import METRICS, Judge
from voxify3d.metrics.score import caption_score, score_pictures
from voxify3d.pipeline import voxelize
from voxify3d.pixelart.pixelize import pixelize
from voxify3d.render.mesh import frame_of, render_mesh
from voxify3d.types import VoxelGrid
from voxify3d.voxels.surface import mesh_from_voxels


def finished(steps):
    """Run a generator to its end and return its result."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value


def paper_result(mesh, config, field):
    """Return what preset paper makes, with a first stage that is known already."""
    frame = frame_of(mesh, config.size, config.front)
    samples, perspective = config.pixelart.samples, config.is_perspective
    renders = render_mesh(mesh, frame, samples, perspective=perspective)
    art = pixelize(renders, config.colors, config.pixelart, config.seed)
    paper = config.fine.paper
    if config.coarse.method == "none":
        field = fog(frame.shape, paper.initial_alpha)
    if paper.steps:
        fit = PaperFit(field, art, paper, torch.Generator().manual_seed(config.seed))
        for _ in fit:
            pass
        index = fit.index()
    else:
        index = export_field(field, art, config.coarse.threshold)
    return VoxelGrid((index + 1).astype("uint8"), art.palette, frame)


def prompt_of(path):
    """Return the prompt that a meshes.json near a file has for it, else its name."""
    for folder in path.resolve().parents[:2]:
        if (folder / "meshes.json").is_file():
            for entry in json.loads((folder / "meshes.json").read_text())["meshes"]:
                if (folder / entry["file"]).resolve() == path.resolve():
                    return entry["prompt"]
    return path.stem


def variants(config, ours):
    """Return name → config."""
    fine = ours.fine
    return (
        {"paper": config}
        | {f"paper, no {part}": without(config, [part]) for part in ABLATIONS}
        | {
            "paper, exact stage 1": replace(
                config, coarse=replace(config.coarse, method="surface")
            ),
            "ours": ours,
            "ours, no stage 2": replace(ours, fine=replace(fine, steps=0)),
            "ours, no depth": replace(ours, fine=replace(fine, depth_weight=0.0)),
            "ours, no alpha": replace(ours, fine=replace(fine, alpha_weight=0.0)),
            "ours, straight-through Gumbel": replace(
                ours, fine=replace(fine, sampling="straight-through")
            ),
        }
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("meshes", nargs="+", type=Path)
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--coarse", type=int, default=300)
    args = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message=".*semantic loss")
    clip = load_clip() if has_clip() else None
    stage1 = replace(QUICK_RADIANCE, steps=args.coarse)
    rows = []
    for source in mesh_set(args.meshes):
        mesh = load_mesh(source.path)
        ours = replace(VoxelizeConfig(), size=args.size, front=source.front)
        frame = frame_of(mesh, args.size, ours.front)
        judge = Judge(mesh, frame)
        paper = PRESETS["paper"]
        shorter = replace(
            paper.fine.paper,
            steps=args.steps,
            density_rate=paper.fine.paper.density_rate * PAPER_STEPS / args.steps,
        )
        config = replace(
            paper,
            size=args.size,
            front=ours.front,
            coarse=replace(paper.coarse, radiance=stage1),
            fine=replace(paper.fine, paper=shorter),
        )
        generator = torch.Generator().manual_seed(0)
        field = finished(fit_radiance(mesh, frame, stage1, generator=generator))
        for name, variant in variants(config, ours).items():
            start = time.perf_counter()
            known = (
                variant.fine.method == "paper" and variant.coarse.method != "surface"
            )
            grid = (
                paper_result(mesh, variant, field) if known else voxelize(mesh, variant)
            )
            seconds = time.perf_counter() - start
            row = {"mesh": source.name, "method": name}
            row |= dict.fromkeys(METRICS, math.nan)
            if grid.occupied.any():
                result = mesh_from_voxels(grid)
                row |= judge.judge(result).as_dict()
                if clip:
                    pictures = score_pictures(result, ours.front)
                    prompt = prompt_of(source.path)
                    row["CLIP score"] = caption_score(clip, pictures, prompt)
            row["s"] = seconds
            rows.append(row)
            print(source.name, name, f"{seconds:.1f} s", flush=True)
        notes = (
            f"Means of {len({r['mesh'] for r in rows})} meshes at size {args.size}, 8 "
            f"colors, one thread. {args.steps} of the paper's {PAPER_STEPS} steps:\n"
            "its schedule shrunk alike and its density rate grown alike; stage 1 has "
            f"{args.coarse} steps for a CPU;\nno semantic loss. Seconds without stage "
            "1's, of a shared machine: compare, do not quote.\nThe paper's score "
            + (
                "is 100 times the mean cosine of CLIP."
                if clip
                else "is left out: CLIP's weights are not on the machine."
            )
        )
        write("ablation", "The paper's parts, one left out at a time", notes, rows)


if __name__ == "__main__":
    main()
