"""Step → temperature and weights. Pure functions of the step."""

from dataclasses import dataclass

from voxify3d.fit.paper_settings import PAPER_STEPS, PaperConfig

_COARSE_GRID = 48
"""Largest size with the smaller depth weight; 48 is the paper's 25x."""


def geometric(step: int, steps: int, start: float, end: float) -> float:
    """Return a value that goes from `start` to `end` by equal factors.

    Args:
        step: From 0 to `steps` - 1.
        steps: Steps in all.
        start: Value at step 0; above 0.
        end: Value at the last step; above 0.
    """
    share = step / max(steps - 1, 1)
    return start * (end / start) ** share


@dataclass(frozen=True, slots=True)
class Phase:
    """What the paper's second stage does at one step.

    Attributes:
        temperature: Of the softmax.
        hard: One color forwards, where colors are straight-through.
        front_only: Only the front view counts.
        pixel: Weight of the color loss.
        depth: Weight of the depth loss.
        alpha: Weight of the alpha loss.
        rate: Factor of the learning rates.
    """

    temperature: float
    hard: bool
    front_only: bool
    pixel: float
    depth: float
    alpha: float
    rate: float


def paper_phase(step: int, size: int, config: PaperConfig) -> Phase:
    """Return what the paper's second stage does at a step.

    Args:
        step: From 0 to `config.steps` - 1.
        size: Voxels along the longest side.
        config: Times, as steps of the paper's run, and weights.

    Reference:
        Voxify3D, supplement, tables of parameters and temperatures.
    """
    time = step * PAPER_STEPS / max(config.steps, 1)
    depth = config.depth_weight if size > _COARSE_GRID else config.depth_weight_coarse
    if depth and time >= config.front_from:
        depth = config.depth_weight_late
    share = config.late_share if time >= config.late_from else 1.0
    return Phase(
        temperature=[t for start, t in config.temperatures if time >= start][-1],
        hard=config.color == "straight-through" and time >= config.hard_from,
        front_only=time >= config.front_from,
        pixel=share * config.pixel_weight,
        depth=share * depth,
        alpha=config.alpha_weight,
        rate=0.1 ** (time / config.decay_steps),
    )
