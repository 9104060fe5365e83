"""PixelArtConfig: how renders become pixel art and a palette."""

from dataclasses import dataclass

from voxify3d.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelArtConfig:
    """How renders become pixel art and a palette."""

    samples: int = 8
    """Rays along each side of a cell. More sees smaller things and takes longer."""

    def __post_init__(self) -> None:
        if not 1 <= self.samples <= 64:
            raise ConfigError(f"pixelart.samples must be 1 to 64, got {self.samples}")
