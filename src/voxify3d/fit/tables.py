"""What the six views cost, by the first voxel that each of their cells sees.

In an axis view a cell sees the first occupied voxel of its column and nothing
else, so its cost is a table over "how many empty voxels come first" (`d`, 0 to n,
n = the column is empty), and the whole objective is a sum of table look-ups. A flip
of one voxel changes at most six look-ups: its gain is exact.
"""

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int

from voxify3d.pixelart.mirror import Mirror
from voxify3d.pixelart.pixelize import Picture
from voxify3d.render.eye import Sight, first_occupied, from_eye
from voxify3d.types import View, sign_of

SILHOUETTE_COST = 7.0
"""Of a cell that is wrongly filled or wrongly empty, against depth in voxels, but
not where all of a cell is covered. Measured: between 5 and 8 little changes."""
DEPTH_LIMIT = 2.0
"""Distance, in voxels, up to which a voxel in front of the surface costs all of it."""
BEYOND = 0.05
"""Of the rest of that distance: enough to take a thick bump off voxel by voxel."""
BEHIND = 1.25
"""How much more a voxel behind the surface costs: a dent is worse than a bump."""
BEHIND_LIMIT = 3.5
"""A voxel behind the surface costs at most this."""
COLOR_COST = 0.06
"""Of a wrong color, per OKLab distance × 100, against depth in voxels."""
COLOR_LIMIT = 30.0
"""A wrong color costs at most as much as this distance."""
HOLE = 1.5
"""Voxels behind the surface's median depth from which a cell looks into a hole."""
HOLE_COST = 3.0
"""Of a hole in a cell that is covered in part, against depth in voxels."""
SHEET_HOLE_COST = 16.0
"""Of a hole in a cell that is covered as a whole: more than the two silhouettes that
would rather have no sheet there, seen from its edge."""
WHOLE = 0.95
"""Coverage from which a cell is covered as a whole: no edge of anything lies in it."""
_QUANTILES = 8


