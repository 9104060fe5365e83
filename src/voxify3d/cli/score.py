"""`voxify3d score RESULT ... --prompt TEXT`: the paper's score."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from voxify3d.choices import Direction
from voxify3d.cli.parse import parse
from voxify3d.errors import ConfigError
from voxify3d.version import __version__

if TYPE_CHECKING:
    import numpy as np

_DESCRIPTION = """\
Score voxel art as the paper does: 100 times the mean cosine of CLIP ViT-B/32 between
"a voxel art of PROMPT" and 8 pictures from around the result. Views, light and
background are the same for every method: docs/paper.md.

RESULT is a .vox, a mesh of any format, or a folder of pictures, of any program.
CLIP's weights come with `voxify3d models pull clip`.

Examples:
  voxify3d score robot.vox --prompt "a yellow robot"
  voxify3d score ours/fox.glb theirs/fox.obj photos/fox --prompts prompts.tsv
"""


@dataclass(frozen=True, kw_only=True)
class Score:
    """Options of `voxify3d score`."""

    results: Annotated[
        tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="RESULT ...")
    ]
    """Voxel art to score."""
    prompt: str | None = None
    """What all results show: "a red fox standing"."""
    prompts: Path | None = None
    """File with a line for each result: its name without suffix, a tab, the prompt; or
    a .json object from names to prompts."""
    front: Direction | None = None
    """Direction the results face. Default: what their files say, or +z."""
    clip: str | None = None
    """Another CLIP: a local folder, or a model of the Hugging Face hub that is on this
    machine. Its scores are not the paper's."""
    json: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Print one JSON object instead of lines."""


def run(argv: list[str]) -> int:
    """Run the command and return its exit code."""
    command = parse(Score, argv, command="score", description=_DESCRIPTION)
    if not command.results:
        raise ConfigError("score needs at least one RESULT")
    if (command.prompt is None) == (command.prompts is None):
        raise ConfigError("give --prompt TEXT or --prompts FILE, one of them")

    from voxify3d.encoders.clip import DEFAULT_MODEL, load_clip
    from voxify3d.metrics.score import caption_score, read_prompts

    names = [_name(path) for path in command.results]
    if command.prompts is not None:
        prompts = read_prompts(command.prompts, names)
    else:
        prompts = dict.fromkeys(names, command.prompt or "")
    model = command.clip or DEFAULT_MODEL
    encoder = load_clip(model)
    scores = [
        caption_score(encoder, _pictures(path, command.front), prompts[name])
        for path, name in zip(command.results, names, strict=True)
    ]
    rows = list(zip(command.results, names, scores, strict=True))
    if command.json:
        found = [
            {"path": str(path), "prompt": prompts[name], "score": score}
            for path, name, score in rows
        ]
        print(json.dumps({"clip": model, "results": found, "version": __version__}))
        return 0
    for path, _, score in rows:
        print(f"{score:6.2f}  {path}")
    if len(rows) > 1:
        print(f"{sum(scores) / len(scores):6.2f}  mean of {len(scores)}")
    return 0


def _name(path: Path) -> str:
    return path.name if path.is_dir() else path.stem


def _pictures(path: Path, front: Direction | None) -> "np.ndarray":
    """Return the pictures that are scored, of a folder, voxels or a mesh."""
    from voxify3d.metrics.score import read_pictures, score_pictures

    if path.is_dir():
        return read_pictures(path)
    if path.suffix.lower() == ".vox":
        from voxify3d.errors import MeshError
        from voxify3d.export.vox import grid_from_vox
        from voxify3d.voxels.surface import mesh_from_voxels

        grid = grid_from_vox(path)
        if not grid.occupied.any():
            raise MeshError(f"{path}: holds no voxels; nothing to score")
        return score_pictures(mesh_from_voxels(grid), front or grid.frame.front)

    from voxify3d.compare.results import load_result
    from voxify3d.mesh.load import load_mesh

    result = load_result(path, load_mesh(path))
    return score_pictures(result.mesh, front or result.front or "+z")
