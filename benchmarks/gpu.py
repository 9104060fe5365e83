"""What a GPU brings to the semantic loss: time, and how well half precision agrees.

    python benchmarks/gpu.py ../shared/meshes/knight.glb

Conversions are whole processes, in seconds, medians of `--repeats` rounds. A step is
one evaluation of the loss with its gradient; its features and gradient are compared
with those of float32 on the CPU. Without `--clip FOLDER`, CLIP has the paper's size and
random weights: as costly as a real one. Writes benchmarks/results/gpu.md and .json.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from common import RESULTS, Source, markdown_table, mesh_set, metadata, write_json

from voxify3d.color.spaces import oklab_from_bytes
from voxify3d.encoders import load_encoder
from voxify3d.fit.cells import CellPicture
from voxify3d.fit.patch_loss import PatchLoss
from voxify3d.fit.patches import mesh_canvas
from voxify3d.fit.semantic_settings import SemanticConfig
from voxify3d.mesh.load import load_mesh
from voxify3d.pixelart.pixelize import pixelize
from voxify3d.render.mesh import frame_of, render_mesh
from voxify3d.types import Render

SIZE, COLORS, STEPS = 40, 8, 20


def convert(source: Source, encoder: str, device: str, cores: int) -> float:
    """Return the seconds of a conversion on some of the cores."""
    words = f"--size {SIZE} --colors {COLORS} --front={source.front} --quiet --semantic"
    chosen = sorted(os.sched_getaffinity(0))[:cores]
    with tempfile.TemporaryDirectory() as folder:
        files = [str(source.path), f"{folder}/out.vox"]
        options = [*words.split(), encoder, "--semantics.device", device]
        begun = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "voxify3d", "convert", *files, *options],
            check=True,
            stdout=subprocess.DEVNULL,
            preexec_fn=lambda: os.sched_setaffinity(0, chosen),
        )
        return time.perf_counter() - begun


def steps_of(
    encoder: str,
    device: str,
    half: bool,
    renders: tuple[Render, ...],
    pictures: list[CellPicture],
) -> tuple[torch.Tensor, torch.Tensor, float]:
    """Return the mesh's features, the gradient of a step, and seconds of one."""
    config = SemanticConfig(device=device, every=1, stop=1.0)
    network = load_encoder(encoder, device=device, half=half, input_size=config.pixels)
    assert network is not None
    views = mesh_canvas(renders, detailed=not network.low_pass)[:, :3]
    with torch.no_grad():
        features = network.features(views).cpu()
    generator = torch.Generator().manual_seed(1)  # the same patches everywhere
    loss = PatchLoss(network, renders, config, STEPS, generator)
    leaves = [replace(p, color=p.color.clone().requires_grad_()) for p in pictures]
    gradients, seconds = [], []
    for step in range(STEPS):
        begun = time.perf_counter()
        value = loss(step, leaves)
        assert value is not None
        parts = torch.autograd.grad(value, [leaf.color for leaf in leaves])
        seconds.append(time.perf_counter() - begun)
        gradients.append(torch.cat([part.flatten() for part in parts]))
    return features, torch.stack(gradients), statistics.median(seconds)


def agreement(
    name: str, encoder: str, device: str, mesh: tuple
) -> Iterator[dict[str, Any]]:
    """Yield how float32 and half precision on a device compare with the CPU."""
    here = steps_of(encoder, "cpu", False, *mesh)
    for half in (False, True):
        there = steps_of(encoder, device, half, *mesh)
        features, gradient = (
            torch.cosine_similarity(a, b).min().item()
            for a, b in zip(here[:2], there[:2], strict=True)
        )
        yield {
            "encoder": name,
            "numbers": "half" if half else "float32",
            "features": features,
            "gradient": gradient,
            "ms": 1000 * there[2],
            "ms on the CPU": 1000 * here[2],
        }


def conversions(
    source: Source, encoders: dict[str, str], device: str, repeats: int
) -> list[dict[str, Any]]:
    """Return the seconds of conversions, all encoders and places in each round."""
    cores = len(os.sched_getaffinity(0))
    places = [("cpu", min(2, cores)), ("cpu", cores), (device, cores)]
    cases = [(name, *place) for name in encoders for place in places]
    seconds: dict[tuple, list[float]] = {case: [] for case in cases}
    convert(source, "none", "cpu", cores)  # files are read from memory from here on
    for _ in range(repeats):
        for name, where, count in cases:
            seconds[name, where, count].append(
                convert(source, encoders[name], where, count)
            )
            print(
                name,
                where,
                count,
                f"{seconds[name, where, count][-1]:.1f} s",
                flush=True,
            )
    median = {case: statistics.median(values) for case, values in seconds.items()}
    return [
        {
            "encoder": name,
            "device": where,
            "cores": count,
            "seconds": median[name, where, count],
            "ratio": median[name, where, count] / median["none", where, count],
        }
        for name, where, count in cases
    ]


def table(rows: list[dict[str, Any]]) -> str:
    """Return rows as Markdown."""
    digits = {"features": 5, "gradient": 3, "ms": 1, "seconds": 1, "ratio": 2}
    return markdown_table(
        list(rows[0]),
        [
            [
                f"{value:.{digits.get(name, 0)}f}"
                if isinstance(value, float)
                else str(value)
                for name, value in row.items()
            ]
            for row in rows
        ],
    )


def pixel_art(renders: tuple[Render, ...]) -> list[CellPicture]:
    """Return what a good result shows: the pixel art itself."""
    art = pixelize(renders, COLORS)
    lab = torch.from_numpy(oklab_from_bytes(art.palette.rgb)).float()
    return [
        CellPicture(lab[torch.from_numpy(p.index).long()] * filled[..., None], filled)
        for p in art.pictures
        for filled in [torch.from_numpy(p.filled).float()]
    ]


def random_clip(folder: str) -> str:
    """Save a CLIP of the paper's size with random weights."""
    from transformers import CLIPConfig, CLIPModel

    torch.manual_seed(0)
    CLIPModel(CLIPConfig()).save_pretrained(folder)
    return folder


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mesh", type=Path)
    parser.add_argument("--clip", help="a saved CLIP model")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    (source,) = mesh_set([args.mesh])
    mesh = load_mesh(source.path)
    renders = render_mesh(mesh, frame_of(mesh, SIZE, source.front), 8)
    pictures = pixel_art(renders)
    with tempfile.TemporaryDirectory() as folder:
        clip = f"clip:{args.clip or random_clip(folder)}"
        encoders = {"none": "none", "lite0": "efficientnet-lite0", "clip": clip}
        steps = [
            row
            for name in ("lite0", "clip")
            for row in agreement(name, encoders[name], args.device, (renders, pictures))
        ]
        print(table(steps), flush=True)
        rows = conversions(source, encoders, args.device, args.repeats)
    about = metadata() | {"accelerator": torch.cuda.get_device_name(args.device)}
    write_json(about | {"steps": steps, "conversions": rows}, RESULTS / "gpu.json")
    text = (
        "# The semantic loss on a GPU\n\n"
        f"{source.name} at size {SIZE}, {COLORS} colors, {about['accelerator']}, "
        f"{about['machine']}.\n\n    {about['command']}\n\n"
        f"Commit {about['commit']}. One evaluation of the loss, with its gradient; "
        "lowest cosine\nto float32 on the CPU:\n\n"
        f"{table(steps)}\n\nWhole conversions; ratio to `none` at the same place:"
        f"\n\n{table(rows)}\n"
    )
    (RESULTS / "gpu.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
