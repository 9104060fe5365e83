"""suggest_size(): the smallest size at which what makes a mesh itself survives.

Eyes, mouths and buttons are found by the finder that the conversion uses, on pictures
fine enough for all sizes that are asked for; limbs are found as the judge finds them.
What is wide enough gets voxels of its own; docs/sizes.md has the test.

All lengths are in shares of the mesh's longest side unless they say voxels.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Int
from scipy import ndimage

from voxify3d.color.words import color_word
from voxify3d.errors import ConfigError
from voxify3d.mesh.emphasis import emphasized
from voxify3d.mesh.emphasis_settings import emphasis_of
from voxify3d.metrics.cells import see
from voxify3d.metrics.parts import FINE, anatomy
from voxify3d.pixelart.salient import (
    Spot,
    are_seen,
    gap_to_next,
    salient_spots,
    width_of,
)
from voxify3d.pixelart.thin import LEAST as LIMB
from voxify3d.render.mesh import frame_of
from voxify3d.render.views import default_up
from voxify3d.types import Direction, Frame, Mesh, Render, axis_of, sign_of

SIZES = (16, 20, 24, 28, 32, 36, 40, 48, 56, 64, 80, 96)
"""Sizes that are suggested."""
SURE = 0.4
"""Width of a feature, in voxels, from which nine of ten survive that the finder sees;
of those between 0.3 and 0.4 it is four of five."""
APART = 0.6
"""Gap between two features, in voxels, from which they stay two."""
_TOUCHING = 1e-3
"""Least gap that is told from none."""
LARGE = 1.0
"""Width of a feature, in voxels, from which the finder need not see it."""
_LIMBS = (24, 8)


@dataclass(frozen=True, slots=True)
class Trait:
    """A small thing that a viewer would miss.

    Attributes:
        what: In words: "black spot high on the front".
        width: Of the feature, or of the gap to its neighbor where that decides.
        needs: The smallest size at which it survives.
        limit: The width that it takes, in voxels.
        is_gap: Whether that is the gap's.
    """

    what: str
    width: float
    needs: float
    limit: float = SURE
    is_gap: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return JSON types, rounded."""
        width, needs = round(self.width, 4), round(self.needs, 1)
        return {"what": self.what, "width": width, "needs_size": needs}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What `suggest_size` found.

    Attributes:
        size: One of `SIZES`: the smallest that keeps all traits, or the largest.
        features: Eyes, mouths, buttons, the hardest to keep first.
        limbs: Thin parts, the thinnest first.
        with_larger_head: What `--emphasize head` makes of it, if a smaller size keeps
            as much then.
    """

    size: int
    features: tuple[Trait, ...]
    limbs: tuple[Trait, ...]
    with_larger_head: "Suggestion | None" = None

    def kept(self, size: int) -> tuple[int, int]:
        """Return how many features and how many limbs survive at a size."""
        features = sum(trait.needs <= size for trait in self.features)
        return features, sum(trait.needs <= size for trait in self.limbs)

    @property
    def neighbors(self) -> tuple[int, ...]:
        """A clearly smaller size, this one and a larger one; fewer at the ends."""
        at = SIZES.index(self.size)
        return tuple(SIZES[max(at - 2, 0) : at : 2] + SIZES[at : at + 3 : 2])

    def as_dict(self) -> dict[str, Any]:
        """Return JSON types: what `inspect --suggest-size --json` prints."""
        larger = self.with_larger_head
        return {
            "size": self.size,
            "why": self.reasons,
            "kept": {
                str(size): dict(
                    zip(("features", "thin_parts"), self.kept(size), strict=True)
                )
                for size in SIZES
            },
            "size_with_larger_head": larger.size if larger is not None else None,
            "features": [trait.as_dict() for trait in self.features],
            "thin_parts": [trait.as_dict() for trait in self.limbs],
        }

    @property
    def reasons(self) -> list[str]:
        """Why this size, one line each."""
        return list(_reasons(self))


def suggest_size(mesh: Mesh, front: Direction = "+z") -> Suggestion:
    """Return the smallest size at which the mesh's features and thin parts survive.

    Args:
        mesh: In the world frame.
        front: Direction the object's face points to.
    """
    found = _suggestion(mesh, front)
    return replace(found, with_larger_head=_with_larger_head(mesh, front, found))


def _with_larger_head(
    mesh: Mesh, front: Direction, found: Suggestion
) -> Suggestion | None:
    """Return what `--emphasize head` makes of it, if a smaller size keeps as much."""
    if found.size == SIZES[0]:
        return None
    try:
        mesh = emphasized(mesh, emphasis_of("head"), front, default_up(front))
    except ConfigError:  # it has no neck
        return None
    larger = _suggestion(mesh, front)
    keeps = len(larger.features) >= len(found.features)
    return larger if keeps and larger.size < found.size else None


def _suggestion(mesh: Mesh, front: Direction) -> Suggestion:
    features = tuple(sorted(_features(mesh, front), key=lambda t: -t.needs))
    limbs = tuple(sorted(_limbs(mesh, front), key=lambda t: -t.needs))
    needs = max((trait.needs for trait in (*features, *limbs)), default=0)
    size = next((size for size in SIZES if size >= needs), SIZES[-1])
    return Suggestion(size, features, limbs)


def _features(mesh: Mesh, front: Direction) -> list[Trait]:
    spots = salient_spots(mesh, front)
    gaps = [max(gap_to_next(spot, spots), _TOUCHING) for spot in spots]
    both = list(zip([spot.width for spot in spots], gaps, strict=True))
    is_gap = [APART / gap > SURE / width for width, gap in both]
    widths = [of[is_gap[i]] for i, of in enumerate(both)]
    limits = [APART if gap else SURE for gap in is_gap]
    needs = [limit / width for limit, width in zip(limits, widths, strict=True)]
    # The conversion keeps what its finder sees, and what is large without it.
    lost = set(range(len(spots)))
    for size in SIZES:
        asked = [i for i in lost if needs[i] <= size and widths[i] * size < LARGE]
        found = are_seen(mesh, front, size, [spots[i] for i in asked])
        for i, is_found in zip(asked, found, strict=True):
            needs[i] = needs[i] if is_found else min(size + 0.1, LARGE / widths[i])
        lost -= {i for i in lost if needs[i] <= size}
        if not lost:
            break
    frame = frame_of(mesh, 1, front)
    words = [_words(spot, mesh, frame) for spot in spots]
    traits = zip(words, widths, needs, limits, is_gap, strict=True)
    return [Trait(*of) for of in traits]


def _words(spot: Spot, mesh: Mesh, frame: Frame) -> str:
    """Return the color of a feature and where it is."""
    low, high = mesh.bounds
    up = axis_of(frame.up)
    extent = (high - low)[up] / (high - low).max()
    height = spot.center[up] * sign_of(frame.up) / extent + 0.5
    place = "high" if height > 2 / 3 else "low" if height < 1 / 3 else "halfway up"
    color = color_word(spot.feature.lab)
    return f"{color} spot {place} on the {spot.view.name}"


def _limbs(mesh: Mesh, front: Direction) -> list[Trait]:
    """Return the thin parts, each as wide as the side says that shows it best."""
    cells, samples = _LIMBS
    frame = frame_of(mesh, cells, front)
    views = see(mesh, frame, samples)
    thin = anatomy(mesh, views, frame).thin
    widest: dict[int, float] = {}
    for view in views:
        label = _seen_labels(thin, view.render, frame, samples)
        for number, box in enumerate(ndimage.find_objects(label), start=1):
            if box is not None:
                width = width_of(np.pad(label[box] == number, 1)) / samples / cells
                widest[number] = max(widest.get(number, 0), width)
    widths = widest.values()
    return [Trait("thin part", width, LIMB / width, LIMB) for width in widths]


def _seen_labels(
    thin: Int[np.ndarray, "x y z"], render: Render, frame: Frame, samples: int
) -> Int[np.ndarray, "h w"]:
    """Return the thin part that each sample of a view hits, as one picture."""
    axis, toward = render.view.axis, sign_of(render.view.toward)
    a, b, s = np.nonzero(render.hit)
    rows, columns = a * samples + s // samples, b * samples + s % samples
    at = np.empty((len(a), 3), np.int64)
    others = [i for i in range(3) if i != axis]
    at[:, others[0]] = (rows + 0.5) * FINE / samples
    at[:, others[1]] = (columns + 0.5) * FINE / samples
    depth = render.depth[render.hit]
    along = depth if toward < 0 else frame.shape[axis] - depth
    at[:, axis] = np.floor(along * FINE - toward * 1e-3)
    at = np.clip(at, 0, np.array(thin.shape) - 1)
    high, wide = (side * samples for side in render.hit.shape[:2])
    label = np.zeros((high, wide), np.int64)
    label[rows, columns] = thin[tuple(at.T)]
    return label


# In words ------------------------------------------------------------------------


def _reasons(found: Suggestion) -> Iterator[str]:
    traits = (*found.features, *found.limbs)
    if not traits:
        yield f"no small features and no thin parts: {found.size} and up will do"
        return
    every = len(found.features), len(found.limbs)
    kept = found.kept(found.size)
    if kept == every:
        yield f"{found.size} is the smallest size that keeps {_counted(*every)}"
    else:
        yield f"even {found.size} keeps only {_counted(*kept)}, of {_counted(*every)}"
    smaller = [size for size in SIZES if size < found.size]
    if not smaller:
        return
    size = smaller[-1]
    lost = [trait for trait in traits if trait.needs > size]
    worst = max(lost, key=lambda trait: ("front" in trait.what, trait.needs))
    alike = [trait for trait in lost if trait.what == worst.what]
    more = len(lost) - len(alike)
    narrow = int(100 * worst.width * size) / 100  # never rounded up to the limit
    how = "from the next" if worst.is_gap else "wide"
    if narrow >= worst.limit:
        why = "too little to stand out there"
    elif worst.is_gap:
        why = f"and it takes {worst.limit:g} not to become one"
    else:
        why = f"and it takes {worst.limit:g} to be sure of a voxel"
    yield (
        f"at {size}, {named(alike)[0]} would be {narrow:.2f} voxels {how}, {why}"
        + (f"; {more} more would be lost too" if more else "")
    )
    most = [size for size in smaller if sum(found.kept(size)) >= 2 / 3 * len(traits)]
    if most and most[0] < size:
        yield f"{most[0]} keeps {_counted(*found.kept(most[0]))}"
    larger = found.with_larger_head
    if larger is not None:
        kept = _counted(*larger.kept(larger.size))
        yield f"with --emphasize head, {larger.size} keeps {kept}"


def _counted(features: int, limbs: int) -> str:
    words = [f"{features} feature{'s' * (features != 1)}"] if features else []
    words += [f"{limbs} thin part{'s' * (limbs != 1)}"] if limbs else []
    return " and ".join(words) or "nothing"


def named(traits: Sequence[Trait]) -> list[str]:
    """Return traits in words, alike ones together: `2 black spots on the front`."""
    return [
        f"{count} {what.replace('spot', 'spots').replace('part', 'parts')}"
        if count > 1
        else f"a {what}".replace("a orange", "an orange")
        for what, count in Counter(trait.what for trait in traits).items()
    ]
