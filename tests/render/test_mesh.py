from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers import joined, mesh_of, turned

from voxify3d.mesh import shapes
from voxify3d.render.cast import Caster
from voxify3d.render.mesh import (
    frame_of,
    render_mesh,
    sample_offsets,
    scattered_offsets,
)
from voxify3d.render.views import six_views
from voxify3d.types import (
    DIRECTIONS,
    Direction,
    Frame,
    Material,
    axis_of,
    sign_of,
    vector_of,
)

sides = st.floats(0.01, 50)


def images_of(mesh, size=13, front: Direction = "+z", samples=4, scattered=False):
    """Return {view name: (hits, mean color, mean depth)} in image layout."""
    frame = frame_of(mesh, size, front)
    images = {}
    for render in render_mesh(mesh, frame, samples, scattered=scattered):
        depth = np.where(render.hit, render.depth, 0)
        cells = np.concatenate(
            [
                render.hit.sum(-1)[..., None],
                render.rgb.sum(2),
                depth.sum(-1)[..., None],
            ],
            axis=-1,
        )
        images[render.view.name] = render.view.image_from_cells(cells)
    return images


def lopsided():
    """A tripod with a ball on one limb: no symmetry, and cells that are part full."""
    return joined(
        shapes.six_colored_tripod(),
        shapes.sphere(1.7, (3, 1, -2), (0.9, 0.4, 0.7), segments=20),
    )


def onto_default(front: Direction):
    """Return the rotation that stands an object up for `six_views()`."""
    view = six_views(front, "+z" if front[1] == "y" else "+y")[0]
    return np.stack([vector_of(view.right), -vector_of(view.down), vector_of(front)])


def assert_same(found, expected):
    assert found.shape == expected.shape
    np.testing.assert_array_equal(found[..., 0], expected[..., 0])
    np.testing.assert_allclose(found, expected, atol=2e-4)


@pytest.mark.parametrize("scattered", [False, True])
@pytest.mark.parametrize("front", DIRECTIONS)
def test_an_object_turned_to_the_default_front_looks_the_same(front, scattered):
    mesh = lopsided()
    rotation = onto_default(front)
    assert np.linalg.det(rotation) == 1
    before = images_of(mesh, front=front, scattered=scattered)
    after = images_of(turned(mesh, rotation), scattered=scattered)
    for name, image in before.items():
        assert_same(after[name], image)


def test_a_quarter_turn_permutes_the_views():
    mesh = lopsided()
    # (x, y, z) → (z, y, −x): what was left comes to the front
    after = images_of(turned(mesh, [[0, 0, 1], [0, 1, 0], [-1, 0, 0]]))
    before = images_of(mesh)
    moved = {"front": "left", "right": "front", "back": "right", "left": "back"}
    for now, then in moved.items():
        assert_same(after[now], before[then])
    # seen from above, the turn is counter-clockwise, from below the other way
    assert_same(after["top"], np.rot90(before["top"], 1))
    assert_same(after["bottom"], np.rot90(before["bottom"], -1))


@pytest.mark.parametrize("pair", [("front", "back"), ("left", "right")])
def test_the_silhouette_from_behind_is_the_mirror_image(pair):
    images = images_of(lopsided())
    one, other = (images[name][..., 0] for name in pair)
    np.testing.assert_array_equal(one, other[:, ::-1])
    top, bottom = images["top"][..., 0], images["bottom"][..., 0]
    np.testing.assert_array_equal(top, bottom[::-1])


def test_what_is_right_of_the_object_is_right_in_the_picture():
    red, green, blue = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
    mesh = joined(
        shapes.box((1, 1, 1), (1.5, 0.5, 0.5), red),  # +x
        shapes.box((1, 1, 1), (0.5, 1.5, 0.5), green),  # +y
        shapes.box((1, 1, 1), (0.5, 0.5, 1.5), blue),  # +z
    )
    seen = {}
    for render in render_mesh(mesh, frame_of(mesh, 2), 1):
        image = render.view.image_from_cells(render.rgb[:, :, 0])
        seen[render.view.name] = [
            "".join("rgb"[c.argmax()] if c.any() else "." for c in row) for row in image
        ]
    assert seen == {
        "front": ["g.", "br"],
        "back": [".g", "rb"],  # red, the object's +x, is left from behind
        "left": ["g.", "rb"],
        "right": [".g", "br"],
        "top": ["gr", "b."],
        "bottom": ["b.", "gr"],
    }


