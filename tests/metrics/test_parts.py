"""Pieces and thin parts: a body with arms, then damaged on purpose."""

import numpy as np
import pytest

from voxify3d.mesh.shapes import box, sphere
from voxify3d.metrics.cells import see
from voxify3d.metrics.parts import anatomy, floating, part_recall
from voxify3d.metrics.solid import inside
from voxify3d.render.mesh import frame_of
from voxify3d.types import Mesh


def joined(*boxes):
    """One mesh of boxes given as (low, high, part)."""
    pieces = []
    for low, high, part in boxes:
        low, high = np.array(low, float), np.array(high, float)
        mesh = box(tuple((high - low).tolist()))
        middle = mesh.bounds.mean(axis=0)
        pieces.append((mesh.vertices - middle + (low + high) / 2, mesh.faces, part))
    starts = np.cumsum([0, *(len(v) for v, _, _ in pieces[:-1])])
    count = [len(f) for _, f, _ in pieces]
    return Mesh(
        np.concatenate([v for v, _, _ in pieces]),
        np.concatenate([f + s for (_, f, _), s in zip(pieces, starts, strict=True)]),
        np.zeros(sum(count), np.int64),
        np.repeat([part for _, _, part in pieces], count),
        box().materials,
    )


BODY = ((0, 0, 0), (8, 20, 8), 0)
LEFT = ((-9, 15.3, 3.4), (0.5, 15.9, 4.0), 1)
RIGHT = ((7.5, 15.3, 3.4), (17, 15.9, 4.0), 2)
BALL = ((2, 22, 2), (6, 26, 6), 3)


def looked_at(mesh, cell=1.0):
    extent = (mesh.bounds[1] - mesh.bounds[0]).max()
    frame = frame_of(mesh, round(extent / cell))
    return anatomy(mesh, see(mesh, frame), frame), frame


def voxels(*boxes, frame):
    """Voxels whose place overlaps any of the boxes."""
    occupied = np.zeros(frame.shape, bool)
    for low, high, _ in boxes:
        a = np.floor(frame.grid_from_world(np.array(low, float)) + 1e-6).astype(int)
        b = np.ceil(frame.grid_from_world(np.array(high, float)) - 1e-6).astype(int)
        occupied[tuple(slice(i, j) for i, j in zip(a, b, strict=True))] = True
    return occupied


@pytest.fixture(scope="module")
def figure():
    mesh = joined(BODY, LEFT, RIGHT, BALL)
    return looked_at(mesh)


def test_the_figure_has_two_pieces_and_two_thin_parts(figure):
    found, _ = figure
    assert len(np.unique(found.piece)) - 1 == 2
    assert found.thin.max() == 2


def test_a_faithful_result_keeps_all(figure):
    found, frame = figure
    occupied = voxels(BODY, LEFT, RIGHT, BALL, frame=frame)
    assert floating(found, occupied) == 0
    assert part_recall(found, occupied) == (2, 2)


def test_one_arm_removed(figure):
    found, frame = figure
    occupied = voxels(BODY, RIGHT, BALL, frame=frame)
    assert floating(found, occupied) == 0
    assert part_recall(found, occupied) == (1, 2)


def test_an_arm_cut_in_the_middle_is_lost_and_its_hand_floats(figure):
    found, frame = figure
    occupied = voxels(BODY, LEFT, RIGHT, BALL, frame=frame)
    occupied[4] = False
    assert floating(found, occupied) == 1
    assert part_recall(found, occupied) == (1, 2)


def test_a_lost_fingertip_is_no_lost_arm(figure):
    found, frame = figure
    occupied = voxels(BODY, LEFT, RIGHT, BALL, frame=frame)
    occupied[:1] = False
    assert part_recall(found, occupied) == (2, 2)


def test_a_fat_arm_survives_as_well(figure):
    found, frame = figure
    occupied = voxels(BODY, RIGHT, BALL, frame=frame)
    occupied |= voxels(((-9, 15, 3), (0, 17, 5), 1), frame=frame)
    assert part_recall(found, occupied) == (2, 2)


def test_specks_float_and_the_detached_ball_does_not(figure):
    found, frame = figure
    occupied = voxels(BODY, LEFT, RIGHT, BALL, frame=frame)
    occupied[0, 0, 0] = occupied[-1, 0, 0] = True
    assert floating(found, occupied) == 2


def test_an_empty_result_has_nothing(figure):
    found, frame = figure
    occupied = np.zeros(frame.shape, bool)
    assert floating(found, occupied) == 0
    assert part_recall(found, occupied) == (0, 2)


@pytest.mark.parametrize("mesh", [box(), sphere(), joined(BODY)])
def test_edges_and_corners_of_solid_things_are_no_thin_parts(mesh):
    turn = np.radians(40)
    wheel = np.array(
        [[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]]
    )
    turned = Mesh(
        mesh.vertices @ wheel.T, mesh.faces, mesh.material, mesh.part, mesh.materials
    )
    found, _ = looked_at(turned, float(np.ptp(turned.bounds, axis=0).max()) / 16)
    assert found.thin.max() == 0
    assert len(np.unique(found.piece)) - 1 == 1


def test_everything_of_the_mesh_is_kept_by_the_mesh_itself(figure):
    found, frame = figure
    solid = inside(joined(BODY, BALL), frame)
    assert floating(found, solid) == 0
