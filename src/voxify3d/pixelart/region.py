"""A region of a picture that stands out: what is known of it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int

MAX_AREA = 9.0
"""Most area of a feature, in cells."""
LEVEL, ASKEW = 0.6, 0.2
"""How much higher one of two eyes may be than the other, in cells; of two large ones,
in their size: a head may be held askew."""
STRONG = 0.25
"""Contrast (OKLab) from which a feature catches the eye, as eyes do."""
NOTCH = 0.08
"""Least distance (OKLab) of a light to what is around the eye: else it looks like a
notch."""
_OVAL, _BLOCK = 0.72, 0.9
"""Shares of its box from which a spot may be an oval, and a block."""


@dataclass(frozen=True, slots=True)
class Region:
    """A region of one color that stands out.

    Attributes:
        points: Its samples in the picture of all samples, [row, column].
        shape: The samples of its outline, if it is compact, as eyes and buttons are;
            None for a line or an arc.
        wanted: Cells that it is worth, if it is a line.
        lab: Its color, OKLab.
        ground: The color of its surroundings, OKLab.
        contrast: Distance to them, OKLab.
        is_light: Whether it is a light in an eye, of which a glimpse will do; a pupil
            in the white of an eye is none.
        is_inner: Whether it is a light or a pupil: what becomes of its eye decides.
        is_part: Whether it lies before or behind its surroundings, as an ear does: it
            has a shape of its own.
        is_ring: Whether it is the white of an eye, around an iris.
        is_crowded: Whether what lies beside it has its color, as hair beside an eye
            has: only cells of its ground around it show it.
        is_frame: Whether it is the upright border of a rectangle, of a window.
    """

    points: Int[np.ndarray, "n 2"]
    shape: Int[np.ndarray, "m 2"] | None
    wanted: int
    lab: Float64[np.ndarray, " 3"]
    ground: Float64[np.ndarray, " 3"]
    contrast: float
    is_light: bool = False
    is_inner: bool = False
    is_part: bool = False
    is_ring: bool = False
    is_crowded: bool = False
    is_frame: bool = False

    @property
    def center(self) -> Float64[np.ndarray, " 2"]:
        """Its middle, samples."""
        return self.points.mean(axis=0) + 0.5

    @property
    def box(self) -> tuple[Int[np.ndarray, " 2"], Int[np.ndarray, " 2"]]:
        """Its first and last row and column."""
        return self.points.min(axis=0), self.points.max(axis=0)

    @property
    def extent(self) -> Int[np.ndarray, " 2"] | None:
        """The size of its box, samples; None for a line and for a part."""
        is_block = self.compact and not self.is_part
        return np.ptp(self.points, axis=0) + 1 if is_block else None

    @property
    def compact(self) -> bool:
        """Whether it is a spot: an eye or a button, not a mouth."""
        return self.shape is not None

    @property
    def is_striking(self) -> bool:
        """Whether it catches the eye, as eyes and buttons do."""
        return self.compact and self.contrast >= STRONG

    @property
    def fullness(self) -> float:
        """Share of its box that a spot fills: a block 1, a disc 0.79; 0 for a line."""
        if self.shape is None or self.extent is None:
            return 0.0
        return len(self.shape) / float(self.extent.prod())

    @property
    def is_eye(self) -> bool:
        """Whether it may be a large eye: striking, and a block, a disc or an oval."""
        return self.is_striking and self.fullness >= _OVAL

    @property
    def is_round(self) -> bool:
        """Whether a spot is a disc or an oval rather than a block."""
        return self.fullness < _BLOCK

    def is_large(self, side: int) -> bool:
        """Return whether it is larger than all features but eyes in a face."""
        return len(self.points) > MAX_AREA * side**2 and not self.is_frame

    def level_with(self, side: int) -> float:
        """Return how much higher or lower one that is like it may be, samples."""
        return max(LEVEL * side, ASKEW * float(np.sqrt(len(self.points))))

    def is_like(self, other: "Region") -> bool:
        """Return whether another region has about its area and its color."""
        ratio = len(other.points) / len(self.points)
        return 0.7 < ratio < 1.45 and bool(np.linalg.norm(other.lab - self.lab) < 0.06)
