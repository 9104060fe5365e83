"""Gaps: what lies between two things of one color stays between them.

A brow over a dark lens, with less than a cell of skin between them: the cells there
hold some of both and little skin, and make one thing of two. What is apart is decided
where it can be seen, at the resolution of the samples.
"""

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import ndimage

from voxify3d.color.match import nearest
from voxify3d.pixelart.regions import CONTRAST
from voxify3d.pixelart.samples import sample_image
from voxify3d.pixelart.statistics import CellStatistics

WIDTH = 0.35
"""Least width of a gap, in cells: what two cells of two things hold of other colors."""
COLORED = 0.25
"""Least share of that width that is colored: beside an outline, a gap is partly air."""
AREA = 3.0
"""Least area, in cells, of things that are held apart, and of what lies between."""
LENGTH = 3
"""Most cells between two things that become gaps. It is where they nearly touch that
they would merge; what lies along both for longer, as mortar does, is a line."""
NOTCH = 10.0
"""What it costs that a cell taken away has a neighbor of its thing, OKLab times 100:
rather an end is taken than a bite."""
_SQUARE = np.ones((3, 3), bool)

Cell = tuple[int, int]
_Pair = tuple[Cell, Cell]


def find_gaps(
    cell: CellStatistics,
    index: Int[np.ndarray, "a b"],
    cost: Float[np.ndarray, "a b k"],
    palette: Float[np.ndarray, "k 3"],
) -> dict[Cell, int]:
    """Return cells that hold two things of one color apart, and their palette entries.

    Cells that do so already are among them.

    Args:
        cell: One view.
        index: Palette entry of each of its cells, -1 where it is empty.
        cost: What each palette entry would cost there, OKLab times 100.
        palette: OKLab.
    """
    labels = np.full(cell.hit.shape, -1, np.int16)
    labels[cell.hit] = nearest(cell.lab[cell.hit], palette)[0]
    shares = np.zeros(cost.shape)
    for entry in np.unique(labels[cell.hit]):
        shares[..., entry] = (_things(labels == entry) > 0).mean(axis=-1)
    air = 1 - cell.hit.mean(axis=-1)
    gaps: dict[Cell, int] = {}
    for entry in np.unique(index[index >= 0]):
        owner = _owners(_things(labels == entry), index == entry)
        apart = np.linalg.norm(palette - palette[entry], axis=1)
        others = shares * (apart >= CONTRAST)
        taken = _between(owner, others, air, cost - cost[..., entry, None])
        for place in taken:
            owner[place] = 0
        gaps |= taken
        for place in _inside(owner):
            if index[place] >= 0 and apart[index[place]] >= CONTRAST:
                gaps.setdefault(place, int(index[place]))
    return gaps


def _things(mask: Bool[np.ndarray, "a b s"]) -> Int[np.ndarray, "a b s"]:
    """Return which thing each sample belongs to, numbered from 1; 0 in small ones."""
    a, b, s = mask.shape
    things, count = ndimage.label(sample_image(mask), _SQUARE)
    area = np.bincount(things.ravel(), minlength=count + 1)
    things[(area < AREA * s)[things]] = 0
    side = len(things) // a
    return things.reshape(a, side, b, side).swapaxes(1, 2).reshape(a, b, s)


def _owners(
    things: Int[np.ndarray, "a b s"], cells: Bool[np.ndarray, "a b"]
) -> Int[np.ndarray, "a b"]:
    """Return which thing has most of each cell; 0 where none has any."""
    owner = np.zeros(cells.shape, int)
    for place in zip(*np.nonzero(cells & things.any(axis=-1)), strict=True):
        own = things[place]
        owner[place] = np.bincount(own[own > 0]).argmax()
    return owner


