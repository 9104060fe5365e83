"""From mesh to voxels, at toy size, where the right answer is known."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest
from makers import joined, mesh_of
from scipy import ndimage

from voxify3d import PRESETS, VoxelizeConfig, voxelize, voxelize_steps
from voxify3d.config import from_dict, to_dict
from voxify3d.errors import MeshError
from voxify3d.export import export
from voxify3d.mesh import shapes
from voxify3d.mesh.sample import sample_character
from voxify3d.pipeline import STAGES
from voxify3d.render.mesh import frame_of, render_mesh
from voxify3d.types import Mesh, VoxelGrid

QUICK = ("draft", "default")
SLOW = sorted(PRESETS.keys() - {*QUICK, "paper"})
"""The paper's own stages take minutes; they have tests of their own."""
RECIPES = [*QUICK, *[pytest.param(name, marks=pytest.mark.slow) for name in SLOW]]


def converted(mesh: Mesh, preset: str = "draft", **changes) -> VoxelGrid:
    return voxelize(mesh, dataclasses.replace(PRESETS[preset], **changes))


def rgb_of(grid: VoxelGrid) -> np.ndarray:
    """Bytes of every occupied voxel, `x y z 3`; -1 where empty."""
    rgb = np.full((*grid.index.shape, 3), -1)
    rgb[grid.occupied] = grid.palette.rgb[grid.index[grid.occupied] - 1]
    return rgb


def assert_whole(grid: VoxelGrid, colors: int):
    """What every result promises."""
    assert grid.index.dtype == np.uint8
    assert grid.occupied.any()
    assert len(grid.palette) <= colors
    used = np.unique(grid.index[grid.occupied])
    np.testing.assert_array_equal(used, np.arange(1, 1 + len(grid.palette)))
    assert len(np.unique(grid.palette.rgb, axis=0)) == len(grid.palette)


@pytest.mark.parametrize("preset", RECIPES)
def test_half_a_box_is_black_and_half_is_white(preset):
    grid = converted(shapes.half_box((2, 1, 1)), preset, size=10, colors=4)
    assert grid.index.shape == (10, 5, 5)
    rgb = rgb_of(grid)
    assert (rgb[:5] == 0).all()
    assert (rgb[5:] == 255).all()


@pytest.mark.parametrize("preset", RECIPES)
@pytest.mark.parametrize("cells", [4, 7])
def test_a_checkered_cube_is_its_checkers(preset, cells):
    grid = converted(shapes.checkered_cube(cells), preset, size=cells, colors=2)
    seen = np.ones((cells,) * 3, bool)
    seen[1:-1, 1:-1, 1:-1] = False
    white = 255 * (np.indices(seen.shape).sum(axis=0) % 2)
    assert grid.occupied.all()  # no cavity either
    np.testing.assert_array_equal(rgb_of(grid)[seen], white[seen][:, None] * [1, 1, 1])


@pytest.mark.parametrize("times", [2, 3])
def test_checkers_of_several_voxels_stay_sharp(times):
    grid = converted(shapes.checkered_cube(3), size=3 * times, colors=2)
    place = np.indices(grid.index.shape) // times
    surface = np.ones(grid.index.shape, bool)
    surface[1:-1, 1:-1, 1:-1] = False
    white = 255 * (place.sum(axis=0) % 2)
    rgb = rgb_of(grid)[surface]
    np.testing.assert_array_equal(rgb, np.repeat(white[surface][:, None], 3, axis=1))


def disc_coverage(size: int, samples: int = 64) -> np.ndarray:
    """Covered share of each cell by a disc that fills the picture."""
    at = (np.arange(size * samples) + 0.5) / samples - size / 2
    inside = at[:, None] ** 2 + at**2 <= (size / 2) ** 2
    return inside.reshape(size, samples, size, samples).mean(axis=(1, 3))


