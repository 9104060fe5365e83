import numpy as np
import pytest

from voxify3d.mesh.shapes import box, six_colored_tripod
from voxify3d.render.mesh import frame_of, render_mesh
from voxify3d.render.rays import cell_rays
from voxify3d.render.views import six_views
from voxify3d.types import vector_of

SHAPE = (4, 6, 8)
VIEWS = six_views()


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_parallel_rays_enter_at_their_cell_and_run_down_its_column(view):
    place = np.array([[0.5, 0.5], [2.25, 3.75]])
    origins, directions = cell_rays(SHAPE, view, place)
    np.testing.assert_array_equal(np.delete(origins, view.axis, axis=1), place)
    np.testing.assert_array_equal(directions, [-vector_of(view.toward)] * 2)
    face = SHAPE[view.axis] if view.toward[0] == "+" else 0
    assert (origins[:, view.axis] == face).all()


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_rays_of_an_eye_meet_before_the_middle_of_the_face(view):
    rng = np.random.default_rng(0)
    a, b = (n for i, n in enumerate(SHAPE) if i != view.axis)
    place = rng.random((20, 2)) * (a, b)
    origins, directions = cell_rays(SHAPE, view, place, perspective=True)
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1)
    # The eye: 4 voxels (half the longest side) over the tangent of 20 degrees away.
    eye = np.array(SHAPE) / 2
    eye[view.axis] = origins[0, view.axis]
    eye += vector_of(view.toward) * 4 / np.tan(np.radians(20))
    along = eye - origins
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    np.testing.assert_allclose(directions, -along, atol=1e-12)


def test_a_face_in_the_near_plane_looks_the_same_and_far_things_shrink():
    mesh = box((2.0, 2.0, 2.0))
    frame = frame_of(mesh, 8)
    for near, far in zip(
        render_mesh(mesh, frame, 2),
        render_mesh(mesh, frame, 2, perspective=True),
        strict=True,
    ):
        np.testing.assert_array_equal(near.hit, far.hit)
        np.testing.assert_allclose(far.depth, near.depth, atol=1e-3)
    tripod = six_colored_tripod()
    frame = frame_of(tripod, 10)
    straight = render_mesh(tripod, frame, 4)
    through = render_mesh(tripod, frame, 4, perspective=True)
    assert sum(r.hit.sum() for r in through) < sum(r.hit.sum() for r in straight)
    for render in through:
        hit = render.depth[render.hit]
        assert hit.min() >= 0
        assert hit.max() <= frame.shape[render.view.axis] + 1e-3


def test_what_covers_a_cell_is_measured_in_perspective_too():
    tripod = six_colored_tripod()
    frame = frame_of(tripod, 10)
    few = render_mesh(tripod, frame, 2, perspective=True)
    many = render_mesh(tripod, frame, 24, perspective=True)
    for render, twin in zip(few, many, strict=True):
        whole = (render.hit.mean(axis=-1) % 1 == 0)[..., None]  # these are not measured
        share = np.where(whole, render.hit, twin.hit.mean(axis=-1, keepdims=True))
        assert np.abs(render.coverage - share.mean(axis=-1)).max() < 0.05
    partly = np.concatenate([render.coverage.ravel() % 0.25 for render in few])
    assert (partly > 0.01).any()
