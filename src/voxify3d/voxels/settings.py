"""FillConfig: what is kept inside the result. No numpy here."""

from dataclasses import dataclass
from typing import Literal, get_args

from voxify3d.errors import ConfigError

Fill = Literal["solid", "shell", "surface"]
"""What is kept of the inside, which nobody sees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FillConfig:
    """What is kept of the inside of the result."""

    kind: Fill = "solid"
    """solid: all of it; shell: walls of `thickness` voxels that hold together at
    corners; surface: only voxels that show a face. Also --fill."""
    thickness: int = 1
    """Of the walls of a shell, voxels."""

    def __post_init__(self) -> None:
        if self.kind not in get_args(Fill):
            choices = ", ".join(get_args(Fill))
            raise ConfigError(f"fill.kind must be one of {choices}, got {self.kind!r}")
        if self.thickness < 1:
            raise ConfigError(f"fill.thickness must be 1 or more, got {self.thickness}")
