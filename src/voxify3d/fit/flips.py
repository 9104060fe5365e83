"""Flips of voxels, alone or with their mirror images, and what each is worth.

Flips that share no column do not interact: many can be made at once, and afterwards
only those that share a column with one of them are worth something else. What only
several flips together can reach is tried: some are made whatever they cost, then those
that are good after them, and all are taken back if that is not better in the end.
"""

from collections.abc import Set

import numpy as np
from jaxtyping import Bool, Float64, Int

from voxify3d.fit.tables import ViewTable
from voxify3d.pixelart.mirror import Mirror
from voxify3d.render.eye import Sight

_LEAST = 1e-4
"""Gain from which a change is made: less is rounding."""


class Flips:
    """Every flip that may be made, with how much it changes the cost now.

    Attributes:
        occupied: The voxels as they are.
        change: How much the cost has changed since the start.
    """

    def __init__(
        self,
        occupied: Bool[np.ndarray, "x y z"],
        tables: list[ViewTable],
        free: Bool[np.ndarray, "x y z"],
        index: Int[np.ndarray, "x y z"] | None = None,
        mirror: Mirror | None = None,
        face_cost: float = 0.0,
    ) -> None:
        """See `polish_occupancy`; of unequal pairs both become occupied."""
        self.occupied = occupied.copy()
        self._tables, self._index = tables, index
        self._mirror, self._face_cost = mirror, face_cost
        both = np.zeros_like(free)
        if mirror is not None:
            both = _flip_together(occupied, free, mirror)
            there = mirror.image(np.argwhere(both & occupied))
            self.occupied[tuple(there.T)] = True
        self.change = 0.0
        self._both = both
        single, pair = np.argwhere(free & ~both), np.argwhere(both)
        image = pair
        if mirror is not None:
            pair = pair[2 * pair[:, mirror.axis] < mirror.plane - 1]
            image = mirror.image(pair)
        self._singles = len(single)
        self._ijk = np.concatenate([single, pair])
        self._image = np.concatenate([single, image])
        self._worth = np.zeros(len(self._ijk))
        number = np.arange(len(self._ijk))
        number = np.concatenate([number, number[self._singles :]])
        voxels = np.concatenate([self._ijk, image])
        self._columns = [
            _sorted(_columns(voxels, axis, free.shape), number, free.size // length)
            for axis, length in enumerate(free.shape)
        ]
        self._sights = [Sight(self.occupied, table.view) for table in tables]
        self._good: set[int] = set()
        self._look(np.arange(len(self._ijk)))

    def descend(self, but: Set[int] = frozenset()) -> list[Int[np.ndarray, "_ 3"]]:
        """Make the best flips as long as there are good ones, but some.

        Args:
            but: Numbers of flips not to make.

        Returns:
            The voxels that flipped, step by step.
        """
        steps = []
        while len(flipped := self.best(but)):
            self.make(flipped)
            steps.append(flipped)
        return steps

    def attempt(self, ijk: Int[np.ndarray, "_ 3"]) -> bool:
        """Flip voxels, then what else is good; take it all back if it is no better.

        Args:
            ijk: Free voxels; their mirror images flip with them.

        Returns:
            Whether it is better.
        """
        if self._mirror is not None:
            image = self._mirror.image(ijk[self._both[tuple(ijk.T)]])
            ijk = np.unique(np.concatenate([ijk, image]), axis=0)
        change = self.change
        self.make(ijk)
        steps = [ijk, *self.descend(self._flips_of(ijk))]
        if self.change < change - _LEAST:
            self.descend()
            return True
        voxels, times = np.unique(np.concatenate(steps), axis=0, return_counts=True)
        self.make(voxels[times % 2 == 1])
        self.change = change  # to the last bit
        return False

    def best(self, but: Set[int] = frozenset()) -> Int[np.ndarray, "_ 3"]:
        """Return the voxels of the best flips that share no column, if any is good."""
        good = np.array(sorted(self._good - but), np.int64)
        ijk, image = self._ijk[good], self._image[good]
        chosen = _independent(ijk, image, self._worth[good], self.occupied.shape)
        paired = chosen & (good >= self._singles)
        return np.concatenate([ijk[chosen], image[paired]])

    def make(self, ijk: Int[np.ndarray, "_ 3"]) -> None:
        """Flip voxels, and look again at all that share a column with them."""
        self.change += change_of_all(
            self.occupied, ijk, self._tables, self._index, self._face_cost
        )
        self.occupied[tuple(ijk.T)] ^= True
        for table, sight in zip(self._tables, self._sights, strict=True):
            sight.update(*table.cell(ijk))
        self._look(self._touched(ijk))

    def _touched(self, ijk: Int[np.ndarray, "_ 3"]) -> Int[np.ndarray, " n"]:
        """Return the numbers of the flips that share a column with some voxels."""
        found = [np.zeros(0, np.int64)]
        for axis, (number, start) in enumerate(self._columns):
            for column in np.unique(_columns(ijk, axis, self.occupied.shape)):
                found.append(number[start[column] : start[column + 1]])
        return np.unique(np.concatenate(found))

    def _flips_of(self, ijk: Int[np.ndarray, "_ 3"]) -> set[int]:
        """Return the numbers of the flips that some voxels take part in."""
        near, shape = self._touched(ijk), self.occupied.shape
        own, image, wanted = (
            np.ravel_multi_index(tuple(voxels.T), shape)
            for voxels in (self._ijk[near], self._image[near], ijk)
        )
        return set(near[np.isin(own, wanted) | np.isin(image, wanted)].tolist())

    def _look(self, which: Int[np.ndarray, " n"]) -> None:
        """Compute what some flips change."""
        alone = which < self._singles
        ijk, image = self._ijk[which], self._image[which]
        change = np.zeros(len(which))
        if self._face_cost:
            faces = _more_faces(self.occupied, ijk) - _faces_between(ijk, image)
            faces[~alone] += _more_faces(self.occupied, image[~alone])
            change = self._face_cost * faces
        single, pair = ijk[alone], ijk[~alone]
        for table, sight in zip(self._tables, self._sights, strict=True):
            change[alone] += table.change(sight, single, self._index)
            if self._mirror is not None and len(pair):
                change[~alone] += table.change_of_pairs(
                    sight, pair, self._mirror, self._index
                )
        self._worth[which] = change
        self._good.difference_update(which.tolist())
        self._good.update(which[change < -_LEAST].tolist())


def change_of_all(
    occupied: Bool[np.ndarray, "x y z"],
    ijk: Int[np.ndarray, "n 3"],
    tables: list[ViewTable],
    index: Int[np.ndarray, "x y z"] | None = None,
    face_cost: float = 0.0,
) -> float:
    """Return how much flipping all the voxels at once changes the cost."""
    if not len(ijk):
        return 0.0
    change = sum(table.change_of_all(occupied, ijk, index) for table in tables)
    return change + face_cost * _more_faces_of_all(occupied, ijk)


def _columns(
    ijk: Int[np.ndarray, "n 3"], axis: int, shape: tuple[int, ...]
) -> Int[np.ndarray, " n"]:
    """Return the number of each voxel's column along an axis."""
    a, b = (i for i in range(3) if i != axis)
    return ijk[:, a] * shape[b] + ijk[:, b]


def _sorted(
    column: Int[np.ndarray, " n"], number: Int[np.ndarray, " n"], count: int
) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " m"]]:
    """Return numbers in the order of their columns, and where each of them starts."""
    order = np.argsort(column, kind="stable")
    return number[order], np.searchsorted(column[order], np.arange(count + 1))