def depth_cost(
    depths: Float32[np.ndarray, "a b s"],
    length: int,
    coverage: Float32[np.ndarray, "a b"],
) -> Float32[np.ndarray, "a b d"]:
    """Return a cell's mean depth cost for every first voxel d, from 0 to `length`.

    A voxel in front of the surface costs its distance, `BEYOND` times what is over
    `DEPTH_LIMIT`; one behind it `BEHIND` times as much, at most `BEHIND_LIMIT`; a hole
    in it costs `HOLE_COST` more, `SHEET_HOLE_COST` where the cell is covered as a
    whole. The samples' depths are summed up by a few quantiles.

    Args:
        depths: Of each cell's samples; infinite where nothing is hit.
        length: Voxels in a column.
        coverage: Share of each cell that the mesh covers.
    """
    seen = np.isfinite(depths).any(axis=-1)
    ordered = np.sort(depths[seen], axis=-1)
    hits = np.isfinite(ordered).sum(axis=-1, keepdims=True)
    place = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
    depth = np.take_along_axis(ordered, (hits * place).astype(np.int64), axis=-1)
    middle = depth[:, (_QUANTILES - 1) // 2]
    hole = np.where(coverage[seen] >= WHOLE, SHEET_HOLE_COST, HOLE_COST)
    table = np.zeros((*seen.shape, length + 1), np.float32)
    for d in range(length + 1):
        behind = np.minimum(BEHIND * (d - depth), BEHIND_LIMIT)
        beyond = BEYOND * np.maximum(depth - d - DEPTH_LIMIT, 0)
        before = np.minimum(depth - d, DEPTH_LIMIT) + beyond
        cost = np.maximum(behind, before).mean(axis=-1)
        table[seen, d] = cost + hole * (d - middle > HOLE)
    return table


def cost_table(
    picture: Picture, length: int, filled: Bool[np.ndarray, "a b"]
) -> Float32[np.ndarray, "a b d"]:
    """Return what each cell costs by the number of empty voxels before the first.

    An empty cell that the mesh covers as a whole is as bad as a hole.

    Args:
        picture: The view's pixel art.
        length: Voxels in a column.
        filled: Cells that should see something.
    """
    certain = 0.5 + 0.5 * np.abs(2 * picture.coverage - 1)
    wrong = (SILHOUETTE_COST * certain)[..., None]
    depth = depth_cost(picture.depths, length, picture.coverage)
    table = np.where(filled[..., None], depth, wrong).astype(np.float32)
    empty = np.where(picture.coverage >= WHOLE, SHEET_HOLE_COST, wrong[..., 0])
    table[..., length] = np.where(filled, empty, 0)
    return table


def color_table(picture: Picture) -> Float32[np.ndarray, "a b k"]:
    """Return what showing a palette entry costs more than the best one, in voxels.

    Without the weights of views and cells: geometry must not be bent to please them.
    """
    cost = picture.cost / np.maximum(picture.emphasis, 1e-6)[..., None]
    above = np.minimum(cost - cost.min(axis=-1, keepdims=True), COLOR_LIMIT)
    return (COLOR_COST * above * picture.filled[..., None]).astype(np.float32)


class ViewTable:
    """One view's costs: of the place, and of the color, of the first voxel."""

    def __init__(
        self,
        view: View,
        table: Float32[np.ndarray, "a b d"],
        colors: Float32[np.ndarray, "a b k"],
    ) -> None:
        self.view = view
        self.table = table
        self.length = table.shape[2] - 1
        # one more entry that costs nothing: an empty column shows no color
        self.colors = np.pad(colors, ((0, 0), (0, 0), (0, 1)))

    @property
    def entries(self) -> int:
        """Return how many colors the palette has."""
        return self.colors.shape[2] - 1

    @property
    def is_empty(self) -> Bool[np.ndarray, "a b"]:
        """Return the cells that should see no voxel."""
        return self.table[..., self.length] < self.table[..., 0]

    def distance(self, ijk: Int[np.ndarray, "n 3"]) -> Int[np.ndarray, " n"]:
        """Return how many voxels lie between each voxel and the eye."""
        along = ijk[:, self.view.axis]
        return self.length - 1 - along if sign_of(self.view.toward) > 0 else along

    def cell(self, ijk: Int[np.ndarray, "n 3"]) -> tuple[np.ndarray, np.ndarray]:
        """Return the cell that looks down each voxel's column."""
        a, b = (ijk[:, i] for i in range(3) if i != self.view.axis)
        return a, b

    def total(
        self,
        occupied: Bool[np.ndarray, "x y z"],
        index: Int[np.ndarray, "x y z"] | None = None,
    ) -> float:
        """Return the cost of an occupancy, with its colors if they are given."""
        first = first_occupied(occupied, self.view)[..., None]
        cost = np.take_along_axis(self.table, first, axis=2).sum(dtype=np.float64)
        if index is not None:
            a, b = np.indices(first.shape[:2]).reshape(2, -1)
            columns = from_eye(index, self.view)
            color = self._color(a, b, first.reshape(-1), columns)
            cost += color.sum(dtype=np.float64)
        return float(cost)

    def change(
        self,
        sight: Sight,
        ijk: Int[np.ndarray, "n 3"],
        index: Int[np.ndarray, "x y z"] | None = None,
    ) -> Float64[np.ndarray, " n"]:
        """Return how much flipping each voxel alone changes the cost.

        Args:
            sight: What this view meets now.
            ijk: The voxels.
            index: Palette entries.
        """
        a, b = self.cell(ijk)
        after = sight.first_after(a, b, self.distance(ijk)[None])
        return self._difference(a, b, sight.first[a, b], after, index)

    def change_of_pairs(
        self,
        sight: Sight,
        ijk: Int[np.ndarray, "n 3"],
        mirror: Mirror,
        index: Int[np.ndarray, "x y z"] | None = None,
    ) -> Float64[np.ndarray, " n"]:
        """Return how much flipping voxels with their mirror images changes the cost."""
        image = mirror.image(ijk)
        if self.view.axis != mirror.axis:  # they lie in two columns
            one = self.change(sight, ijk, index)
            return one + self.change(sight, image, index)
        a, b = self.cell(ijk)
        both = np.stack([self.distance(ijk), self.distance(image)])
        after = sight.first_after(a, b, both)
        return self._difference(a, b, sight.first[a, b], after, index)

    def change_of_all(
        self,
        occupied: Bool[np.ndarray, "x y z"],
        ijk: Int[np.ndarray, "n 3"],
        index: Int[np.ndarray, "x y z"] | None = None,
    ) -> float:
        """Return how much flipping all the voxels at once changes the cost."""
        a, b = self.cell(ijk)
        cells, column = np.unique(np.stack([a, b]), axis=1, return_inverse=True)
        a, b = cells
        columns = from_eye(occupied, self.view)[a, b]
        now = self._first(columns)
        columns[column.reshape(-1), self.distance(ijk)] ^= True
        change = self._difference(a, b, now, self._first(columns), index)
        return float(change.sum())

    def _first(self, columns: Bool[np.ndarray, "n l"]) -> Int[np.ndarray, " n"]:
        """Return how many empty voxels come first in each column."""
        return np.where(columns.any(axis=1), columns.argmax(axis=1), self.length)

    def _difference(
        self,
        a: Int[np.ndarray, " n"],
        b: Int[np.ndarray, " n"],
        now: Int[np.ndarray, " n"],
        after: Int[np.ndarray, " n"],
        index: Int[np.ndarray, "x y z"] | None,
    ) -> Float64[np.ndarray, " n"]:
        """Return what cells cost more when they see `after` instead of `now`."""
        change = self.table[a, b, after].astype(np.float64) - self.table[a, b, now]
        if index is not None:
            columns = from_eye(index, self.view)
            change += self._color(a, b, after, columns)
            change -= self._color(a, b, now, columns)
        return change

    def _color(
        self,
        a: Int[np.ndarray, " n"],
        b: Int[np.ndarray, " n"],
        first: Int[np.ndarray, " n"],
        columns: Int[np.ndarray, "a b l"],
    ) -> Float32[np.ndarray, " n"]:
        """Return what the colors of first voxels cost; nothing past the end."""
        entry = columns[a, b, np.minimum(first, self.length - 1)]
        return self.colors[a, b, np.where(first < self.length, entry, -1)]


def total_cost(
    tables: list[ViewTable],
    occupied: Bool[np.ndarray, "x y z"],
    index: Int[np.ndarray, "x y z"] | None = None,
) -> float:
    """Return the sum of all views' costs."""
    return sum(table.total(occupied, index) for table in tables)
