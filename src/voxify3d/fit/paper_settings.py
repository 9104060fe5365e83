"""PaperConfig: the paper's second stage, every number with its source; no torch."""

import math
from dataclasses import dataclass
from typing import Literal

from voxify3d.fit.ranges import check_choice, check_range, refusal

PaperColor = Literal["straight-through", "gumbel", "expected", "continuous"]
Rendering = Literal["columns", "rays", "perspective"]
PaperTarget = Literal["pixelart", "downscaled"]

_OWNER = "fine.paper"
PAPER_STEPS = 6500
"""Steps of the paper's run; times in `PaperConfig` are steps of this run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperConfig:
    """Stage two as the paper has it.

    Sources: P is the paper (arXiv 2512.07834) with its supplement, O is ours where P
    gives no number. Times are steps of P's 6500 and scale with `steps`.
    """

    steps: int = PAPER_STEPS
    """Optimization steps (P). 0 exports the first stage as it is."""
    rays: int = 8192
    """Random pixels a step (P); 0 looks at every cell of every view, which the column
    scan can afford."""
    patch_share: float = 0.5
    """Share of the rays that form patches for the semantic loss (P); the other losses
    see the rest."""
    density_rate: float = 5e-3
    """Learning rate of density (P)."""
    logit_rate: float = 0.1
    """Learning rate of palette logits (P)."""
    decay_steps: int = 20_000
    """Steps in which the learning rates fall to a tenth (P: "decay 20")."""
    logit_scale: float = 1.0
    """Logits start at minus this times the distance to the entry, in sRGB (P)."""
    pixel_weight: float = 10.0
    """Of the color loss (P)."""
    depth_weight: float = 20.0
    """Of the depth loss on grids over 48 (P). Depth is in sizes of the grid (O)."""
    depth_weight_coarse: float = 10.0
    """Of the depth loss on grids up to 48 (P: "by resolution")."""
    depth_weight_late: float = 30.0
    """Of the depth loss from `front_from` on, where the weight was not 0 (P)."""
    alpha_weight: float = 20.0
    """Of the opacity where the pixel art is empty (P)."""
    front_from: int = 4500
    """Only the front view counts from this step on (P)."""
    late_from: int = 6000
    """From this step on the alpha loss counts most (P)."""
    late_share: float = 0.1
    """What color and depth still count then: P says "mostly" alpha, the number is
    O."""
    temperatures: tuple[tuple[int, float], ...] = (
        (0, 1.0),
        (1000, 0.8),
        (3000, 0.3),
        (4000, 0.6),
        (5000, 0.3),
        (6001, 0.1),
    )
    """Softmax temperature from each step on: P's table, which is not monotone."""
    color: PaperColor = "straight-through"
    """How logits become colors: `straight-through` is soft first and one-hot late (P),
    `gumbel` stays soft, `expected` has no noise, `continuous` drops the palette until
    the end (ablations)."""
    hard_from: int = 5000
    """Step from which straight-through shows one color (P: early and late)."""
    rendering: Rendering = "columns"
    """`columns` is exact; `rays` samples rays every quarter voxel, the paper's slow
    way to the same pictures; `perspective` does that from an eye (ablation)."""
    target: PaperTarget = "pixelart"
    """What the views should show: pixel art, or averaged cells (ablation)."""
    initial_alpha: float = 1e-2
    """Opacity everywhere when there is no first stage (O)."""
    free_alpha: float = 1e-3
    """Voxels that are, with all neighbors, less opaque than this after stage one stay
    empty (P skips free space, the number is O)."""
    threshold: float = 0.5
    """Opacity from which a voxel is exported (O: P gives none)."""

    def __post_init__(self) -> None:
        check_range(
            _OWNER,
            self,
            "[0, inf)",
            *("steps", "rays", "logit_scale", "pixel_weight", "depth_weight"),
            *("depth_weight_coarse", "depth_weight_late", "alpha_weight"),
            *("front_from", "late_from", "hard_from"),
        )
        rates = ("density_rate", "logit_rate", "decay_steps")
        check_range(_OWNER, self, "(0, inf)", *rates)
        check_range(_OWNER, self, "[0, 1]", "late_share", "free_alpha")
        check_range(_OWNER, self, "[0, 1)", "patch_share")
        check_range(_OWNER, self, "(0, 1)", "initial_alpha", "threshold")
        check_choice(_OWNER, self, "color", PaperColor)
        check_choice(_OWNER, self, "rendering", Rendering)
        check_choice(_OWNER, self, "target", PaperTarget)
        starts = [start for start, _ in self.temperatures]
        pairs = "pairs of rising steps from 0"
        if starts[:1] != [0] or starts != sorted(set(starts)):
            raise refusal(_OWNER, self, "temperatures", pairs)
        if not all(0 < value < math.inf for _, value in self.temperatures):
            pairs = "pairs of a step and a value above 0"
            raise refusal(_OWNER, self, "temperatures", pairs)
