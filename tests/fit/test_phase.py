import dataclasses

import numpy as np
import pytest
from makers import joined

from voxify3d.color.spaces import oklab_from_bytes, oklab_from_srgb
from voxify3d.config import PRESETS, from_dict
from voxify3d.errors import ConfigError
from voxify3d.fit.coarse import coarse_occupancy
from voxify3d.fit.phase import BETTER, STRIKING, WRONG, best_phase, misfits
from voxify3d.fit.polish import polish
from voxify3d.mesh import shapes
from voxify3d.mesh.coverage import surface_coverage
from voxify3d.pipeline import voxelize
from voxify3d.pixelart.pixelize import pixelize
from voxify3d.pixelart.samples import sample_image
from voxify3d.pixelart.statistics import contrast
from voxify3d.render.mesh import frame_of, frames_of, render_mesh

DRAFT = dataclasses.replace(PRESETS["draft"], size=12, colors=2)


@pytest.fixture(scope="module")
def walker():
    """A body on two legs, which lie on the borders of cells of an even grid."""
    return joined(
        shapes.box((3.1, 4, 3.1), (0, 10, 0), (0.8, 0.2, 0.2)),
        *[shapes.box((1, 8, 1), (x, 4, 0), (0.2, 0.2, 0.8)) for x in (-1, 1)],
    )


def legs(grid) -> np.ndarray:
    return grid.occupied[:, :8].any(axis=2)


def test_legs_on_borders_of_cells_get_whole_cells(walker):
    grid = voxelize(walker, dataclasses.replace(DRAFT, phase="search"))
    assert grid.frame.shape == (5, 12, 5)
    np.testing.assert_array_equal(legs(grid).T, [[0, 1, 0, 1, 0]] * 8)
    middle = voxelize(walker, dataclasses.replace(DRAFT, phase="middle"))
    assert middle.frame.shape == (4, 12, 4)
    assert legs(middle).sum(axis=0).tolist() != [2] * 8


@pytest.mark.parametrize("size", [5, 12, 40])
def test_every_grid_holds_the_box_in_its_middle(walker, size):
    frames = frames_of(walker, size)
    assert frames[0] == frame_of(walker, size)
    assert len({frame.shape for frame in frames}) == len(frames) == 4
    low, high = walker.bounds
    for frame in frames:
        assert max(frame.shape) == size
        assert frame.cell == pytest.approx((high - low).max() / size)
        start = frame.grid_from_world(low)
        end = frame.grid_from_world(high)
        np.testing.assert_allclose(start + end, frame.shape)
        assert (start > -1e-3).all()


def test_no_side_becomes_longer_than_the_longest():
    cube = shapes.box((1, 1, 1))
    assert frames_of(cube, 8) == [frame_of(cube, 8)]


@pytest.mark.parametrize("seed", range(4))
def test_the_misfits_are_what_samples_and_cells_differ_by(walker, seed):
    frame = frame_of(walker, 12)
    renders = render_mesh(walker, frame, 4)
    art = pixelize(renders, 2)
    rng = np.random.default_rng(seed)
    entry_of_voxels = rng.integers(0, 2, frame.shape)
    index = np.where(rng.random(frame.shape) < 0.2, entry_of_voxels, -1)
    # the slow obvious twin, sample by sample and cell by cell
    entries = oklab_from_bytes(art.palette.rgb)
    by_samples = by_cells = 0.0
    for picture, render in zip(art.pictures, renders, strict=True):
        hit, lab = sample_image(render.hit), sample_image(oklab_from_srgb(render.rgb))
        near = contrast(lab.astype(np.float32), hit, 28)  # seven cells of four samples
        columns = np.moveaxis(index, picture.view.axis, 2)
        if picture.view.toward[0] == "+":
            columns = columns[..., ::-1]
        for a, b in np.ndindex(*columns.shape[:2]):
            part = np.s_[4 * a : 4 * a + 4, 4 * b : 4 * b + 4]
            seen = [entries[i] for i in columns[a, b] if i >= 0]
            for place in np.ndindex(4, 4):
                cost = WRONG * (hit[part][place] != bool(seen))
                if hit[part][place] and seen:
                    cost = min(np.linalg.norm(lab[part][place] - seen[0]), WRONG)
                    cost *= 1 + min(near[part][place] / STRIKING, 2)
                by_samples += cost * picture.weight / 16
            covered = hit[part].mean() >= 0.5
            cost = WRONG * (covered != bool(seen))
            if covered and seen:
                cost = np.linalg.norm(lab[part][hit[part]].mean(axis=0) - seen[0])
            by_cells += cost * picture.weight
    assert misfits(index, art, renders) == pytest.approx((by_samples, by_cells), 1e-5)
    assert min(by_samples, by_cells) > 0


