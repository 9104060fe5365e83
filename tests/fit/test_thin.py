import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from makers import joined, mesh_of, rod
from scipy import ndimage

from voxify3d.fit.coarse import coarse_occupancy
from voxify3d.fit.thin import THREAD, agreed, reconnect, threads
from voxify3d.mesh import shapes
from voxify3d.mesh.coverage import surface_coverage
from voxify3d.pixelart.pixelize import pixelize
from voxify3d.render.mesh import frame_of, render_mesh
from voxify3d.types import Mesh

AROUND = ndimage.generate_binary_structure(3, 2)  # by faces and edges


def occupancy_of(mesh: Mesh, size: int):
    frame = frame_of(mesh, size)
    art = pixelize(render_mesh(mesh, frame, 6), 3)
    return coarse_occupancy(surface_coverage(mesh, frame), art), frame, art


def labeled(mask) -> np.ndarray:
    labels = np.zeros(mask.shape, int)
    ndimage.label(mask, AROUND, output=labels)
    return labels


def parts_of(occupied) -> int:
    return int(labeled(occupied).max())


def reach(occupied, frame, tip) -> float:
    """Distance from a point to the middle of the nearest voxel, in voxels."""
    place = frame.grid_from_world(np.array(tip, float))
    return float(np.linalg.norm(np.argwhere(occupied) + 0.5 - place, axis=1).min())


@pytest.mark.parametrize(
    "tip",
    [
        *[(0, 24, 0), (0.25, 24, 0.1), (0.5, 24, 0.5), (3.9, 24, -2.9)],
        *[(20, 20, 3), (-15, 14, 8), (9, 23, -11)],
    ],
    ids=str,
)
def test_an_antenna_a_fifth_of_a_voxel_wide_stays_on_and_reaches_its_end(tip):
    foot = (tip[0], 9, tip[2]) if tip[1] == 24 else (0, 5, 0)
    mesh = joined(shapes.box((8, 10, 6), (0, 5, 0)), rod(foot, tip, 0.2))
    size = round(np.ptp(mesh.bounds, axis=0).max())  # a voxel is about one unit
    occupancy, frame, _ = occupancy_of(mesh, size)
    assert parts_of(occupancy.occupied) == 1
    assert reach(occupancy.occupied, frame, tip) < 2
    # and it is an antenna, not a post: a straight one is one voxel thick, and no
    # more than two where it runs along the corner of four
    if tip[1] == 24:
        layers = occupancy.occupied[:, 12:-1].sum(axis=(0, 2))
        assert (layers <= (2 if tip[0] == 0 else 1)).all()


def test_spines_are_left_out_and_a_wire_frame_is_not():
    tips = [(x, 12.5, z) for x in (-3, 0, 3) for z in (-2, 1)]
    spines = [rod((x, 9, z), (x, y, z), 0.08) for x, y, z in tips]
    occupancy, frame, _ = occupancy_of(
        joined(shapes.box((8, 10, 6), (0, 5, 0)), *spines), 12
    )
    assert parts_of(occupancy.occupied) == 1
    assert not occupancy.occupied[:, int(11 / frame.cell) :].any()
    ends = [(9, 8, 7), (-9, 8, 7), (9, -8, 7), (9, 8, -7)]
    wires = joined(*[rod((0, 0, 0), end, 0.08) for end in ends])
    occupancy, frame, _ = occupancy_of(wires, 18)
    assert parts_of(occupancy.occupied) == 1
    for end in ends:
        assert reach(occupancy.occupied, frame, end) < 2


def test_a_thread_is_thin_for_its_length_and_little_of_the_whole():
    labels = np.zeros((12, 4, 2), int)
    labels[:10, 0, 0], labels[:10, 2, 0], labels[11, 3, 1] = 1, 2, 3
    area = np.zeros(labels.shape)
    area[labels == 1] = 0.9 * THREAD  # over ten voxels, and a bit for the corner
    area[labels == 2] = 1.1 * THREAD
    area[labels == 3] = 1000.0
    assert threads(labels, area).tolist() == [True, True, False, False]
    area[labels == 3] = 1.0
    assert not threads(labels, area)[1:].any()


def test_a_body_of_thin_limbs_only_is_one_part():
    limbs = [(10, 9, 2), (-10, 8, -1), (7, -10, 3), (-8, -11, -3), (0, 2, 9)]
    mesh = joined(*[rod((0, 0, 0), tip, 0.2) for tip in limbs])
    occupancy, frame, _ = occupancy_of(mesh, 20)
    assert parts_of(occupancy.occupied) == 1
    for tip in limbs:
        assert reach(occupancy.occupied, frame, tip) < 2


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("thickness", [0.0, 0.01, 0.3, 0.45])
def test_a_sheet_keeps_exactly_one_layer_without_a_hole(axis, thickness):
    x, y, z = np.insert([12.0, 10.0], axis, thickness).tolist()
    occupancy, frame, _ = occupancy_of(shapes.box((x, y, z)), 12)
    assert frame.shape == tuple(np.insert([12, 10], axis, 1).tolist())
    assert occupancy.occupied.all()


