"""CoarseConfig and FineConfig: the two stages of the fit."""

from dataclasses import dataclass

from voxify3d.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class CoarseConfig:
    """Stage one: where there is matter, and what color, before any optimization."""

    min_part: int = 2
    """Loose parts of at most this many voxels are dropped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FineConfig:
    """Stage two: density and palette logits fitted to the pixel art."""

    steps: int = 100
    """Gradient steps. 0 leaves the first stage's shape; over 150 bring nothing."""

    def __post_init__(self) -> None:
        if self.steps < 0:
            raise ConfigError(f"fine.steps must be 0 or more, got {self.steps}")
