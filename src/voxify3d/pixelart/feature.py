"""A feature of a picture: what stands out, and the cells it is given."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float64, Int

from voxify3d.pixelart.region import STRONG


def no_cells() -> Int[np.ndarray, "0 2"]:
    """Return an empty list of cells."""
    return np.zeros((0, 2), np.int64)


@dataclass(frozen=True, slots=True)
class Feature:
    """A small region that stands out, and the cells it is given.

    Attributes:
        view: Number of the view that sees it.
        cells: Its cells, [a, b].
        lab: Its color, OKLab.
        contrast: Distance to its surroundings, OKLab; of an open eye's white and pupil,
            to each other.
        compact: Whether it fills its box, as eyes and buttons do.
        points: Its samples in the picture of all samples, [row, column].
        ground: The color of its surroundings, OKLab.
        other: Of a left and right pair, the cells of the other one, in the order of
            `cells`; none where it has no partner.
        rim: Cells beside it that would else have its color, and take its ground's.
        is_inner: Whether it is a light or a pupil.
        is_face_arc: Whether it is a smile, or one of two smiling eyes.
        is_open_eye: Whether it is the white or the pupil of one of two open eyes.
        cost: Of two open eyes, what is wrong in how this one is drawn; see `DrawnEyes`.
    """

    view: int
    cells: Int[np.ndarray, "n 2"]
    lab: Float64[np.ndarray, " 3"]
    contrast: float
    compact: bool
    points: Int[np.ndarray, "p 2"]
    ground: Float64[np.ndarray, " 3"]
    other: Int[np.ndarray, "m 2"] = field(default_factory=no_cells)
    rim: Int[np.ndarray, "r 2"] = field(default_factory=no_cells)
    is_inner: bool = False
    is_face_arc: bool = False
    is_open_eye: bool = False
    cost: float = 0.0

    @property
    def is_striking(self) -> bool:
        """Whether it catches the eye, as eyes, what is in them, and buttons do."""
        return (self.compact or self.is_inner) and self.contrast >= STRONG

    @property
    def is_firm(self) -> bool:
        """Whether no other view may change it: eyes, buttons, smiles."""
        return self.is_striking or self.is_face_arc or self.is_open_eye
