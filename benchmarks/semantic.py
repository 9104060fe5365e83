"""What the semantic loss and the encoder's choice bring, by size.

For each mesh and size four results are made: without semantics, with the loss, the
closed-form shape, and the palette of plain K-means. `choice` is the one of all but the
loss's that the encoder likes best, `both` the one of all four. Judged by the six views
(`voxify3d.metrics`) and by EfficientNet-Lite2 from other directions, which no fit and
no choice knows. Results are added to a JSON file, so a run can be continued.

    python benchmarks/semantic.py --meshes FOLDER
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from voxify3d import FineConfig, Mesh, PixelArtConfig, VoxelGrid, load_mesh
from voxify3d.encoders import load_encoder
from voxify3d.fit.choose import Chooser
from voxify3d.fit.coarse import coarse_occupancy
from voxify3d.fit.fine import FineFit
from voxify3d.fit.patch_loss import PatchLoss
from voxify3d.fit.polish import polish
from voxify3d.fit.semantic_settings import SemanticConfig
from voxify3d.mesh.coverage import surface_coverage
from voxify3d.metrics.judge import Judge
from voxify3d.pixelart.pixelize import pixelize
from voxify3d.render.mesh import frame_of, render_mesh
from voxify3d.types import Direction
from voxify3d.voxels.surface import mesh_from_voxels

RESULTS = Path(__file__).parent / "results"
MESHES: dict[str, tuple[str, Direction]] = {
    # file, front
    "knight": ("knight.glb", "+z"),
    "witch": ("witch.glb", "+z"),
    "fox": ("fox/fox.gltf", "+z"),
    "toy-robot": ("toy-robot/toy-robot.glb", "+z"),
    "cow": ("spot-cow/spot-cow.obj", "-z"),
    "crab": ("crab.ply", "+z"),
    "egg-robot": ("egg-robot/egg-robot.obj", "+z"),
    "robot": ("robot-expressive.glb", "+z"),
    "skater": ("skater-male.gltf", "+z"),
    "cake": ("birthday-cake.gltf", "+z"),
}
SIZES = (24, 40, 30, 48)
"""In this order: a run that is cut short has small and large."""
MADE = ("without", "loss", "shape", "kmeans")
SHOWN = ("without", "loss", "choice", "both")
COLUMNS = (
    "likeness",
    "own",
    "iou",
    "color_error",
    "detail",
    "features",
    "speckle",
    "tear",
)


def make(
    mesh: Mesh, size: int, front: str, steps: int, semantic: SemanticConfig, encoder
) -> Iterator[tuple[str, VoxelGrid, float]]:
    """Yield name, result and seconds of each of `MADE`."""
    frame = frame_of(mesh, size, front)
    renders = render_mesh(mesh, frame, 8)
    coverage = surface_coverage(mesh, frame)
    done: dict[bytes, tuple[VoxelGrid, float]] = {}
    for name in MADE:
        start = time.perf_counter()
        config = PixelArtConfig(rarity=2.0) if name == "kmeans" else PixelArtConfig()
        art = pixelize(renders, 8, config)
        pictures = b"".join(p.cost.tobytes() for p in art.pictures)
        if name == "kmeans" and pictures in done:
            yield name, *done[pictures]
            continue
        occupancy = coarse_occupancy(coverage, art)
        occupied = occupancy.occupied
        if name != "shape":
            loss = None
            if name == "loss":
                generator = torch.Generator().manual_seed(1)
                loss = PatchLoss(encoder, renders, semantic, steps, generator)
            generator = torch.Generator().manual_seed(0)
            fine = FineConfig(steps=steps)
            fit = FineFit(occupancy, art, coverage, fine, generator, loss)
            for _ in fit:
                pass
            occupied = fit.occupied()
        index = polish(occupied, occupancy, art, coverage)
        grid = VoxelGrid((index + 1).astype(np.uint8), art.palette, frame)
        seconds = time.perf_counter() - start
        done.setdefault(pictures, (grid, seconds))
        yield name, grid, seconds


def compare(mesh: Mesh, size: int, front: str, args: argparse.Namespace) -> dict:
    """Return the scores of every result of one mesh at one size."""
    encoder = load_encoder(args.encoder, input_size=96)
    chooser_encoder = load_encoder(args.encoder)
    assert encoder is not None
    assert chooser_encoder is not None
    frame = frame_of(mesh, size, front)
    chooser, judge = Chooser(mesh, frame, chooser_encoder), Judge(mesh, frame)
    semantic = SemanticConfig(every=args.every, weight=args.weight)
    row, known = {}, {}
    for name, grid, seconds in make(mesh, size, front, args.steps, semantic, encoder):
        same = grid.index.tobytes() + grid.palette.rgb.tobytes()
        if same not in known:
            known[same] = judge.judge(mesh_from_voxels(grid)).as_dict()
            known[same]["own"] = chooser.score(grid)
        scores = known[same] | {"seconds": seconds}
        row[name] = {key: round(float(value), 5) for key, value in scores.items()}
    return row


def picks(row: dict) -> dict[str, dict]:
    """Return the scores under the names of `SHOWN`."""

    def best(*names: str) -> dict:
        return max((row[name] for name in names), key=lambda scores: scores["own"])

    return {
        "without": row["without"],
        "loss": row["loss"],
        "choice": best("without", "shape", "kmeans"),
        "both": best(*MADE),
    }


def table(rows: dict[str, dict]) -> str:
    """Return the means by size as Markdown, and how often likeness rose and fell."""
    lines = ["| size | meshes | | " + " | ".join(COLUMNS) + " | up / down |"]
    lines.append("|---" * (len(COLUMNS) + 4) + "|")
    sizes = sorted({int(key.split("@")[1]) for key in rows})
    for size in (*sizes, 0):
        chosen = [
            picks(r) for k, r in rows.items() if not size or k.endswith(f"@{size}")
        ]
        for shown in SHOWN:
            means = [np.nanmean([r[shown][c] for r in chosen]) for c in COLUMNS]
            change = [r[shown]["likeness"] - r["without"]["likeness"] for r in chosen]
            up, down = (sum(c > 5e-4 for c in change), sum(c < -5e-4 for c in change))
            cells = " | ".join(f"{mean:.4f}" for mean in means)
            label = size or "all"
            lines.append(
                f"| {label} | {len(chosen)} | {shown} | {cells} | {up}/{down} |"
            )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run what is missing, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--meshes", type=Path, required=True)
    parser.add_argument("--encoder", default="efficientnet-lite0")
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--every", type=int, default=4)
    parser.add_argument("--weight", type=float, default=3.0)
    parser.add_argument("--out", default="semantic")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--minutes", type=float, default=25.0)
    args = parser.parse_args()
    torch.set_num_threads(1)
    path = RESULTS / f"{args.out}.json"
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        capture_output=True,
        text=True,
        check=False,
        cwd=RESULTS.parent,
    ).stdout.strip()
    about = {
        "command": "python benchmarks/semantic.py --meshes FOLDER",
        "commit": commit,
        "encoder": args.encoder,
        "steps": args.steps,
        "every": args.every,
        "weight": args.weight,
        "threads": 1,
    }
    rows = json.loads(path.read_text())["rows"] if path.exists() else {}
    begun = time.monotonic()
    for size in args.sizes:
        for name, (file, front) in MESHES.items():
            mesh = load_mesh(args.meshes / file)
            if f"{name}@{size}" in rows or time.monotonic() - begun > args.minutes * 60:
                continue
            rows[f"{name}@{size}"] = compare(mesh, size, front, args)
            RESULTS.mkdir(exist_ok=True)
            path.write_text(json.dumps({"about": about, "rows": rows}, indent=1) + "\n")
            path.with_suffix(".md").write_text(table(rows))
            print(f"{name}@{size} {time.monotonic() - begun:.0f} s", file=sys.stderr)
    print(table(rows))


if __name__ == "__main__":
    main()
