"""VoxelizeConfig: the stages' settings put together, and the presets."""

import dataclasses
from dataclasses import dataclass, field
from typing import Any, get_args

from voxify3d.errors import ConfigError
from voxify3d.fit.settings import CoarseConfig, FineConfig
from voxify3d.pixelart.settings import PixelArtConfig
from voxify3d.types import Direction


@dataclass(frozen=True, slots=True, kw_only=True)
class VoxelizeConfig:
    """Everything that decides what the voxel art looks like."""

    size: int = 40
    """Voxels along the longest side. Smaller is blockier."""
    colors: int = 8
    """Most colors in the result, 2 to 255."""
    front: Direction = "+z"
    """Direction the object's face points to, in the mesh file's axes."""
    seed: int = 0
    """Of everything random. The same seed gives the same bytes."""
    pixelart: PixelArtConfig = field(default_factory=PixelArtConfig)
    coarse: CoarseConfig = field(default_factory=CoarseConfig)
    fine: FineConfig = field(default_factory=FineConfig)

    def __post_init__(self) -> None:
        if not 1 <= self.size <= 1024:
            raise ConfigError(f"--size must be 1 to 1024, got {self.size}")
        if not 2 <= self.colors <= 255:
            raise ConfigError(f"--colors must be 2 to 255, got {self.colors}")
        if self.front not in get_args(Direction):
            choices = ", ".join(get_args(Direction))
            raise ConfigError(f"--front must be one of {choices}, got {self.front!r}")
        if self.seed < 0:
            raise ConfigError(f"--seed must be 0 or more, got {self.seed}")


DEFAULT = VoxelizeConfig()

PRESETS: dict[str, VoxelizeConfig] = {
    "draft": VoxelizeConfig(fine=FineConfig(steps=0)),
    "default": DEFAULT,
}
"""draft: no gradient steps; default: the recipe of docs/method.md."""


def to_dict(config: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return a config as nested dicts of JSON types."""
    return dataclasses.asdict(config)


def from_dict(values: dict[str, Any], kind: type = VoxelizeConfig) -> Any:  # noqa: ANN401
    """Return the config that `to_dict` made, checking names and ranges.

    Raises:
        ConfigError: An unknown name, or a value outside its range.
    """
    known = {f.name: f for f in dataclasses.fields(kind)}
    unknown = set(values) - set(known)
    if unknown:
        raise ConfigError(
            f"unknown setting {sorted(unknown)[0]!r} in {kind.__name__}; "
            f"known: {', '.join(known)}"
        )
    built = {
        name: from_dict(value, known[name].type)  # type: ignore[arg-type]
        if dataclasses.is_dataclass(known[name].type) and isinstance(value, dict)
        else value
        for name, value in values.items()
    }
    try:
        return kind(**built)
    except TypeError as error:
        raise ConfigError(f"bad value in {kind.__name__}: {error}") from error
