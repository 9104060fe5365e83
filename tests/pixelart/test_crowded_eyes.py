"""Eyes that nearly touch the hair beside them."""

from pathlib import Path

import numpy as np
import pytest
from face_maker import SIDE, SKIN, features_of, renders_of

from voxify3d.color.spaces import oklab_from_srgb
from voxify3d.mesh.load import load_mesh
from voxify3d.pixelart.features import find_features
from voxify3d.pixelart.pixelize import pixelize
from voxify3d.pixelart.statistics import cell_statistics
from voxify3d.render.mesh import frame_of, render_mesh

CELLS = 15
MIDDLE = CELLS / 2
HEIGHT = 8.4
"""Of the eyes, in cells."""
HAIR, EYE = (0.14, 0.14, 0.14), (0.17, 0.12, 0.1)
WITCH = Path(__file__).parents[3] / "shared" / "meshes" / "witch.glb"


def haired(
    eye=(0.65, 0.65), away: float = 1.45, margin: float = 0.05, both: bool = True
) -> np.ndarray:
    """Samples [x, y]: a face between hair, and eyes that nearly touch it.

    Args:
        eye: Width and height of an eye, cells.
        away: Distance of each eye from the middle, cells.
        margin: Skin between an eye and the hair, cells.
        both: Whether there are two eyes.
    """
    image = np.full((CELLS * SIDE, CELLS * SIDE, 3), SKIN)
    x, y = (np.indices(image.shape[:2]) + 0.5) / SIDE
    across = np.abs(x - MIDDLE)
    hair = (across > away + eye[0] / 2 + margin) | (y > 11)
    image[hair & (across < 5) & (np.abs(y - 9) < 5)] = HAIR
    eyes = np.abs(across - away) < eye[0] / 2
    eyes &= np.abs(y - HEIGHT) < eye[1] / 2
    if not both:
        eyes &= x < MIDDLE
    image[eyes] = EYE
    return image


def crowded(front: np.ndarray) -> list:
    """Return the features that would drown in what is beside them."""
    return [f for f in features_of(front, CELLS) if len(f.rim)]


@pytest.mark.parametrize("away", [1.2, 1.45, 1.7])
@pytest.mark.parametrize("margin", [0.0, 0.1])
def test_an_eye_is_set_apart_from_the_hair_beside_it(away, margin):
    art = pixelize(renders_of(haired(away=away, margin=margin), CELLS), 4)
    colors = oklab_from_srgb(art.palette.rgb[art.pictures[0].index] / 255)
    dark = colors[..., 0] < 0.5
    row = round(HEIGHT - 0.5)
    line = dark[:, row]
    middle = CELLS // 2
    assert not line[middle]
    for step in (-1, 1):
        half = line[middle::step][:5]
        eye = int(half.argmax())  # the first dark cell on the way out
        assert half[: eye + 2].tolist() == [False] * eye + [True, False]  # then skin
        assert half[eye + 2 :].any()  # then hair
        assert not dark[middle + step * eye, [row - 1, row + 1]].any()
    np.testing.assert_array_equal(dark, dark[::-1])


def test_both_eyes_are_found_alike():
    one, other = crowded(haired())
    assert (one.cells[:, 1] == other.cells[:, 1]).all()
    assert one.cells[:, 0].tolist() == [CELLS - 1 - a for a in other.cells[:, 0]]
    assert one.ground == pytest.approx(oklab_from_srgb(np.array(SKIN)), abs=0.02)


@pytest.mark.parametrize(
    "drawn",
    [
        {"both": False},  # a lone dark spot beside hair is a strand of it
        {"eye": (0.42, 0.42)},  # no room for a rim
        {"eye": (1.2, 0.3)},  # a brow
        {"away": 0.75},  # less than a cell between them would be a bar
    ],
)
def test_what_is_no_crowded_eye(drawn):
    assert not crowded(haired(**drawn))


def test_an_eye_whose_twin_is_too_small_to_be_one_is_not_drawn_alone():
    image = haired(eye=(0.5, 0.5))
    x, y = (np.indices(image.shape[:2]) + 0.5) / SIDE
    one = (
        (x < MIDDLE) & (np.abs(y - HEIGHT) < 0.25) & (np.abs(MIDDLE - x - 1.45) < 0.25)
    )
    assert len(crowded(image)) == 2
    image[one & (y > HEIGHT + 0.1)] = SKIN  # less than a fifth of a cell is left
    assert not crowded(image)


def test_stripes_are_no_eyes():
    x, y = (np.indices((CELLS * SIDE, CELLS * SIDE)) + 0.5) / SIDE
    image = np.full((*x.shape, 3), SKIN)
    image[(np.abs(y - HEIGHT) < 3) & (x % 1.4 < 0.7)] = HAIR
    assert not crowded(image)


def test_a_pale_spot_beside_pale_hair_is_no_eye():
    assert not crowded(1 - haired())


@pytest.mark.skipif(not WITCH.exists(), reason="needs the shared meshes")
@pytest.mark.parametrize("size", [48, 56, 60])
def test_the_witch_has_eyes_beside_her_hair(size):
    mesh = load_mesh(WITCH)
    renders = render_mesh(mesh, frame_of(mesh, size, "+z"), 8)
    art = pixelize(renders, 8)
    index = art.pictures[0].index
    lightness = oklab_from_srgb(art.palette.rgb[index] / 255)[..., 0]
    cells = [cell_statistics(render) for render in renders]
    found = find_features(cells, mirror=art.mirror)
    eyes = [f for f in found if len(f.rim) and f.compact]  # her belt is an arc
    assert [len(f.cells) for f in eyes] == [1, 1]
    for eye in eyes:
        (a, b) = eye.cells[0]
        assert lightness[a, b] < 0.4
        for beside in ((a - 1, b), (a + 1, b), (a, b - 1), (a, b + 1)):
            assert lightness[beside] > 0.5
