"""SemanticConfig: how an encoder's opinion enters the fit. No torch here."""

import math
from dataclasses import dataclass

from voxify3d.fit.ranges import check_range, refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class SemanticConfig:
    """The semantic loss, and the choice among finished results.

    Nothing here matters when `--semantic` ends up as none.
    """

    weight: float = 3.0
    """Of the loss 1 - cosine, in steps that take it. The paper has 1 against a pixel
    loss of 10."""
    every: int = 4
    """The loss is taken in every n-th step; more is faster."""
    start: float = 0.0
    """Share of the steps after which it begins."""
    stop: float = 0.92
    """Share of the steps after which it ends. The paper: 6000 of 6500."""
    scales: tuple[float, ...] = (12.0, 24.0, 1.0)
    """Sides of the patches, voxels; 1 and less are a share of the view's longer
    side, so 1 is the whole view. The paper: 1/15."""
    patches: int = 6
    """Patches a step, from the views in turn. The paper: 6."""
    pool: int = 72
    """Patch positions in all, drawn once."""
    cover: float = 0.5
    """Share of a patch that must lie on the object, or as near to it as there is;
    0 puts patches anywhere, as the paper does."""
    augment: float = 1.0
    """Strength of the random shift, turn, size, mirroring, gain, ground and noise
    that both pictures of a pair get. 0 is none: then the encoder is fooled
    (docs/semantic.md)."""
    front_from: float = 1.0
    """Share of the steps after which only the front view gets patches. The paper:
    4500 of 6500."""
    pixels: int = 96
    """Rows and columns of a patch for the embedded encoder, a multiple of 32; CLIP
    has its own."""
    batch: int = 16
    """Most patches in the encoder at once; less needs less memory."""
    device: str = "cpu"
    """Where the encoder and its pictures are: cpu, or what torch finds here, as cuda or
    cuda:1. Only cpu gives the same bytes everywhere."""
    candidates: int = 1
    """Finished results among which the encoder chooses, 1 to 4: this one; without the
    loss; the shape before any gradient; rare colors drawn less."""

    def __post_init__(self) -> None:
        counts = ("every", "patches", "pool", "batch")
        check_range("semantics", self, "[1, inf)", *counts)
        check_range("semantics", self, "[1, 4]", "candidates")
        check_range("semantics", self, "[0, inf)", "weight", "augment")
        shares = ("start", "stop", "cover", "front_from")
        check_range("semantics", self, "[0, 1]", *shares)
        if self.pixels < 32 or self.pixels % 32:
            raise refusal("semantics", self, "pixels", "a multiple of 32")
        if not self.scales or not all(0 < s < math.inf for s in self.scales):
            raise refusal("semantics", self, "scales", "numbers above 0")

    def takes(self, step: int, steps: int) -> bool:
        """Return whether a step of `steps` takes the loss."""
        inside = self.start * steps <= step < self.stop * steps
        return self.weight > 0 and inside and step % self.every == 0


PAPER_SEMANTICS = SemanticConfig(
    weight=1.0,
    every=1,
    start=0.0,
    stop=6000 / 6500,
    scales=(80 / 1200,),
    patches=6,
    pool=6000,
    cover=0.0,
    augment=0.0,
    front_from=4500 / 6500,
)
"""The paper's: six patches of 80 of 1200 pixels a step, anywhere, as they are."""