@pytest.mark.parametrize("away", [2.3, 2.5, 3.0, 4.0])
def test_a_cape_behind_a_body_is_one_layer_without_a_hole(away):
    mesh = joined(
        shapes.box((6, 11, 4)),
        shapes.box((10, 9, 0.1), (0, -1, -away), (0.9, 0.1, 0.1)),
    )
    occupancy, frame, _ = occupancy_of(mesh, 11)
    assert frame.cell == 1
    # beside the body, two columns on each side, rows 0 to 8
    for columns in (slice(0, 2), slice(8, 10)):
        layers = occupancy.occupied[columns, :9].sum(axis=2)
        np.testing.assert_array_equal(layers, 1)
    assert not occupancy.occupied[:2, 9:].any()


@pytest.mark.parametrize("side", [-1, 1])
def test_a_thin_wall_lies_where_the_floor_ends(side):
    # It covers less than half of the outermost cells, which mirrors alone fill.
    mesh = joined(
        shapes.box((8.8, 1, 20), (0, 0.5, 0)),
        shapes.box((8.8, 1, 20), (0, 9.5, 0)),
        shapes.box((0.1, 10, 20), (side * 4.35, 5, 0)),
        shapes.box((8.8, 10, 1), (0, 5, -9.5)),
        shapes.box((10, 1, 1), (0, 5.5, 8.5)),
    )
    occupancy, frame, _ = occupancy_of(mesh, 20)
    assert frame.shape == (10, 10, 20)
    occupied = occupancy.occupied[::-side]
    beyond = occupied[0]
    assert beyond[5, 18]
    assert beyond.sum() == 1
    assert occupied[1].all()


@settings(max_examples=200)
@given(st.integers(1, 6), st.integers(1, 5), st.integers(0, 2**31 - 1))
def test_a_voxel_moves_to_the_best_beside_it_if_that_is_better(count, length, seed):
    rng = np.random.default_rng(seed)
    agree = rng.integers(0, 4, (count, length))
    place = rng.uniform(0, length, count)
    at = np.floor(place).astype(int)
    found = agreed(at, place, agree)
    for i in range(count):
        beside = [k for k in (at[i] - 1, at[i] + 1) if 0 <= k < length]
        near = sorted(beside, key=lambda k: abs(k + 0.5 - place[i]))
        expected = max([at[i], *near], key=lambda k: agree[i, k])  # first of the best
        assert found[i] == expected


@pytest.mark.parametrize("slope", [0.0, 0.2, 0.5, 1.0, 2.0])
def test_a_slanting_sheet_has_no_hole_from_any_side(slope):
    corners = [[0, 0, 0], [10, 0, 10 * slope], [10, 9, 10 * slope], [0, 9, 0]]
    mesh = mesh_of([[corners[i] for i in face] for face in ((0, 1, 2), (0, 2, 3))])
    size = round(np.ptp(mesh.bounds, axis=0).max())
    occupancy, _, art = occupancy_of(mesh, size)
    assert parts_of(occupancy.occupied) == 1
    for picture in art.pictures:
        seen = np.any(occupancy.occupied, axis=picture.view.axis)
        assert seen[picture.filled].all()


@settings(max_examples=60)
@given(
    st.tuples(*[st.integers(2, 7)] * 3),
    st.floats(0.05, 0.6),
    st.floats(0, 0.3),
    st.integers(0, 2**31 - 1),
)
def test_after_reconnecting_nothing_is_lost_and_paths_follow_the_surface(
    shape, share, kept, seed
):
    rng = np.random.default_rng(seed)
    touched = rng.random(shape) < share
    touched.flat[0] = True
    occupied = touched & (rng.random(shape) < kept)
    area = rng.random(shape) * touched
    agree = rng.integers(0, 7, shape)
    added = reconnect(occupied, touched, area, agree)
    assert not (added & (occupied | ~touched)).any()
    found = occupied | added
    if not occupied.any():
        found |= touched & (area >= area.max())
    near = np.asarray(ndimage.binary_dilation(found, AROUND), bool)
    pieces = labeled(touched & ~near)
    lost = np.bincount(pieces.ravel()) >= 2
    assert (~lost | threads(pieces, area))[1:].all()  # nothing but threads
    # what the surface joins is joined: one part of the result for one of the surface
    surface = labeled(touched | occupied)
    for part in range(1, surface.max() + 1):
        assert parts_of(found & (surface == part)) <= 1


def test_paths_prefer_voxels_that_hold_much_surface():
    # Two lanes; the straight way lies in the lower one, more surface in the upper.
    touched = np.ones((7, 2, 1), bool)
    area = np.where(np.indices(touched.shape)[1] == 1, 1.0, 0.01)
    occupied = np.zeros_like(touched)
    occupied[0, 0] = occupied[6, 0] = True
    added = reconnect(occupied, touched, area, np.full_like(touched, 6, int))
    assert added[1:6, 1].all()
    assert not added[1:6, 0].any()


def test_paths_prefer_voxels_that_more_views_see_before_the_mesh():
    touched = np.ones((7, 2, 1), bool)
    occupied = np.zeros_like(touched)
    occupied[0, 0] = occupied[6, 0] = True
    agree = np.where(np.indices(touched.shape)[1] == 1, 6, 4)
    added = reconnect(occupied, touched, np.ones(touched.shape), agree)
    assert added[1:6, 1].all()
    assert not added[1:6, 0].any()
