"""Where a feature is drawn: which whole cells a small region gets.

A region never meets the cells exactly. It gets the cells that show its shape best, at
least one, and of a left and right pair both get mirror images.
"""

from collections.abc import Mapping, Set

import numpy as np
from jaxtyping import Bool, Float64, Int

from voxify3d.pixelart.blocks import (
    LIGHT,
    Corner,
    Rank,
    Size,
    best_cells,
    best_eyes,
    best_light,
    blocks_of,
    common_size,
    fewer_cells,
)
from voxify3d.pixelart.frames import frame_cells, pane_of
from voxify3d.pixelart.lines import arc_cells
from voxify3d.pixelart.region import LEVEL, NOTCH, Region
from voxify3d.pixelart.relations import (
    enclosing,
    is_between,
    is_mirrored,
    partner_of,
    series_of,
)
from voxify3d.pixelart.samples import cell_counts
from voxify3d.pixelart.sides import Image, images_of, in_order, look_up, mirrored, moved

LARGE = 6.0
"""Area of a single spot, in cells, over which it need not become a rectangle. Of two
alike both do."""


def place_regions(
    regions: list[Region],
    side: int,
    filled: Bool[np.ndarray, "a b"],
    across: int,
    plane: int | None = None,
    barred: Mapping[int, Bool[np.ndarray, "a b"]] | None = None,
) -> tuple[list[Int[np.ndarray, "m 2"]], dict[int, int]]:
    """Return the cells of each region; of a left and right pair both get the same.

    And each such region's partner, where the two keep them; their cells are in the same
    order. What stands out most comes first.

    Args:
        regions: Of one view.
        side: Samples along a cell.
        filled: Cells that can be colored.
        across: Which of the two cell axes is horizontal in the picture.
        plane: Where left and right of the whole object meet, as `Mirror.plane`; None
            where it has no two sides, or shows one of them.
        barred: Cells that large eyes are not given, by their numbers.
    """
    board = _Board(regions, side, filled, across, plane, barred or {})
    # What lies inside another comes after it, and takes cells from it.
    order = sorted(
        range(len(regions)),
        key=lambda i: (
            board.around[i] >= 0,
            -regions[i].contrast * len(regions[i].points),
        ),
    )
    done: set[int] = set()
    for i in order:
        if i in done:
            continue
        done.add(i)
        is_inside = board.around[i] >= 0
        if is_inside:
            j = board.partner_within(i, done)
        else:
            j = partner_of(i, regions, side, across, done)
        if j is None:
            if not board.is_single_light(i):
                board.place_alone(i)
            continue
        done.add(j)
        if is_inside:
            board.place_within(i, j)
        else:
            board.place_pair(i, j)
    kept = [c[board.owner[tuple(c.T)] == i] for i, c in enumerate(board.cells)]
    partner: dict[int, int] = {}
    for i, j in board.partner.items():
        both = in_order(kept[i], kept[j], across) if i < j else None
        if both is not None:
            kept[i], kept[j] = both
            partner |= {i: j, j: i}
    return kept, partner


