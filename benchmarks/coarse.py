"""Stage one: `surface` against `radiance`, on the final result.

    python benchmarks/coarse.py MESHES... [--size 32] [--steps 300]

Writes benchmarks/results/coarse.md and .json.
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path

import torch
from common import mesh_set
from means import write

from voxify3d.config import PRESETS, VoxelizeConfig
from voxify3d.fit.settings import CoarseConfig
from voxify3d.mesh.load import load_mesh
from voxify3d.metrics.judge import Judge
from voxify3d.pipeline import voxelize
from voxify3d.render.mesh import frame_of
from voxify3d.voxels.surface import mesh_from_voxels


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("meshes", nargs="+", type=Path)
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--steps", type=int, default=300)
    args = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for source in mesh_set(args.meshes):
        mesh = load_mesh(source.path)
        base = replace(VoxelizeConfig(), size=args.size, front=source.front)
        judge = Judge(mesh, frame_of(mesh, args.size, base.front))
        radiance = replace(CoarseConfig().radiance, steps=args.steps)
        stages = {
            "surface": CoarseConfig(),
            "radiance": CoarseConfig(method="radiance", radiance=radiance),
        }
        for preset in ("draft", "default"):
            for name, coarse in stages.items():
                fine = PRESETS[preset].fine
                start = time.perf_counter()
                grid = voxelize(mesh, replace(base, coarse=coarse, fine=fine))
                seconds = time.perf_counter() - start
                report = judge.judge(mesh_from_voxels(grid)).as_dict()
                method = f"{name}, {preset}"
                rows.append(
                    {"mesh": source.name, "method": method} | report | {"s": seconds}
                )
                print(source.name, method, f"{seconds:.1f} s", flush=True)
        notes = (
            f"Means of {len({r['mesh'] for r in rows})} meshes at size {args.size}, 8 "
            f"colors, one thread. `radiance` has {args.steps} steps of\n"
            f"{radiance.rays} rays; `draft` has no gradient steps after stage one, "
            "`default` 100.\nSeconds are of a shared machine: compare, do not quote."
        )
        write("coarse", "Stage one: surface against radiance", notes, rows)


if __name__ == "__main__":
    main()
