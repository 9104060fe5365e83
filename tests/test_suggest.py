"""`inspect --suggest-size`: known eyes on a box, words, and real meshes."""

import importlib
import json
from pathlib import Path

import numpy as np
import pytest
from makers import joined
from PIL import Image

from voxify3d.cli.main import main
from voxify3d.mesh.load import load_mesh
from voxify3d.mesh.sample import sample_character
from voxify3d.mesh.save import save_glb
from voxify3d.mesh.shapes import box
from voxify3d.suggest import SIZES, SURE, Suggestion, Trait, suggest_size

ROOT = Path(__file__).parents[1]
MESHES = ROOT.parent / "shared" / "meshes"


def face(eye: float, gap: float = 0.3):
    """A pale cube of edge 1 with two black square eyes of a width, on its front."""
    height = 0.2
    return joined(
        box((1, 1, 1), color=(0.9, 0.8, 0.7)),
        box((eye, eye, 0.01), (-gap / 2 - eye / 2, height, 0.5), (0, 0, 0)),
        box((eye, eye, 0.01), (gap / 2 + eye / 2, height, 0.5), (0, 0, 0)),
    )


@pytest.mark.parametrize("eye", [0.06, 0.04, 0.022, 0.0145])
def test_an_eye_must_be_wide_enough_for_a_voxel(eye):
    found = suggest_size(face(eye))
    assert len(found.features) == 2
    for trait in found.features:
        assert trait.width == pytest.approx(eye, abs=0.003)
        assert trait.what == "black spot high on the front"
    assert found.size >= min(SURE / eye, 16)
    assert found.size <= max(1.2 * SURE / eye + 8, 16)


def test_eyes_that_would_run_together_need_a_larger_size():
    apart, close = suggest_size(face(0.05, 0.3)), suggest_size(face(0.05, 0.015))
    assert apart.size == 16
    assert close.size >= 32
    assert (
        "voxels from the next, and it takes 0.6 not to become one" in close.reasons[1]
    )


@pytest.mark.parametrize(("shift", "spots"), [(0.0, 3), (0.12, 1)])
def test_eyes_count_beside_what_is_more_striking(shift, spots):
    badge = box((0.1, 0.1, 0.01), (0, -0.25, 0.5), (0, 0, 0))
    eyes = [
        box((0.04, 0.04, 0.01), (x + shift, 0.3, 0.5), (0, 0, 0)) for x in (-0.1, 0.1)
    ]
    mesh = joined(box((1, 1, 1), color=(0.9, 0.8, 0.7)), badge, *eyes)
    assert len(suggest_size(mesh).features) == spots


def person(eye: float):
    """A body, a neck, and a head with a face of eyes of a width."""
    head = (0.9, 0.8, 0.7)
    eyes = [box((eye, eye, 0.01), (x, 1.4, 0.15), (0, 0, 0)) for x in (-0.06, 0.06)]
    return joined(
        box((0.5, 0.9, 0.3), (0, 0.55, 0), (0.2, 0.3, 0.8)),
        box((0.12, 0.2, 0.12), (0, 1.1, 0), head),
        box((0.3, 0.3, 0.3), (0, 1.35, 0), head),
        *eyes,
    )


def test_a_larger_head_is_offered_where_a_smaller_size_will_do_then():
    found = suggest_size(person(0.02))
    larger = found.with_larger_head
    assert larger is not None
    assert len(larger.features) >= len(found.features) == 2
    assert larger.size < found.size
    assert found.as_dict()["size_with_larger_head"] == larger.size
    assert found.reasons[-1].startswith(f"with --emphasize head, {larger.size} keeps 2")
    needs = larger.features[0].needs / found.features[0].needs
    assert needs == pytest.approx(1.2 / 1.5, rel=0.25)  # the whole grows, too


@pytest.mark.parametrize("mesh", [person(0.06), face(0.0145)])
def test_no_larger_head_is_offered_where_it_does_not_help(mesh):
    found = suggest_size(mesh)  # no size is too small, or there is no neck
    assert found.with_larger_head is None
    assert found.as_dict()["size_with_larger_head"] is None
    assert not any("--emphasize" in reason for reason in found.reasons)


