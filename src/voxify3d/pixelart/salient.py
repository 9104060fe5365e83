"""Salient spots: what a viewer would miss, found on four sides and placed in space.

All lengths are in shares of the mesh's longest side.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64
from scipy import ndimage, spatial

from voxify3d.pixelart.feature import Feature
from voxify3d.pixelart.features import find_features
from voxify3d.pixelart.region import STRONG
from voxify3d.pixelart.settings import PixelArtConfig
from voxify3d.pixelart.shapes import length_of
from voxify3d.pixelart.statistics import CellStatistics, cell_statistics
from voxify3d.render.cast import Caster
from voxify3d.render.mesh import frame_of, render_view
from voxify3d.render.views import six_views
from voxify3d.types import Direction, Frame, Mesh, View, axis_of, sign_of

_GRIDS = ((64, 6), (24, 12))
"""Cells and samples a cell of the pictures: small features, and larger ones."""
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
class Spot:
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


def salient_spots(mesh: Mesh, front: Direction) -> list[Spot]:
    """Return the features that count, of the four sides, each once; strongest first."""
    found: list[Spot] = []
    for cells, samples in _GRIDS:
        frame = frame_of(mesh, cells, front)
        caster = Caster(mesh, frame)
        views = six_views(frame.front, frame.up)[:_SIDES]
        seen = [cell_statistics(render_view(caster, frame, v, samples)) for v in views]
        for feature in find_features(seen):
            if feature.contrast >= STRONG:
                found.append(_spot_of(feature, seen[feature.view], frame, samples))
    least = _SALIENT * max((spot.salience for spot in found), default=0)
    spots: list[Spot] = []
    for spot in sorted(found, key=lambda spot: -spot.salience):
        counts = (
            _PAIR * spot.salience if _has_mirror_image(spot, found) else spot.salience
        )
        if counts >= least and not _is_known(spot, spots):
            spots.append(spot)
    return spots[:_MOST]


def _has_mirror_image(spot: Spot, spots: list[Spot]) -> bool:
    """Return whether a feature of the front is one of a left and right pair."""
    is_spot = spot.feature.compact and len(spot.feature.other)
    if spot.view.name != "front" or not is_spot:
        return False
    across = axis_of(spot.view.right)
    if abs(spot.center[across]) < spot.width / 2:
        return False
    image = spot.center.copy()
    image[across] *= -1
    return any(
        other.view == spot.view
        and np.linalg.norm(other.feature.lab - spot.feature.lab) < STRONG / 2
        and np.abs(other.center - image).max() < _MIRRORED
        for other in spots
    )


def are_seen(
    mesh: Mesh, front: Direction, size: int, spots: Sequence[Spot]
) -> list[bool]:
    """Return which of some spots the conversion's finder sees at a size."""
    if not spots:
        return []
    frame = frame_of(mesh, size, front)
    caster = Caster(mesh, frame)
    wanted = {spot.view.name for spot in spots}
    views = [v for v in six_views(frame.front, frame.up) if v.name in wanted]
    samples = PixelArtConfig().samples_at(size)
    seen = [cell_statistics(render_view(caster, frame, v, samples)) for v in views]
    found = [
        _spot_of(feature, seen[feature.view], frame, samples)
        for feature in find_features(seen)
        if len(feature.cells)
    ]
    return [_is_known(spot, found) for spot in spots]


def _spot_of(
    feature: Feature, cell: CellStatistics, frame: Frame, samples: int
) -> Spot:
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
    width = width_of(mask) / samples / size
    center = np.array(frame.shape) / 2
    return Spot(feature, view, (xyz - center) / size, width)


def width_of(mask: Bool[np.ndarray, "h w"]) -> float:
    """Return the width of a shape, in samples: area over length, or its thickness.

    Length is that of a rectangle with the same principal variance. A bent shape is
    shorter than it is long, so what its middle line's distance to its rim says counts
    as well; the smaller is right.
    """
    points = np.argwhere(mask)
    if len(points) < 2:
        return 1.0
    across = len(points) / length_of(points)
    thick = 2 * float(np.asarray(ndimage.distance_transform_edt(mask)).max()) - 0.5
    return max(min(across, 1.3 * thick), 1.0)


def _is_known(spot: Spot, spots: list[Spot]) -> bool:
    """Return whether a feature is among others, of any picture or side."""
    for other in spots:
        near = float(np.linalg.norm(spot.center - other.center))
        reach = (np.ptp(spot.xyz, axis=0).max() + np.ptp(other.xyz, axis=0).max()) / 2
        alike = np.linalg.norm(spot.feature.lab - other.feature.lab) < STRONG
        if alike and near < reach:
            return True
    return False


def gap_to_next(spot: Spot, spots: list[Spot]) -> float:
    """Return the distance to the next feature of the same color; infinite for none."""
    gap = np.inf
    for other in spots:
        apart = np.linalg.norm(spot.feature.lab - other.feature.lab)
        if other is not spot and other.view == spot.view and apart < STRONG / 2:
            away, _ = spatial.cKDTree(other.xyz).query(spot.xyz)
            gap = min(gap, float(np.min(away)))
    return gap
