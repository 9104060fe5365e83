"""`voxify3d inspect`, and the texture doctor of all commands."""

import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from gltf_maker import Maker
from PIL import Image

from voxify3d.cli.main import main
from voxify3d.export import read_voxels
from voxify3d.mesh.facts import facts_of
from voxify3d.mesh.sample import sample_character
from voxify3d.mesh.save import save_glb
from voxify3d.mesh.settings import LoadConfig
from voxify3d.mesh.shapes import box, checkered_cube, plane
from voxify3d.mesh.topology import edges_of, symmetry_of
from voxify3d.types import Mesh

OBJ = """mtllib a.mtl
v 0 0 0
v 1 0 0
v 0 1 0
vt 0 0
usemtl one
f 1/1 2/1 3/1
usemtl two
f 1/1 3/1 2/1
"""
MTL = """newmtl one
Kd 1 0 0
map_Kd C:\\art\\Gone.png
newmtl two
Kd 0 0 1
map_Kd torn.png
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.obj").write_text(OBJ)
    (tmp_path / "a.mtl").write_text(MTL)
    (tmp_path / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    save_glb(sample_character(), tmp_path / "robot.glb")
    return tmp_path


def report(capsys, *words):
    assert main(["inspect", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_report_of_the_sample_is_complete(here, capsys):
    found = report(capsys, "robot.glb")
    assert found["format"] == ".glb"
    assert found["triangles"] == len(sample_character().faces)
    size = np.subtract(found["box"]["high"], found["box"]["low"])
    np.testing.assert_allclose(size, found["box"]["size"])
    assert found["colors"] == ["textures"]
    assert found["textures"]["missing"] == []
    assert len(found["textures"]["found"]) == 1
    assert found["materials"][0]["texture"] is not None
    assert (found["up"], found["front"]) == ("+y", "+z")
    assert found["picture"] is None


def test_clips_skins_variants_and_alpha_are_told(tmp_path, capsys):
    maker = Maker()
    primitive = maker.triangle()
    look = {"name": "glass", "alphaMode": "BLEND"}
    primitive["material"] = maker.add("materials", look)
    maker.add("skins", {"joints": [0]})
    sampler = {
        "input": maker.accessor([0, 2.5]),
        "output": maker.accessor([[0] * 3] * 2),
    }
    channel = {"sampler": 0, "target": {"node": 0, "path": "translation"}}
    clip = {"name": "Hop", "samplers": [sampler], "channels": [channel]}
    maker.add("animations", clip)
    names = {"variants": [{"name": "Night"}]}
    maker.document["extensions"] = {"KHR_materials_variants": names}
    maker.document["extensionsUsed"] = ["KHR_materials_variants"]
    found = report(capsys, str(maker.glb(tmp_path / "a.glb")))
    assert found["animations"] == {"Hop": 2.5}
    assert found["skins"] == 1
    assert found["variants"] == ["Night"]
    assert found["alpha"] == {"glass": "blend"}
    assert found["extensions"] == ["KHR_materials_variants"]
    assert found["watertight"] is False
    assert found["open_edges"] == 3
    assert "no colors: the result will be white" in found["warnings"]


def test_people_get_lines_and_terminals_a_table(here, capsys, monkeypatch):
    assert main(["inspect", "robot.glb"]) == 0
    plain, err = capsys.readouterr()
    assert plain.startswith("robot.glb\nformat      glb\ntriangles   ")
    assert err == ""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert main(["inspect", "robot.glb"]) == 0
    shown = capsys.readouterr().out
    for line in plain.splitlines()[1:]:
        assert line.split()[0] in shown


def test_the_picture_shows_six_views(here, capsys):
    assert main(["inspect", "robot.glb", "--picture", "robot.png"]) == 0
    assert capsys.readouterr().out.endswith("\nrobot.png\n")
    pixels = np.asarray(Image.open("robot.png").convert("RGB")).astype(int)
    height, width = pixels.shape[0] // 2, pixels.shape[1] // 3
    background = pixels[-1, -1]
    for row in range(2):
        for column in range(3):
            view = pixels[row * height : (row + 1) * height]
            view = view[24:, column * width : (column + 1) * width]
            assert (np.abs(view - background).max(axis=-1) > 40).mean() > 0.05


def test_the_picture_obeys_front_and_up(here, capsys):
    main(["inspect", "robot.glb", "--picture", "a.png"])
    main(["inspect", "robot.glb", "--picture", "b.png", "--front", "-z"])
    front, turned = (np.asarray(Image.open(name)) for name in ("a.png", "b.png"))
    width = front.shape[1] // 3
    body = slice(24, front.shape[0] // 2)
    np.testing.assert_array_equal(front[body, width : 2 * width], turned[body, :width])


def test_a_picture_is_not_overwritten_without_force(here, capsys):
    (here / "a.png").write_bytes(b"old")
    assert main(["inspect", "robot.glb", "--picture", "a.png"]) == 1
    assert main(["inspect", "robot.glb", "--picture", "a.jpg"]) == 2
    assert (here / "a.png").read_bytes() == b"old"
    assert main(["inspect", "robot.glb", "--picture", "a.png", "--force"]) == 0


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("gone.glb", 3),
        ("a.mtl", 3),
        ("robot.glb --animation Run", 2),
        ("robot.glb --front up", 2),
        ("", 2),
    ],
)
def test_mistakes_have_the_exit_codes_of_convert(here, capsys, words, code):
    assert main(["inspect", *words.split()]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1


# --- the texture doctor ------------------------------------------------------------


def test_inspect_tells_all_missing_textures_and_fails_unless_allowed(here, capsys):
    assert main(["inspect", "a.obj", "--json"]) == 3
    out, err = capsys.readouterr()
    first, second = json.loads(out)["textures"]["missing"]
    assert first.startswith("C:\\art\\Gone.png")
    assert second.startswith("torn.png (is no image")
    assert "2 missing textures: C:\\art\\Gone.png" in err
    assert main(["inspect", "a.obj", "--allow-missing-textures"]) == 0
    assert "torn.png" in capsys.readouterr().out


def test_convert_lists_missing_and_unreadable_textures_together(here, capsys):
    words = ["convert", "a.obj", "a.vox", "--size", "8", "--preset", "draft"]
    assert main(words) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "2 missing textures" in err
    assert "Gone.png" in err
    assert "torn.png" in err
    assert "--allow-missing-textures" in err
    assert not (here / "a.vox").exists()
    assert main([*words, "--allow-missing-textures"]) == 0
    assert "warning: 2 missing textures, plain color used" in capsys.readouterr().err
    assert (here / "a.vox").exists()


def test_a_texture_inside_a_zip_is_found(here, capsys):
    Image.new("RGB", (2, 2)).save(here / "torn.png")
    with zipfile.ZipFile("a.zip", "w") as archive:
        for name in ("a.obj", "a.mtl", "torn.png"):
            archive.write(name, f"model/{name}")
    found = report(capsys, "a.zip", "--allow-missing-textures")
    assert found["format"] == ".obj"
    assert found["textures"]["found"] == ["torn.png"]
    assert len(found["textures"]["missing"]) == 1


# --- topology ----------------------------------------------------------------------


def _without(mesh: Mesh, face: int) -> Mesh:
    keep = np.arange(len(mesh.faces)) != face
    return replace(
        mesh, faces=mesh.faces[keep], material=mesh.material[keep], part=mesh.part[keep]
    )


def test_a_box_is_watertight_and_open_without_a_face():
    cube = box()
    assert edges_of(cube).is_watertight
    edges = edges_of(_without(cube, 0))
    assert (edges.open, edges.crowded, edges.is_watertight) == (3, 0, False)


def test_a_sheet_is_open_all_around():
    edges = edges_of(plane())
    assert not edges.is_watertight
    assert edges.open > 0


def test_symmetry_tells_left_right_from_front_back():
    robot = sample_character()
    assert symmetry_of(checkered_cube(), 0) == 1
    assert symmetry_of(robot, 0) > 0.5


def test_a_mesh_that_faces_sideways_is_noted(shared_mesh):
    config = LoadConfig(rotate=(0.0, 90.0, 0.0))
    facts = facts_of(shared_mesh("trex.glb"), config)
    assert any("--front" in warning for warning in facts.warnings)
    ahead = facts_of(shared_mesh("trex.glb"), LoadConfig())
    assert not any("--front" in warning for warning in ahead.warnings)


# --- convert -----------------------------------------------------------------------


def test_loading_options_are_repeated_by_from(here, capsys):
    words = ["convert", "robot.glb", "--size", "8", "--preset", "draft"]
    turned = ["--up", "-y", "--rotate", "0", "90", "0", "--fill", "shell"]
    assert main([*words, "a.vox", *turned]) == 0
    assert main([*words[:2], "b.vox", "--from", "a.vox"]) == 0
    assert (here / "a.vox").read_bytes() == (here / "b.vox").read_bytes()
    assert main([*words, "c.vox"]) == 0
    assert (here / "a.vox").read_bytes() != (here / "c.vox").read_bytes()


def test_a_mesh_that_lies_down_stands_up_by_up_and_front(here, capsys):
    # The same robot, written with z up and its face to -y.
    mesh = sample_character()
    lying = mesh.vertices[:, [0, 2, 1]] * [1, -1, 1]
    save_glb(replace(mesh, vertices=lying), here / "lying.glb")
    size = ["--size", "8", "--preset", "draft"]
    assert main(["convert", "robot.glb", "a.vox", *size]) == 0
    words = ["convert", "lying.glb", "b.vox", *size, "--up", "+z", "--front", "-y"]
    assert main(words) == 0
    one, other = (read_voxels(here / name) for name in ("a.vox", "b.vox"))
    np.testing.assert_array_equal(one.index, other.index)
    np.testing.assert_array_equal(one.palette.rgb, other.palette.rgb)