def test_the_first_grid_stays_unless_another_is_clearly_better_in_both_ways():
    assert best_phase([(1.0, 1.0)]) == 0
    slightly, clearly = 1 - BETTER / 2, 1 - 2 * BETTER
    assert best_phase([(2.0, 1.0), (2 * slightly, clearly)]) == 0
    assert best_phase([(2.0, 1.0), (2 * clearly, slightly)]) == 0
    assert best_phase([(2.0, 1.0), (2 * clearly, clearly), (1.8, 0.9)]) == 2
    assert best_phase([(2.0, 1.0), (1.8, 0.9), (0.5, 1.1)]) == 1
    assert best_phase([(0.0, 0.0), (0.0, 0.0)]) == 0


def test_what_is_tried_is_what_comes_out(walker):
    grid = voxelize(walker, dataclasses.replace(DRAFT, phase="search"))
    assert grid.frame in frames_of(walker, 12)[1:]
    renders = render_mesh(walker, grid.frame, DRAFT.pixelart.samples)
    art = pixelize(renders, 2, DRAFT.pixelart, DRAFT.seed)
    coverage = surface_coverage(walker, grid.frame)
    occupancy = coarse_occupancy(coverage, art, DRAFT.coarse.min_part)
    smoothness = DRAFT.fine.smoothness
    index = polish(occupancy.occupied, occupancy, art, coverage, smoothness=smoothness)
    np.testing.assert_array_equal(index >= 0, grid.occupied)


@pytest.mark.parametrize("samples", [3, 5])
def test_a_grid_that_no_ray_meets_the_mesh_on_is_left_out(samples):
    """Odd rays meet a stick in the middle of a cell and miss it on a border."""
    stick = shapes.box((1, 0.001, 0.001))
    art = dataclasses.replace(DRAFT.pixelart, samples=samples)
    config = dataclasses.replace(DRAFT, pixelart=art)
    grid = voxelize(stick, dataclasses.replace(config, phase="search"))
    assert (12, 2, 2) in [frame.shape for frame in frames_of(stick, 12)]
    assert grid.frame.shape != (12, 2, 2)
    assert grid.occupied.any()


def test_small_sizes_search_by_themselves_and_the_paper_does_not():
    assert dataclasses.replace(DRAFT, size=64).searches_phase
    assert not dataclasses.replace(DRAFT, size=65).searches_phase
    assert dataclasses.replace(DRAFT, size=96, phase="search").searches_phase
    assert not dataclasses.replace(DRAFT, phase="middle").searches_phase
    assert not dataclasses.replace(PRESETS["paper"], size=12).searches_phase
    with pytest.raises(ConfigError, match="phase"):
        from_dict({"phase": "best"})


def test_two_eyes_beside_the_middle_of_an_odd_grid_get_a_cell_each():
    """On the even grid they meet in the middle, and a nose has nowhere to go."""
    skin, ink, red = (0.7, 0.7, 0.7), (0.05, 0.05, 0.05), (0.8, 0.1, 0.05)
    eyes = [shapes.box((1, 1, 0.4), (x, 8.5, 4), ink) for x in (-1, 1)]
    nose = shapes.box((1, 1, 0.4), (0, 7.5, 4), red)
    # nothing else tells the grids apart: the head's outline lies a quarter of a voxel
    # beside both
    head = shapes.box((9.5, 12, 8), (0, 6, 0), skin)
    mesh = joined(head, *eyes, nose)
    grid = voxelize(mesh, dataclasses.replace(DRAFT, colors=3))
    assert grid.frame.shape[0] == 11
    lab = oklab_from_bytes(grid.palette.rgb)
    dark = 1 + int(lab[:, 0].argmin())
    face = grid.index[:, 8, :].max(axis=1, where=grid.index[:, 8, :] == dark, initial=0)
    assert np.flatnonzero(face == dark).tolist() == [4, 6]