@pytest.mark.parametrize("size", [20, 32, 40])
def test_a_sphere_is_a_ball_of_voxels(size):
    grid = converted(shapes.sphere(segments=96), size=size, colors=2)
    ball = grid.occupied
    assert ball.shape == (size,) * 3
    # volume: π/6 d³, within 3 %
    assert ball.sum() == pytest.approx(np.pi / 6 * size**3, rel=0.03)
    # it is as symmetric as a ball on a grid can be: all 48 ways to turn and mirror
    for axis in range(3):
        np.testing.assert_array_equal(ball, np.flip(ball, axis))
    share = disc_coverage(size)
    for axis in range(3):
        silhouette = np.any(ball, axis=axis)
        # what is half covered is filled; what is not may be just under it, at most
        assert silhouette[share > 0.51].all()
        assert not silhouette[share < 0.4].any()
        wrong = silhouette != (share >= 0.5)
        assert wrong.mean() <= 0.01
    # nearly every voxel is in or out by its middle; the rest lies on the surface
    away = np.linalg.norm(np.indices(ball.shape).T + 0.5 - size / 2, axis=-1) - size / 2
    assert ball[away < -0.75].all()
    assert not ball[away > 0.75].any()


@pytest.mark.parametrize("preset", RECIPES)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_plane_is_one_layer_without_a_hole(preset, axis):
    flat = shapes.plane((3, 2))
    order = np.roll([0, 1, 2], axis)  # turn z onto each axis
    mesh = mesh_of(flat.vertices[flat.faces][..., order])
    grid = converted(mesh, preset, size=12, colors=3)
    assert sorted(grid.index.shape) == [1, 8, 12]
    assert grid.index.shape.index(1) == list(order).index(2)
    assert grid.occupied.all()
    assert (rgb_of(grid) == rgb_of(grid)[0, 0, 0]).all()


@pytest.mark.parametrize("preset", RECIPES)
def test_a_triangle_is_one_layer_whose_cells_are_half_covered(preset):
    grid = converted(shapes.triangle(), preset, size=12, colors=3)
    assert grid.index.shape == (12, 12, 1)
    i, j = np.indices((12, 12))
    # cells on the slanting edge are covered by one half
    np.testing.assert_array_equal(grid.occupied[..., 0], i + j <= 11)


@pytest.mark.parametrize("preset", RECIPES)
@pytest.mark.parametrize("size", [8, 12])
def test_every_preset_converts_the_sample(preset, size):
    grid = converted(sample_character(), preset, size=size, colors=6)
    assert_whole(grid, 6)
    assert max(grid.index.shape) == size
    # nothing that is seen lies far beside the mesh: silhouettes hold from six sides
    assert grid.frame.shape == grid.index.shape


@pytest.mark.parametrize("preset", RECIPES)
def test_the_same_seed_gives_the_same_bytes(tmp_path, preset):
    mesh = sample_character()
    one, two = (converted(mesh, preset, size=10, seed=5) for _ in "ab")
    for suffix in (".vox", ".glb"):
        first = export(one, tmp_path / f"a{suffix}")
        second = export(two, tmp_path / f"b{suffix}")
        assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("seed", [1, 2, 2**40])
def test_other_seeds_are_as_valid(seed):
    grid = converted(sample_character(), size=10, colors=5, seed=seed)
    assert_whole(grid, 5)


@pytest.mark.parametrize("colors", [2, 3, 8, 255])
def test_no_more_colors_than_asked_for(colors):
    grid = converted(sample_character(), size=12, colors=colors)
    assert_whole(grid, colors)


def test_the_sample_keeps_its_painted_colors():
    # Eleven at 24 voxels, the cheeks' and the tongue's among them; 255 are allowed.
    mesh = sample_character()
    grid = converted(mesh, size=24, colors=255)
    renders = render_mesh(mesh, frame_of(mesh, 24), 8)
    seen = np.concatenate([render.rgb[render.hit] for render in renders])
    common, count = np.unique(np.round(255 * seen), axis=0, return_counts=True)
    painted = common[count >= 3e-4 * len(seen)]
    away = np.abs(grid.palette.rgb[:, None] - painted).max(axis=-1).min(axis=1)
    assert len(grid.palette) >= 11
    assert away.max() <= 2


