"""Judge: everything that is measured of a result, and what each number means.

`evaluate` gives the scores of the six views; the judge adds what needs the result's
solid voxels, its mirror image, its palette and its turntable pictures. What it knows
of the mesh is found once, so many results can be compared.
"""

import dataclasses
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from torch import Tensor

from voxify3d.errors import MeshError
from voxify3d.metrics import likeness
from voxify3d.metrics.align import aligned
from voxify3d.metrics.cells import CellView, see
from voxify3d.metrics.evaluate import Scores, score_views
from voxify3d.metrics.palette import color_counts, entropy
from voxify3d.metrics.parts import Anatomy, anatomy, floating, part_recall
from voxify3d.metrics.solid import inside
from voxify3d.metrics.symmetry import mirror_plane, symmetry_kept
from voxify3d.types import Frame, Mesh

Best = Literal["high", "low", "none"]


@dataclass(frozen=True, slots=True)
class Metric:
    """How one number is shown.

    Attributes:
        label: In tables.
        best: Which end is better; "none" where it is only a fact.
        digits: Behind the point.
        summary: What it is, in one line.
    """

    label: str
    best: Best
    digits: int
    summary: str


METRICS: dict[str, Metric] = {
    "iou": Metric("IoU", "high", 3, "Silhouette overlap, mean of six views"),
    "color_error": Metric(
        "color error", "low", 2, "Mean OKLab distance × 100 of cells filled in both"
    ),
    "detail": Metric("detail", "high", 3, "Correlation of local contrast, front view"),
    "features": Metric(
        "features", "high", 3, "Share of small salient things that keep their color"
    ),
    "invented": Metric(
        "invented", "low", 3, "Share of cells in a color the mesh does not have there"
    ),
    "tear": Metric(
        "tear", "low", 4, "Share of cells over 1.5 voxels behind the mesh: holes"
    ),
    "speckle": Metric(
        "speckle", "low", 4, "Share of lone-colored cells the mesh does not have"
    ),
    "depth_error": Metric("depth error", "low", 2, "Mean depth difference, voxels"),
    "likeness": Metric(
        "likeness", "high", 3, "Pretrained features alike, eight turntable pictures"
    ),
    "floating": Metric(
        "floating", "low", 2, "Connected pieces that the mesh does not have"
    ),
    "part_recall": Metric(
        "part recall", "high", 3, "Share of thin parts that survive in one piece"
    ),
    "symmetry": Metric(
        "symmetry", "high", 3, "Share of the mesh's mirror-equal cells that stay so"
    ),
    "colors": Metric("colors", "none", 0, "Distinct colors in the six views"),
    "entropy": Metric("entropy", "none", 2, "How evenly colors are used, bits"),
    "voxels": Metric("voxels", "none", 0, "Voxels inside the result"),
}
"""Name → how it is shown, in the order of tables. Definitions: docs/metrics.md."""


@dataclass(frozen=True, slots=True)
class Report:
    """All that is measured of one result.

    Attributes:
        scores: Over six views; see `Scores`.
        likeness: Mean cosine of pretrained features over eight turntable pictures.
            Best 1. NaN when not asked for, or without the weights.
        floating: Connected pieces that the mesh does not have. Best 0.
        part_recall: Share of the mesh's thin parts that survive; NaN when none.
        symmetry: Share of cells alike in the mesh and its mirror image that are so in
            the result; NaN when the mesh is not symmetric.
        colors: Distinct sRGB colors that the six views show.
        entropy: Of the colors' shares of the views, bits.
        voxels: Voxels whose center the result encloses.
    """

    scores: Scores
    likeness: float
    floating: int
    part_recall: float
    symmetry: float
    colors: int
    entropy: float
    voxels: int

    def as_dict(self) -> dict[str, float | int]:
        """Return name → value, flat, in the order of `METRICS`."""
        own = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.name != "scores"
        }
        values = {**self.scores.as_dict(), **own}
        return {name: values.pop(name) for name in METRICS if name in values} | values


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of the mesh on one grid."""

    frame: Frame
    views: tuple[CellView, ...]
    anatomy: Anatomy
    plane: int | None


class Judge:
    """A mesh on grids of one cell size, ready to be compared with results.

    The judge casts its own rays and shares nothing with any fit.
    """

    def __init__(self, mesh: Mesh, frame: Frame, *, with_likeness: bool = True) -> None:
        """Look at the mesh.

        Args:
            mesh: What the results were made from.
            frame: The grid whose cells are compared, of `frame_of`; for a result whose
                cubes lie half a cell beside them, as `aligned` moves it.
            with_likeness: Compare turntable pictures too, when the weights are here.
        """
        self.frame = frame
        self._known: dict[Frame, _Known] = {}
        self._mesh = mesh
        self._with_likeness = with_likeness and likeness.has_judge()

    def judge(self, result: Mesh) -> Report:
        """Return everything that is measured of a result.

        Args:
            result: Voxel art as a mesh, in the world frame of the input.

        Raises:
            MeshError: It has no face.
        """
        if not len(result.faces):
            raise MeshError(f"{result.name}: holds no voxels; nothing to judge")
        mesh = self._on(aligned(self.frame, self._mesh, result))
        views = see(result, mesh.frame)
        occupied = inside(result, mesh.frame)
        counts = color_counts(views)
        alike = (0, 0)
        if mesh.plane is not None:
            alike = symmetry_kept(mesh.views, views, mesh.frame, mesh.plane)
        like = float("nan")
        if self._with_likeness:
            pictures = likeness.turntable(result, self.frame)
            like = likeness.likeness(self._features, likeness.features(pictures))
        return Report(
            scores=score_views(mesh.views, views),
            likeness=like,
            floating=floating(mesh.anatomy, occupied),
            part_recall=_share(*part_recall(mesh.anatomy, occupied)),
            symmetry=_share(*alike),
            colors=len(counts),
            entropy=entropy(counts),
            voxels=int(occupied.sum()),
        )

    def _on(self, frame: Frame) -> _Known:
        """Return the mesh on a grid, which is looked at once."""
        if frame not in self._known:
            views = see(self._mesh, frame)
            found = anatomy(self._mesh, views, frame)
            plane = mirror_plane(views, frame)
            self._known[frame] = _Known(frame, views, found, plane)
        return self._known[frame]

    @cached_property
    def _features(self) -> Tensor:
        return likeness.features(likeness.turntable(self._mesh, self.frame))


def _share(found: int, total: int) -> float:
    return found / total if total else float("nan")
