"""Brows and hair set apart from eyes."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from face_maker import INK, SIDE, SKIN, face, features_of, renders_of
from scipy import ndimage

from voxify3d.color.spaces import oklab_from_bytes, oklab_from_srgb
from voxify3d.config import PRESETS
from voxify3d.mesh.load import load_mesh
from voxify3d.pipeline import voxelize
from voxify3d.pixelart.pixelize import pixelize
from voxify3d.pixelart.settings import PixelArtConfig

SHARED = Path(__file__).parents[3] / "shared" / "meshes"
CELLS = 18
BROWN = (0.27, 0.1, 0.06)


def browed(gap: float, at: float = 9.0, fringe: float | None = None) -> np.ndarray:
    """Samples [x, y] of eyes with brows over them, and hair; all in cells."""
    image = face([], cells=CELLS)
    x, y = (np.indices(image.shape[:2]) + 0.5) / SIDE
    for middle in (at - 2.0, at + 2.0):
        image[np.hypot((x - middle) / 0.45, (y - 8.5) / 0.5) < 1] = INK
        low = 9.0 + gap
        image[(np.abs(x - middle) < 0.9) & (y > low) & (y < low + 0.7)] = BROWN
    if fringe is not None:
        image[(x > at + 2.45 + fringe) & (y > 6)] = BROWN
    return image


def dark(image: np.ndarray) -> np.ndarray:
    """Return which cells [x, y] of the front are dark."""
    art = pixelize(renders_of(image, CELLS), 4, PixelArtConfig(symmetry=False))
    palette = oklab_from_bytes(art.palette.rgb)
    return (art.pictures[0].index >= 0) & (palette[art.pictures[0].index][..., 0] < 0.5)


def eyes_of(cells: np.ndarray) -> list[np.ndarray]:
    """Return the dark things between the fifth and the ninth row, cell by cell."""
    number, count = ndimage.label(cells)
    things = [np.argwhere(number == label) for label in range(1, count + 1)]
    return [thing for thing in things if thing[:, 1].min() < 9]


@pytest.mark.parametrize("gap", [0.2, 0.35, 0.5, 0.7])
@pytest.mark.parametrize("at", [9.0, 9.3, 9.5, 9.8])
def test_brows_do_not_hang_on_eyes(gap, at):
    eyes = eyes_of(dark(browed(gap, at)))
    assert [len(eye) for eye in eyes] == [1, 1]


def test_brows_move_up_by_a_cell_and_stay_brows():
    cells = dark(browed(0.2))
    low = max(eye[:, 1].max() for eye in eyes_of(cells))
    assert not cells[:, low + 1].any()
    assert cells[:, low + 2].sum() == 4


def test_far_brows_stay_where_they_are():
    near = [f.cells for f in features_of(browed(1.2), CELLS)]
    assert max(cells[:, 1].max() for cells in near) == 10


@pytest.mark.parametrize("fringe", [0.3, 0.45])
def test_hair_beside_an_eye_leaves_it_free(fringe):
    """On one side only, within a cell."""
    image = browed(3.0, 9.0, fringe)
    eyes = eyes_of(dark(image) & (np.indices((CELLS, CELLS))[0] < 12))
    assert [len(eye) for eye in eyes] == [1, 1]


def test_what_is_set_free_has_the_color_of_the_skin():
    art = pixelize(renders_of(browed(0.2), CELLS), 4, PixelArtConfig(symmetry=False))
    cells = dark(browed(0.2))
    palette = oklab_from_bytes(art.palette.rgb)
    skin = oklab_from_srgb(np.array(SKIN))
    apart = np.linalg.norm(palette[art.pictures[0].index] - skin, axis=-1)
    assert (apart[~cells] < 0.05).all()


@pytest.mark.parametrize("size", [24, 32, 36, 40, 44, 48, 56])
def test_the_skater_has_two_free_eyes(size):
    """Brows hung on them, and hair on one of them."""
    path = SHARED / "skater-male.gltf"
    if not path.is_file():
        pytest.skip("../shared/meshes is not here")
    grid = voxelize(load_mesh(path), dataclasses.replace(PRESETS["draft"], size=size))
    filled = grid.index > 0
    nearest = filled.shape[2] - 1 - filled[:, :, ::-1].argmax(axis=2)
    front = np.take_along_axis(grid.index, nearest[..., None], axis=2)[..., 0]
    lightness = np.append(1.0, oklab_from_bytes(grid.palette.rgb)[:, 0])
    number, _ = ndimage.label((lightness[front] < 0.36) & filled.any(axis=2))
    spots = [
        tuple(map(tuple, np.argwhere(number[box] == label).tolist()))
        for label, box in enumerate(ndimage.find_objects(number), start=1)
    ]
    rows = [box[1].start for box in ndimage.find_objects(number)]
    small = [
        (row, spot) for row, spot in zip(rows, spots, strict=True) if len(spot) < 4
    ]
    on_head = [(row, spot) for row, spot in small if row > 0.8 * size]
    assert max(on_head.count(one) for one in on_head) == 2
