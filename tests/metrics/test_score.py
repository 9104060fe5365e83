import json

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_clip import save_tiny_clip

from voxify3d.encoders.clip import load_clip
from voxify3d.errors import ConfigError, MeshError
from voxify3d.mesh.shapes import box, six_colored_tripod
from voxify3d.metrics.score import (
    PICTURES,
    TextEncoder,
    caption_score,
    read_pictures,
    read_prompts,
    score_pictures,
)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    pytest.importorskip("transformers", reason='needs pip install "voxify3d[clip]"')
    return load_clip(str(save_tiny_clip(tmp_path_factory.mktemp("clip"))))


def some_pictures(count=3, size=32):
    return np.random.default_rng(0).random((count, size, size, 3), np.float32)


class FixedEncoder:
    """Says what the test tells it to."""

    name, input_size, low_pass = "fixed", 8, False

    def __init__(self, seen, said):
        self.seen, self.said, self.texts = seen, said, []

    def features(self, images):
        return self.seen

    def text_features(self, texts):
        self.texts += texts
        return self.said


# The score ----------------------------------------------------------------------


def test_the_score_is_a_hundred_times_the_mean_cosine():
    seen = torch.tensor([[1.0, 0.0], [0.6, 0.8]])
    encoder = FixedEncoder(seen, torch.tensor([[0.0, 1.0]]))
    # Cosines 0 and 0.8.
    assert caption_score(encoder, some_pictures(2), "a cat") == pytest.approx(40)
    assert encoder.texts == ["a voxel art of a cat"]


def test_a_real_clip_scores_as_the_formula_says(encoder):
    assert isinstance(encoder, TextEncoder)
    pictures = some_pictures()
    got = caption_score(encoder, pictures, "  a\tcat ")
    seen = encoder.features(torch.from_numpy(pictures).permute(0, 3, 1, 2))
    said = encoder.text_features(["a voxel art of a cat"])
    expected = 100 * torch.nn.functional.cosine_similarity(seen, said).mean().item()
    assert got == pytest.approx(expected, abs=1e-4)
    assert caption_score(encoder, pictures, "a dog") != pytest.approx(got, abs=1e-4)


def test_an_empty_prompt_is_refused():
    with pytest.raises(ConfigError, match="the prompt is empty"):
        caption_score(
            FixedEncoder(torch.ones(1, 1), torch.ones(1, 1)), some_pictures(), " "
        )


# Pictures -----------------------------------------------------------------------


def test_pictures_go_around_the_object_from_the_front_on():
    pictures = score_pictures(six_colored_tripod(), pixels=48)
    assert pictures.shape == (PICTURES, 48, 48, 3)
    assert (pictures[:, 0, 0] == 1).all()
    assert len({p.tobytes() for p in pictures}) == PICTURES
    # From the front the limb of +x is on the right, from behind on the left.
    red = np.array([0.9, 0.1, 0.1]) * (0.62 + 0.38 * np.cos(np.radians(20)))
    columns = [
        np.nonzero((np.abs(pictures[n] - red) < 0.05).all(axis=-1))[1].mean()
        for n in (0, 4)
    ]
    assert columns[0] > 28
    assert columns[1] < 20


@pytest.mark.parametrize("front", ["+x", "-z", "+y"])
def test_a_turned_object_with_a_turned_front_looks_the_same(front):
    # A cube of one color looks the same from all fronts.
    straight = score_pictures(box(), pixels=32)
    turned = score_pictures(box(), front, pixels=32)
    np.testing.assert_allclose(turned, straight, atol=0.02)


def test_pictures_do_not_depend_on_place_and_scale():
    near = score_pictures(box((2.0, 1.0, 1.0)), pixels=32)
    far = score_pictures(box((200.0, 100.0, 100.0), (1e4, 0.0, -3e3)), pixels=32)
    np.testing.assert_allclose(near, far, atol=0.02)


def test_folders_of_pictures_are_read_in_order_on_white(tmp_path):
    Image.new("RGBA", (4, 8), (255, 0, 0, 255)).save(tmp_path / "b.png")
    Image.new("RGBA", (8, 8), (0, 0, 255, 0)).save(tmp_path / "a.png")
    (tmp_path / "notes.txt").write_text("not a picture")
    pictures = read_pictures(tmp_path, pixels=16)
    assert pictures.shape == (2, 16, 16, 3)
    assert (pictures[0] == 1).all()
    np.testing.assert_allclose(pictures[1, 8, 8], [1, 0, 0])
    np.testing.assert_allclose(pictures[1, 8, 0], [1, 1, 1])


def test_unreadable_folders_are_refused(tmp_path):
    with pytest.raises(MeshError, match="no such folder"):
        read_pictures(tmp_path / "none")
    with pytest.raises(MeshError, match="no pictures in this folder"):
        read_pictures(tmp_path)
    (tmp_path / "x.png").write_bytes(b"text")
    with pytest.raises(MeshError, match=r"x\.png: cannot be read as a picture"):
        read_pictures(tmp_path)


# Prompts ------------------------------------------------------------------------


def test_prompts_come_from_lines_or_json(tmp_path):
    lines = tmp_path / "prompts.tsv"
    lines.write_text("fox\ta red fox\n\nowl\tan owl\tasleep\n")
    assert read_prompts(lines, ["owl", "fox"]) == {
        "owl": "an owl\tasleep",
        "fox": "a red fox",
    }
    file = tmp_path / "prompts.json"
    file.write_text(json.dumps({"fox": "a red fox"}))
    assert read_prompts(file, ["fox"]) == {"fox": "a red fox"}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("p.tsv", "owl\tan owl\n", "no prompt for 'fox'"),
        ("p.tsv", "", "no prompt for 'fox' and 1 more"),
        ("p.tsv", "fox a red fox\n", "line 1 is 'fox a red fox', expected NAME, a tab"),
        ("p.tsv", "fox\t \n", "line 1 .* expected NAME"),
        ("p.tsv", "fox\ta\nfox\tb\n", "line 2 names 'fox' again"),
        ("p.json", "{", "not JSON"),
        ("p.json", "[]", "expected an object from names to prompts"),
        ("p.json", '{"fox": 3}', "expected an object from names to prompts"),
    ],
)
def test_bad_prompt_files_are_refused_in_one_line(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    names = ["fox", "bee"] if "1 more" in message else ["fox"]
    with pytest.raises(ConfigError, match=message) as caught:
        read_prompts(tmp_path / name, names)
    assert "\n" not in str(caught.value)


def test_a_missing_prompt_file_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read as a file of prompts"):
        read_prompts(tmp_path / "none.tsv", [])