def _between(
    owner: Int[np.ndarray, "a b"],
    others: Float[np.ndarray, "a b k"],
    air: Float[np.ndarray, "a b"],
    loss: Float[np.ndarray, "a b k"],
) -> dict[Cell, int]:
    """Return cells to take from things, so that no two of them touch, and new colors.

    Things between which no gap can be seen, or too long a one, go on touching, and none
    loses more than half of its cells.

    Args:
        owner: Which thing each cell belongs to, 0 if none.
        others: Share of each cell in colors that stand out from the things'.
        air: Share of each cell in which nothing is.
        loss: What every color costs in a cell, more than the things' own does.
    """
    size = np.bincount(owner.ravel())
    left = size.copy()
    gaps: dict[Cell, int] = {}
    for touching in _contacts(owner):
        pairs = [pair for pair in touching if not gaps.keys() & set(pair)]
        taken: dict[Cell, int] = {}
        while pairs and len(taken) < LENGTH:
            found = _best(pairs, owner, others, air, loss, gaps | taken)
            if found is None:
                break
            place, color = found
            taken[place] = color
            pairs = [pair for pair in pairs if place not in pair]
        lost = np.zeros_like(size)
        for place in taken:
            lost[owner[place]] += 1
        if not pairs and np.all(2 * (left - lost) >= size * (lost > 0)):
            left -= lost
            gaps |= taken
    return gaps


def _contacts(owner: Int[np.ndarray, "a b"]) -> list[list[_Pair]]:
    """Return, for any two things that touch side by side, their cells that do."""
    found: dict[tuple[int, int], list[_Pair]] = {}
    for step in ((1, 0), (0, 1)):
        one = owner[: len(owner) - step[0], : owner.shape[1] - step[1]]
        other = owner[step[0] :, step[1] :]
        for x, y in np.argwhere((one != other) & (one > 0) & (other > 0)):
            pair = (int(x), int(y)), (int(x) + step[0], int(y) + step[1])
            names = int(owner[pair[0]]), int(owner[pair[1]])
            found.setdefault((min(names), max(names)), []).append(pair)
    return list(found.values())


def _best(
    pairs: list[_Pair],
    owner: Int[np.ndarray, "a b"],
    others: Float[np.ndarray, "a b k"],
    air: Float[np.ndarray, "a b"],
    loss: Float[np.ndarray, "a b k"],
    taken: dict[Cell, int],
) -> tuple[Cell, int] | None:
    """Return the cell of touching ones that is best taken next, and its new color."""
    best, least = None, np.inf
    for place in sorted({place for pair in pairs for place in pair}):
        own = [pair for pair in pairs if place in pair]
        width = np.mean([others[one] + others[other] for one, other in own], axis=0)
        beyond = np.mean([air[one] + air[other] for one, other in own])
        is_seen = width.sum() >= COLORED * WIDTH and width.sum() + beyond >= WIDTH
        around = _around(owner, place, taken)
        if not is_seen or ndimage.label(around)[1] > 1:
            continue  # no gap is seen there, or the thing would fall apart
        color = int(width.argmax())
        beside = int(around[[0, 2, 1, 1], [1, 1, 0, 2]].sum())
        worth = (loss[place][color] + NOTCH * beside) / len(own)
        if worth < least:
            best, least = (place, color), worth
    return best


def _around(
    owner: Int[np.ndarray, "a b"], place: Cell, taken: dict[Cell, int]
) -> Bool[np.ndarray, "3 3"]:
    """Return which cells around a cell are left to its thing; not itself."""
    own = np.pad(owner == owner[place], 1)
    for x, y in (place, *taken):
        own[x + 1, y + 1] = False
    x, y = place
    return own[x : x + 3, y : y + 3]


def _inside(owner: Int[np.ndarray, "a b"]) -> list[Cell]:
    """Return cells of no thing that have two different ones on opposite sides."""
    around = np.pad(owner, 1)
    found = np.zeros(owner.shape, bool)
    for before, after in (
        (around[:-2, 1:-1], around[2:, 1:-1]),
        (around[1:-1, :-2], around[1:-1, 2:]),
    ):
        found |= (owner == 0) & (before > 0) & (after > 0) & (before != after)
    return [(int(x), int(y)) for x, y in np.argwhere(found)]
