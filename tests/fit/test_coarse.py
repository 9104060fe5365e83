import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers import random_art
from scipy import ndimage

from voxify3d.fit.coarse import coarse_occupancy, drop_loose_parts, fill_inside
from voxify3d.fit.tables import total_cost
from voxify3d.mesh import shapes
from voxify3d.mesh.coverage import Coverage, surface_coverage
from voxify3d.pixelart.mirror import Mirror
from voxify3d.pixelart.pixelize import pixelize
from voxify3d.render.mesh import frame_of, render_mesh

grids = st.builds(
    lambda shape, share, seed: np.random.default_rng(seed).random(shape) < share,
    st.tuples(*[st.integers(1, 6)] * 3),
    st.floats(0, 1),
    st.integers(0, 2**31 - 1),
)


def air_from_outside(touched):
    """Flood the grid from outside through faces, voxel by voxel."""
    padded = np.pad(touched, 1)
    air = np.zeros_like(padded)
    todo: list[tuple[int, ...]] = [(0, 0, 0)]
    while todo:
        at = todo.pop()
        if min(at) < 0 or any(i >= n for i, n in zip(at, air.shape, strict=True)):
            continue
        if air[at] or padded[at]:
            continue
        air[at] = True
        for axis in range(3):
            for step in (-1, 1):
                beside = list(at)
                beside[axis] += step
                todo.append(tuple(beside))
    return air[1:-1, 1:-1, 1:-1]


@given(grids)
def test_inside_is_what_air_or_no_ray_reaches(touched):
    solid = fill_inside(touched)
    air = air_from_outside(touched)
    for ijk in np.ndindex(*touched.shape):
        rays = [
            touched[tuple(
                part if i == axis else at for i, at in enumerate(ijk)
            )].any()
            for axis in range(3)
            for part in (slice(0, ijk[axis] + 1), slice(ijk[axis], None))
        ]  # fmt: skip
        assert solid[ijk] == (not air[ijk] or all(rays))


@given(grids, grids, grids, st.integers(0, 9))
def test_only_loose_parts_that_are_small_or_hold_no_surface_are_dropped(
    occupied, other, surface, least
):
    locked = occupied & np.resize(other, occupied.shape)
    touched = np.resize(surface, occupied.shape)
    kept = drop_loose_parts(occupied, locked, touched, least)
    assert not (kept & ~occupied).any()
    labels = np.zeros(occupied.shape, int)
    ndimage.label(occupied, np.ones((3, 3, 3)), output=labels)
    parts = [labels == n for n in range(1, labels.max() + 1)]
    largest = max((part.sum() for part in parts), default=0)
    stays = [
        (part.sum() > least and touched[part].any())
        or locked[part].any()
        or part.sum() == largest
        for part in parts
    ]
    for part, stay in zip(parts, stays, strict=True):
        worth = part.sum() > least and touched[part].any()
        if part.sum() == largest and not worth and not locked[part].any():
            continue  # of several largest, one stays
        assert kept[part].all() == stay
        assert kept[part].any() == stay
    if parts:
        assert max(kept[part].sum() for part in parts) == largest


@pytest.mark.parametrize("size", [8, 15, 24])
def test_a_ball_is_a_local_optimum_and_has_the_silhouettes_of_its_pictures(size):
    mesh = shapes.sphere()
    frame = frame_of(mesh, size)
    art = pixelize(render_mesh(mesh, frame, 6), 2)
    coverage = surface_coverage(mesh, frame)
    found = coarse_occupancy(coverage, art)
    for picture in art.pictures:
        seen = np.any(found.occupied, axis=picture.view.axis)
        assert seen[picture.filled].all()
        # cells that other views want filled more: just under half covered
        assert (picture.coverage[seen & ~picture.filled] > 0.4).all()
    assert not (found.occupied & ~found.solid).any()
    assert not (found.free & found.locked).any()
    least = total_cost(found.tables, found.occupied)
    for ijk in np.argwhere(found.free)[::11]:
        other = found.occupied.copy()
        other[tuple(ijk)] ^= True
        assert total_cost(found.tables, other) > least - 2e-4


@given(st.integers(0, 2**31 - 1))
def test_the_image_of_a_hidden_thin_part_is_not_set_up_in_the_air(seed):
    # All cells look alike, but behind them the surface is on one side alone.
    shape = (8, 6, 6)
    rng = np.random.default_rng(seed)
    touched = rng.random(shape) < 0.3
    touched[4:] = False
    mirror = Mirror(0, 8, (), np.ones(shape, bool))
    alike = tuple(
        np.ones(p.index.shape, bool) for p in random_art(shape, 2, 0).pictures
    )
    art = dataclasses.replace(
        random_art(shape, 2, seed), mirror=dataclasses.replace(mirror, alike=alike)
    )
    coverage = Coverage(touched.astype(float), np.zeros((*shape, 3), np.float32))
    found = coarse_occupancy(coverage, art)
    assert not found.locked[6:].any()  # next to the surface lies [4] alone


def test_a_shell_with_a_hole_is_not_hollow():
    touched = np.ones((7, 7, 7), bool)
    touched[1:6, 1:6, 1:6] = False
    touched[3, 2, 6] = False  # air gets in everywhere, light along one line
    solid = fill_inside(touched)
    open_voxels = np.argwhere(~solid).tolist()
    assert open_voxels == [[3, 2, k] for k in range(1, 7)]
