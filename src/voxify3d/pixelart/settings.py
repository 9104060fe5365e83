"""PixelArtConfig: how renders become pixel art and a palette."""

from dataclasses import dataclass
from typing import Literal, get_args

from voxify3d.errors import ConfigError
from voxify3d.types import View

CellColor = Literal["vote", "dominant", "mean"]
PaletteStrategy = Literal["kmeans", "kmeans-rare", "maxmin", "median-cut", "annealing"]
"""Names in `voxify3d.color.palette.STRATEGIES`, which says what each is."""
_FINE = 100
_FEW = 4
_WEIGHTS = ("front_weight", "bottom_weight", "saliency", "feature_weight", "rarity")


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelArtConfig:
    """How renders become pixel art and a palette."""

    samples: int = 10
    """Rays along each side of a cell, at sizes up to 100; above, fewer do: see
    `samples_at`. More sees smaller things and takes longer."""
    coverage: float = 0.5
    """Covered share from which a cell is filled. Less makes everything fatter."""
    symmetry: bool = True
    """Cells that are alike on the left and on the right are made the same, so that
    both eyes have one size. What is unlike stays so."""
    cell_color: CellColor = "vote"
    """How a cell gets its color: `vote` lets every sample vote for a palette entry
    (crisp, no invented colors), `dominant` takes the larger of two clusters, `mean`
    the average (soft; what plain downscaling does)."""
    crispness: float = 0.5
    """Penalty on colors that a cell does not hold, 0 to 1. 1 is hard-edged, 0 keeps
    soft shading. Measured: 0.5 is the best balance (docs/method.md)."""
    vote: float = 0.3
    """Share of the vote against the distance to the cell's mean color, 0 to 1."""
    front_weight: float = 5.0
    """How much more the front view counts than each other view."""
    bottom_weight: float = 0.5
    """How much the bottom counts against each other view: it is seldom seen, and a
    deck that is one voxel thick must have the color of one of its sides."""
    saliency: float = 1.0
    """How much more cells count that stand out from their surroundings."""
    feature_weight: float = 1.0
    """How firmly eyes, buttons and stripes hold their color; 0 leaves them to
    chance."""
    palette: PaletteStrategy = "kmeans"
    """How the palette is found: `kmeans` favors large areas, `kmeans-rare` keeps
    entries for rare colors, `maxmin` takes extremes, `median-cut` equal shares,
    `annealing` the least mean distance. Also written `--palette`."""
    rarity: float = 3.0
    """Exponent that draws palette entries towards rare colors; 2 is plain K-means."""

    def weight_of(self, view: View) -> float:
        """Return how much a view counts."""
        weights = {"front": self.front_weight, "bottom": self.bottom_weight}
        return weights.get(view.name, 1.0)

    def samples_at(self, size: int) -> int:
        """Return the rays along each side of a cell of a grid of some size.

        From `_FINE` on a picture has no more rays, down to `_FEW` along a cell: what
        small cells miss is small.
        """
        fewer = self.samples * _FINE // max(size, _FINE)
        return max(fewer, min(self.samples, _FEW))

    def __post_init__(self) -> None:
        if not 1 <= self.samples <= 64:
            raise ConfigError(f"pixelart.samples must be 1 to 64, got {self.samples}")
        if not 0 < self.coverage <= 1:
            raise ConfigError(
                f"pixelart.coverage must be above 0, at most 1, got {self.coverage}"
            )
        if self.cell_color not in get_args(CellColor):
            choices = ", ".join(get_args(CellColor))
            raise ConfigError(
                f"pixelart.cell_color must be one of {choices}, got {self.cell_color!r}"
            )
        if self.palette not in get_args(PaletteStrategy):
            choices = ", ".join(get_args(PaletteStrategy))
            raise ConfigError(
                f"pixelart.palette must be one of {choices}, got {self.palette!r}"
            )
        for name in ("crispness", "vote"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(
                    f"pixelart.{name} must be 0 to 1, got {getattr(self, name)}"
                )
        for name in _WEIGHTS:
            if not 0 <= getattr(self, name) <= 100:
                raise ConfigError(
                    f"pixelart.{name} must be 0 to 100, got {getattr(self, name)}"
                )
