"""A method against another on the same meshes: mean differences and standard errors."""

import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from common import RESULTS, markdown_table, metadata, write_json
from semantic import MESHES

from voxify3d import Mesh, VoxelGrid, load_mesh
from voxify3d.encoders import load_encoder
from voxify3d.fit.choose import Chooser
from voxify3d.metrics.judge import Judge
from voxify3d.render.mesh import frame_of
from voxify3d.types import Direction
from voxify3d.voxels.surface import mesh_from_voxels

COLUMNS = (
    *("likeness", "own", "iou", "color_error", "detail"),
    *("features", "speckle", "tear"),
)
Results = Iterator[tuple[str, VoxelGrid]]
Make = Callable[[Mesh, int, Direction], Results]
"""From a mesh, a size and its front to named results, the first one without."""


def study(name: str, notes: str, make: Make, folder: Path, sizes: list[int]) -> None:
    """Judge every result of every mesh and size, and keep rows and the table.

    Rows that are there already stay, so a run can be continued.
    """
    path = RESULTS / f"{name}.json"
    rows = json.loads(path.read_text())["rows"] if path.exists() else []
    encoder = load_encoder("efficientnet-lite0")
    assert encoder is not None
    for size in sizes:
        for mesh_name, (file, front) in MESHES.items():
            if any((r["mesh"], r["size"]) == (mesh_name, size) for r in rows):
                continue
            mesh = load_mesh(folder / file)
            frame = frame_of(mesh, size, front)
            judge, chooser = Judge(mesh, frame), Chooser(mesh, frame, encoder)
            for method, grid in make(mesh, size, front):
                scores = judge.judge(mesh_from_voxels(grid)).as_dict()
                scores["own"] = chooser.score(grid)
                row = {"mesh": mesh_name, "size": size, "method": method}
                row |= {c: _number(scores[c]) for c in COLUMNS}
                rows.append(row)
                print(mesh_name, size, method, row["likeness"], flush=True)
            source = metadata()
            write_json(source | {"rows": rows}, path)
            text = f"{notes}\n\n    {source['command']}\n\nCommit {source['commit']}.\n"
            path.with_suffix(".md").write_text(f"{text}\n{gain_table(rows)}\n")


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(float(value), 5)


def gain_table(rows: list[dict[str, Any]]) -> str:
    """Return each method's mean difference to the first one, by size, as Markdown."""
    methods = list(dict.fromkeys(row["method"] for row in rows))
    sizes = sorted({row["size"] for row in rows})
    lines = []
    for size in (*sizes, *([0] if len(sizes) > 1 else [])):
        cases: dict[tuple, dict] = {}
        for row in rows:
            if not size or row["size"] == size:
                cases.setdefault((row["mesh"], row["size"]), {})[row["method"]] = row
        for method in methods:
            line = [str(size or "all"), method]
            for column in COLUMNS:
                pairs = [
                    (case[methods[0]][column], case[method][column])
                    for case in cases.values()
                    if method in case and case[method][column] is not None
                ]
                line.append(_cell(pairs, column, first=method == methods[0]))
            lines.append(line)
    heads = [c.replace("_", " ") for c in COLUMNS]
    return markdown_table(["size", "method", *heads], lines)


def _cell(pairs: list[tuple[float, float]], column: str, *, first: bool) -> str:
    digits = 3 if column == "color_error" else 4
    if not pairs:
        return ""
    if first:
        return f"{sum(old for old, _ in pairs) / len(pairs):.{digits}f}"
    changes = [new - old for old, new in pairs]
    mean = sum(changes) / len(changes)
    if column != "likeness" or len(changes) < 2:
        return f"{mean:+.{digits}f}"
    spread = sum((c - mean) ** 2 for c in changes) / (len(changes) - 1)
    return f"{mean:+.{digits}f} ± {math.sqrt(spread / len(changes)):.{digits}f}"
