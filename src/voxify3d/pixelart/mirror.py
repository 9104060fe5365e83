"""Left and right alike: where a mesh equals its mirror image, so do its pictures.

Rounding breaks symmetry: of two equal eyes one lies half a sample farther from a
border of cells, and gets two cells where the other gets one. So cells that are alike
but for such grains are given the mean of both, and every later stage treats them, and
the voxels that they see, as one. What is unlike (a sword in one hand, an eye patch,
the two halves of a tail in the wind) stays as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Int

from voxify3d.pixelart.statistics import CellStatistics
from voxify3d.types import View, axis_of

UNLIKE = 0.15
"""Share of a cell's samples that may differ: one row of eight."""
COLOR = 0.06
"""Difference of colors, OKLab, from which two samples differ."""
DEPTH = 0.4
"""Difference of median depths, voxels."""
LEAST = 0.45
"""Share of cells that are alike, of those that hold anything, under which a mesh
has no two sides."""
SIDEWAYS = 0.1
"""How much larger that share must be between front and back than between left and
right."""


@dataclass(frozen=True, slots=True)
class Mirror:
    """A plane through the object's middle, and what is alike on its two sides.

    Attributes:
        axis: Grid axis from one side to the other: mostly from left to right.
        plane: Twice the plane's place on it, voxels: `i` mirrors to `plane - 1 - i`.
        alike: For each view, the cells that equal their mirror images.
        paired: Voxels seen by alike cells alone, from all six sides, whose mirror
            image is another voxel of the grid.
    """

    axis: int
    plane: int
    alike: tuple[Bool[np.ndarray, "_ _"], ...]
    paired: Bool[np.ndarray, "x y z"]

    def partner(self, views: Sequence[View], number: int) -> int:
        """Return the number of the view that shows the mirror image of a view."""
        view = views[number]
        if view.axis != self.axis:
            return number
        return next(i for i, v in enumerate(views) if v.axis == self.axis and v != view)

    def reflected(self, values: np.ndarray, view: View) -> np.ndarray:
        """Return the mirror image of cells `a b ...`; 0 outside the picture.

        Args:
            values: Of the partner's cells.
            view: The partner.
        """
        if view.axis == self.axis:
            return values
        across = _across(view, self.axis)
        place = self.plane - 1 - np.arange(values.shape[across])
        inside = (place >= 0) & (place < len(place))
        image = np.take(values, place.clip(0, len(place) - 1), axis=across)
        np.moveaxis(image, across, 0)[~inside] = 0
        return image

    def touching(self, view: View, shape: tuple[int, int]) -> Bool[np.ndarray, "a b"]:
        """Return the cells beside the plane, next to their own mirror images."""
        if view.axis == self.axis:
            return np.zeros(shape, bool)
        across = _across(view, self.axis)
        place = np.arange(shape[across])
        beside = np.abs(2 * place - (self.plane - 1)) == 1
        return np.ones(shape, bool) & np.expand_dims(beside, 1 - across)

    def image(self, ijk: Int[np.ndarray, "n 3"]) -> Int[np.ndarray, "n 3"]:
        """Return the voxels' mirror images; some may lie outside the grid."""
        image = ijk.copy()
        image[:, self.axis] = self.plane - 1 - image[:, self.axis]
        return image

    def copied(self, volume: Bool[np.ndarray, "x y z"]) -> Bool[np.ndarray, "x y z"]:
        """Return a volume whose paired voxels equal their images on the lower side.

        Pairs that touch stay as they are: a sheet in the plane itself is one voxel.
        """
        here = np.argwhere(self.paired)
        here = here[here[:, self.axis] > self.plane // 2]
        volume = volume.copy()
        volume[tuple(here.T)] = volume[tuple(self.image(here).T)]
        return volume

    def joined(self, volume: Bool[np.ndarray, "x y z"]) -> Bool[np.ndarray, "x y z"]:
        """Return a volume with the images of its paired voxels added."""
        here = np.argwhere(self.paired & volume)
        volume = volume.copy()
        volume[tuple(self.image(here).T)] = True
        return volume


def find_mirror(cells: Sequence[CellStatistics]) -> Mirror | None:
    """Return the plane about which a mesh is most symmetric; None if about none.

    It lies between left and right, or between front and back where much more is alike
    then: of a car that faces sideways.

    Args:
        cells: The six views, front first.
    """
    front = cells[0].view
    share, mirror = _mirror_across(cells, axis_of(front.right), LEAST)
    least = LEAST if mirror is None else share + SIDEWAYS
    if least >= 1:
        return mirror
    _, sideways = _mirror_across(cells, front.axis, least)
    return sideways or mirror


def _mirror_across(
    cells: Sequence[CellStatistics], axis: int, least: float
) -> tuple[float, Mirror | None]:
    """Return the best plane across an axis, and the share of cells that are alike.

    Args:
        cells: The six views.
        axis: Of the grid.
        least: Share that must be exceeded; returned if none does.
    """
    beside = next(cell for cell in cells if cell.view.axis != axis)
    size = beside.hit.shape[_across(beside.view, axis)]
    # From the middle outwards: the first of equals is the best of them.
    shifts = range(1, size // 8 + 1)
    planes = [size, *(size + side * step for step in shifts for side in (1, -1))]
    mirrors = [Mirror(axis, p, (), np.zeros((1, 1, 1), bool)) for p in planes]
    # No more cells are alike than whole cells allow: few planes need all samples.
    most = [_share(cells, mirror, _may_be_alike(cells, mirror)) for mirror in mirrors]
    best, found = least, None
    for number in np.argsort(-np.array(most), kind="stable"):
        if most[number] < best:
            break
        alike = _alike(cells, mirrors[number])
        share = _share(cells, mirrors[number], alike)
        if share > best or (share == best and found is not None and number < found[0]):
            best, found = share, (number, alike)
    if found is None:
        return least, None
    number, alike = found
    paired = _paired(cells, alike, mirrors[number])
    return best, replace(mirrors[number], alike=alike, paired=paired)


def _across(view: View, axis: int) -> int:
    """Return which of a view's two cell axes is the grid's `axis`."""
    return [i for i in range(3) if i != view.axis].index(axis)


def _share(
    cells: Sequence[CellStatistics],
    mirror: Mirror,
    alike: Sequence[Bool[np.ndarray, "_ _"]],
) -> float:
    """Return the share of the cells which hold anything that are alike."""
    held = [_held(cell, mirror) for cell in cells]
    same = sum(int((a & h).sum()) for a, h in zip(alike, held, strict=True))
    return same / max(sum(int(h.sum()) for h in held), 1)


def _alike(
    cells: Sequence[CellStatistics], mirror: Mirror
) -> tuple[Bool[np.ndarray, "_ _"], ...]:
    """Return, for each view, the cells that equal their mirror images."""
    views = [cell.view for cell in cells]
    found = []
    for number, near in enumerate(_may_be_alike(cells, mirror)):
        cell, other = cells[number], cells[mirror.partner(views, number)]
        hit, lab = (
            _samples(values, other, mirror) for values in (other.hit, other.lab)
        )
        apart = ((cell.lab - lab) ** 2).sum(axis=-1) > COLOR**2
        unlike = np.where(cell.hit & hit, apart, cell.hit != hit)
        found.append((unlike.mean(axis=-1) <= UNLIKE) & near)
    return tuple(found)


def _may_be_alike(
    cells: Sequence[CellStatistics], mirror: Mirror
) -> list[Bool[np.ndarray, "_ _"]]:
    """Return the cells as deep and about as covered as their mirror images."""
    views = [cell.view for cell in cells]
    found = []
    for number, cell in enumerate(cells):
        other = cells[mirror.partner(views, number)]
        own = cell.hit.mean(axis=-1)
        covered = mirror.reflected(other.hit.mean(axis=-1), other.view)
        depth = mirror.reflected(_finite(other.depth), other.view)
        near = np.abs(_finite(cell.depth) - depth) <= DEPTH
        # What only grazes a cell has no depth there.
        near |= np.minimum(own, covered) < UNLIKE
        # So many samples at least differ in being there.
        found.append(near & (np.abs(own - covered) <= UNLIKE + 1e-9))
    return found


def _samples(values: np.ndarray, cell: CellStatistics, mirror: Mirror) -> np.ndarray:
    """Return the mirror image of a view's samples `a b s ...`."""
    image = mirror.reflected(values, cell.view)
    if cell.view.axis == mirror.axis:
        return image
    a, b, s = image.shape[:3]
    side = round(s**0.5)
    split = image.reshape(a, b, side, side, *image.shape[3:])
    return np.flip(split, 2 + _across(cell.view, mirror.axis)).reshape(image.shape)


def _finite(depth: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(depth), depth, 0)


def _held(cell: CellStatistics, mirror: Mirror) -> Bool[np.ndarray, "a b"]:
    """Return cells that hold anything here or in the mirror, off the plane itself."""
    held: np.ndarray = np.any(cell.hit, axis=-1)
    if cell.view.axis == mirror.axis:
        return held
    across = _across(cell.view, mirror.axis)
    held = held | mirror.reflected(held, cell.view)
    place = np.arange(held.shape[across])
    return held & np.expand_dims(2 * place != mirror.plane - 1, 1 - across)


def _paired(
    cells: Sequence[CellStatistics],
    alike: tuple[Bool[np.ndarray, "_ _"], ...],
    mirror: Mirror,
) -> Bool[np.ndarray, "x y z"]:
    paired = np.ones((1, 1, 1), bool)
    for cell, same in zip(cells, alike, strict=True):
        paired = paired & np.expand_dims(same, cell.view.axis)
    place = np.arange(paired.shape[mirror.axis])
    image = mirror.plane - 1 - place
    other = (image >= 0) & (image < len(place)) & (image != place)
    return paired & np.expand_dims(other, [i for i in range(3) if i != mirror.axis])
