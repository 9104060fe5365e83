"""How two open eyes are drawn: which cells are white, and which are the pupils'.

Eyes of one or two cells never meet the grid. All blocks of white with a block of pupil
in it are compared: each sample painted in another color than its own costs the
difference of the two, and what makes eyes no eyes costs extra.

Here pictures have the axes `x y`, and `x` is across.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
from jaxtyping import Bool, Float64, Int

from voxify3d.pixelart.blocks import oval_of
from voxify3d.pixelart.open_eyes import OpenEye
from voxify3d.pixelart.samples import cell_counts

LOST = 2.0
"""Cost of an eye without its white or without its pupil, in cells in which what stands
out more has the color of the face."""
TOUCHING = 1.0
"""Cost of two eyes that are one bar, and of two pupils that are."""
STRETCHED, LONG_PUPIL = 0.3, 0.6
"""Cost of an eye and of a pupil whose proportions change by a factor of e."""
TURNED = 0.3
"""Cost of a pupil that lies on a rim of its eye instead of in the middle, or the other
way round, along either axis."""
UPWARD, OUTWARD = 0.25, 0.25
"""What more it costs above the white, where it looks like a brow, and on the outer
side, where eyes look past each other."""
ASIDE = 0.2
"""How far two pupils lean to one side, in the width of an eye, that look there; 1 is
from rim to rim."""
AT_RIM = 0.5
"""Cost of an eye beside which the face ends, whatever drawing is best: another grid may
have some face there."""
_LEFT_OUT = 4.0
"""Cost of two eyes without any cell."""

Span = tuple[int, int]
"""First place along an axis, and the one after the last."""


@dataclass(frozen=True, slots=True)
class EyeCells:
    """The cells [a, b] of one eye."""

    white: Int[np.ndarray, "n 2"]
    pupil: Int[np.ndarray, "m 2"]


@dataclass(frozen=True, slots=True)
class DrawnEyes:
    """Two eyes and how they are drawn.

    Attributes:
        cells: Of either eye, in the same order.
        cost: What is wrong in it, against eyes that are left out, in cells that show
            something else than they should; less than 0.
    """

    cells: tuple[EyeCells, EyeCells]
    cost: float


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the other eye is: its mirror image, or the same moved.

    Attributes:
        is_image: Which of the two.
        at: The sum of a place and its image, or how far it is moved.
    """

    is_image: bool
    at: int

    def span(self, span: Span) -> Span:
        """Return where a span is on the other side."""
        if self.is_image:
            return self.at - span[1] + 1, self.at - span[0] + 1
        return span[0] + self.at, span[1] + self.at


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two eyes and the cells around them.

    Attributes:
        white: For each eye, what it costs to paint each cell white rather than in the
            color of the face; infinite where it cannot be colored.
        pupil: What it costs to paint it as a pupil rather than white.
        size: Of an eye, cells along x and y.
        pupil_size: Of its pupil.
        lean: How far from the middle of its eye a pupil is, along x and y; 0.5 is the
            rim.
        up: 1 where y grows upward, else -1.
        unit: Cost of a cell in which what stands out more is lost.
        are_images: Whether the pupils are mirror images; else both look to one side.
    """

    white: Float64[np.ndarray, "2 x y"]
    pupil: Float64[np.ndarray, "2 x y"]
    size: Float64[np.ndarray, " 2"]
    pupil_size: Float64[np.ndarray, " 2"]
    lean: Float64[np.ndarray, " 2"]
    up: int
    unit: float
    are_images: bool


@dataclass(frozen=True, slots=True)
class _Drawing:
    """One way to draw two eyes.

    Attributes:
        cost: Of what is wrong in it.
        corners: First place of either eye, along x and y.
        white: What is white in the first one.
        pupil: And what is pupil.
    """

    cost: float
    corners: tuple[tuple[int, int], tuple[int, int]]
    white: Bool[np.ndarray, "x y"]
    pupil: Bool[np.ndarray, "x y"]


def place_eyes(
    eyes: tuple[OpenEye, OpenEye],
    side: int,
    hits: Int[np.ndarray, "a b"],
    filled: Bool[np.ndarray, "a b"],
    across: int,
    up: int,
    middle: int | None,
) -> DrawnEyes | None:
    """Return the cells of two eyes; None if they have no room.

    Args:
        eyes: That with the lower place first.
        side: Samples along a cell.
        hits: Samples of each cell that show the object.
        filled: Cells that can be colored.
        across: Which of the two cell axes is horizontal in the picture.
        up: 1 where the other one grows upward, else -1.
        middle: The sum of two places that are mirror images in the whole object; None
            where these eyes are none.
    """
    pair = _pair(eyes, side, hits, filled, across, up)
    centers = [eye.center[across] / side for eye in eyes]
    if middle is not None:
        places = [_Place(True, middle)]
    else:
        both, apart = round(sum(centers) - 1), round(centers[1] - centers[0])
        places = [_Place(True, both + step) for step in (0, -1, 1)]
        places += [_Place(False, apart + step) for step in (0, -1, 1)]
    low, high = (edge[[across, 1 - across]] / side for edge in _box(eyes[0].points))
    drawings = [
        drawing
        for place in places
        for x in _spans(low[0], high[0])
        for y in _spans(low[1], high[1])
        for drawing in _drawings(pair, place, x, y)
    ]
    if not drawings:
        return None
    best = min(drawings, key=lambda drawing: round(drawing.cost, 6))
    cells = []
    for corner, is_turned in zip(best.corners, (False, pair.are_images), strict=True):
        parts = []
        for mask in (best.white, best.pupil):
            at = np.argwhere(mask)
            if is_turned:
                at[:, 0] = len(mask) - 1 - at[:, 0]
            parts.append((at + corner)[:, [across, 1 - across]])
        cells.append(EyeCells(*parts))
    cost = float(best.cost / pair.unit) - _LEFT_OUT
    cost += AT_RIM * _at_rim(best, np.moveaxis(filled, across, 0))
    return DrawnEyes((cells[0], cells[1]), min(cost, 0.0))


def _at_rim(drawing: _Drawing, face: Bool[np.ndarray, "x y"]) -> int:
    """Return how many of two eyes have no face on their outer side.

    Args:
        drawing: The eyes.
        face: Cells that can be colored.
    """
    wide, high = drawing.white.shape
    (first, low), (other, _) = drawing.corners
    beside = np.pad(face, ((1, 1), (0, 0)))[[first, other + wide + 1]]
    return int((~beside[:, low : low + high].all(axis=1)).sum())


def _pair(
    eyes: tuple[OpenEye, OpenEye],
    side: int,
    hits: Int[np.ndarray, "a b"],
    filled: Bool[np.ndarray, "a b"],
    across: int,
    up: int,
) -> _Pair:
    """Return what is to be known of two eyes; see `place_eyes`."""
    white, pupil, strong = [], [], []
    for eye in eyes:
        to_pupil = float(np.linalg.norm(eye.white_lab - eye.pupil_lab))
        of_white, of_pupil = (
            float(np.linalg.norm(lab - eye.ground))
            for lab in (eye.white_lab, eye.pupil_lab)
        )
        is_white, is_pupil = (
            cell_counts(points, side, filled.shape) / side**2
            for points in (eye.white, eye.pupil)
        )
        is_face = np.maximum(hits / side**2 - is_white - is_pupil, 0)
        as_face = is_white * of_white + is_pupil * of_pupil
        as_white = is_pupil * to_pupil + is_face * of_white
        as_pupil = is_white * to_pupil + is_face * of_pupil
        cost = np.where(filled, as_white - as_face, np.inf)
        strong.append(max(of_white, of_pupil))
        white.append(np.moveaxis(cost, across, 0))
        pupil.append(np.moveaxis(as_pupil - as_white, across, 0))
    axes = [across, 1 - across]
    first, last = (_lean(eye)[axes] for eye in eyes)
    aside = abs(first[0] + last[0]) - abs(first[0] - last[0])
    are_images = bool(aside <= ASIDE)
    turn = np.array([-1 if are_images else 1, 1])
    sizes = [
        np.mean([np.subtract(*_box(points)[::-1]) for points in both], axis=0)
        for both in ([eye.points for eye in eyes], [eye.pupil for eye in eyes])
    ]
    return _Pair(
        white=np.stack(white) / 2,
        pupil=np.stack(pupil) / 2,
        size=sizes[0][axes] / side,
        pupil_size=sizes[1][axes] / side,
        lean=(first + turn * last) / 2,
        up=up,
        unit=max(strong),
        are_images=are_images,
    )


def _lean(eye: OpenEye) -> Float64[np.ndarray, " 2"]:
    """Return how far from the middle of its eye a pupil is, -0.5 to 0.5."""
    low, high = _box(eye.points)
    return (eye.pupil.mean(axis=0) + 0.5 - low) / (high - low) - 0.5


def _box(
    points: Int[np.ndarray, "n 2"],
) -> tuple[Int[np.ndarray, " 2"], Int[np.ndarray, " 2"]]:
    """Return the first row and column of samples, and the ones after the last."""
    return points.min(axis=0), points.max(axis=0) + 1


def _spans(low: float, high: float) -> Iterator[Span]:
    """Return all spans of cells that may show one of some places."""
    size = high - low
    places = range(int(np.floor(low)) - 1, int(np.ceil(high)) + 2)
    for span in combinations(places, 2):
        length = span[1] - span[0]
        off = abs(sum(span) - low - high) / 2
        if size - 1 < length < size + 1.5 and off <= 1:
            yield span


def _drawings(pair: _Pair, place: _Place, x: Span, y: Span) -> Iterator[_Drawing]:
    """Return the best drawings of two eyes with a box, and with an oval, if any fits.

    Args:
        pair: The eyes.
        place: Where the other one is.
        x: The first one's box.
        y: Of both.
    """
    other = place.span(x)
    gap = other[0] - x[1]
    shape = pair.white.shape[1:]
    is_inside = min(x[0], y[0]) >= 0 and other[1] <= shape[0] and y[1] <= shape[1]
    if gap < 0 or not is_inside:
        return
    turn = -1 if pair.are_images else 1
    white, pupil = (
        cost[0, slice(*x), slice(*y)] + cost[1, slice(*other), slice(*y)][::turn]
        for cost in (pair.white, pair.pupil)
    )
    fixed = TOUCHING * (gap == 0)
    stretch = np.log(np.divide(*white.shape) / np.divide(*pair.size))
    fixed += STRETCHED * abs(float(stretch))
    for inside in _shapes((x[1] - x[0], y[1] - y[0])):
        cost = float(white.sum(where=inside)) + pair.unit * fixed
        if not np.isfinite(cost):
            continue
        if inside.sum() == 1:  # one cell
            is_pupil = bool(pupil[0, 0] < 0)
            cost += min(float(pupil[0, 0]), 0.0) + pair.unit * LOST
            drawn = inside & is_pupil
        else:
            more, drawn = _best_pupil(pair, pupil, inside, is_tight=gap == 0)
            cost += more
        corners = ((x[0], y[0]), (other[0], y[0]))
        yield _Drawing(cost, corners, inside & ~drawn, drawn)


def _shapes(size: tuple[int, int]) -> Iterator[Bool[np.ndarray, "x y"]]:
    """Return which cells of a box an eye may have: all, or an oval."""
    yield np.ones(size, bool)
    oval = oval_of(size)
    if not oval.all():
        yield oval


def _best_pupil(
    pair: _Pair,
    costs: Float64[np.ndarray, "x y"],
    inside: Bool[np.ndarray, "x y"],
    *,
    is_tight: bool,
) -> tuple[float, Bool[np.ndarray, "x y"]]:
    """Return what the best block of pupil costs, and its cells: at most half of all.

    Args:
        pair: The eyes.
        costs: Of a cell of pupil in both eyes.
        inside: Cells of the eye.
        is_tight: Whether the eyes touch.
    """
    best, least = np.zeros_like(inside), np.inf
    (wide, high), room = costs.shape, int(inside.sum())
    for width, height in product(range(1, wide + 1), range(1, high + 1)):
        if 2 * width * height > room or not _suits((width, height), pair.pupil_size):
            continue
        stretch = np.log(width / height * pair.pupil_size[1] / pair.pupil_size[0])
        for left, top in product(range(wide - width + 1), range(high - height + 1)):
            drawn = np.zeros_like(inside)
            drawn[left : left + width, top : top + height] = True
            if (drawn & ~inside).any():
                continue
            at = np.array([left + width / 2, top + height / 2]) / costs.shape - 0.5
            extra = LONG_PUPIL * abs(float(stretch))
            extra += TURNED * float(np.abs(at - pair.lean).sum())
            extra += UPWARD * (at[1] * pair.up > 0)
            extra += OUTWARD * (pair.are_images and at[0] < 0)
            extra += TOUCHING * (is_tight and left + width == wide)
            cost = float(costs.sum(where=drawn)) + pair.unit * extra
            if cost < least - 1e-9:
                best, least = drawn, cost
    return least, best


def _suits(size: tuple[int, int], wanted: Float64[np.ndarray, " 2"]) -> bool:
    """Return whether a block of cells may show a pupil of a size."""
    return all(
        length == 1 or length < most + 1
        for length, most in zip(size, wanted, strict=True)
    )
