"""suggest_size(): the smallest size at which what makes a mesh itself survives.

Eyes, mouths and buttons are found by the finder that the conversion uses, on pictures
fine enough for all sizes that are asked for; limbs are found as the judge finds them.
What is wide enough gets voxels of its own; docs/sizes.md has the test.

All lengths are in shares of the mesh's longest side unless they say voxels.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64, Int
from scipy import ndimage, spatial

from voxify3d.color.words import color_word
from voxify3d.metrics.cells import see
from voxify3d.metrics.parts import FINE, anatomy
from voxify3d.pixelart.features import Feature, find_features
from voxify3d.pixelart.region import STRONG
from voxify3d.pixelart.settings import PixelArtConfig
from voxify3d.pixelart.statistics import CellStatistics, cell_statistics
from voxify3d.pixelart.thin import LEAST as LIMB
from voxify3d.render.cast import Caster
from voxify3d.render.mesh import frame_of, render_view
from voxify3d.render.views import six_views
from voxify3d.types import Direction, Frame, Mesh, Render, View, axis_of, sign_of

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
_GRIDS = ((64, 6), (24, 12))
"""Cells and samples a cell of the pictures: small features, and larger ones."""
_LIMBS = (24, 8)
_SIDES = 4
"""Front, back, left and right; tops and soles have no face."""
_SALIENT = 0.5
"""Salience, contrast squared times width, against the most salient's, from which a
feature counts. Contrast is what makes an eye; what is fainter is decoration."""
_ASIDE = 0.5
"""How much of its salience a feature keeps that is not on the front."""
_PAIR, _MIRRORED = 2.5, 0.02
"""How many times the salience counts of two alike features left and right of the middle
of the front, as eyes are, and how far from mirror images they may be."""
_MOST = 16
"""Features that are kept track of."""


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
    """

    size: int
    features: tuple[Trait, ...]
    limbs: tuple[Trait, ...]

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
        return {
            "size": self.size,
            "why": self.reasons,
            "kept": {
                str(size): dict(
                    zip(("features", "thin_parts"), self.kept(size), strict=True)
                )
                for size in SIZES
            },
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
    features = tuple(sorted(_features(mesh, front), key=lambda t: -t.needs))
    limbs = tuple(sorted(_limbs(mesh, front), key=lambda t: -t.needs))
    needs = max((trait.needs for trait in (*features, *limbs)), default=0)
    size = next((size for size in SIZES if size >= needs), SIZES[-1])
    return Suggestion(size, features, limbs)


# Finding -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Blob:
    """A feature with its place in space.

    Attributes:
        feature: As it was found; its `points` are samples of a picture.
        view: The side that shows it.
        xyz: Its samples, from the middle of the mesh's box.
        width: How wide it is where it is widest across.
    """

    feature: Feature
    view: View
    xyz: Float64[np.ndarray, "p 3"]
    width: float

    @property
    def salience(self) -> float:
        """How much the eye is drawn to it."""
        share = 1.0 if self.view.name == "front" else _ASIDE
        return share * self.feature.contrast**2 * self.width

    @property
    def center(self) -> Float64[np.ndarray, " 3"]:
        """Its middle."""
        return self.xyz.mean(axis=0)


def salient_blobs(mesh: Mesh, front: Direction) -> list[Blob]:
    """Return the features that count, of the four sides, each once; strongest first."""
    found: list[Blob] = []
    for cells, samples in _GRIDS:
        frame = frame_of(mesh, cells, front)
        caster = Caster(mesh, frame)
        views = six_views(frame.front, frame.up)[:_SIDES]
        seen = [cell_statistics(render_view(caster, frame, v, samples)) for v in views]
        for feature in find_features(seen):
            if feature.contrast >= STRONG:
                found.append(_blob_of(feature, seen[feature.view], frame, samples))
    least = _SALIENT * max((blob.salience for blob in found), default=0)
    blobs: list[Blob] = []
    for blob in sorted(found, key=lambda blob: -blob.salience):
        counts = (
            _PAIR * blob.salience if _has_mirror_image(blob, found) else blob.salience
        )
        if counts >= least and not _is_known(blob, blobs):
            blobs.append(blob)
    return blobs[:_MOST]


def _has_mirror_image(blob: Blob, blobs: list[Blob]) -> bool:
    """Return whether a feature of the front is one of a left and right pair."""
    is_spot = blob.feature.compact and len(blob.feature.other)
    if blob.view.name != "front" or not is_spot:
        return False
    across = axis_of(blob.view.right)
    if abs(blob.center[across]) < blob.width / 2:
        return False
    image = blob.center.copy()
    image[across] *= -1
    return any(
        other.view == blob.view
        and np.linalg.norm(other.feature.lab - blob.feature.lab) < STRONG / 2
        and np.abs(other.center - image).max() < _MIRRORED
        for other in blobs
    )


def _features(mesh: Mesh, front: Direction) -> list[Trait]:
    blobs = salient_blobs(mesh, front)
    gaps = [max(_gap(blob, blobs), _TOUCHING) for blob in blobs]
    both = list(zip([blob.width for blob in blobs], gaps, strict=True))
    is_gap = [APART / gap > SURE / width for width, gap in both]
    widths = [of[is_gap[i]] for i, of in enumerate(both)]
    limits = [APART if gap else SURE for gap in is_gap]
    needs = [limit / width for limit, width in zip(limits, widths, strict=True)]
    # The conversion keeps what its finder sees, and what is large without it.
    lost = set(range(len(blobs)))
    for size in SIZES:
        asked = [i for i in lost if needs[i] <= size and widths[i] * size < LARGE]
        found = _found(mesh, front, size, [blobs[i] for i in asked])
        for i, is_found in zip(asked, found, strict=True):
            needs[i] = needs[i] if is_found else min(size + 0.1, LARGE / widths[i])
        lost -= {i for i in lost if needs[i] <= size}
        if not lost:
            break
    frame = frame_of(mesh, 1, front)
    words = [_words(blob, mesh, frame) for blob in blobs]
    traits = zip(words, widths, needs, limits, is_gap, strict=True)
    return [Trait(*of) for of in traits]


def _found(
    mesh: Mesh, front: Direction, size: int, blobs: Sequence[Blob]
) -> list[bool]:
    """Return which of the features the conversion's finder sees at a size."""
    if not blobs:
        return []
    frame = frame_of(mesh, size, front)
    caster = Caster(mesh, frame)
    wanted = {blob.view.name for blob in blobs}
    views = [v for v in six_views(frame.front, frame.up) if v.name in wanted]
    samples = PixelArtConfig().samples_at(size)
    seen = [cell_statistics(render_view(caster, frame, v, samples)) for v in views]
    found = [
        _blob_of(feature, seen[feature.view], frame, samples)
        for feature in find_features(seen)
        if len(feature.cells)
    ]
    return [_is_known(blob, found) for blob in blobs]


def _blob_of(
    feature: Feature, cell: CellStatistics, frame: Frame, samples: int
) -> Blob:
    """Return a feature with its place in space, all in shares of the longest side."""
    view, points = cell.view, feature.points
    at, within = np.divmod(points, samples)
    sample = within[:, 0] * samples + within[:, 1]
    depth = cell.depths[at[:, 0], at[:, 1], sample]
    others = [i for i in range(3) if i != view.axis]
    xyz = np.empty((len(points), 3))
    xyz[:, others] = (points + 0.5) / samples
    toward = sign_of(view.toward)
    xyz[:, view.axis] = frame.shape[view.axis] - depth if toward > 0 else depth
    size = max(frame.shape)
    low, high = points.min(axis=0), points.max(axis=0) + 1
    mask = np.zeros(high - low + 2, bool)
    mask[tuple((points - low + 1).T)] = True
    width = _width(mask) / samples / size
    center = np.array(frame.shape) / 2
    return Blob(feature, view, (xyz - center) / size, width)


def _width(mask: Bool[np.ndarray, "h w"]) -> float:
    """Return the width of a shape, in samples: area over length, or its thickness.

    Length is that of a rectangle with the same principal variance. A bent shape is
    shorter than it is long, so what its middle line's distance to its rim says counts
    as well; the smaller is right.
    """
    points = np.argwhere(mask)
    if len(points) < 2:
        return 1.0
    variance = np.linalg.eigvalsh(np.cov(points.T) + np.eye(2) / 12)
    across = len(points) / float(np.sqrt(12 * variance[-1]))
    thick = 2 * float(np.asarray(ndimage.distance_transform_edt(mask)).max()) - 0.5
    return max(min(across, 1.3 * thick), 1.0)


def _is_known(blob: Blob, blobs: list[Blob]) -> bool:
    """Return whether a feature is among others, of any picture or side."""
    for other in blobs:
        near = float(np.linalg.norm(blob.center - other.center))
        reach = (np.ptp(blob.xyz, axis=0).max() + np.ptp(other.xyz, axis=0).max()) / 2
        alike = np.linalg.norm(blob.feature.lab - other.feature.lab) < STRONG
        if alike and near < reach:
            return True
    return False


def _gap(blob: Blob, blobs: list[Blob]) -> float:
    """Return the distance to the next feature of the same color; infinite for none."""
    gap = np.inf
    for other in blobs:
        apart = np.linalg.norm(blob.feature.lab - other.feature.lab)
        if other is not blob and other.view == blob.view and apart < STRONG / 2:
            away, _ = spatial.cKDTree(other.xyz).query(blob.xyz)
            gap = min(gap, float(np.min(away)))
    return gap


def _words(blob: Blob, mesh: Mesh, frame: Frame) -> str:
    """Return the color of a feature and where it is."""
    low, high = mesh.bounds
    up = axis_of(frame.up)
    extent = (high - low)[up] / (high - low).max()
    height = blob.center[up] * sign_of(frame.up) / extent + 0.5
    place = "high" if height > 2 / 3 else "low" if height < 1 / 3 else "halfway up"
    color = color_word(blob.feature.lab)
    return f"{color} spot {place} on the {blob.view.name}"


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
                width = _width(np.pad(label[box] == number, 1)) / samples / cells
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
