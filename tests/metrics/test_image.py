"""Each metric on a case small enough for the head; colors are OKLab × 100."""

import numpy as np
import pytest

from voxify3d.color.spaces import srgb_from_oklab
from voxify3d.metrics import image
from voxify3d.metrics.cells import CellView
from voxify3d.render.views import six_views
from voxify3d.types import Render

GRAY = (60.0, 0.0, 0.0)


def view_of(lab, filled=None, depth: float | np.ndarray = 1.0, samples=None):
    """A view of given colors `a b 3`, one sample a cell unless `samples` has more."""
    lab = np.array(lab, np.float32)
    filled = np.ones(lab.shape[:2], bool) if filled is None else np.array(filled, bool)
    lab = lab * filled[..., None]
    samples = lab[:, :, None] if samples is None else np.array(samples, np.float32)
    hit = np.broadcast_to(filled[..., None], samples.shape[:3])
    deep = np.where(filled, depth, np.inf).astype(np.float32)
    render = Render(
        six_views()[0],
        srgb_from_oklab(samples / 100),
        hit,
        np.repeat(deep[..., None], samples.shape[2], axis=2),
        np.zeros_like(samples),
        np.where(hit, 0, -1),
        filled.astype(np.float32),
    )
    return CellView(render, filled, lab, deep)


def flat(a=9, b=9, color=GRAY):
    return np.tile(np.array(color), (a, b, 1))


def with_cell(lab, at, color):
    lab = lab.copy()
    lab[at] = color
    return lab


def test_iou_counts_cells():
    one = view_of(flat(1, 5), [[1, 1, 1, 0, 0]])
    other = view_of(flat(1, 5), [[0, 1, 1, 1, 0]])
    assert image.silhouette_iou(one, other) == 2 / 4
    assert image.silhouette_iou(one, one) == 1
    empty = view_of(flat(1, 5), [[0] * 5])
    assert image.silhouette_iou(empty, empty) == 1
    assert image.silhouette_iou(one, empty) == 0


def test_color_errors_are_distances_where_both_are_filled():
    one = view_of([[(60, 0, 0), (60, 0, 0), (50, 0, 0)]], [[1, 1, 0]])
    other = view_of([[(60, 3, 4), (20, 0, 0), (50, 0, 0)]], [[1, 0, 1]])
    assert image.color_errors(one, other).tolist() == [5]


def test_detail_is_one_for_the_same_picture_however_its_contrast():
    rng = np.random.default_rng(0)
    lab = 50 + 10 * rng.normal(size=(8, 8, 3))
    same, softer = view_of(lab), view_of(50 + (lab - 50) * 0.3 + 7)
    assert image.detail(same, same) == pytest.approx(1)
    assert image.detail(same, softer) == pytest.approx(1, abs=0.02)
    inverse = view_of(100 - lab)
    assert image.detail(same, inverse) == pytest.approx(-1, abs=0.02)
    assert image.detail(same, view_of(flat(8, 8))) == pytest.approx(0, abs=1e-6)
    assert image.detail(view_of(flat()), view_of(flat())) == 1


def test_detail_without_anything_in_common_is_nothing():
    one = view_of(flat(1, 2), [[1, 0]])
    assert image.detail(one, view_of(flat(1, 2), [[0, 1]])) == 0


def test_speckle_counts_lone_cells_that_the_mesh_does_not_have():
    plain = view_of(flat())
    dotted = view_of(with_cell(flat(), (4, 4), (70, 0, 0)))
    assert image.speckle(plain, dotted) == (1, 81)
    assert image.speckle(dotted, dotted) == (0, 81)  # the mesh has the dot
    pair = with_cell(with_cell(flat(), (4, 4), (70, 0, 0)), (4, 5), (70, 0, 0))
    assert image.speckle(plain, view_of(pair)) == (0, 81)  # two are an area
    faint = with_cell(flat(), (4, 4), (65.5, 0, 0))
    assert image.speckle(plain, view_of(faint)) == (0, 81)  # under 6


def test_a_cell_without_neighbors_is_no_speckle():
    alone = np.zeros((3, 3), bool)
    alone[1, 1] = True
    assert image.speckle(view_of(flat(3, 3)), view_of(flat(3, 3), alone)) == (0, 1)


def test_features_are_kept_when_nearer_to_themselves_than_to_their_surroundings():
    eye = view_of(with_cell(flat(), (4, 4), (20, 0, 0)))
    assert image.features(eye, eye) == (1, 1)
    assert image.features(eye, view_of(flat())) == (0, 1)
    half = view_of(with_cell(flat(), (4, 4), (37, 0, 0)))
    assert image.features(eye, half) == (1, 1)
    grayer = view_of(with_cell(flat(), (4, 4), (43, 0, 0)))
    assert image.features(eye, grayer) == (0, 1)
    hole = np.ones((9, 9), bool)
    hole[4, 4] = False
    gone = view_of(with_cell(flat(), (4, 4), (20, 0, 0)), hole)
    assert image.features(eye, gone) == (0, 1)
    assert image.features(view_of(flat()), eye) == (0, 0)


def test_colors_that_no_sample_has_are_invented():
    # Each cell of the mesh holds a dark and a light sample; the result is between.
    samples = np.tile([[[[30.0, 0, 0], [70.0, 0, 0]]]], (1, 3, 1, 1))
    mesh = view_of(flat(1, 3, (50, 0, 0)), samples=samples)
    result = view_of([[(50, 0, 0), (66, 0, 0), (30, 0, 0)]])
    assert image.invented(mesh, result) == (1, 3)


def test_tears_are_cells_far_behind_the_mesh():
    mesh = view_of(flat(1, 4), depth=np.array([[1.0, 1, 1, 1]]))
    result = view_of(flat(1, 4), [[1, 1, 1, 0]], np.array([[1.0, 2.4, 2.6, 9]]))
    assert image.tear(mesh, result) == (1, 3)
    errors = image.depth_errors(mesh, result)
    np.testing.assert_allclose(errors, [0, 1.4, 1.6], atol=1e-6)
