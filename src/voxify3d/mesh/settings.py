"""LoadConfig: how a mesh file is read. No numpy here."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from voxify3d.choices import Direction
from voxify3d.errors import ConfigError

Pose = Literal["nodes", "bind"]
"""How skinned meshes stand: as the nodes do, or as they were bound to their skins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadConfig:
    """Which of the looks that a mesh file holds is read, and how it is turned."""

    pose: Pose = "nodes"
    """Skinned glTF meshes: as the file's nodes stand, or the bind pose (often a T)."""
    animation: str | None = None
    """Clip of a glTF file to take the pose from: its name, or its number from 0."""
    time: float = 0.0
    """Moment of the clip, seconds."""
    variant: str | None = None
    """Material variant of a glTF file, by name (KHR_materials_variants)."""
    up: Direction | None = None
    """Direction of the file's axes that points up; the mesh is turned so that it is
    +y. Default: +z for .stl and .3mf, +y for the others."""
    rotate: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Turn the mesh about x, then y, then z (degrees, counter-clockwise), after
    `up`."""
    blend_cutoff: float = 0.5
    """Opacity from which surfaces that blend, as glass does, are solid, above 0 to 1;
    0.01 turns windows into blocks."""
    allow_missing_textures: bool = False
    """Go on, in plain colors, when the mesh names textures that are not there."""

    def __post_init__(self) -> None:
        if self.pose not in get_args(Pose):
            raise ConfigError(f"--pose must be nodes or bind, got {self.pose!r}")
        if not (math.isfinite(self.time) and self.time >= 0):
            raise ConfigError(f"--time must be 0 or more seconds, got {self.time}")
        if self.time and self.animation is None:
            raise ConfigError("--time is a moment of a clip; name it by --animation")
        if self.animation is not None and self.pose == "bind":
            raise ConfigError("give --animation or --pose bind, not both")
        if self.up is not None and self.up not in get_args(Direction):
            choices = ", ".join(get_args(Direction))
            raise ConfigError(f"--up must be one of {choices}, got {self.up!r}")
        if not 0 < self.blend_cutoff <= 1:
            raise ConfigError(
                f"--blend-cutoff must be above 0, at most 1, got {self.blend_cutoff}"
            )
        angles = tuple(float(angle) for angle in self.rotate)
        if len(angles) != 3 or not all(map(math.isfinite, angles)):
            raise ConfigError(
                f"--rotate must be three angles in degrees, got {self.rotate}"
            )
        object.__setattr__(self, "rotate", angles)  # JSON has lists, users integers


DEFAULT_LOAD = LoadConfig()
