import dataclasses

import numpy as np
import pytest
from makers import joined, turned
from scipy import ndimage

from voxify3d.config import PRESETS
from voxify3d.mesh.shapes import box, six_colored_tripod
from voxify3d.pipeline import voxelize
from voxify3d.pixelart.mirror import find_mirror
from voxify3d.pixelart.pixelize import pixelize
from voxify3d.pixelart.settings import PixelArtConfig
from voxify3d.pixelart.statistics import cell_statistics
from voxify3d.render.mesh import frame_of, render_mesh
from voxify3d.types import Frame, Mesh

DRAFT = PRESETS["draft"]


def mirror_of(mesh: Mesh, frame: Frame):
    return find_mirror([cell_statistics(r) for r in render_mesh(mesh, frame, 8)])


def doll(shift: float = 0.0) -> Mesh:
    """Body, two arms and two small eyes; the left half moved by some voxels of 24."""
    unit, off = 1 / 24, shift / 24
    skin, ink, red = (0.9, 0.7, 0.6), (0.05, 0.05, 0.1), (0.8, 0.1, 0.1)
    parts = [box((8 * unit, 24 * unit, 6 * unit), (0, 0, 0), skin)]
    for side in (-1, 1):
        move = off if side < 0 else 0
        arm = (side * 6 * unit + move, 2 * unit, 0)
        parts.append(box((6 * unit, unit, unit), arm, red))
        eye = (side * 2 * unit + move, 8 * unit, 3 * unit)
        parts.append(box((1.2 * unit, 1.2 * unit, 0.2 * unit), eye, ink))
    return joined(*parts)


@pytest.mark.parametrize("size", [24, 25, 31])
@pytest.mark.parametrize("shift", [0.0, 0.1, -0.1])
def test_a_doll_with_a_crooked_half_is_made_straight(size, shift):
    mesh = doll(shift)
    grid = voxelize(mesh, dataclasses.replace(DRAFT, size=size, colors=4))
    mirror = mirror_of(mesh, grid.frame)
    assert mirror is not None
    assert (mirror.axis, mirror.plane) == (0, grid.frame.shape[0])
    np.testing.assert_array_equal(grid.index > 0, grid.index[::-1] > 0)
    inside = ndimage.binary_erosion(grid.index > 0)  # of a color that nobody sees
    shown = np.where(inside, 0, grid.index)
    np.testing.assert_array_equal(shown, shown[::-1])


@pytest.mark.parametrize("front", ["+z", "-x", "+y"])
def test_the_plane_lies_between_left_and_right_whatever_the_front_is(front):
    frame = frame_of(doll(), 24, front)
    rotation = {"+z": np.eye(3), "-x": [[0, 0, -1], [0, 1, 0], [1, 0, 0]]}
    rotation["+y"] = [[-1, 0, 0], [0, 0, 1], [0, 1, 0]]
    mesh = turned(doll(), np.array(rotation[front], float))
    frame = frame_of(mesh, 24, front)
    mirror = mirror_of(mesh, frame)
    assert mirror is not None
    axis = {"+z": 0, "-x": 2, "+y": 0}[front]
    assert (mirror.axis, mirror.plane) == (axis, frame.shape[axis])
    assert mirror.paired.mean() > 0.9


@pytest.mark.parametrize("front", ["+z", "+x", "-x"])
def test_what_faces_sideways_keeps_its_two_sides(front):
    unit = 1 / 24
    pack = box((6 * unit, 10 * unit, 5 * unit), (0, 0, -5 * unit), (0.1, 0.3, 0.8))
    mesh = joined(doll(0.1), pack)
    config = dataclasses.replace(DRAFT, size=24, colors=4, front=front)
    grid = voxelize(mesh, config)
    mirror = mirror_of(mesh, grid.frame)
    assert mirror is not None
    assert (mirror.axis, mirror.plane) == (0, grid.frame.shape[0])
    np.testing.assert_array_equal(grid.index > 0, grid.index[::-1] > 0)


@pytest.mark.parametrize(("front", "axis"), [("+z", 0), ("+x", 2)])
def test_of_two_planes_the_one_between_left_and_right_is_taken(front, axis):
    cross = joined(*(box(size, (0, 0, 0)) for size in ((4, 1, 1), (1, 1, 4))))
    mirror = mirror_of(cross, frame_of(cross, 24, front))
    assert mirror is not None
    assert mirror.axis == axis


def test_what_is_unlike_stays_unlike():
    # One arm, and a patch over one eye.
    unit = 1 / 24
    size, at = (3 * unit, 3 * unit, unit), (2 * unit, 8 * unit, 3.2 * unit)
    patch = box(size, at, (0, 1, 0))
    mesh = joined(doll(), patch)
    config = dataclasses.replace(DRAFT, size=24, colors=5)
    with_it = voxelize(mesh, config)
    art = dataclasses.replace(config.pixelart, symmetry=False)
    without = voxelize(mesh, dataclasses.replace(config, pixelart=art))
    np.testing.assert_array_equal(with_it.index, without.index)
    assert (with_it.index != with_it.index[::-1]).sum() >= 9


def test_a_mesh_without_two_sides_has_no_mirror():
    tripod = six_colored_tripod()
    assert mirror_of(tripod, frame_of(tripod, 20)) is None


def test_alike_cells_have_one_cost_on_both_sides_and_others_keep_theirs():
    unit = 1 / 24
    size, at = (3 * unit, 3 * unit, unit), (2 * unit, 8 * unit, 3.2 * unit)
    mesh = joined(doll(0.1), box(size, at, (0, 1, 0)))
    renders = render_mesh(mesh, frame_of(mesh, 24), 6)
    art = pixelize(renders, 8)
    plain = pixelize(renders, 8, PixelArtConfig(symmetry=False))
    assert plain.mirror is None
    mirror = art.mirror
    assert mirror is not None
    views = [picture.view for picture in art.pictures]
    changed = unlike = 0
    for number, (picture, before) in enumerate(
        zip(art.pictures, plain.pictures, strict=True)
    ):
        other = art.pictures[mirror.partner(views, number)]
        alike = mirror.alike[number]
        image = mirror.reflected(other.cost, other.view)
        np.testing.assert_allclose(picture.cost[alike], image[alike], rtol=1e-5)
        image = mirror.reflected(other.filled, other.view)
        np.testing.assert_array_equal(picture.filled[alike], image[alike])
        np.testing.assert_array_equal(picture.cost[~alike], before.cost[~alike])
        np.testing.assert_array_equal(picture.index[~alike], before.index[~alike])
        changed += int((picture.cost[alike] != before.cost[alike]).sum())
        unlike += int((~alike).sum())
    assert changed
    assert unlike >= 9


def test_mirroring_twice_changes_nothing():
    mirror = mirror_of(doll(), frame_of(doll(), 24))
    assert mirror is not None
    ijk = np.argwhere(mirror.paired)
    there = mirror.image(ijk)
    assert mirror.paired[tuple(there.T)].all()
    np.testing.assert_array_equal(mirror.image(there), ijk)
    some = np.random.default_rng(0).random(mirror.paired.shape) < 0.3
    whole = mirror.joined(some)
    assert (whole >= some).all()
    np.testing.assert_array_equal(whole, mirror.joined(whole))
    half = mirror.copied(some)
    np.testing.assert_array_equal(half, mirror.copied(half))