def test_depth_of_a_box_is_exact():
    # A box of 4 × 6 × 8 cells with a smaller one on its front.
    mesh = joined(shapes.box((4, 6, 8)), shapes.box((2, 2, 2), (0, 0, 5), (0, 0, 1)))
    frame = frame_of(mesh, 10)
    assert frame.shape == (4, 6, 10)
    renders = {render.view.name: render for render in render_mesh(mesh, frame, 2)}
    expected = np.full((4, 6, 4), 2.0)
    expected[1:3, 2:4] = 0
    np.testing.assert_allclose(renders["front"].depth, expected, atol=2e-6)
    for name in ("back", "left", "right", "top", "bottom"):
        render = renders[name]
        depth = render.depth[render.hit]
        on_sides = {"back": {0}, "left": {0, 1}, "right": {0, 1}}.get(name, {0, 2})
        np.testing.assert_allclose(np.unique(depth.round(4)), sorted(on_sides))
    assert np.isinf(renders["left"].depth[~renders["left"].hit]).all()


def test_normals_look_at_the_eye_whichever_way_faces_are_wound():
    inside_out = turned(lopsided(), -np.eye(3))  # a mirror image: all windings turn
    for mesh in (lopsided(), inside_out):
        for render in render_mesh(mesh, frame_of(mesh, 9), 2):
            toward = vector_of(render.view.toward).astype(np.float32)
            assert (render.normal[render.hit] @ toward >= 0).all()
            length = np.linalg.norm(render.normal[render.hit], axis=-1)
            np.testing.assert_allclose(length, 1, atol=1e-5)
            assert (render.normal[~render.hit] == 0).all()


def test_parts_and_colors_belong_to_what_is_hit():
    mesh = joined(
        shapes.box((1, 1, 1), (0, 0, 0), (0.2, 0.4, 0.6)),
        shapes.box((1, 1, 1), (2, 0, 0), (0.6, 0.4, 0.2)),
    )
    front = render_mesh(mesh, frame_of(mesh, 3), 2)[0]
    assert front.part[:, 0, 0].tolist() == [0, -1, 1]
    np.testing.assert_allclose(front.rgb[0, 0, 0], (0.2, 0.4, 0.6), atol=1e-5)
    np.testing.assert_array_equal(front.rgb[1], 0)
    assert front.coverage.tolist() == [[1], [0], [1]]


def test_samples_of_a_cell_are_a_regular_grid_without_the_border():
    np.testing.assert_allclose(
        sample_offsets(2),
        [[0.25, 0.25], [0.25, 0.75], [0.75, 0.25], [0.75, 0.75]],
    )
    assert sample_offsets(1).tolist() == [[0.5, 0.5]]
    assert len(np.unique(sample_offsets(7), axis=0)) == 49


@given(st.integers(1, 24))
def test_every_square_of_a_cell_has_a_sample_and_mirror_images_have_the_same(samples):
    offsets = scattered_offsets(samples)
    squares = np.indices((samples, samples)).reshape(2, -1).T
    np.testing.assert_array_equal(np.floor(offsets * samples), squares)
    known = set(map(tuple, offsets.round(9)))
    assert len(known) == samples**2
    for image in (offsets * [-1, 1] + [1, 0], offsets[:, ::-1]):
        assert set(map(tuple, image.round(9))) == known


@given(st.integers(1, 12).map(lambda half: 2 * half), st.floats(0, 1))
def test_what_an_edge_along_an_axis_covers_is_exact_to_one_sample(samples, edge):
    for share in (scattered_offsets(samples) < edge).mean(axis=0):
        assert abs(share - edge) <= 1 / samples**2 + 1e-9


@given(
    st.sampled_from([2, 3, 8]),
    st.tuples(*[st.floats(0.05, 0.95)] * 3),
    st.tuples(*[st.floats(0.5, 3)] * 3),
)
def test_what_a_box_covers_is_exact_however_few_rays_a_picture_has(
    samples, low, extent
):
    low, extent = np.array(low), np.array(extent)
    box = shapes.box(tuple(extent), tuple(low + extent / 2))
    frame = Frame((0.0, 0.0, 0.0), 1.0, (4, 4, 4))
    for render in render_mesh(box, frame, samples):
        one, other = (
            np.clip(np.minimum(low[i] + extent[i], k + 1) - np.maximum(low[i], k), 0, 1)
            for i, k in ((i, np.arange(4)) for i in range(3) if i != render.view.axis)
        )
        exact = one[:, None] * other
        met = render.hit.any(axis=-1) & ~render.hit.all(axis=-1)
        wrong = np.abs(render.coverage - exact)
        # To one ray of 256 for each of two edges, but for corners.
        edge = met & ((one == 1)[:, None] | (other == 1))
        assert (wrong[edge] <= 2 / 256 + 1e-6).all()
        assert (wrong[met] <= 0.04).all()
        assert (render.coverage[~met] == render.hit[~met, 0]).all()


