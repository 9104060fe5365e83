"""The paper's score inside a comparison: CLIP is loaded once, a mesh has one prompt."""

import functools
from pathlib import Path
from typing import TYPE_CHECKING

from voxify3d.types import Direction, Mesh

if TYPE_CHECKING:
    from voxify3d.compare.run import Scorer
    from voxify3d.metrics.score import TextEncoder


def caption_scorer(path: Path, names: list[str], clip: str | None = None) -> "Scorer":
    """Return the function that scores a result of a mesh.

    Args:
        path: File of prompts; see `read_prompts`.
        names: Of the meshes.
        clip: Another CLIP than the paper's.

    Raises:
        ConfigError: The file is not as it must be, or lacks a mesh.
        MissingExtraError: transformers is not installed.
        WeightsError: CLIP's weights are not on this machine.
    """
    from voxify3d.metrics.score import read_prompts

    prompts = read_prompts(path, names)
    _encoder(clip)  # says at once when it is not here

    def score(result: Mesh, name: str, front: Direction) -> float:
        return score_of(result, prompts[name], front, clip)

    return score


def score_of(
    result: Mesh, prompt: str, front: Direction, clip: str | None = None
) -> float:
    """Return the paper's score of a result.

    Args:
        result: As a mesh.
        prompt: What it shows.
        front: Direction the object's face points to.
        clip: Another CLIP than the paper's.

    Raises:
        ConfigError: An empty prompt.
        MissingExtraError: transformers is not installed.
        WeightsError: CLIP's weights are not on this machine.
    """
    from voxify3d.metrics.score import caption_score, score_pictures

    return caption_score(_encoder(clip), score_pictures(result, front), prompt)


@functools.lru_cache(maxsize=1)
def _encoder(clip: str | None) -> "TextEncoder":
    from voxify3d.encoders.clip import DEFAULT_MODEL, load_clip

    return load_clip(clip or DEFAULT_MODEL)