def test_a_plain_box_needs_nothing():
    found = suggest_size(box((1, 2, 1)))
    assert found.size == SIZES[0]
    assert found.reasons == ["no small features and no thin parts: 16 and up will do"]


def test_a_thin_limb_is_counted():
    mesh = joined(box((1, 1, 1)), box((0.02, 0.8, 0.02), (0, 0.9, 0)))
    found = suggest_size(mesh)
    assert len(found.limbs) == 1
    assert found.limbs[0].width == pytest.approx(0.02 / 1.3, abs=0.006)


def test_reasons_say_what_is_lost_and_what_a_smaller_size_keeps():
    eye = Trait("black spot high on the front", 0.4 / 33, 33.0)
    mouth = Trait("red spot halfway up on the front", 0.4 / 26, 26.0)
    arm = Trait("thin part", 0.02, 10.0, 0.2)
    found = Suggestion(36, (eye, eye, mouth), (arm, arm, arm))
    assert found.kept(28) == (1, 3)
    assert found.reasons == [
        "36 is the smallest size that keeps 3 features and 3 thin parts",
        "at 32, 2 black spots high on the front would be 0.38 voxels wide, and it "
        "takes 0.4 to be sure of a voxel",
        "28 keeps 1 feature and 3 thin parts",
    ]
    assert found.neighbors == (28, 36, 48)
    tiny = Suggestion(96, (Trait("pink spot", 0.001, 500.0),), ())
    assert tiny.reasons[0] == "even 96 keeps only nothing, of 1 feature"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_glb(sample_character(), tmp_path / "robot.glb")
    return tmp_path


def test_the_command_tells_people_and_programs(here, capsys):
    assert main(["inspect", "robot.glb", "--suggest-size"]) == 0
    lines = capsys.readouterr().out.splitlines()
    (size,) = [line for line in lines if line.startswith("size ")]
    why = [line for line in lines if line.startswith("why ")]
    assert size.endswith("suggested")
    assert why
    assert main(["inspect", "robot.glb", "--suggest-size", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["suggestion"]
    assert str(found["size"]) in size
    assert [line[12:] for line in why] == found["why"]
    assert list(map(int, found["kept"])) == list(SIZES)
    assert found["kept"][str(found["size"])]["features"] == len(found["features"])
    assert main(["inspect", "robot.glb", "--json"]) == 0
    assert "suggestion" not in json.loads(capsys.readouterr().out)


def test_the_picture_gets_a_row_of_drafts(here):
    assert main(["inspect", "robot.glb", "--picture", "six.png"]) == 0
    assert main(["inspect", "robot.glb", "--picture", "a.png", "--suggest-size"]) == 0
    six, more = Image.open("six.png"), Image.open("a.png")
    assert (more.width, more.height > six.height) == (six.width, True)
    np.testing.assert_array_equal(
        np.asarray(more)[: six.height], np.asarray(six.convert(more.mode))
    )
    drafts = np.asarray(more.convert("RGB"))[six.height + 30 :]
    assert (drafts != drafts[-1, -1]).any(axis=-1).mean() > 0.05


@pytest.mark.slow
def test_features_survive_at_the_suggested_size_and_fewer_at_smaller_ones(monkeypatch):
    """Counted in pictures of real conversions, as in the table of docs/sizes.md."""
    if not MESHES.is_dir():
        pytest.skip("needs the real meshes beside the checkout")
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    survivors = importlib.import_module("sizes").survivors
    kept, smaller, total, parts = 0, 0, 0, []
    for name in ("knight.glb", "witch.glb", "fox/fox.gltf", "skater-male.gltf"):
        mesh = load_mesh(MESHES / name)
        size = suggest_size(mesh).size
        found, count, recall = survivors(mesh, "+z", size)
        kept, total = kept + found, total + count
        parts.append(recall)
        smaller += survivors(mesh, "+z", round(0.6 * size))[0]
    assert kept >= 0.85 * total
    assert smaller < kept
    assert np.nanmin(parts) >= 0.9
