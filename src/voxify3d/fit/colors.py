"""Which color each voxel has: the exact optimum, then flat areas.

With fixed opaque voxels the six views split into voxels: each is seen by at most
six cells, and the cost of a palette entry is the sum of what it costs in them.
A Potts term on neighbors then flattens areas where the mesh itself is flat.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int
from scipy import ndimage

from voxify3d.color.spaces import oklab_from_bytes
from voxify3d.fit.tables import ViewTable
from voxify3d.mesh.coverage import Coverage
from voxify3d.pixelart.mirror import Mirror
from voxify3d.pixelart.pixelize import Picture, PixelArt
from voxify3d.render.eye import first_occupied, from_eye
from voxify3d.types import sign_of

OWN_WEIGHT = 0.1
"""Of the surface inside the voxel itself: decides where no view looks."""
NEAR = 1.5
"""Voxels between a voxel and a sample of the mesh up to which that shows its color."""
ENOUGH = 0.25
"""Share of such samples from which a cell says all about a voxel's color. With a step
at one half, rows of a lens that has a steep rim were dark and light by turns."""
HALF = 0.5
"""Share of such samples under which most of a cell shows something else."""
EDGE = 0.05
"""Difference of target colors (OKLab) over which neighbors need not agree."""
PAIR = 1.5
"""How much more one color for both of a pair of features may cost."""
_SWEEPS = 12


@dataclass(frozen=True, slots=True)
class Seen:
    """What the cells that see a voxel say of its color.

    Attributes:
        cost: Of each palette entry.
        weight: Of the cells; 0 where none sees it.
        lab: Mean of their colors, OKLab; 0 where none sees it.
    """

    cost: Float64[np.ndarray, "x y z k"]
    weight: Float64[np.ndarray, "x y z"]
    lab: Float64[np.ndarray, "x y z 3"]


def look(occupied: Bool[np.ndarray, "x y z"], art: PixelArt) -> Seen:
    """Return what the six views say of each voxel's color.

    A cell says little about the color of a voxel it sees if its mesh lies elsewhere: it
    counts in full where `ENOUGH` of its samples are as deep as the voxel (`NEAR`), and
    less the fewer they are, down to a tenth. Of a thin part it says what these samples
    do, where they are the fewer: a post before a door is no part of the door.
    """
    palette = oklab_from_bytes(art.palette.rgb)
    cost = np.zeros((*occupied.shape, len(palette)))
    lab = np.zeros((*occupied.shape, 3))
    weight = np.zeros(occupied.shape)
    thin = np.zeros(occupied.shape, bool)
    for picture in art.pictures:
        a, b, _, ijk = _met(occupied, picture)
        thin[ijk] |= picture.rescued[a, b]
    for picture in art.pictures:
        a, b, d, ijk = _met(occupied, picture)
        depths = picture.depths[a, b]
        own = np.abs(depths - d[:, None]) <= NEAR
        near = own.sum(axis=1) / np.isfinite(depths).sum(axis=1)
        trust = np.clip(near / ENOUGH, 0.1, 1)
        trust *= np.clip(2 * picture.coverage[a, b], 0.05, 1)
        says, shown = picture.cost[a, b], picture.lab[a, b]
        few = thin[ijk] & (near > 0) & (near < HALF) & ~picture.held[a, b]
        if few.any():
            shown[few] = picture.colors[a[few], b[few]].mean(
                axis=1, where=own[few, :, None]
            )
            apart = np.linalg.norm(shown[few, None] - palette, axis=-1)
            says[few] = 100 * picture.emphasis[a[few], b[few], None] * apart
        cost[ijk] += says * trust[:, None]
        weight[ijk] += picture.weight * trust
        lab[ijk] += shown * (picture.weight * trust)[:, None]
    lab /= np.where(weight > 0, weight, 1)[..., None]
    return Seen(cost, weight, lab)


def _met(
    occupied: Bool[np.ndarray, "x y z"], picture: Picture
) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[np.ndarray, ...]]:
    """Return the cells that see a voxel and hold some of the mesh, and those voxels.

    Rows and columns, how many empty voxels come first, and the voxels' indices.
    """
    view, length = picture.view, occupied.shape[picture.view.axis]
    first = first_occupied(occupied, view)
    a, b = np.nonzero((first < length) & np.isfinite(picture.depth))
    d = first[a, b]
    at = length - 1 - d if sign_of(view.toward) > 0 else d
    ijk = np.insert(np.stack([a, b], axis=1), view.axis, at, axis=1)
    return a, b, d, tuple(ijk.T)


def color_voxels(
    occupied: Bool[np.ndarray, "x y z"],
    art: PixelArt,
    coverage: Coverage,
    smoothness: float = 1.0,
) -> Int[np.ndarray, "x y z"]:
    """Return a palette entry for every occupied voxel, -1 elsewhere.

    Arguments are those of `color_surface`.
    """
    index = color_surface(occupied, art, coverage, smoothness)
    return color_hidden(index, occupied)


def color_surface(
    occupied: Bool[np.ndarray, "x y z"],
    art: PixelArt,
    coverage: Coverage,
    smoothness: float = 1.0,
) -> Int[np.ndarray, "x y z"]:
    """Return a palette entry for every voxel that shows a face, -1 elsewhere.

    Args:
        occupied: The voxels.
        art: What the six views should show.
        coverage: The surface's own color in each voxel.
        smoothness: Weight of the Potts term; more is flatter and loses detail.
    """
    palette = oklab_from_bytes(art.palette.rgb)
    seen = look(occupied, art)
    exposed = occupied & ~ndimage.binary_erosion(occupied)
    own = coverage.touched & exposed
    apart = coverage.lab[own][:, None] - palette
    cost, is_seen = seen.cost, seen.weight > 0
    cost[own] += OWN_WEIGHT * 100 * np.linalg.norm(apart, axis=-1)
    lab = np.where(is_seen[..., None], seen.lab, coverage.lab)
    known = exposed & (is_seen | own)
    index = np.full(occupied.shape, -1, np.int16)
    if known.any():
        twin = twins(known, art.mirror)
        askew = pair_features(twin, cost[known], known, occupied, art)
        index[known] = _smooth(cost, known, twin, askew, lab[known], smoothness)
    return index


def color_candidates(
    index: Int[np.ndarray, "x y z"],
    occupied: Bool[np.ndarray, "x y z"],
    free: Bool[np.ndarray, "x y z"],
    tables: list[ViewTable],
) -> Int[np.ndarray, "x y z"]:
    """Return the palette entry of every voxel that is or may become occupied.

    An empty one gets what suits the cells that would see it: where two views see an
    eye, each at another voxel, one voxel before both can have its color. What no
    view sees gets the nearest color.

    Args:
        index: Of `color_surface`.
        occupied: The voxels.
        free: Voxels that may change.
        tables: The views' costs.
    """
    ijk = np.argwhere(free & ~occupied)
    cost = np.zeros((len(ijk), tables[0].entries))
    seen = np.zeros(len(ijk), bool)
    for table in tables:
        a, b = table.cell(ijk)
        before = table.distance(ijk) < first_occupied(occupied, table.view)[a, b]
        before &= ~table.is_empty[a, b]
        cost[before] += table.colors[a, b][before, :-1]
        seen |= before
    index = color_hidden(index, occupied | free)
    index[tuple(ijk[seen].T)] = cost[seen].argmin(axis=1)
    return index


def color_hidden(
    index: Int[np.ndarray, "x y z"], occupied: Bool[np.ndarray, "x y z"]
) -> Int[np.ndarray, "x y z"]:
    """Give every voxel without a color that of the nearest one that has one."""
    blank = occupied & (index < 0)
    if not blank.any():
        return index
    ijk = np.argwhere(occupied | (index >= 0))
    box = tuple(map(slice, ijk.min(axis=0), ijk.max(axis=0) + 1))
    index, inside = index.copy(), index[box]
    if (inside < 0).all():
        index[blank] = 0
        return index
    nearest = ndimage.distance_transform_edt(
        inside < 0, return_distances=False, return_indices=True
    )
    index[box] = np.where(blank[box], inside[tuple(nearest)], inside)
    return index


def twins(
    known: Bool[np.ndarray, "x y z"], mirror: Mirror | None
) -> Int[np.ndarray, " n"]:
    """Return the number of each known voxel's mirror image, its own if it has none.

    Args:
        known: Voxels, numbered in C order.
        mirror: What is alike on both sides.
    """
    count = int(known.sum())
    twin = np.arange(count)
    if mirror is None:
        return twin
    number = np.full(known.shape, -1, np.int32)
    number[known] = twin
    here = np.argwhere(known & mirror.paired)
    there = number[tuple(mirror.image(here).T)]
    has = there >= 0
    twin[number[tuple(here[has].T)]] = there[has]
    return twin


def pair_features(
    twin: Int[np.ndarray, " n"],
    cost: Float64[np.ndarray, "n k"],
    known: Bool[np.ndarray, "x y z"],
    occupied: Bool[np.ndarray, "x y z"],
    art: PixelArt,
) -> Int[np.ndarray, " m"]:
    """Make the voxels of left and right features twins, where they have none yet.

    One color for both must not cost far more than one for each: then neither another
    view nor the surroundings turn one of two eyes gray. Returns the numbers of these
    voxels. They are no mirror images of each other about a plane of the grid: a head
    held askew has such eyes.

    Args:
        twin: Of `twins`; changed.
        cost: Of each entry for each known voxel.
        known: Voxels, numbered in C order.
        occupied: What the views see.
        art: With pairs of features.
    """
    number = np.full(known.shape, -1, np.int32)
    number[known] = np.arange(len(twin))
    front = art.pictures[0].view
    columns = from_eye(number, front)
    first = first_occupied(occupied, front)
    paired = []
    for cells in art.pairs:
        seen = []
        for a, b in (c.T for c in cells):
            d = first[a, b]
            at = columns[a, b, np.minimum(d, columns.shape[2] - 1)]
            seen.append(np.where(d < columns.shape[2], at, -1))
        for one, other in zip(*seen, strict=True):
            if min(one, other) < 0 or twin[one] != one or twin[other] != other:
                continue
            apart = cost[one].min() + cost[other].min()
            if (cost[one] + cost[other]).min() <= PAIR * apart:
                twin[one], twin[other] = other, one
                paired += [one, other]
    return np.array(paired, np.int64)


def _smooth(
    cost: Float64[np.ndarray, "x y z k"],
    known: Bool[np.ndarray, "x y z"],
    twin: Int[np.ndarray, " n"],
    askew: Int[np.ndarray, " m"],
    lab: Float64[np.ndarray, "n 3"],
    smoothness: float,
) -> Int[np.ndarray, " n"]:
    """Minimize costs plus a Potts term by sweeps: monotone.

    Neighbors whose colors `lab` differ need not agree. What lies inside the mesh has no
    part in those: a straight edge of icing had a dent where there was more behind it.

    Voxels of one parity class have no neighbor among themselves, so a class is
    updated at once (iterated conditional modes, Besag 1986). Twins have one label;
    those that are askew are updated one by one.
    """
    ijk = np.argwhere(known)
    row = np.arange(len(ijk))
    unary = cost[known]
    unary[twin != row] += cost[known][twin[twin != row]]
    label = unary.argmin(axis=1)
    if smoothness == 0:
        return label
    number = np.full(np.array(known.shape) + 2, -1, np.int32)
    number[tuple((ijk + 1).T)] = row
    neighbors, strengths = [], []
    for step in np.argwhere(np.ones((3, 3, 3))) - 1:
        reach = np.abs(step).sum()
        if reach not in (1, 2):
            continue
        other = number[tuple((ijk + 1 + step).T)]
        apart = np.linalg.norm(lab - lab[other], axis=-1)
        strength = smoothness * (1.0 if reach == 1 else 0.7) * np.exp(-apart / EDGE)
        neighbors.append(other)
        strengths.append(np.where((other >= 0) & (other != twin), strength, 0))
    neighbor, strength = np.stack(neighbors, 1), np.stack(strengths, 1)
    neighbor = np.concatenate([neighbor, neighbor[twin]], axis=1)
    strength = np.concatenate(
        [strength, np.where((twin != row)[:, None], strength[twin], 0)], axis=1
    )
    parity = (ijk % 2) @ np.array([4, 2, 1])
    parity[askew] = -1
    first = row <= twin
    groups = [row[(parity == group) & first] for group in range(8)]
    groups += list(askew[first[askew], None])
    entries = unary.shape[1]
    for _ in range(_SWEEPS):
        before = label.copy()
        for at in groups:
            entry = np.arange(len(at))[:, None] * entries + label[neighbor[at]]
            agree = np.bincount(
                entry.ravel(), strength[at].ravel(), minlength=len(at) * entries
            ).reshape(-1, entries)
            label[at] = label[twin[at]] = (unary[at] - agree).argmin(axis=1)
        if (label == before).all():
            break
    return label