def test_as_many_colors_as_there_are():
    # 18 cubes side by side, each of its own color and two cells wide.
    shades = (0.1, 0.5, 0.9)
    paints = [(r, g, b) for r in shades for g in shades for b in (0.1, 0.9)]
    places = [(float(i % 6), float(i // 6), 0.0) for i in range(len(paints))]
    cubes = [
        shapes.box((1.0, 1.0, 1.0), place, paint)
        for place, paint in zip(places, paints, strict=True)
    ]
    grid = converted(joined(*cubes), size=12, colors=255)
    rgb = np.unique(rgb_of(grid)[grid.occupied], axis=0)
    away = np.abs(rgb[:, None] - 255 * np.array(paints)).max(axis=-1)
    assert len(rgb) == len(paints)
    assert away.min(axis=0).max() <= 1  # up to rounding


def test_what_no_ray_meets_is_said():
    stick = shapes.box((0.012, 2.0, 0.012))
    with pytest.raises(MeshError, match="at size 12 it is thinner than 1"):
        converted(stick, size=12)
    assert converted(stick, size=40).occupied.any()


def test_a_mesh_of_two_colors_gets_both_and_no_third():
    red, blue = (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)
    mesh = joined(
        shapes.box((3, 3, 3), (0, 0, 0), red), shapes.box((3, 3, 3), (3, 0, 0), blue)
    )
    grid = converted(mesh, size=12, colors=8)
    assert {tuple(c) for c in rgb_of(grid)[grid.occupied].tolist()} == {
        (255, 0, 0),
        (0, 0, 255),
    }


def test_the_result_lies_over_the_mesh():
    mesh = mesh_of(
        shapes.sphere(3.0, (1000.0, -50.0, 7.0)).vertices[shapes.sphere().faces]
    )
    grid = converted(mesh, size=16, colors=2)
    filled = np.argwhere(grid.occupied)
    low = grid.frame.world_from_grid(filled.min(axis=0).astype(float))
    high = grid.frame.world_from_grid(filled.max(axis=0) + 1.0)
    np.testing.assert_allclose([low, high], mesh.bounds, atol=0.5 * grid.frame.cell)


def test_stages_come_in_order_and_count_their_steps():
    config = dataclasses.replace(
        PRESETS["default"],
        size=8,
        fine=dataclasses.replace(PRESETS["default"].fine, steps=7),
    )
    told = list(voxelize_steps(shapes.sphere(), config))
    names = [progress.stage for progress in told]
    assert list(dict.fromkeys(names)) == [s for s in STAGES if s in names]
    assert {"renders", "pixelart", "coarse", "fine", "polish"} <= set(names)
    for stage in set(names):
        steps = [p.step for p in told if p.stage == stage]
        total = {p.steps for p in told if p.stage == stage}
        assert total == {len(steps)}
        assert steps == list(range(1, len(steps) + 1))
    fine = [p for p in told if p.stage == "fine"]
    assert len(fine) == 7
    for progress in fine:
        terms = dict(progress.losses)
        total = terms.pop("total")
        assert total == pytest.approx(sum(terms.values()), rel=1e-5)


def test_draft_needs_no_torch():
    code = (
        "import sys; from voxify3d import PRESETS, voxelize;"
        "from voxify3d.mesh.shapes import half_box; import dataclasses;"
        "config = dataclasses.replace(PRESETS['draft'], size=6, colors=2);"
        "voxelize(half_box(), config); sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr or "torch was imported"


@pytest.mark.parametrize("front", ["+x", "-x", "+y", "-y", "-z"])
def test_the_front_does_not_bend_a_ball(front):
    ball = converted(shapes.sphere(), size=11, colors=2, front=front)
    np.testing.assert_array_equal(
        ball.occupied, converted(shapes.sphere(), size=11, colors=2).occupied
    )
    assert ball.frame.front == front


@pytest.mark.parametrize("preset", RECIPES)
def test_a_loose_crumb_is_dropped_and_a_loose_part_is_not(preset):
    mesh = joined(
        shapes.box((8, 8, 8)),
        shapes.box((1, 1, 1), (8.5, 0.5, 0.5)),  # one voxel
        shapes.box((2, 2, 2), (0, 8, 0)),  # eight
    )
    grid = converted(mesh, preset, size=13, colors=2)
    labels = np.zeros(grid.index.shape, int)
    ndimage.label(grid.occupied, np.ones((3, 3, 3)), output=labels)
    assert sorted(np.bincount(labels.ravel())[1:].tolist()) == [8, 512]


@pytest.mark.parametrize("name", PRESETS)
def test_a_config_survives_being_written_down(name):
    config = dataclasses.replace(PRESETS[name], size=17)
    assert from_dict(to_dict(config)) == config
    assert isinstance(from_dict({}), VoxelizeConfig)
