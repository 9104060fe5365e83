"""CoarseConfig and FineConfig: the two stages of the fit. No torch here."""

from dataclasses import dataclass, field
from typing import Literal

from voxify3d.choices import ColorSampling
from voxify3d.fit.paper_settings import PaperConfig
from voxify3d.fit.radiance_settings import QUICK_RADIANCE, RadianceConfig
from voxify3d.fit.ranges import check_choice, check_range

CoarseMethod = Literal["surface", "radiance", "none"]
FineMethod = Literal["shell", "paper"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CoarseConfig:
    """Stage one: where there is matter, before any gradient step."""

    method: CoarseMethod = "surface"
    """Where matter comes from: `surface` is exact and quick, `radiance` fits a field
    to pictures from all around as the paper does, `none` starts from fog (ablation,
    only with fine.method paper). Also written `--coarse`; docs/paper.md compares."""
    min_part: int = 2
    """Loose parts of at most this many voxels are dropped."""
    threshold: float = 0.5
    """Opacity from which a voxel of the radiance field is matter."""
    radiance: RadianceConfig = field(default_factory=lambda: QUICK_RADIANCE)

    def __post_init__(self) -> None:
        check_range("coarse", self, "[0, inf)", "min_part")
        check_range("coarse", self, "(0, 1)", "threshold")
        check_choice("coarse", self, "method", CoarseMethod)


@dataclass(frozen=True, slots=True, kw_only=True)
class FineConfig:
    """Stage two: density and palette logits fitted to the pixel art."""

    method: FineMethod = "shell"
    """`shell` is this package's recipe (settings here), `paper` the paper's second
    stage to the letter (settings in fine.paper)."""
    steps: int = 100
    """Gradient steps. 0 keeps the first stage's shape; over 150 bring nothing."""
    pixel_weight: float = 10.0
    """Of the color loss. The paper's value."""
    depth_weight: float = 0.1
    """Of the depth loss, per voxel. Without it floaters appear and likeness falls."""
    depth_slack: float = 0.5
    """Depth difference that costs nothing, voxels. 0 makes smooth parts bumpy."""
    alpha_weight: float = 1.0
    """Of the silhouette loss."""
    density_rate: float = 0.1
    """Learning rate of density."""
    logit_rate: float = 0.05
    """Learning rate of palette logits; slower is cleaner."""
    sampling: ColorSampling = "expected"
    """How logits become colors while fitting: `expected` is deterministic, `gumbel`
    adds noise per voxel, `straight-through` shows one color forwards (the paper).
    Measured: no difference in the result (docs/method.md)."""
    temperature_start: float = 1.0
    """Softmax temperature at the first step. The paper's value."""
    temperature_end: float = 0.1
    """Softmax temperature at the last step. The paper's value."""
    smoothness: float = 2.5
    """Flatness of color areas in the result; more is flatter and loses detail."""
    paper: PaperConfig = field(default_factory=PaperConfig)

    def __post_init__(self) -> None:
        weights = ("pixel_weight", "depth_weight", "alpha_weight")
        others = ("steps", "depth_slack", "smoothness")
        check_range("fine", self, "[0, inf)", *weights, *others)
        rates = ("density_rate", "logit_rate")
        temperatures = ("temperature_start", "temperature_end")
        check_range("fine", self, "[1e-6, inf)", *rates, *temperatures)
        check_choice("fine", self, "sampling", ColorSampling)
        check_choice("fine", self, "method", FineMethod)