class _Board:
    """One view's cells while regions are given theirs.

    Attributes:
        cells: Of each region; none as long as it has not been placed.
        owner: Number of the region that each cell was given to last, -1 for none.
        partner: Left and right pairs that were given equally many cells, until others
            take some.
        around: Number of the region that encloses each one, -1 for none.
    """

    def __init__(
        self,
        regions: list[Region],
        side: int,
        filled: Bool[np.ndarray, "a b"],
        across: int,
        plane: int | None,
        barred: Mapping[int, Bool[np.ndarray, "a b"]],
    ) -> None:
        """See `place_regions`."""
        self.cells = [np.zeros((0, 2), np.int64)] * len(regions)
        self.owner = np.full(filled.shape, -1)
        self.partner: dict[int, int] = {}
        self.around = [enclosing(i, regions) for i in range(len(regions))]
        self._regions, self._side, self._filled = regions, side, filled
        self._across, self._plane, self._barred = across, plane, barred
        self._sizes: dict[int, Size] = {}
        for series in series_of(regions, side, across):
            blocks = [self._blocks(i) for i in series]
            size = common_size([found for found in blocks if found])
            if size is not None:
                self._sizes |= dict.fromkeys(series, size)

    def place_alone(self, i: int) -> None:
        """Give a region cells; in the middle of the object, alike on both sides."""
        share, on = self._single(i)
        self._give(i, self._alone(i, share, on))

    def _alone(
        self,
        i: int,
        share: Float64[np.ndarray, "a b"],
        on: tuple[int, int] | None = None,
    ) -> Int[np.ndarray, "m 2"]:
        """Return the cells that suit one region best.

        Args:
            i: Its number.
            share: Share of each cell that it covers.
            on: Where its middle is; see `_single`.
        """
        region, outer = self._regions[i], self.around[i]
        extent = region.extent
        if region.is_round and len(region.points) > LARGE * self._side**2:
            extent = None  # one such spot may have its own shape
        pane = self._pane(i)
        if pane is not None:
            return pane
        cells = self._line(i, share, self._open(i), on)
        if cells is None:
            size, is_line = self._sizes.get(i), not region.compact
            cells = best_cells(share, region.wanted, extent, on, size, is_line=is_line)
        room = int(self._within(outer).sum())
        if region.is_light:
            inner = best_light(region, self._within(outer), self._side)
            # Of two eyes: the teeth of a mouth stay at its rim.
            if self._is_notch(i) or (len(inner) and outer in self.partner):
                return inner
            return cells[: int(LIGHT * room)]
        if room == 1 and self._stands_for(i, outer):
            return np.argwhere(self._within(outer))
        if outer >= 0 and 2 * len(cells) > room:  # most of the outer one must stay
            return fewer_cells(share, room // 2, extent, on)
        return cells

    def _line(
        self,
        i: int,
        share: Float64[np.ndarray, "a b"],
        free: Bool[np.ndarray, "a b"],
        on: tuple[int, int] | None = None,
        *,
        is_one_of_two: bool = False,
    ) -> Int[np.ndarray, "m 2"] | None:
        """Return the cells of a frame or an arc, if it is one and they are free.

        An arc is in the middle of the object, or one of two. See `_alone`.
        """
        region, cells = self._regions[i], None
        if region.is_frame:
            cells = frame_cells(region.points, share, self._side, on)
        elif not region.compact and (is_one_of_two or on is not None):
            cells = arc_cells(region.points, share, self._side, on)
        return cells if cells is not None and free[tuple(cells.T)].all() else None

    def _pane(self, i: int) -> Int[np.ndarray, "m 2"] | None:
        """Return the cells that a frame encloses, if a spot fills most of them."""
        region, outer = self._regions[i], self.around[i]
        if outer < 0 or not (region.compact and self._regions[outer].is_frame):
            return None
        pane = pane_of(self.cells[outer])
        is_open = len(pane) and self._open(i)[tuple(pane.T)].all()
        fills = 2 * len(region.points) >= len(pane) * self._side**2
        return pane if is_open and fills else None

    def partner_within(self, i: int, done: Set[int]) -> int | None:
        """Return what is in the other eye and like region i, a pupil or a light.

        Args:
            i: Its number; something encloses it.
            done: Regions that have cells.
        """
        eye = self.partner.get(self.around[i], -1)
        for j, other in enumerate(self._regions):
            is_there = eye >= 0 and self.around[j] == eye and j not in done
            if is_there and self._regions[i].is_like(other):
                return j
        return None

    def is_single_light(self, i: int) -> bool:
        """Return whether a region is a light in one of two eyes, without a like one."""
        return self._regions[i].is_light and self.around[i] in self.partner

    def place_within(self, i: int, j: int) -> None:
        """Give what lies in a left and a right eye cells, in the same place in both.

        Pupils that look at one thing lie alike in both eyes, those of an angry face are
        mirror images.
        """
        eyes = [self.cells[self.around[n]] for n in (i, j)]
        first, last = (cells[:, self._across] for cells in eyes)
        lean = self._lean(i), self._lean(j)
        is_image = abs(lean[0] + lean[1]) <= abs(lean[0] - lean[1])
        if is_image:
            middle = int(first.min() + last.max())
            at = mirrored(self.owner.shape, self._across, middle)
        else:
            step = int(last.min() - first.min())
            at = moved(self.owner.shape, self._across, step)
        first, last = (cells[:, 1 - self._across] for cells in eyes)
        at[1 - self._across][:] += int(last.min() - first.min())
        here = self._alone(i, (self._share(i) + look_up(self._share(j), at)) / 2)
        self._give_both(i, j, here, images_of(here, at))

    def _lean(self, i: int) -> float:
        """Return how far from the middle of its eye a pupil lies, -0.5 to 0.5."""
        low, high = self._regions[self.around[i]].box
        place = (self._regions[i].center - low) / (high - low + 1)
        return float(place[self._across]) - 0.5

    def place_pair(self, i: int, j: int) -> None:
        """Give a left and a right region the same cells on each side.

        They are mirror images, but for two blocks that do not lie so in the cells, and
        would become narrower: these are their own images, and one is moved.
        """
        one, other = self._regions[i], self._regions[j]
        extent = one.extent if other.compact else None
        if one.is_large(self._side) and extent is not None:
            self._place_large(i, j, extent)
            return
        image = self._other_side(i, j, is_block=extent is not None)
        share = (self._share(i) + look_up(self._share(j), image)) / 2
        wanted = max(one.wanted, other.wanted)
        size, is_line = self._sizes.get(i), not one.compact
        free = self._open(i) & look_up(self._open(j), image)
        here = self._line(i, share, free, is_one_of_two=True)
        if here is None:
            here = best_cells(share, wanted, extent, None, size, is_line=is_line)
        self._give_both(i, j, here, images_of(here, image))

    def _place_large(self, i: int, j: int, extent: Int[np.ndarray, " 2"]) -> None:
        """Give two large eyes one shape: mirror images, or each in its own best place.

        On a head held askew one is higher than the other.
        """
        one, other = self._regions[i], self._regions[j]
        shares, free = [self._share(i), self._share(j)], [self._free(i), self._free(j)]
        gap = np.abs(one.center - other.center)[1 - self._across]
        image = self._image(i, j) if gap < LEVEL * self._side else None
        if image is None:
            places = [[shares[0]], [shares[1]]]
        else:
            places = [[shares[0], look_up(shares[1], image)]]
            free = [free[0] & look_up(free[1], image)]
        found = best_eyes(places, free, extent, self._side, one.is_round)
        there = found[1] if image is None else images_of(found[0], image)
        self._give_both(i, j, found[0], there)

    def _other_side(self, i: int, j: int, *, is_block: bool) -> Image:
        """Return where the cells of one of a pair are for the other one.

        That is about the middle of the whole object, if the pair is: then what is alike
        on its two sides stays so. A head held askew has a middle of its own.
        """
        image = self._image(i, j)
        if image is not None:
            return image
        one, other, side = self._regions[i], self._regions[j], self._side
        across, shape = self._across, self.owner.shape
        middle = float((one.center + other.center)[across]) / side - 1
        apart = float((other.center - one.center)[across]) / side
        if is_block and _rest(apart) < _rest(middle):
            return moved(shape, across, round(apart))
        return mirrored(shape, across, round(middle))

    def _image(self, i: int, j: int) -> Image | None:
        """Return the mirror images of cells about the object's middle.

        None if two regions are not mirror images about it.
        """
        side, across, plane = self._side, self._across, self._plane
        one, other = self._regions[i], self._regions[j]
        if plane is None or not is_mirrored(one, other, side, across, plane):
            return None
        return mirrored(self.owner.shape, across, plane - 1)

    def _free(self, i: int) -> Bool[np.ndarray, "a b"]:
        """Return the cells that a large eye may be given."""
        return ~self._barred.get(i, np.zeros_like(self._filled))

    def _single(
        self, i: int
    ) -> tuple[Float64[np.ndarray, "a b"], tuple[int, int] | None]:
        """Return the share of each cell that a region covers, and where its middle is.

        The latter for one in the middle of the object: an axis, and the sum of the
        places of its two ends there.
        """
        share, across, plane = self._share(i), self._across, self._plane
        if plane is None or not is_between(self._regions[i], self._side, across, plane):
            return share, None
        image = mirrored(share.shape, across, plane - 1)
        return (share + look_up(share, image)) / 2, (across, plane - 1)

    def _stands_for(self, i: int, outer: int) -> bool:
        """Return whether a pupil stands out more than the eye, which has one cell."""
        pupil, eye = self._regions[i], self._regions[outer]
        apart = float(np.linalg.norm(pupil.lab - eye.ground))
        is_dark = bool(pupil.lab[0] < eye.lab[0])
        return is_dark and pupil.is_striking and apart > eye.contrast

    def _within(self, outer: int) -> Bool[np.ndarray, "a b"]:
        """Return the cells of a region that encloses others; none for -1."""
        return (self.owner == outer) & (outer >= 0)

    def _is_notch(self, i: int) -> bool:
        """Return whether a light has the color of what is around its eye."""
        outer = self.around[i]
        if outer < 0:  # its eye lies behind something else
            return False
        ground = self._regions[outer].ground
        return bool(np.linalg.norm(self._regions[i].lab - ground) < NOTCH)

    def _blocks(self, i: int) -> dict[Size, tuple[Rank, Corner]]:
        """Return the best block of each size for a single compact region."""
        share, on = self._single(i)
        extent = self._regions[i].extent
        return {} if extent is None else blocks_of(share, extent, on)

    def _share(self, i: int) -> Float64[np.ndarray, "a b"]:
        """Return the share of each cell that a region covers; 0 if it is not open."""
        region, free = self._regions[i], self._open(i)
        points = region.points if region.shape is None else region.shape
        return cell_counts(points, self._side, free.shape) * free / self._side**2

    def _open(self, i: int) -> Bool[np.ndarray, "a b"]:
        """Return the cells that a region may be given.

        A light has cells of its eye alone: beside it, one would be no light.
        """
        outer = self.around[i]
        free = self.owner == outer
        if outer < 0 or not self._regions[i].is_light:
            free |= self.owner < 0
        return free & self._filled

    def _give_both(
        self,
        i: int,
        j: int,
        here: Int[np.ndarray, "m 2"],
        there: Int[np.ndarray, "n 2"],
    ) -> None:
        """Give region i cells, and region j those on the other side."""
        if len(here) == len(there) > 0:
            self.partner |= {i: j, j: i}
        self._give(j, there)
        self._give(i, here)

    def _give(self, i: int, cells: Int[np.ndarray, "m 2"]) -> None:
        self.cells[i] = cells
        self.owner[tuple(cells.T)] = i


def _rest(place: float) -> float:
    """Return how far a place is from that of a cell."""
    return abs(place - round(place))
