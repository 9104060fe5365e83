import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from voxify3d.types import DIRECTIONS, Frame, Palette, VoxelGrid, axis_of, sign_of
from voxify3d.voxels.surface import Quads, face_quads, greedy_quads, mesh_from_voxels


def random_index(shape, colors, share, seed):
    rng = np.random.default_rng(seed)
    index = rng.integers(1, colors + 1, shape)
    return np.where(rng.random(shape) < share, index, 0).astype(np.uint8)


grids = st.builds(
    random_index,
    st.tuples(*[st.integers(1, 7)] * 3),
    st.integers(1, 4),
    st.floats(0.0, 1.0),
    st.integers(0, 2**31 - 1),
)


def faces_reference(index):
    """Look at the six neighbors of every voxel: {(cell, side): color}."""
    faces = {}
    for ijk in np.ndindex(*index.shape):
        for side, direction in enumerate(DIRECTIONS):
            beside = list(ijk)
            beside[axis_of(direction)] += sign_of(direction)
            inside = all(0 <= at < n for at, n in zip(beside, index.shape, strict=True))
            if index[ijk] and not (inside and index[tuple(beside)]):
                faces[ijk, side] = int(index[ijk])
    return faces


def faces_of(quads: Quads):
    """Take rectangles apart; a face that two of them cover fails."""
    faces = {}
    for low, high, side, color in zip(
        quads.low, quads.high, quads.side, quads.index, strict=True
    ):
        axis = axis_of(DIRECTIONS[side])
        assert low[axis] == high[axis]
        first, last = low.copy(), high.copy()
        first[axis] -= DIRECTIONS[side][0] == "+"
        last[axis] = first[axis] + 1
        for offset in np.ndindex(*(last - first)):
            key = tuple(int(v) for v in first + offset), int(side)
            assert key not in faces
            faces[key] = int(color)
    return faces


@given(grids)
def test_greedy_rectangles_cover_each_exposed_face_once_in_its_color(index):
    assert faces_of(greedy_quads(index)) == faces_reference(index)


@given(grids)
def test_face_rectangles_are_the_exposed_faces(index):
    quads = face_quads(index)
    assert faces_of(quads) == faces_reference(index)
    assert len(quads) == len(faces_reference(index))


@given(grids)
def test_corners_turn_counter_clockwise_around_the_outward_normal(index):
    quads = greedy_quads(index)
    corners = quads.corners()
    turn = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.prod(np.where(quads.high > quads.low, quads.high - quads.low, 1), axis=1)
    np.testing.assert_array_equal(turn, quads.normals() * area[:, None])


def test_a_solid_block_of_one_color_has_six_rectangles():
    assert len(greedy_quads(np.full((5, 3, 7), 2, np.uint8))) == 6


def test_the_better_of_both_orders_is_taken():
    # A comb seen from +z: two runs along its teeth's back, or one for each tooth.
    index = np.zeros((9, 4, 1), np.uint8)
    index[:, 0] = 1
    index[::2] = 1
    comb = greedy_quads(index)
    assert (comb.side == DIRECTIONS.index("+z")).sum() == 6


def test_nothing_has_no_rectangles():
    assert len(greedy_quads(np.zeros((3, 3, 3), np.uint8))) == 0


@given(grids.filter(np.any))
def test_the_mesh_has_the_exposed_area_and_lies_in_the_world(index):
    palette = Palette(np.arange(12, dtype=np.uint8).reshape(4, 3))
    frame = Frame((1e6, -2.0, 0.5), 0.25, index.shape)
    mesh = mesh_from_voxels(VoxelGrid(index, palette, frame))
    edges = np.diff(mesh.vertices[mesh.faces], axis=1)
    area = np.linalg.norm(np.cross(edges[:, 0], edges[:, 1]), axis=1).sum() / 2
    np.testing.assert_allclose(area, len(faces_reference(index)) * 0.25**2)
    filled = np.argwhere(index)
    np.testing.assert_array_equal(
        mesh.bounds,
        frame.world_from_grid(np.stack([filled.min(0), filled.max(0) + 1.0])),
    )