def _more_faces(
    occupied: Bool[np.ndarray, "x y z"], ijk: Int[np.ndarray, "n 3"]
) -> Float64[np.ndarray, " n"]:
    """Return how many more faces touch air when each voxel alone flips."""
    near = np.zeros(len(ijk))
    for axis, size in enumerate(occupied.shape):
        for step in (-1, 1):
            at = ijk.copy()
            at[:, axis] += step
            inside = (at[:, axis] >= 0) & (at[:, axis] < size)
            at[:, axis] = at[:, axis].clip(0, size - 1)
            near += occupied[tuple(at.T)] & inside
    return np.where(occupied[tuple(ijk.T)], 2 * near - 6, 6 - 2 * near)


def _more_faces_of_all(
    occupied: Bool[np.ndarray, "x y z"], ijk: Int[np.ndarray, "n 3"]
) -> int:
    """Return how many more faces touch air when all the voxels flip at once."""
    low, high = ijk.min(axis=0) - 1, ijk.max(axis=0) + 2
    least, most = np.maximum(low, 0), np.minimum(high, occupied.shape)
    outside = np.stack([least - low, high - most], axis=1)
    around = np.pad(occupied[tuple(map(slice, least, most))], outside)
    flipped = around.copy()
    flipped[tuple((ijk - low).T)] ^= True
    return _faces(flipped) - _faces(around)


def _faces(occupied: Bool[np.ndarray, "x y z"]) -> int:
    """Return how many faces lie between a voxel and an empty one."""
    return sum(int(np.count_nonzero(np.diff(occupied, axis=axis))) for axis in range(3))


def _faces_between(
    ijk: Int[np.ndarray, "n 3"], image: Int[np.ndarray, "n 3"]
) -> Float64[np.ndarray, " n"]:
    """Return how many faces two voxels count as changed that stay as they are."""
    return 2.0 * (np.abs(ijk - image).sum(axis=1) == 1)


def _flip_together(
    occupied: Bool[np.ndarray, "x y z"],
    free: Bool[np.ndarray, "x y z"],
    mirror: Mirror,
) -> Bool[np.ndarray, "x y z"]:
    """Return the free voxels that only flip together with their mirror images.

    Where the two touch and one is empty, as in an antenna on the plane, each flips
    alone: together they would make it twice as thick.
    """
    ijk = np.argwhere(free & mirror.paired)
    image = mirror.image(ijk)
    touching = np.abs(ijk - image).sum(axis=1) == 1
    equal = occupied[tuple(ijk.T)] == occupied[tuple(image.T)]
    together = free[tuple(image.T)] & (equal | ~touching)
    both = np.zeros_like(free)
    both[tuple(ijk[together].T)] = True
    return both


def _independent(
    ijk: Int[np.ndarray, "n 3"],
    image: Int[np.ndarray, "n 3"],
    change: Float64[np.ndarray, " n"],
    shape: tuple[int, ...],
) -> Bool[np.ndarray, " n"]:
    """Return which flips have the best change in all the columns that they touch.

    Args:
        ijk: Voxels that flip.
        image: What flips with them; the voxels themselves where they flip alone.
        change: Of each flip.
        shape: Of the grid.
    """
    order = np.argsort(change.round(9), kind="stable")
    rank = np.empty(len(ijk), np.int64)
    rank[order] = np.arange(len(ijk))
    chosen = np.ones(len(ijk), bool)
    for axis in range(3):
        a, b = (i for i in range(3) if i != axis)
        best = np.full((shape[a], shape[b]), len(ijk))
        for voxels in (ijk, image):
            np.minimum.at(best, (voxels[:, a], voxels[:, b]), rank)
        for voxels in (ijk, image):
            chosen &= best[voxels[:, a], voxels[:, b]] == rank
    return chosen
