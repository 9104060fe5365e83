"""Loading in numbers: agreement with three.js, and scale; docs/loading.md's tables.

    python benchmarks/loading.py agreement --meshes ../shared/meshes
    python benchmarks/loading.py scale --meshes ../shared/meshes

`agreement` needs Chromium and `npm ci` in tests/foreign.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests/mesh"))

from common import markdown_table, metadata, write_json  # noqa: E402
from gltf_cases import CASES, make_case, without_gloss  # noqa: E402
from gltf_maker import Maker  # noqa: E402

from voxify3d.mesh.load import load_mesh  # noqa: E402
from voxify3d.mesh.settings import LoadConfig  # noqa: E402

PIXELS = 192
SHARED = [
    ("knight.glb", "skin, texture", {}),
    ("fox/fox.gltf", "skin, separate files", {}),
    ("fox/fox.gltf", "clip Run at 0.5 s", {"animation": "Run", "time": 0.5}),
    ("robot-expressive.glb", "skins, morphs, nodes scaled by 100", {}),
    ("robot-expressive.glb", "clip Wave at 0.9 s", {"animation": "Wave", "time": 0.9}),
    ("toy-robot/toy-robot.glb", "external texture", {}),
    (
        "toy-robot/toy-robot.glb",
        "clip walk at 0.3 s",
        {"animation": "walk", "time": 0.3},
    ),
    ("witch.glb", "skins, flat colors", {}),
    ("trex.glb", "skin, node scaled by 300", {}),
    ("skater-male.gltf", "Draco, skin, white COLOR_0", {}),
    ("birthday-cake.gltf", "Draco, unlit", {}),
    ("helicopter.gltf", "Draco, 219,187 triangles", {}),
    ("cave.glb", "Draco, 595,410 triangles", {}),
    ("oak-tree/oak-tree.gltf", "alpha BLEND on sheets", {}),
    ("llama.fbx", "skin, colors linear as Blender writes them, sRGB for three", {}),
    ("bridge-garden.glb", "meshopt, specular-glossiness (as metallic for three)", {}),
]


def agreement(meshes: Path) -> None:
    """Compare our six views with those of three.js, file by file."""
    from three_views import agreement, job_of, our_views, three_views

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        jobs, loaded, labels = [], [], []
        for file, what, values in SHARED:
            path = meshes / file
            mesh = load_mesh(path, LoadConfig(**values))
            if "specular" in what:
                rewritten = folder / path.name
                rewritten.write_bytes(without_gloss(path.read_bytes()))
                path = rewritten
            job = job_of(path, mesh, values.get("animation"), values.get("time", 0.0))
            jobs.append(job)
            loaded.append(mesh)
            labels.append((Path(file).name, what))
        for case, make in CASES.items():
            path = make_case(case, folder)
            mesh = load_mesh(path)
            jobs.append(job_of(path, mesh))
            loaded.append(mesh)
            labels.append((path.name, (make.__doc__ or "").strip(". \n")))
        theirs = three_views(jobs, PIXELS, seconds=900)
        print("| file | what it holds | IoU | worst view | color |")
        print("|---|---|---|---|---|")
        for label, job, mesh, pictures in zip(
            labels, jobs, loaded, theirs, strict=True
        ):
            found = agreement(our_views(mesh, job, PIXELS), pictures)
            numbers = f"{found.iou:.4f} | {found.worst:.4f} | {found.color:.4f}"
            print(f"| {label[0]} | {label[1]} | {numbers} |")


def wavy_glb(path: Path, faces: int, offset: float = 0.0) -> Path:
    """Write a closed-looking wavy sheet of about that many triangles."""
    side = round((faces / 2) ** 0.5) + 1
    y, x = np.mgrid[:side, :side] / (side - 1) * 2 - 1
    z = 0.3 * np.sin(7 * x) * np.cos(5 * y)
    points = np.stack([x, z, y], axis=-1).reshape(-1, 3)
    corner = np.arange(side * side).reshape(side, side)
    a, b, c, d = corner[:-1, :-1], corner[1:, :-1], corner[1:, 1:], corner[:-1, 1:]
    indices = np.stack([a, b, c, a, c, d], axis=-1).reshape(-1, 1)
    maker = Maker()
    primitive = maker.triangle(points)
    primitive["indices"] = maker.accessor(indices, "u4")
    maker.document["nodes"][0]["translation"] = [offset] * 3
    return maker.glb(path)


def wavy_obj(path: Path, faces: int) -> Path:
    """Write the same as .obj text, with texture coordinates."""
    mesh = load_mesh(wavy_glb(path.with_suffix(".glb"), faces))
    with path.open("w") as file:
        np.savetxt(file, mesh.vertices, fmt="v %.6f %.6f %.6f")
        np.savetxt(file, mesh.vertices[:, [0, 2]], fmt="vt %.6f %.6f")
        corners = np.repeat(mesh.faces + 1, 2, axis=1)
        np.savetxt(file, corners, fmt="f %d/%d %d/%d %d/%d")
    return path


def measure(path: Path) -> None:
    """Load and render one file; print what it took. Runs in a process of its own."""
    from voxify3d.render.mesh import frame_of, render_mesh

    began, start = time.perf_counter(), time.process_time()
    mesh = load_mesh(path)
    loaded = time.process_time()
    render_mesh(mesh, frame_of(mesh, 40), samples=8)
    rendered = time.process_time()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)
    found = {
        "file": path.name,
        "triangles": len(mesh.faces),
        "load_cpu_seconds": round(loaded - start, 2),
        "render_cpu_seconds": round(rendered - loaded, 2),
        "wall_seconds": round(time.perf_counter() - began, 2),
        "peak_gigabytes": round(peak, 2),
    }
    print(json.dumps(found))


def measured(path: Path) -> dict[str, float | str]:
    """Return what `measure` prints for a file, from a fresh process."""
    command = [sys.executable, __file__, "measure", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def scale(meshes: Path) -> None:
    """Load and render large files, each in a process of its own; keep the numbers."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = [
            meshes / "cave.glb",
            wavy_glb(folder / "sheet-5m.glb", 5_000_000),
            wavy_obj(folder / "sheet-1.3m.obj", 1_300_000),
            make_case("instances", folder),
        ]
        load = os.getloadavg()[0]  # wall time means what other work left
        rows = [measured(path) for path in files]
    record = metadata() | {"load_average": round(load, 1), "rows": rows}
    write_json(record, ROOT / "benchmarks/results/loading.json")
    head = ["file", "triangles", "load, CPU s", "six views, CPU s"]
    head += ["both, wall s", "peak memory, GB"]
    shown = [
        [str(row["file"]), f"{row['triangles']:,}", *map(str, list(row.values())[2:])]
        for row in rows
    ]
    print(markdown_table(head, shown))


def main() -> None:
    """Run one of the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["agreement", "scale", "measure"])
    parser.add_argument("path", type=Path, nargs="?")
    parser.add_argument("--meshes", type=Path, default=ROOT.parent / "shared/meshes")
    words = parser.parse_args()
    if words.what == "measure":
        measure(words.path)
    else:
        {"agreement": agreement, "scale": scale}[words.what](words.meshes)


if __name__ == "__main__":
    main()