@pytest.mark.parametrize("alpha_mode", ["opaque", "mask"])
def test_what_a_ray_meets_is_what_it_hits(alpha_mode):
    mesh, rng = lopsided(), np.random.default_rng(3)
    texture = rng.integers(0, 2, (8, 8, 4), np.uint8) * 255
    material = Material(texture=texture, alpha_mode=alpha_mode)
    uv = rng.random((len(mesh.faces), 3, 2), np.float32)
    materials = (material,) * len(mesh.materials)
    mesh = replace(mesh, uv=uv, materials=materials)
    caster = Caster(mesh, frame_of(mesh, 9))
    origins = rng.uniform(-2, 11, (4000, 3))
    directions = rng.normal(size=(4000, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    hit = caster.cast(origins, directions).face >= 0
    assert 0.01 < hit.mean() < 0.99
    np.testing.assert_array_equal(caster.meets(origins, directions), hit)


@given(st.floats(0, 2 * np.pi), st.floats(-0.7, 0.7))
def test_what_a_slanted_edge_covers_is_about_right(angle, edge):
    normal = np.array([np.cos(angle), np.sin(angle)])
    fine = (np.indices((200, 200)).reshape(2, -1).T + 0.5) / 200
    exact, found = (
        ((at - 0.5) @ normal < edge).mean() for at in (fine, scattered_offsets(10))
    )
    assert abs(exact - found) < 0.06


@given(
    st.tuples(sides, sides, sides),
    st.tuples(*[st.floats(-100, 100)] * 3),
    st.integers(1, 64),
)
def test_the_box_fills_the_grid_and_lies_in_its_middle(extent, center, size):
    bounds = shapes.box(extent, center).bounds
    frame = frame_of(shapes.box(extent, center), size)
    extent = bounds[1] - bounds[0]
    shape = np.array(frame.shape)
    longest = extent.argmax()
    assert shape.max() == shape[longest] == size
    assert extent[longest] / frame.cell == pytest.approx(size)
    need = extent / frame.cell
    assert (shape >= need - 2e-4).all()
    assert (shape < np.maximum(need + 1, 1.001)).all()
    middle = frame.grid_from_world(bounds.mean(axis=0))
    np.testing.assert_allclose(middle, shape / 2, atol=1e-6)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_flat_mesh_gets_one_layer_and_lies_in_its_middle(axis):
    corners = np.insert([[0.0, 0.0], [4.0, 0.0], [0.0, 2.0]], axis, 7.0, axis=1)
    frame = frame_of(mesh_of([corners]), 8)
    assert frame.shape == tuple(np.insert([8, 4], axis, 1).tolist())
    grid = frame.grid_from_world(corners)
    np.testing.assert_allclose(grid[:, axis], 0.5)


def test_millions_away_from_the_origin_the_picture_is_the_same():
    near = lopsided()
    far = mesh_of(near.vertices[near.faces] + 3e6)
    for one, other in zip(
        images_of(near).values(), images_of(far).values(), strict=True
    ):
        np.testing.assert_array_equal(one[..., 0], other[..., 0])


def test_unused_vertices_do_not_count():
    mesh = shapes.box()
    stray = np.concatenate([mesh.vertices, [[100.0, 0, 0]]])
    faces = mesh.vertices[mesh.faces]
    assert frame_of(mesh_of(faces), 5) == frame_of(mesh, 5)
    object.__setattr__(mesh, "vertices", stray)
    assert frame_of(mesh, 5).shape == (5, 5, 5)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_each_limb_of_the_tripod_comes_first_in_its_own_view(direction):
    mesh = shapes.six_colored_tripod()
    frame = frame_of(mesh, 10)
    for render in render_mesh(mesh, frame, 1):
        if render.view.toward != direction:
            continue
        cell = np.unravel_index(render.depth.argmin(), render.depth.shape)
        limb = DIRECTIONS.index(direction)
        np.testing.assert_allclose(
            render.rgb[cell], shapes.TRIPOD_COLORS[limb], atol=1e-5
        )
        assert axis_of(direction) == render.view.axis
        assert sign_of(direction) in (-1, 1)
        assert render.depth[cell] == pytest.approx(0, abs=1e-5)
